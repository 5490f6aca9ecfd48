"""What the org works out by itself: won and closed, a line's total, an opportunity's amount."""

from collections.abc import Mapping
from decimal import ROUND_HALF_UP, Decimal
from typing import TYPE_CHECKING

from counterfoil_adapters.salesforce.emulator.errors import OrgError
from counterfoil_schema.exact_json import JsonValue

if TYPE_CHECKING:
    from counterfoil_adapters.salesforce.emulator.org import Org, Row

CENT = Decimal("0.01")
_CHILDREN = {
    "Opportunity": (("OpportunityLineItem", "OpportunityId"),),
    "Account": (("Opportunity", "AccountId"), ("Contact", "AccountId")),
    "Product2": (("PricebookEntry", "Product2Id"),),
}


def derive(org: "Org", row: "Row", given: Mapping[str, JsonValue]) -> None:
    """Set what follows from a record's own fields, and from its change for its parent's.

    Raises:
        OrgError: a change that Salesforce forbids.
    """
    held = row.values
    match row.object:
        case "Contact":
            held["Name"] = " ".join(str(part) for part in (held.get("FirstName"), held["LastName"]) if part)
        case "Opportunity":
            stage = str(held.get("StageName"))
            held["IsWon"] = stage == "Closed Won"
            held["IsClosed"] = stage.startswith("Closed")
            if "Amount" in given and _lines(org, row.id):
                held["Amount"] = _sum(org, row.id)
        case "PricebookEntry":
            product = org.tables["Product2"].rows[str(held["Product2Id"])].values
            held["Name"], held["ProductCode"] = product["Name"], product["ProductCode"]
        case "OpportunityLineItem":
            _line(org, row, given)


def _line(org: "Org", row: "Row", given: Mapping[str, JsonValue]) -> None:
    held = row.values
    entry = org.tables["PricebookEntry"].rows.get(str(held.get("PricebookEntryId")))
    opportunity = org.tables["Opportunity"].rows[str(held["OpportunityId"])]
    if entry is not None:
        product = org.tables["Product2"].rows[str(entry.values["Product2Id"])].values
        held["Product2Id"], held["ProductCode"] = product["Id"], product["ProductCode"]
        held["ListPrice"] = entry.values["UnitPrice"]
        held["Name"] = f"{opportunity.values['Name']} {product['Name']}"
        if held.get("UnitPrice") is None and held.get("TotalPrice") is None:
            held["UnitPrice"] = held["ListPrice"]
        opportunity.values["Pricebook2Id"] = entry.values["Pricebook2Id"]
    elif held.get("Product2Id") is None:
        raise OrgError("REQUIRED_FIELD_MISSING", "Required fields are missing: [PricebookEntryId]")
    if "CurrencyIsoCode" in held:
        held["CurrencyIsoCode"] = opportunity.values["CurrencyIsoCode"]
    if "UnitPrice" in given and "TotalPrice" in given:
        raise OrgError(
            "FIELD_INTEGRITY_EXCEPTION", "field integrity exception: specify either Sales Price or Total Price"
        )
    quantity, price = _decimal(held["Quantity"]), held.get("UnitPrice")
    if "TotalPrice" in given and price is None:
        held["UnitPrice"] = price = (_decimal(given["TotalPrice"]) / quantity).quantize(CENT, ROUND_HALF_UP)
    part = Decimal(1) - _decimal(held.get("Discount")) / 100
    held["TotalPrice"] = (quantity * _decimal(price) * part).quantize(CENT, ROUND_HALF_UP)
    org.lines.setdefault(opportunity.id, {})[row.id] = row
    roll_up(org, opportunity)


def roll_up(org: "Org", opportunity: "Row") -> None:
    """The amount of an opportunity with lines is their sum; the change counts as one of its own."""
    lines = _lines(org, opportunity.id)
    opportunity.values["HasOpportunityLineItem"] = bool(lines)
    if lines:
        opportunity.values["Amount"] = _sum(org, opportunity.id)
    org.touch(opportunity, org.person, "Amount")


def dependents(org: "Org", row: "Row") -> "list[Row]":
    """What goes into the recycle bin along with a record; a line that goes changes its opportunity."""
    if row.object == "OpportunityLineItem":
        opportunity = org.tables["Opportunity"].rows[str(row.values["OpportunityId"])]
        if opportunity.deleted_at is None:
            roll_up(org, opportunity)
    return [
        inner
        for child, reference in _CHILDREN.get(row.object, ())
        for inner in org.tables[child].rows.values()
        if inner.values.get(reference) == row.id and inner.deleted_at is None
    ]


def _lines(org: "Org", opportunity_id: str) -> "list[Row]":
    return [row for row in org.lines.get(opportunity_id, {}).values() if row.deleted_at is None]


def _sum(org: "Org", opportunity_id: str) -> Decimal:
    return sum((_decimal(row.values.get("TotalPrice")) for row in _lines(org, opportunity_id)), Decimal(0))


def _decimal(value: JsonValue) -> Decimal:
    return Decimal(str(value)) if value is not None else Decimal(0)
