"""Writing values back to HubSpot, and telling our own values from somebody's edit."""

import asyncio
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation

from counterfoil.sources.http import RefusedError, UnansweredError
from counterfoil.sources.port import SourceError, WriteBack, WriteBackResult
from counterfoil_adapters.hubspot.client import HubSpotClient
from counterfoil_adapters.hubspot.normalise import KINDS
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

GROUP = "counterfoil"
GROUP_LABEL = "QuickBooks (Counterfoil)"
RECONNECT_SECONDS = 300.0
BAD_REQUEST = 400

_FIELD_TYPES = {"string": "text", "number": "number", "date": "date"}


class WriteBacks:
    """Sets properties on HubSpot objects; sets the properties up where the account lacks them.

    Args:
        types: the deal properties that the mapping writes to, with their HubSpot types.
    """

    def __init__(self, client: HubSpotClient, types: Mapping[str, str]) -> None:
        self._client = client
        self._types = types
        self._setting_up = asyncio.Lock()

    async def ensure_properties(self) -> tuple[str, ...]:
        """Create what the mapping writes to and the account lacks; the names of what was created.

        Raises:
            SourceError: HubSpot cannot be reached, or the token may not change properties.
        """
        return await self._ensure("deals", self._types)

    async def write(self, request: WriteBack) -> WriteBackResult:
        """Set the values, and say how it ended."""
        kind = KINDS.get(request.kind)
        if kind is None:
            return WriteBackResult(
                outcome="rejected",
                reason=f"HubSpot has no {request.kind} to write back to.",
                fix="Write back to deals, companies or products.",
            )
        if not request.values:
            return WriteBackResult(outcome="accepted")
        try:
            return await self._write(kind, request)
        except UnansweredError as error:
            return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
        except RefusedError as error:
            return _refused(request, error)
        except SourceError as error:
            return WriteBackResult(outcome="later", reason=error.message, retry_after=error.retry_after)

    async def _write(self, kind: str, request: WriteBack) -> WriteBackResult:
        try:
            row = await self._client.update(kind, request.source_id, request.values, request.deadline)
        except RefusedError as error:
            if error.status != BAD_REQUEST or "PROPERTY_DOESNT_EXIST" not in _codes(error.body):
                raise
            types = {name: self._types.get(name, "string") for name in request.values}
            # Several may miss it at once: what the first one sets up, the others no longer find missing.
            async with self._setting_up:
                await self._ensure(kind, types)
            row = await self._client.update(kind, request.source_id, request.values, request.deadline)
        return WriteBackResult(outcome="accepted", version=str(row.get("updatedAt")))

    async def _ensure(self, kind: str, types: Mapping[str, str]) -> tuple[str, ...]:
        missing = sorted(types.keys() - await self._client.property_names(kind))
        if missing:
            await self._client.add_group(kind, GROUP, GROUP_LABEL)
        for name in missing:
            definition = {
                "name": name,
                "label": name.replace("_", " ").capitalize(),
                "groupName": GROUP,
                "type": types[name],
                "fieldType": _FIELD_TYPES[types[name]],
                "description": "Written by Counterfoil from QuickBooks.",
            }
            await self._client.add_property(kind, definition)
        return tuple(missing)


def same_values(values: Mapping[str, str], raw: str) -> bool:
    """Whether a payload already holds these values; 1200.00 and 1200 are the same, and so are nothing and blank."""
    try:
        payload = exact_json.loads_object(raw)
    except ValueError:
        return False
    whole = payload.get("deal", payload)
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


def _refused(request: WriteBack, error: RefusedError) -> WriteBackResult:
    match error.status:
        case 401:
            # It says nothing about the record: once the connection is mended, the same write will do.
            return WriteBackResult(
                outcome="later", reason=error.message, fix=error.remedy, retry_after=RECONNECT_SECONDS
            )
        case 403:
            fix = "Give the token the scope crm.objects.deals.write."
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
