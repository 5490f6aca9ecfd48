"""Whom a document names: references to records of name lists, wherever they lie in it.

Most fields say by their name whom they name (`CustomerRef`). `EntityRef` leaves it to a word beside it: the `type` in
it (purchases, attached files), or the `Type` around it (lines of journal entries). `ParentRef` names one of the
document's own kind. Source: Intuit's pages of the entities.
"""

from collections.abc import Iterator, Mapping
from typing import Final

from counterfoil_schema.exact_json import JsonObject, JsonValue

Key = tuple[str, str]
"""Entity and Id of a record."""

Place = tuple[str, ...]
"""Where in a document: names of fields, and lines by their Ids."""

OTHERWISE: Final[Mapping[str, str]] = {"GroupItemRef": "Item", "PrefVendorRef": "Vendor"}
"""Fields whose name says more than the entity that they name."""

ENDINGS: Final[Mapping[str, str]] = {
    "AccountRef": "Account",
    "TermRef": "Term",
    "TaxCodeRef": "TaxCode",
    "TaxRateRef": "TaxRate",
    "CurrencyRef": "Currency",
}
"""The same by their ends: `DepositToAccountRef`, `SalesTermRef`."""


def places_in(document: JsonObject, entity: str) -> dict[Place, Key]:
    """Where a document of this entity names which records."""
    return dict(_walk(document, (), entity))


def references_in(document: JsonObject, entity: str) -> set[Key]:
    """Entity and Id of all that a document names."""
    return set(places_in(document, entity).values())


def turned(document: JsonObject, entity: str, survivors: Mapping[Key, str]) -> JsonObject:
    """A document with each reference to a record that was merged leading to the one that stayed."""
    return _turned_object(document, entity, survivors) if survivors else document


def _named(name: str, value: JsonObject, owner: str, beside: JsonValue) -> Key | None:
    held = value.get("value")
    if not name.endswith("Ref") or not isinstance(held, str):
        return None
    entity: JsonValue
    match name:
        case "EntityRef":
            entity = value.get("type") or beside
        case "ParentRef":
            entity = owner
        case _:
            by_end = next((entity for end, entity in ENDINGS.items() if name.endswith(end)), name.removesuffix("Ref"))
            entity = OTHERWISE.get(name, by_end)
    return (entity, held) if isinstance(entity, str) else None


def _walk(value: JsonObject, place: Place, owner: str) -> Iterator[tuple[Place, Key]]:
    for name, part in value.items():
        members: list[tuple[Place, JsonValue]] = [((*place, name), part)]
        if isinstance(part, list):
            members = [((*place, name, _which(member, index)), member) for index, member in enumerate(part)]
        for where, member in members:
            if not isinstance(member, dict):
                continue
            named = _named(name, member, owner, value.get("Type"))
            if named is not None:
                yield where, named
            yield from _walk(member, where, owner)


def _which(member: JsonValue, index: int) -> str:
    identity = member.get("Id") if isinstance(member, dict) else None
    return identity if isinstance(identity, str) else f"#{index}"


def _turned_object(value: JsonObject, owner: str, survivors: Mapping[Key, str]) -> JsonObject:
    return {name: _turned(name, part, owner, value.get("Type"), survivors) for name, part in value.items()}


def _turned(name: str, value: JsonValue, owner: str, beside: JsonValue, survivors: Mapping[Key, str]) -> JsonValue:
    if isinstance(value, list):
        return [_turned(name, member, owner, beside, survivors) for member in value]
    if not isinstance(value, dict):
        return value
    named = _named(name, value, owner, beside)
    kept = survivors.get(named) if named is not None else None
    if kept is not None:
        # The name beside it is that of the one that went.
        return {**{key: part for key, part in value.items() if key != "name"}, "value": kept}
    return _turned_object(value, owner, survivors)
