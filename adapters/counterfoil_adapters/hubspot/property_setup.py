"""The properties that write-back needs: which they are, how they stand in the account, and setting up what it lacks."""

import asyncio
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from counterfoil.sources.port import Need
from counterfoil_adapters.hubspot.client import HubSpotClient
from counterfoil_adapters.hubspot.kinds import KINDS, SALES, kinds_read, named_in, scope
from counterfoil_schema.exact_json import JsonObject

GROUP: Final = "counterfoil"
GROUP_LABEL: Final = "QuickBooks (Counterfoil)"
KEY: Final = "key_property"
"""The connection's setting that names a property of unique values, by which a record is found again."""

# Types of the values that a mapping's [write_back] section can name; everything else is text.
_NUMBERS = frozenset({"balance", "amount_paid", "credited", "overpaid"})
_DATES = frozenset({"last_payment_date", "due_date"})
_FIELD_TYPES = {"string": "text", "number": "number", "date": "date"}
_TAKEN_BY: Mapping[str, frozenset[str]] = {
    "string": frozenset({"string"}),
    "number": frozenset({"number", "string"}),
    "date": frozenset({"date", "string"}),
}
"""Types of an existing property that hold our values as they are."""

_STATES = frozenset({"open", "partial", "paid", "overpaid", "credited", "voided", "deleted"})
"""What an invoice's status can be: a list to choose from takes it if it has them all."""

_WORDS = {"string": "text", "number": "number", "date": "date"}


@dataclass(frozen=True, slots=True)
class Wanted:
    """A property that values are written to: of which objects, for which value, of which type."""

    plural: str
    name: str
    path: tuple[str, ...]
    type: str

    @property
    def role(self) -> str:
        return self.path[-1]

    def what(self) -> str:
        """In words."""
        unique = "unique " if self.role == KEY else ""
        return f"{unique}{_WORDS[self.type]} property of {self.plural.replace('_', ' ')}"

    def definition(self) -> JsonObject:
        """As HubSpot makes it."""
        return {
            "name": self.name,
            "label": self.name.replace("_", " ").capitalize(),
            "groupName": GROUP,
            "type": self.type,
            "fieldType": "textarea" if self.role == "problem" else _FIELD_TYPES[self.type],
            "description": "Written by Counterfoil from QuickBooks.",
            **({"hasUniqueValue": True} if self.role == KEY else {}),
        }

    def misfit(self, held: Mapping[str, object]) -> str:
        """Why an existing property cannot take the values; the empty text if it can."""
        access = held.get("modificationMetadata")
        if isinstance(access, Mapping) and access.get("readOnlyValue") is True:
            return "HubSpot alone sets it."
        if self.role == KEY and held.get("hasUniqueValue") is not True:
            return "its values need not be unique, and that cannot be changed afterwards."
        found = str(held.get("type"))
        if found in _TAKEN_BY[self.type] or (found == "enumeration" and self.role == "status" and _offers_all(held)):
            return ""
        return f"its type is {found}, not {self.type}."


def wanted_properties(mapping: Mapping[str, Any], key_property: str | None) -> Sequence[Wanted]:
    """All that the mapping, and the connection's key property, ask for."""
    section = mapping.get("write_back")
    named = section if isinstance(section, Mapping) else {}
    found: dict[tuple[str, str], Wanted] = {}
    for kind in _told(mapping):
        for role, name in named.items():
            if name and (kind in SALES or role == "problem"):
                wanted = Wanted(KINDS[kind].plural, str(name), ("write_back", str(role)), _type_of(str(role)))
                found.setdefault((wanted.plural, wanted.name), wanted)
        if key_property and kind in SALES:
            key = Wanted(KINDS[kind].plural, key_property, ("source", KEY), "string")
            found.setdefault((key.plural, key.name), key)
    return tuple(found.values())


def written_by_kind(mapping: Mapping[str, Any]) -> Mapping[str, Sequence[str]]:
    """The properties that are written back, by kind of record."""
    wanted = wanted_properties(mapping, None)
    return {name: [one.name for one in wanted if one.plural == kind.plural] for name, kind in KINDS.items()}


class PropertySetup:
    """Looks at the account's properties, and makes those that are missing; one that is there is never changed."""

    def __init__(self, client: HubSpotClient, wanted: Sequence[Wanted]) -> None:
        self._client = client
        self._wanted = wanted
        self._busy = asyncio.Lock()

    async def look(self, plural: str | None = None) -> Sequence[Need]:
        """How all needs stand, or those of one type of object.

        Raises:
            SourceError: HubSpot cannot be asked.
        """
        needs: list[Need] = []
        for one, wanted in self._by_type(plural):
            held = await self._client.properties(one)
            needs.extend(_need(each, held) for each in wanted)
        return needs

    async def make(self, plural: str | None = None) -> Sequence[str]:
        """Set up what is missing, and nothing else; the names of what was.

        Several may ask for it at once: what the first one sets up, the others no longer find missing.

        Raises:
            SourceError: HubSpot cannot be reached, or the token may not change properties.
        """
        made: list[str] = []
        async with self._busy:
            for one, wanted in self._by_type(plural):
                held = await self._client.properties(one)
                missing = sorted((each for each in wanted if each.name not in held), key=lambda each: each.name)
                if missing:
                    await self._client.add_group(one, GROUP, GROUP_LABEL)
                for each in missing:
                    await self._client.add_property(one, each.definition())
                    made.append(each.name)
        return made

    def _by_type(self, plural: str | None) -> Iterator[tuple[str, Sequence[Wanted]]]:
        for one in dict.fromkeys(each.plural for each in self._wanted):
            if plural in (None, one):
                yield one, [each for each in self._wanted if each.plural == one]


def _told(mapping: Mapping[str, Any]) -> Sequence[str]:
    """Kinds whose records are told how they stand: those that become invoices; where none are named, all have a
    place for what is wrong with them."""
    sold = [kind for kind in named_in(mapping, "invoice") if kind in SALES]
    section = mapping.get("invoice")
    restricted = isinstance(section, Mapping) and bool(section.get("from"))
    return sold if restricted else tuple(dict.fromkeys((*sold, *kinds_read(mapping))))


def _type_of(role: str) -> str:
    if role in _NUMBERS:
        return "number"
    return "date" if role in _DATES else "string"


def _offers_all(held: Mapping[str, object]) -> bool:
    options = held.get("options")
    offered = (
        {str(one.get("value")) for one in options if isinstance(one, Mapping)} if isinstance(options, list) else ()
    )
    return _STATES.issubset(offered)


def _need(wanted: Wanted, held: Mapping[str, JsonObject]) -> Need:
    found = held.get(wanted.name)
    problem = wanted.misfit(found) if found is not None else ""
    return Need(
        path=wanted.path,
        name=wanted.name,
        what=wanted.what(),
        state="missing" if found is None else "wrong" if problem else "there",
        problem=problem,
        scopes=(scope(wanted.plural, write=True, properties=True), scope(wanted.plural, write=True)),
        known=sorted(held),
    )
