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
    ObjectType("quotes", "quote", "0-14", ("hs_expiration_date", "hs_status", "hs_title")),
    ObjectType("invoices", "invoice", "0-53", ("hs_currency",)),
    ObjectType("commerce_payments", "commerce_payment", "0-101", ()),
)

_BY_ANY_NAME: Mapping[str, ObjectType] = {
    name: object_type
    for object_type in OBJECT_TYPES
    for name in (object_type.plural, object_type.singular, object_type.type_id)
}

# Association type ids that HubSpot defines (its client's list, and the guide to payments); the primary company of a
# deal has one of its own.
ASSOCIATION_TYPE_IDS: Mapping[tuple[str, str], int] = {
    ("deals", "companies"): 341,
    ("companies", "deals"): 342,
    ("deals", "line_items"): 19,
    ("line_items", "deals"): 20,
    ("deals", "contacts"): 3,
    ("contacts", "deals"): 4,
    ("contacts", "companies"): 279,
    ("companies", "contacts"): 280,
    ("deals", "quotes"): 63,
    ("quotes", "deals"): 64,
    ("quotes", "line_items"): 67,
    ("line_items", "quotes"): 68,
    ("quotes", "contacts"): 69,
    ("contacts", "quotes"): 70,
    ("quotes", "companies"): 71,
    ("companies", "quotes"): 72,
    ("commerce_payments", "contacts"): 387,
    ("commerce_payments", "companies"): 389,
    ("commerce_payments", "deals"): 391,
    ("commerce_payments", "line_items"): 395,
    ("commerce_payments", "quotes"): 397,
    ("commerce_payments", "invoices"): 542,
}
PRIMARY_TYPE_IDS: Mapping[tuple[str, str], int] = {("deals", "companies"): 5, ("companies", "deals"): 6}

# Names by the type of their values; those with a star are HubSpot's own to set.
_PROPERTIES: Mapping[str, Mapping[str, str]] = {
    "contacts": {
        "string": "email firstname lastname phone company address city state zip country hs_merged_object_ids*",
    },
    "companies": {
        "string": "name domain phone address address2 city state zip country industry description "
        "hs_merged_object_ids*",
    },
    "deals": {
        "string": "dealname dealstage pipeline deal_currency_code description dealtype hs_merged_object_ids*",
        "number": "amount",
        "datetime": "closedate",
        "bool": "hs_is_closed* hs_is_closed_won*",
    },
    "products": {
        "string": "name description hs_sku hs_recurring_billing_period hs_price_currency",
        "number": "price hs_cost_of_goods_sold",
    },
    "line_items": {
        "string": "name description hs_sku hs_product_id hs_line_item_currency_code hs_recurring_billing_period "
        "hs_tax_rate_group_id hs_tax_label*",
        "number": "quantity price amount discount hs_discount_percentage hs_position_on_quote hs_tax_rate* "
        "hs_tax_amount*",
    },
    "quotes": {
        "string": "hs_title hs_status hs_currency hs_terms hs_comments hs_language hs_quote_number* hs_payment_status* "
        "hs_public_url_key* hs_quote_link*",
        "number": "hs_quote_amount*",
        "datetime": "hs_expiration_date hs_esign_date*",
        "bool": "hs_esign_enabled hs_payment_enabled",
    },
    "invoices": {
        "string": "hs_currency hs_invoice_status hs_title hs_purchase_order_number hs_comments hs_tax_id hs_number* "
        "hs_invoice_link*",
        "number": "hs_amount_billed* hs_amount_paid* hs_balance_due*",
        "datetime": "hs_invoice_date hs_due_date",
    },
    "commerce_payments": {
        "string": "hs_currency_code hs_customer_email hs_internal_comment hs_latest_status hs_payment_method_type "
        "hs_processor_type hs_reference_number hs_payment_id* hs_settlement_currency_code*",
        "number": "hs_initial_amount hs_fees_amount hs_refunds_amount hs_platform_fee* hs_net_amount* "
        "hs_number_of_associated_invoices*",
        "datetime": "hs_initiated_date hs_payout_date",
    },
}
_FIELD_TYPES = {"string": "text", "number": "number", "datetime": "date", "bool": "booleancheckbox"}


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
    for type_of_value, names in _PROPERTIES[kind.plural].items():
        for name in names.split():
            read_only = name.endswith("*")
            yield _defined(name.rstrip("*"), type_of_value, _FIELD_TYPES[type_of_value], read_only=read_only)
    for name in ("createdate", kind.modified):
        yield _defined(name, "datetime", "date", read_only=True)
    yield _defined("hs_object_id", "number", "number", read_only=True)
