"""A QuickBooks document inside an event: its accounting facts in the clear, what is personal apart and sealed.

Numbers stay exact because the document travels as JSON text of its own, read by `exact_json` and nothing else.
"""

import re
from collections.abc import Iterator
from typing import Self

from counterfoil_schema import exact_json
from counterfoil_schema.events.base import ERASED, PersonalTextOrNone, Shape
from counterfoil_schema.exact_json import JsonObject, JsonValue

_PERSONAL_ENTITIES = frozenset({"Customer", "Employee", "Vendor"})
_CLEAR_IN_PERSONAL = frozenset(
    {"Id", "SyncToken", "MetaData", "Active", "Balance", "CurrencyRef", "domain", "sparse", "status"}
)
_PERSONAL_IN_TRANSACTIONS = frozenset(
    {
        *("BillAddr", "RemitToAddr", "ShipAddr", "ShipFromAddr", "VendorAddr"),
        *("BillEmail", "BillEmailBcc", "BillEmailCc", "POEmail", "ReplyEmail"),
        *("CheckPayment", "CreditCardPayment", "CustomerMemo", "DeliveryInfo"),
    }
)
_PARTY_REFS = frozenset(
    {
        *("CustomerRef", "VendorRef", "EmployeeRef", "EntityRef"),
        *("DropShipToEntity", "OtherNameRef", "PayerRef", "RemitToRef", "SalesRepRef", "ShipTo"),
    }
)
"""References to people, in a document or in one of its lines: the name beside the Id is sealed."""

MASK = "[personal]"
_DEPTH_MAX = 40
"""Far below any reference of Intuit's."""


class Document(Shape):
    """One QuickBooks document, or the body of a call that writes one."""

    entity: str
    clear: str
    personal: PersonalTextOrNone = None

    @classmethod
    def of(cls, entity: str, fields: JsonObject) -> Self:
        """Split a whole document into its clear and its personal part."""
        personal = {_key(name): value for name, value in fields.items() if is_personal(entity, name)}
        open_part = {name: value for name, value in fields.items() if not is_personal(entity, name)}
        clear = _without_names(open_part, (), personal)
        return cls(
            entity=entity,
            clear=exact_json.dumps(clear).decode(),
            personal=exact_json.dumps(personal).decode() if personal else None,
        )

    def fields(self) -> JsonObject:
        """The whole document; personal parts are missing where their key was destroyed."""
        fields = self.without_personal()
        if self.personal is None or self.is_erased:
            return fields
        for name, value in exact_json.loads_object(self.personal).items():
            if name.startswith("/"):
                _put(fields, _place_of(name), value)
            elif name.endswith(".name"):
                # As names of references at the head of a document were kept before.
                _put(fields, [name.removesuffix(".name"), "name"], value)
            else:
                fields[name] = value
        return fields

    @property
    def is_erased(self) -> bool:
        """Whether it had a personal part whose key was destroyed since."""
        return self.personal == ERASED

    def without_personal(self) -> JsonObject:
        """The accounting facts alone."""
        return exact_json.loads_object(self.clear)

    def masked(self, text: str) -> str:
        """A text about this document, as a refusal of it, without anything personal that stands in the document."""
        if self.personal is None or self.is_erased:
            return text
        told = sorted({leaf.strip() for leaf in _texts(exact_json.loads_object(self.personal))}, key=len, reverse=True)
        words = "|".join(re.escape(leaf) for leaf in told if len(leaf) > 1)
        return re.sub(rf"(?<!\w)(?:{words})(?!\w)", MASK, text, flags=re.IGNORECASE) if words else text


def is_personal(entity: str, name: str) -> bool:
    """Whether a field of an entity is sealed as a whole."""
    if entity in _PERSONAL_ENTITIES:
        return name not in _CLEAR_IN_PERSONAL
    if entity == "TimeActivity" and name == "Description":
        return True  # what somebody noted beside their hours
    return name in _PERSONAL_IN_TRANSACTIONS


def without_names(value: JsonObject) -> JsonObject:
    """A part of a document without the names of people in its references."""
    return _without_names(value, (), {})


def _without_names(value: JsonObject, place: tuple[str, ...], names: JsonObject) -> JsonObject:
    """An object without the names of people in its references, which are put beside, by their places.

    Most documents hold none below their head: what holds none is not copied.
    """
    kept = value
    for key, part in value.items():
        if isinstance(part, dict):
            inner: JsonValue = _reference_or_part(key, part, place, names)
        elif isinstance(part, list):
            inner = _list_without_names(part, (*place, key), names)
        else:
            continue
        if inner is not part:
            kept = dict(value) if kept is value else kept
            kept[key] = inner
    return kept


def _reference_or_part(key: str, part: JsonObject, place: tuple[str, ...], names: JsonObject) -> JsonObject:
    if key in _PARTY_REFS and "name" in part:
        names[_pointer((*place, key, "name"))] = part["name"]
        return {name: each for name, each in part.items() if name != "name"}
    # A reference holds nothing but texts.
    return part if "value" in part or len(place) > _DEPTH_MAX else _without_names(part, (*place, key), names)


def _list_without_names(value: list[JsonValue], place: tuple[str, ...], names: JsonObject) -> list[JsonValue]:
    found = [
        _without_names(each, (*place, str(index)), names) if isinstance(each, dict) else each
        for index, each in enumerate(value)
    ]
    return found if any(one is not each for one, each in zip(found, value, strict=True)) else value


def _key(name: str) -> str:
    """Under what a whole field is sealed: its name, unless that could be read as a place."""
    return _pointer((name,)) if name.startswith("/") or name.endswith(".name") else name


def _pointer(place: tuple[str, ...]) -> str:
    """A place as RFC 6901 writes it."""
    return "".join(f"/{step.replace('~', '~0').replace('/', '~1')}" for step in place)


def _place_of(pointer: str) -> list[str]:
    return [step.replace("~1", "/").replace("~0", "~") for step in pointer.split("/")[1:]]


def _put(fields: JsonObject, place: list[str], value: JsonValue) -> None:
    """Put a value where it was; a holder that is not there any more takes none."""
    holder: JsonValue = fields
    for step in place[:-1]:
        if isinstance(holder, dict):
            holder = holder.get(step)
        elif isinstance(holder, list) and step.isdecimal() and int(step) < len(holder):
            holder = holder[int(step)]
        else:
            return
    if isinstance(holder, dict):
        holder[place[-1]] = value


def _texts(value: JsonValue) -> Iterator[str]:
    """Every text in a value."""
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for part in value.values():
            yield from _texts(part)
    elif isinstance(value, list):
        for part in value:
            yield from _texts(part)
