"""Writing values back to HubSpot, and telling our own values from somebody's edit."""

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from counterfoil.sources.http import RefusedError, UnansweredError
from counterfoil.sources.port import SourceError, WriteBack, WriteBackResult
from counterfoil_adapters.hubspot.client import NOT_FOUND, HubSpotClient, missing_scopes
from counterfoil_adapters.hubspot.kinds import KINDS, SALES, scope
from counterfoil_adapters.hubspot.property_setup import PropertySetup
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

RECONNECT_SECONDS = 300.0
BAD_REQUEST = 400


class WriteBacks:
    """Sets properties on HubSpot objects; sets the properties up where the account lacks them.

    Args:
        key_property: takes a value of ours with each write, by which the record is found again under another id.
    """

    def __init__(self, client: HubSpotClient, setup: PropertySetup, key_property: str | None = None) -> None:
        self._client = client
        self._setup = setup
        self._key = key_property

    async def write(self, request: WriteBack) -> WriteBackResult:
        """Set the values, and say how it ended."""
        kind = KINDS.get(request.kind)
        if kind is None or request.kind in ("refund", "payout"):
            return WriteBackResult(
                outcome="rejected",
                reason=f"HubSpot has no {request.kind} to write back to.",
                fix="Write back to deals, quotes, invoices, payments, companies, contacts or products.",
            )
        if not request.values:
            return WriteBackResult(outcome="accepted")
        try:
            return await self._write(kind.plural, request)
        except UnansweredError as error:
            return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
        except RefusedError as error:
            return _refused(request, kind.plural, error)
        except SourceError as error:
            return WriteBackResult(outcome="later", reason=error.message, retry_after=error.retry_after)

    async def _write(self, plural: str, request: WriteBack) -> WriteBackResult:
        try:
            row = await self._set(plural, request)
        except RefusedError as error:
            if error.status != BAD_REQUEST or "PROPERTY_DOESNT_EXIST" not in _codes(error.body):
                raise
            await self._setup.make(plural)
            row = await self._set(plural, request)
        return WriteBackResult(outcome="accepted", version=str(row.get("updatedAt")))

    async def _set(self, plural: str, request: WriteBack) -> JsonObject:
        """By id, together with the key; where no object bears the id any more, by the key. Never creates one."""
        if self._key is None or request.kind not in SALES:
            return await self._client.update(plural, request.source_id, request.values, request.deadline)
        key = key_of(request.kind, request.source_id)
        try:
            values = {**request.values, self._key: key}
            return await self._client.update(plural, request.source_id, values, request.deadline)
        except RefusedError as error:
            if error.status != NOT_FOUND:
                raise
        return await self._client.update(plural, key, request.values, request.deadline, id_property=self._key)


def key_of(kind: str, source_id: str) -> str:
    """The unique value of a record, whichever connection writes it."""
    return f"counterfoil:{kind}:{source_id}"


def same_values(kind: str, values: Mapping[str, str], raw: str) -> bool:
    """Whether a payload already holds these values; 1200.00 and 1200 are the same, and so are nothing and blank."""
    try:
        payload = exact_json.loads_object(raw)
    except ValueError:
        return False
    whole = payload.get(kind, payload)
    properties = whole.get("properties") if isinstance(whole, dict) else None
    held: JsonObject = properties if isinstance(properties, dict) else {}
    return all(_same(value, held.get(name)) for name, value in values.items())


def _same(wanted: str, held: JsonValue) -> bool:
    text = "" if held is None else str(held).strip()
    if wanted.strip() == text:
        return True
    try:
        left, right = Decimal(wanted), Decimal(text)
    except InvalidOperation:
        return False
    return left == right if left.is_finite() and right.is_finite() else False


def _refused(request: WriteBack, plural: str, error: RefusedError) -> WriteBackResult:
    match error.status:
        case 401:
            # It says nothing about the record: once the connection is mended, the same write will do.
            return WriteBackResult(
                outcome="later", reason=error.message, fix=error.remedy, retry_after=RECONNECT_SECONDS
            )
        case 403:
            named = error.remedy if missing_scopes(error) else ""
            fix = named or f"Give the token the scope {scope(plural, write=True)}."
        case 404:
            fix = (
                f"The {request.kind} {request.source_id} was deleted or merged in HubSpot; nothing is left to write to."
            )
        case _:
            fix = "Change the property or its validation rule in HubSpot, or what the mapping writes to it."
    return WriteBackResult(outcome="rejected", reason=_words(error), fix=fix)


def _words(error: RefusedError) -> str:
    """HubSpot's own words on each property that it refused, else on the whole request."""
    told = [f"{_property(entry)}{entry['message']}" for entry in _errors(error.body) if entry.get("message")]
    return f"HubSpot refuses the values: {' '.join(told)[:500]}" if told else error.message


def _property(entry: JsonObject) -> str:
    context = entry.get("context")
    names = context.get("propertyName") if isinstance(context, dict) else None
    return f"{', '.join(map(str, names))}: " if isinstance(names, list) and names else ""


def _codes(body: bytes) -> str:
    return " ".join(str(entry.get("code")) for entry in _errors(body)) + body.decode(errors="replace")


def _errors(body: bytes) -> list[JsonObject]:
    try:
        errors = exact_json.loads_object(body).get("errors")
    except ValueError:
        return []
    return [entry for entry in errors if isinstance(entry, dict)] if isinstance(errors, list) else []
