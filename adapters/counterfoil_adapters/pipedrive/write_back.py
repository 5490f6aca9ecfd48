"""Writing values back to deals' custom fields, by the names that people see."""

import asyncio
import re
from collections.abc import Iterable, Mapping
from decimal import Decimal, InvalidOperation

from counterfoil.sources.http import RefusedError, UnansweredError
from counterfoil.sources.port import SourceError, WriteBack, WriteBackResult
from counterfoil_adapters.pipedrive.api import PipedriveApi
from counterfoil_adapters.pipedrive.fields import FieldCatalogue, FieldDefinition, Fields, UnknownFieldError
from counterfoil_adapters.pipedrive.normalise import INSTALLMENT
from counterfoil_adapters.pipedrive.values import plain
from counterfoil_schema import exact_json
from counterfoil_schema.exact_json import JsonObject, JsonValue

RECONNECT_SECONDS = 300.0
TEXTS = frozenset({"varchar", "varchar_auto", "text", "phone"})
_ENTRY = re.compile(r"^#([0-9]{1,20}) (.*)$")


class ValueRefusedError(Exception):
    """A value that a field cannot hold: why, and what to do."""

    def __init__(self, reason: str, fix: str) -> None:
        super().__init__(reason)
        self.reason = reason
        self.fix = fix


class WriteBacks:
    """Sets custom fields of deals; sets the fields up where the company lacks them.

    Args:
        types: the fields that the mapping writes to, by name, with the type that a new one gets.
        read_fields: fields that invoices are made from: a change of one of those is never an echo.
    """

    def __init__(
        self,
        api: PipedriveApi,
        catalogue: FieldCatalogue,
        types: Mapping[str, str],
        read_fields: Iterable[str],
        *,
        create: bool,
    ) -> None:
        self._api = api
        self._catalogue = catalogue
        self._types = types
        self._read_fields = frozenset(name.casefold() for name in read_fields)
        self._create = create
        self._own: set[str] = set()
        # Writes come side by side: a field is made once, and instalments share the lines of one text.
        self._setting_up = asyncio.Lock()
        self._sharing = asyncio.Lock()

    @property
    def own_fields(self) -> frozenset[str]:
        """Keys of the fields written so far."""
        return frozenset(self._own)

    async def ensure_fields(self) -> tuple[str, ...]:
        """Create what the mapping writes to and the company lacks; the names of what was created.

        Raises:
            SourceError: Pipedrive cannot be reached, or the token may not change fields.
        """
        async with self._setting_up:
            self._catalogue.forget("deal")
            fields = await self._catalogue.of("deal")
            missing = [name for name in self._types if fields.find(name) is None]
            for name in missing:
                await self._catalogue.add_deal_field(fields, name, self._types[name])
        return tuple(missing)

    async def unknown_fields(self) -> tuple[UnknownFieldError, ...]:
        """What the mapping writes to, the company lacks, and nobody makes."""
        if self._create:
            return ()
        found: list[UnknownFieldError] = []
        for name in self._types:
            try:
                await self._catalogue.named("deal", name)
            except UnknownFieldError as unknown:
                found.append(unknown)
        return tuple(found)

    async def write(self, request: WriteBack) -> WriteBackResult:
        """Set the values, and say how it ended."""
        if request.kind not in {"deal", INSTALLMENT}:
            return WriteBackResult(
                outcome="rejected",
                reason=f"A Pipedrive {request.kind} takes nothing back.",
                fix="Write back to deals and their installments.",
            )
        if not request.values:
            return WriteBackResult(outcome="accepted")
        try:
            if request.kind == INSTALLMENT:
                async with self._sharing:
                    return await self._write(request)
            return await self._write(request)
        except UnansweredError as error:
            self._catalogue.forget("deal")
            return WriteBackResult(outcome="uncertain", reason=error.message, retry_after=error.retry_after)
        except RefusedError as error:
            return _refused(request, error)
        except UnknownFieldError as error:
            return WriteBackResult(outcome="rejected", reason=error.message, fix=error.remedy)
        except ValueRefusedError as error:
            return WriteBackResult(outcome="rejected", reason=error.reason, fix=error.fix)
        except SourceError as error:
            return WriteBackResult(
                outcome="later", reason=error.message, fix=error.remedy, retry_after=error.retry_after
            )

    async def _write(self, request: WriteBack) -> WriteBackResult:
        async with self._setting_up:
            fields = await self._fields(request.values)
        deal_id, _, part = request.source_id.partition("-")
        named = [(fields.named(name), value) for name, value in request.values.items()]
        deal: JsonObject = {}
        if part or any(one.field_type == "monetary" for one, _ in named):
            deal = await self._api.get("deals", deal_id) or {}
        values: JsonObject = {}
        for one, value in named:
            if not part:
                values[one.code] = wire_value(one, value, deal)
            elif one.field_type in TEXTS:
                values[one.code] = with_entry(plain(one.held_by(deal)) or "", part, value) or None
        if not values:
            return WriteBackResult(outcome="accepted")
        self._own |= {one.code for one, _ in named if one.name.casefold() not in self._read_fields}
        row = await self._api.update_deal(deal_id, values, request.deadline)
        return WriteBackResult(outcome="accepted", version=plain(row.get("update_time")))

    async def _fields(self, names: Iterable[str]) -> Fields:
        """The fields of deals, those of these names among them."""
        wanted = list(names)
        may_be_old = self._catalogue.knows("deal")
        fields = await self._catalogue.of("deal")
        if may_be_old and any(fields.find(name) is None for name in wanted):
            self._catalogue.forget("deal")
            fields = await self._catalogue.of("deal")
        for name in wanted if self._create else ():
            if fields.find(name) is None:
                await self._catalogue.add_deal_field(fields, name, self._types.get(name, "varchar"))
        return fields


