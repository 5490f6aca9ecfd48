"""Sales tax: agencies, rates and codes, the service that makes them, and what a sales form owes.

Sources: Intuit's pages of TaxService, TaxCode, TaxRate and TaxAgency, and its page on the sales tax model of the US:
a line says TAX or NON, the form names the code whose rates apply. Outside the US each line names its own code, and
the form says by GlobalTaxCalculation whether tax comes on top, is contained, or does not apply (Intuit: invoice page).
"""

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped, check_name, require_unique_name
from counterfoil.quickbooks.emulator.fields import check_text, rows
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_object, as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject, JsonValue

NAME_MAX = 100
PERCENT_MAX = Decimal(100)
# The codes of lines, and the one of forms whose tax a person typed in; they have names for Ids.
BUILT_IN = ("TAX", "NON", "CustomSalesTax")
TAXED = "TAX"
UNTAXED = "NON"
AT_HOME = frozenset({"", "US", "USA"})


@dataclass(frozen=True, slots=True)
class SalesTax:
    """What a form owes: the whole, and what its TxnTaxDetail shows of it."""

    total: Decimal
    detail: JsonObject


def shape_tax_agency(draft: Draft) -> Shaped:
    """An agency.

    Raises:
        QuickBooksFaultError: 2020 without a name, 6240 for one that is taken.
    """
    body = dict(draft.body)
    name = as_text(body.get("DisplayName"))
    if not name:
        raise faults.required("DisplayName")
    check_name(name, "DisplayName")
    require_unique_name(draft, body)
    body.setdefault("TaxTrackedOnSales", True)
    body.setdefault("TaxTrackedOnPurchases", False)
    return Shaped(body)


def made_by_service(body: JsonObject, tables: Tables) -> tuple[JsonObject, list[JsonObject]]:
    """The code, and the rates to make for it, that a call of the tax service asks for.

    Returns:
        The TaxCode without its rates, and a row of details for each rate; those with TaxRateId exist already.

    Raises:
        QuickBooksFaultError: 2020, 2050, 2090, 2500 or 6240; nothing is made.
    """
    name = as_text(body.get("TaxCode"))
    if not name:
        raise faults.required("TaxCode")
    check_text("TaxCode", name, NAME_MAX)
    _require_free(name, "TaxCode", tables)
    asked = rows(body, "TaxRateDetails")
    if not asked:
        raise faults.required("TaxRateDetails")
    code: JsonObject = {
        "Name": name,
        "Description": name,
        "Active": True,
        "Hidden": False,
        "Taxable": True,
        "TaxGroup": True,
        "TaxCodeConfigType": "USER_DEFINED",
    }
    return code, [_rate_detail(detail, tables) for detail in asked]


def _rate_detail(detail: JsonObject, tables: Tables) -> JsonObject:
    side = as_text(detail.get("TaxApplicableOn")) or "Sales"
    if side not in {"Sales", "Purchase", "Adjustment", "Other"}:
        raise faults.bad_enum("TaxApplicableOn", side[:40])
    known = as_text(detail.get("TaxRateId"))
    if known:
        rate = tables.get("TaxRate", known)
        if rate is None:
            raise faults.bad_reference("TaxRateId", known[:40])
        return {
            "TaxRateName": rate.body["Name"],
            "TaxRateId": known,
            "RateValue": rate.body["RateValue"],
            "TaxAgencyId": reference_id(rate.body.get("AgencyRef")),
            "TaxApplicableOn": side,
        }
    for needed in ("TaxRateName", "RateValue", "TaxAgencyId"):
        if as_text(detail.get(needed)) == "":
            raise faults.required(needed)
    name, agency = as_text(detail["TaxRateName"]), as_text(detail["TaxAgencyId"])
    check_text("TaxRateName", name, NAME_MAX)
    _require_free(name, "TaxRate", tables)
    value = to_decimal(detail["RateValue"], "RateValue")
    if not ZERO <= value <= PERCENT_MAX:
        raise faults.bad_number("RateValue", str(value))
    if tables.get("TaxAgency", agency) is None:
        raise faults.bad_reference("TaxAgencyId", agency[:40])
    return {"TaxRateName": name, "RateValue": value, "TaxAgencyId": agency, "TaxApplicableOn": side}


