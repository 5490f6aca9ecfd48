"""Writing values back to Salesforce, and telling our own values from somebody's edit."""

from collections.abc import Mapping, Sequence
from decimal import Decimal, InvalidOperation

from counterfoil.sources import unknown_name_error
from counterfoil.sources.http import RefusedError, UnansweredError
from counterfoil.sources.port import SourceError, UnknownNameError, WriteBack, WriteBackResult
from counterfoil_adapters.salesforce.client import PASSING, Description, SalesforceClient, is_id
from counterfoil_adapters.salesforce.shapes import Shape
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

RECONNECT_SECONDS = 300.0
AGAIN_SECONDS = 10.0
UNAUTHORIZED = 401
FIX = (
    "Create it in Salesforce, give the user's permission set edit access to it, or correct [write_back] in the mapping."
)
_NUMBERS = frozenset({"double", "currency", "percent", "int"})
_GONE = frozenset({"ENTITY_IS_DELETED", "NOT_FOUND", "INVALID_CROSS_REFERENCE_KEY"})
_FORBIDDEN = frozenset(
    (
        *("INSUFFICIENT_ACCESS", "INSUFFICIENT_ACCESS_OR_READONLY", "INSUFFICIENT_ACCESS_ON_CROSS_REFERENCE_ENTITY"),
        *("INVALID_FIELD_FOR_INSERT_UPDATE", "CANNOT_INSERT_UPDATE_ACTIVATE_ENTITY"),
    )
)


class WriteBacks:
    """Sets fields on the source record, or on a record of another object that its external id finds."""

    def __init__(self, client: SalesforceClient, shapes: Mapping[str, Shape]) -> None:
        self._client = client
        self._shapes = shapes

    async def write(self, request: WriteBack) -> WriteBackResult:
        """Set the values, and say how it ended."""
        shape = self._shapes.get(request.kind)
        if shape is None or not is_id(request.source_id):
            return WriteBackResult(
                outcome="rejected",
                reason=f"Salesforce has no {request.kind} {request.source_id} to write back to.",
                fix=f"Write back to {', '.join(self._shapes)}.",
            )
        if not request.values:
            return WriteBackResult(outcome="accepted")
        try:
            return await self._write(shape, request)
        except UnansweredError as error:
            return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
        except RefusedError as error:
            if error.status == UNAUTHORIZED:
                # It says nothing about the record: once the connection is mended, the same write will do.
                later = RECONNECT_SECONDS
                return WriteBackResult(outcome="later", reason=error.message, fix=error.remedy, retry_after=later)
            fix = error.remedy or "Change what the mapping writes."
            return WriteBackResult(outcome="rejected", reason=error.message, fix=fix)
        except SourceError as error:
            wait = error.retry_after if error.retry_after is not None else RECONNECT_SECONDS
            return WriteBackResult(outcome="later", reason=error.message, fix=error.remedy, retry_after=wait)

    async def unknown_fields(self) -> list[UnknownNameError]:
        """What the mapping writes to and this user does not see."""
        found: list[UnknownNameError] = []
        self._client.forget_descriptions()
        for shape in self._shapes.values():
            name = shape.write_back.object if shape.write_back is not None else shape.object
            if shape.written:
                described = await self._client.describe(name)
                says = f"Salesforce shows this user no field on {name} called"
                missing = described.missing(shape.written)
                found += [unknown_name_error(says, one, described.types, FIX) for one in missing]
        return found

    async def _write(self, shape: Shape, request: WriteBack) -> WriteBackResult:
        target = shape.write_back
        name = target.object if target is not None else shape.object
        described = await self._client.describe(name)
        missing = described.missing(request.values)
        if missing:
            self._client.forget_descriptions()
            return WriteBackResult(
                outcome="rejected",
                reason=f"Salesforce shows this user no field {', '.join(missing)} on {name}.",
                fix=f"{described.nearest(missing[0])}{FIX}",
            )
        try:
            record = {field: _typed(described, field, value) for field, value in request.values.items()}
        except ValueError as error:
            fix = "Make it a text field, or write another value to it."
            return WriteBackResult(outcome="rejected", reason=str(error), fix=fix)
        if target is None:
            result = await self._client.save(name, None, {"id": request.source_id, **record}, request.deadline)
        else:
            keys = {target.external_id: request.source_id}
            if target.parent is not None:
                keys[target.parent] = request.source_id
            result = await self._client.save(name, target.external_id, {**keys, **record}, request.deadline)
        return _judged(name, request, result)


def _typed(described: Description, name: str, text: str) -> object:
    """The value as the field's type wants it; blank text empties the field."""
    kind = described.types[name]
    if not text.strip():
        return None
    try:
        if kind in _NUMBERS:
            return Decimal(text)
        if kind == "boolean":
            return {"true": True, "false": False}[text.lower()]
    except (InvalidOperation, KeyError):
        raise ValueError(f"{name} on {described.object} is of type {kind} and cannot hold {text[:60]!r}.") from None
    return text


def _judged(name: str, request: WriteBack, result: JsonObject) -> WriteBackResult:
    if result.get("success") is True:
        return WriteBackResult(outcome="accepted")
    errors = result.get("errors")
    told = [one for one in (errors if isinstance(errors, list) else []) if isinstance(one, dict)]
    codes = {str(one.get("statusCode")) for one in told}
    words = " ".join(f"{one.get('message')} ({one.get('statusCode')})" for one in told)[:500]
    reason = f"Salesforce refuses the values: {words}"
    if PASSING & codes:
        return WriteBackResult(outcome="later", reason=reason, retry_after=AGAIN_SECONDS)
    if _GONE & codes:
        fix = f"The {name} {request.source_id} was deleted or merged in Salesforce; nothing is left to write to."
    elif _FORBIDDEN & codes:
        fix = f"Give the integration's user edit access to {_fields(told) or name}."
    else:
        fix = "Change the field or its validation rule in Salesforce, or what the mapping writes to it."
    return WriteBackResult(outcome="rejected", reason=reason, fix=fix)


def _fields(errors: Sequence[JsonObject]) -> str:
    named = [str(one) for error in errors for one in _listed(error.get("fields"))]
    return ", ".join(dict.fromkeys(named))


def _listed(value: JsonValue) -> list[JsonValue]:
    return value if isinstance(value, list) else []


def same_values(values: Mapping[str, str], raw: str) -> bool:
    """Whether a payload already holds these values; 1200.00 and 1200 are the same, and so are nothing and blank."""
    try:
        row = exact_json.loads_object(raw).get("record")
    except ValueError:
        return False
    held = row if isinstance(row, dict) else {}
    return all(_same(value, held.get(name)) for name, value in values.items())


def _same(wanted: str, held: JsonValue) -> bool:
    text = "" if held is None else str(held).lower() if isinstance(held, bool) else str(held).strip()
    if wanted.strip() == text:
        return True
    try:
        left, right = Decimal(wanted), Decimal(text)
    except InvalidOperation:
        return False
    return left == right if left.is_finite() and right.is_finite() else False
