"""Custom fields by the names that people see: on the wire they are keyed by hashes that differ in each company."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from difflib import get_close_matches

from counterfoil.sources.port import UnknownNameError
from counterfoil_adapters.pipedrive.api import Owner, PipedriveApi
from counterfoil_adapters.pipedrive.values import plain
from counterfoil_schema.exact_json import JsonObject, JsonValue

NEAR = 0.5


class UnknownFieldError(UnknownNameError):
    """A field that the mapping or the settings name, and that Pipedrive does not have (or has twice)."""


@dataclass(frozen=True, slots=True, kw_only=True)
class FieldDefinition:
    """One field: `code` is its key on the wire, `name` what people call it, `options` the labels of its choices."""

    code: str
    name: str
    field_type: str
    custom: bool
    options: Mapping[str, str] = field(default_factory=dict)

    def held_by(self, row: JsonObject) -> JsonValue:
        """The value as the row holds it."""
        if not self.custom:
            return row.get(self.code)
        custom = row.get("custom_fields")
        return custom.get(self.code) if isinstance(custom, dict) else None

    def text(self, row: JsonObject) -> str | None:
        """The value as people read it: the label of a choice, several of them with commas, an amount by its number."""
        return self._shown(self.held_by(row))

    def _shown(self, value: JsonValue) -> str | None:
        if isinstance(value, list):
            parts = [shown for part in value if (shown := self._shown(part)) is not None]
            return ", ".join(parts) or None
        if isinstance(value, dict):
            return plain(value.get("label")) or plain(value.get("value"))
        text = plain(value)
        return self.options.get(text, text) if text is not None else None


class Fields:
    """The fields of one kind of record.

    Args:
        owner: that kind, for messages.
    """

    def __init__(self, owner: Owner, definitions: Iterable[FieldDefinition]) -> None:
        self._owner = owner
        self._by_name: dict[str, list[FieldDefinition]] = {}
        self._by_code: dict[str, FieldDefinition] = {}
        for one in definitions:
            self.take(one)

    def take(self, one: FieldDefinition) -> None:
        """A definition more."""
        self._by_name.setdefault(one.name.strip().casefold(), []).append(one)
        self._by_code[one.code] = one

    def find(self, name: str) -> FieldDefinition | None:
        """A field by its name or its key; None where there is none.

        Raises:
            UnknownFieldError: several fields bear this name.
        """
        if name in self._by_code:
            return self._by_code[name]
        found = self._by_name.get(name.strip().casefold(), [])
        own = [one for one in found if one.custom] or found
        if len(own) > 1:
            keys = ", ".join(one.code for one in own)
            raise UnknownFieldError(
                f'Pipedrive has {len(own)} {self._owner} fields called "{name}".',
                name=name,
                remedy=f"Rename one of them, or name it by its key: {keys}.",
            )
        return own[0] if own else None

    def named(self, name: str) -> FieldDefinition:
        """A field by its name or its key.

        Raises:
            UnknownFieldError: there is none, or there are several; the nearest known name is told.
        """
        found = self.find(name)
        if found is None:
            says = f'Pipedrive has no {self._owner} field called "{name}".'
            raise UnknownFieldError(says, name=name, remedy=self.nearest(name))
        return found

    def nearest(self, name: str) -> str:
        """A sentence with the known name that is nearest."""
        names = {held.strip().casefold(): one[0].name for held, one in self._by_name.items()}
        near = get_close_matches(name.strip().casefold(), names, n=1, cutoff=NEAR)
        if near:
            return f'Did you mean "{names[near[0]]}"?'
        custom = sorted(one.name for one in self._by_code.values() if one.custom)
        return f"Custom fields there are: {', '.join(custom[:20])}." if custom else "It has no custom fields there yet."


class FieldCatalogue:
    """Reads the definitions once, and again when one is not among them."""

    def __init__(self, api: PipedriveApi) -> None:
        self._api = api
        self._known: dict[Owner, Fields] = {}

    async def of(self, owner: Owner) -> Fields:
        """The fields of a kind of record, as they were when first asked for."""
        if owner not in self._known:
            self._known[owner] = Fields(owner, map(_definition, await self._api.fields(owner)))
        return self._known[owner]

    async def named(self, owner: Owner, name: str | None) -> FieldDefinition | None:
        """One field; None where no name is given.

        Raises:
            UnknownFieldError: Pipedrive has no such field, not even since the definitions were first read.
        """
        if name is None:
            return None
        may_be_old = self.knows(owner)
        fields = await self.of(owner)
        if fields.find(name) is None and may_be_old:
            self.forget(owner)
            fields = await self.of(owner)
        return fields.named(name)

    def knows(self, owner: Owner) -> bool:
        """Whether the definitions were read already, and may be old."""
        return owner in self._known

    async def add_deal_field(self, fields: Fields, name: str, field_type: str) -> None:
        """Make a custom field of deals; these fields know it from then on."""
        fields.take(_definition(await self._api.add_deal_field(name, field_type)))
        if self._known.get("deal") is not fields:
            self.forget("deal")

    def forget(self, owner: Owner) -> None:
        """Read the definitions anew the next time."""
        self._known.pop(owner, None)


def _definition(row: JsonObject) -> FieldDefinition:
    options = row.get("options")
    choices: Sequence[JsonValue] = options if isinstance(options, list) else []
    return FieldDefinition(
        code=str(row.get("field_code")),
        name=str(row.get("field_name")),
        field_type=str(row.get("field_type")),
        custom=row.get("is_custom_field") is True,
        options={str(one.get("id")): str(one.get("label")) for one in choices if isinstance(one, dict)},
    )