def _require_free(name: str, entity: str, tables: Tables) -> None:
    taken = {as_text(row.body.get("Name")).casefold() for row in tables.table(entity).rows.values()}
    if name.casefold() in taken:
        raise faults.duplicate_name(party=False)


def rate_body(detail: JsonObject) -> JsonObject:
    """The TaxRate that a row of details makes."""
    return {
        "Name": detail["TaxRateName"],
        "Description": detail["TaxRateName"],
        "Active": True,
        "RateValue": detail["RateValue"],
        "AgencyRef": {"value": detail["TaxAgencyId"]},
        "SpecialTaxType": "NONE",
        "DisplayType": "ReadOnly",
    }


def rate_lists(details: list[JsonObject]) -> JsonObject:
    """A code's lists of rates, for sales and for purchases."""
    lists: JsonObject = {}
    for name, side in (("SalesTaxRateList", "Sales"), ("PurchaseTaxRateList", "Purchase")):
        members: list[JsonValue] = [
            {
                "TaxRateRef": {"value": detail["TaxRateId"], "name": detail["TaxRateName"]},
                "TaxTypeApplicable": "TaxOnAmount",
                "TaxOrder": 0,
            }
            for detail in details
            if detail["TaxApplicableOn"] == side
        ]
        lists[name] = {"TaxRateDetail": members}
    return lists


def sales_tax(draft: Draft, body: JsonObject, lines: list[JsonObject], discount: Decimal) -> SalesTax:
    """The tax of a form: by the code that it names, or what it says without one.

    Where tax is automated, the company's own code stands in for a missing one, and lines that do not say NON are taxed.

    Raises:
        QuickBooksFaultError: 2500 for a code that does not exist; abroad, 2020 without GlobalTaxCalculation and 6000
            for a line without a code.
    """
    if is_abroad(draft.tables):
        return _tax_abroad(draft, body, lines)
    given = as_object(body.get("TxnTaxDetail"))
    code = _code_of(draft, given)
    if code is None:
        total = cents(to_decimal(given.get("TotalTax", 0), "TotalTax"))
        return SalesTax(total, {**given, "TotalTax": total})
    taxed = [line for line in lines if _is_taxed(line)]
    net = sum((to_decimal(line.get("Amount", 0), "Amount") for line in taxed), ZERO)
    if body.get("ApplyTaxAfterDiscount") is True and discount:
        whole = sum((to_decimal(line.get("Amount", 0), "Amount") for line in lines if _is_sold(line)), ZERO)
        net -= cents(discount * net / whole) if whole else ZERO
    shown: list[JsonValue] = []
    total = ZERO
    for rate in _rates(code, draft.tables):
        amount = cents(net * _percent(rate) / PERCENT_MAX)
        total += amount
        shown.append(_tax_line(rate, amount, net))
    return SalesTax(total, {"TxnTaxCodeRef": {"value": code.id}, "TotalTax": total, "TaxLine": shown})


def is_abroad(tables: Tables) -> bool:
    """Whether the company is one outside the US."""
    company = tables.get("CompanyInfo", "1")
    return company is not None and as_text(company.body.get("Country")) not in AT_HOME


def _tax_abroad(draft: Draft, body: JsonObject, lines: list[JsonObject]) -> SalesTax:
    """By the codes of the lines. Lines whose amount contains the tax get the amount without it."""
    if draft.preference("TaxPrefs", "UsingSalesTax") is not True:
        return SalesTax(ZERO, {"TotalTax": ZERO})
    method = as_text(body.get("GlobalTaxCalculation"))
    if not method:
        raise faults.required("GlobalTaxCalculation")
    if method == "NotApplicable":
        return SalesTax(ZERO, {"TotalTax": ZERO})
    nets: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    contained: defaultdict[str, Decimal] = defaultdict(lambda: ZERO)
    rates: dict[str, Row] = {}
    for line in filter(_is_sold, lines):
        detail = as_object(line["SalesItemLineDetail"])
        code = draft.tables.get("TaxCode", reference_id(detail.get("TaxCodeRef")))
        if code is None:
            raise faults.business("Make sure all your transactions have a VAT rate before you save.", element="Line")
        own = _rates(code, draft.tables)
        rates.update({rate.id: rate for rate in own})
        if method == "TaxInclusive":
            for identifier, tax in _taken_out(line, detail, own):
                contained[identifier] += tax
        for rate in own:
            nets[rate.id] += to_decimal(line.get("Amount", 0), "Amount")
    taxes = {
        key: contained[key] if method == "TaxInclusive" else cents(net * _percent(rates[key]) / PERCENT_MAX)
        for key, net in nets.items()
    }
    shown: list[JsonValue] = [_tax_line(rates[key], amount, nets[key]) for key, amount in taxes.items()]
    total = sum(taxes.values(), ZERO)
    return SalesTax(total, {"TotalTax": total, "TaxLine": shown})