def wire_value(one: FieldDefinition, value: str, deal: JsonObject) -> JsonValue:
    """A value as the field's type wants it; nothing clears it.

    Raises:
        ValueRefusedError: the field cannot hold it.
    """
    text = value.strip()
    if not text:
        return None
    match one.field_type:
        case "double" | "int":
            return _number(one, text)
        case "monetary":
            return {"value": _number(one, text), "currency": plain(deal.get("currency"))}
        case "enum":
            return _option(one, text)
        case "set":
            return [_option(one, part.strip()) for part in text.split(",") if part.strip()]
        case _:
            return value


def with_entry(held: str, part: str, value: str) -> str:
    """A text with one line for each instalment, this one's set; `#3 paid` is that of the third."""
    entries = {int(found[1]): found[2] for line in held.splitlines() if (found := _ENTRY.match(line.strip()))}
    if value.strip():
        entries[int(part)] = " ".join(value.split())
    else:
        entries.pop(int(part), None)
    return "\n".join(f"#{number} {entries[number]}" for number in sorted(entries))


def same_values(values: Mapping[str, str], raw: str) -> bool:
    """Whether a payload holds all of these values somewhere among its custom fields (whose names it does not hold)."""
    try:
        deal = exact_json.loads_object(raw).get("deal")
    except ValueError:
        return False
    held = deal.get("custom_fields") if isinstance(deal, dict) else None
    custom: JsonObject = held if isinstance(held, dict) else {}
    present = [_plain(value) for value in custom.values()]
    return all(not value.strip() or any(_same(value.strip(), one) for one in present) for value in values.values())


def _plain(value: JsonValue) -> str:
    return (plain(value.get("value")) if isinstance(value, dict) else plain(value)) or ""


def _same(wanted: str, held: str) -> bool:
    if wanted == held:
        return True
    try:
        left, right = Decimal(wanted), Decimal(held)
    except InvalidOperation:
        return False
    return left == right if left.is_finite() and right.is_finite() else False


def _number(one: FieldDefinition, text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        value = Decimal("NaN")
    if not value.is_finite():
        raise ValueRefusedError(
            f'The Pipedrive field "{one.name}" holds numbers, and {text[:40]!r} is none.',
            "Write that value to a text field; change the mapping's [write_back].",
        )
    return value


def _option(one: FieldDefinition, text: str) -> int | str:
    for identity, label in one.options.items():
        if label.casefold() == text.casefold():
            return int(identity) if identity.isdigit() else identity
    raise ValueRefusedError(
        f'The Pipedrive field "{one.name}" has no option "{text[:40]}"; it has {", ".join(one.options.values())}.',
        "Add the option in Pipedrive, or write to a text field.",
    )


def _refused(request: WriteBack, error: RefusedError) -> WriteBackResult:
    fix = error.remedy
    match error.status:
        case 401:
            # It says nothing about the record: once the connection is mended, the same write will do.
            return WriteBackResult(outcome="later", reason=error.message, fix=fix, retry_after=RECONNECT_SECONDS)
        case 404 | 410:
            fix = f"The {request.kind} {request.source_id} was deleted or merged; nothing is left to write to."
        case 403:
            pass
        case _:
            fix = "Take the deal out of the archive, or change the field or its rule in Pipedrive."
    return WriteBackResult(outcome="rejected", reason=error.message, fix=fix)
