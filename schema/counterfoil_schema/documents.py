"""A QuickBooks document inside an event: its accounting facts in the clear, what is personal apart and sealed.

Numbers stay exact because the document travels as JSON text of its own, read by `exact_json` and nothing else.
"""

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
        "BillAddr",
        "ShipAddr",
        "ShipFromAddr",
        "BillEmail",
        "BillEmailCc",
        "BillEmailBcc",
        "CustomerMemo",
        "DeliveryInfo",
    }
)
_PERSONAL_REFS = ("CustomerRef", "VendorRef", "EmployeeRef")


class Document(Shape):
    """One QuickBooks document, or the body of a call that writes one."""

    entity: str
    clear: str
    personal: PersonalTextOrNone = None

    @classmethod
    def of(cls, entity: str, fields: JsonObject) -> Self:
        """Split a whole document into its clear and its personal part."""
        clear: JsonObject = {}
        personal: JsonObject = {}
        for name, value in fields.items():
            if _is_personal(entity, name):
                personal[name] = value
                continue
            clear[name] = value
            if name in _PERSONAL_REFS and isinstance(value, dict) and "name" in value:
                clear[name] = {key: part for key, part in value.items() if key != "name"}
                personal[f"{name}.name"] = value["name"]
        return cls(
            entity=entity,
            clear=exact_json.dumps(clear).decode(),
            personal=exact_json.dumps(personal).decode() if personal else None,
        )

    def fields(self) -> JsonObject:
        """The whole document; personal parts are missing where their key was destroyed."""
        fields = exact_json.loads_object(self.clear)
        if self.personal is None or self.personal == ERASED:
            return fields
        for name, value in exact_json.loads_object(self.personal).items():
            owner, dot, part = name.partition(".")
            if dot:
                _put(fields, owner, part, value)
            else:
                fields[name] = value
        return fields


def _is_personal(entity: str, name: str) -> bool:
    if entity in _PERSONAL_ENTITIES:
        return name not in _CLEAR_IN_PERSONAL
    if entity == "TimeActivity" and name == "Description":
        return True  # what somebody noted beside their hours
    return name in _PERSONAL_IN_TRANSACTIONS


def _put(fields: JsonObject, owner: str, part: str, value: JsonValue) -> None:
    inner = fields.get(owner)
    if isinstance(inner, dict):
        fields[owner] = {**inner, part: value}