def _taken_out(line: JsonObject, detail: JsonObject, rates: list[Row]) -> list[tuple[str, Decimal]]:
    """The tax that a line contains, by rate; the line's amount becomes the net one.

    A line that names no TaxInclusiveAmt is taken to be net already, as Intuit's page has it.
    """
    percent = sum((_percent(rate) for rate in rates), ZERO)
    sent = to_decimal(line.get("Amount", 0), "Amount")
    if "TaxInclusiveAmt" not in detail:
        detail["TaxInclusiveAmt"] = sent + cents(sent * percent / PERCENT_MAX)
    gross = cents(to_decimal(detail["TaxInclusiveAmt"], "TaxInclusiveAmt"))
    tax = cents(gross * percent / (PERCENT_MAX + percent))
    line["Amount"] = gross - tax
    quantity = to_decimal(detail.get("Qty", 0), "Qty")
    if line["Amount"] != sent and quantity:
        detail["UnitPrice"] = (gross - tax) / quantity
    parts = [(rate.id, cents(tax * _percent(rate) / percent) if percent else ZERO) for rate in rates]
    if parts:
        rest = tax - sum((part for _, part in parts), ZERO)
        parts[-1] = (parts[-1][0], parts[-1][1] + rest)
    return parts


def _percent(rate: Row) -> Decimal:
    return to_decimal(rate.body.get("RateValue", 0), "RateValue")


def _tax_line(rate: Row, amount: Decimal, net: Decimal) -> JsonObject:
    return {
        "Amount": amount,
        "DetailType": "TaxLineDetail",
        "TaxLineDetail": {
            "TaxRateRef": {"value": rate.id},
            "PercentBased": True,
            "TaxPercent": _percent(rate),
            "NetAmountTaxable": net,
        },
    }


def default_line_code(draft: Draft) -> str:
    """What a sales line without a tax code counts as; abroad there is none."""
    if is_abroad(draft.tables):
        return ""
    return TAXED if draft.preference("TaxPrefs", "PartnerTaxEnabled") is True else UNTAXED


def _code_of(draft: Draft, given: JsonObject) -> Row | None:
    named = reference_id(given.get("TxnTaxCodeRef"))
    if named in BUILT_IN:
        return None
    if not named and draft.preference("TaxPrefs", "PartnerTaxEnabled") is True:
        named = reference_id(draft.preference("TaxPrefs", "TaxGroupCodeRef"))
    return draft.resolve({"value": named}, "TaxCode", "TxnTaxDetail.TxnTaxCodeRef") if named else None


def _rates(code: Row, tables: Tables) -> list[Row]:
    named = rows(as_object(code.body.get("SalesTaxRateList")), "TaxRateDetail")
    found = (tables.get("TaxRate", reference_id(member.get("TaxRateRef"))) for member in named)
    return [rate for rate in found if rate is not None]


def _is_sold(line: JsonObject) -> bool:
    return line.get("DetailType") == "SalesItemLineDetail"


def _is_taxed(line: JsonObject) -> bool:
    detail = as_object(line.get("SalesItemLineDetail"))
    return _is_sold(line) and reference_id(detail.get("TaxCodeRef")) == TAXED


def built_in_codes() -> list[tuple[str, JsonObject]]:
    """The codes that every US company has."""
    return [
        (
            name,
            {
                "Name": name,
                "Description": {"TAX": "Taxable", "NON": "Non-Taxable"}.get(name, "Custom sales tax"),
                "Active": True,
                "Hidden": False,
                "Taxable": name != UNTAXED,
                "TaxGroup": False,
                "SalesTaxRateList": {"TaxRateDetail": []},
                "PurchaseTaxRateList": {"TaxRateDetail": []},
            },
        )
        for name in BUILT_IN
    ]
