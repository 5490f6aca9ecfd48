"""What an account holds before anybody adds to it: object types and their properties."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ObjectType:
    """One type of CRM object; `shown` are the properties that come without being asked for."""

    plural: str
    singular: str
    type_id: str
    shown: tuple[str, ...]
    modified: str = "hs_lastmodifieddate"


OBJECT_TYPES = (
    ObjectType("contacts", "contact", "0-1", ("email", "firstname", "lastname"), "lastmodifieddate"),
    ObjectType("companies", "company", "0-2", ("domain", "name")),
    ObjectType("deals", "deal", "0-3", ("amount", "closedate", "dealname", "dealstage", "pipeline")),
    ObjectType("products", "product", "0-7", ("description", "name", "price")),
    ObjectType("line_items", "line_item", "0-8", ("hs_product_id", "quantity")),
)

_BY_ANY_NAME: Mapping[str, ObjectType] = {
    name: object_type
    for object_type in OBJECT_TYPES
    for name in (object_type.plural, object_type.singular, object_type.type_id)
}

# Association type ids that HubSpot defines; the primary company of a deal has one of its own.
ASSOCIATION_TYPE_IDS: Mapping[tuple[str, str], int] = {
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("deals", "line_items"): 19,
    ("line_items", "deals"): 20,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
}
PRIMARY_TYPE_IDS: Mapping[tuple[str, str], int] = {("deals", "companies"): 5, ("companies", "deals"): 6}

_TEXT = {
    "contacts": "email firstname lastname phone",
    "companies": "name domain phone address address2 city state zip country industry description hs_merged_object_ids",
    "deals": "dealname dealstage pipeline deal_currency_code description dealtype hs_merged_object_ids",
    "products": "name description hs_sku hs_recurring_billing_period hs_price_currency",
    "line_items": "name description hs_sku hs_product_id hs_line_item_currency_code hs_recurring_billing_period",
}
_NUMBERS = {
    "deals": "amount",
    "products": "price hs_cost_of_goods_sold",
    "line_items": "quantity price amount discount hs_discount_percentage hs_position_on_quote",
}
_READ_ONLY = {"deals": {"hs_is_closed", "hs_is_closed_won"}}


def object_type(name: str) -> ObjectType | None:
    """The type under any of its names: `deals`, `deal`, `0-3`."""
    return _BY_ANY_NAME.get(name)


def _defined(name: str, kind: str, field_type: str, *, read_only: bool = False) -> dict[str, object]:
    return {
        "name": name,
        "label": name.replace("_", " ").capitalize(),
        "description": "",
        "groupName": "information",
        "type": kind,
        "fieldType": field_type,
        "options": [],
        "hubspotDefined": True,
        "archived": False,
        "hasUniqueValue": False,
        "modificationMetadata": {"archivable": False, "readOnlyDefinition": True, "readOnlyValue": read_only},
    }


def built_in_properties(kind: ObjectType) -> Iterator[dict[str, object]]:
    """The properties that every account has for a type."""
    for name in _TEXT[kind.plural].split():
        yield _defined(name, "string", "text", read_only=name == "hs_merged_object_ids")
    for name in _NUMBERS.get(kind.plural, "").split():
        yield _defined(name, "number", "number")
    if kind.plural == "deals":
        yield _defined("closedate", "datetime", "date")
    for name in sorted(_READ_ONLY.get(kind.plural, set())):
        yield _defined(name, "bool", "booleancheckbox", read_only=True)
    for name in ("createdate", kind.modified):
        yield _defined(name, "datetime", "date", read_only=True)
    yield _defined("hs_object_id", "number", "number", read_only=True)
