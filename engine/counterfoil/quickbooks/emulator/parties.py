"""Customer, Vendor and Employee: names that are unique among all three, and what the server fills in."""

import re
from dataclasses import replace

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped, check_name, nested, require_unique_name
from counterfoil.quickbooks.emulator.fields import check_text
from counterfoil.quickbooks.emulator.values import ZERO, as_list, as_object, as_text, reference_id
from counterfoil_schema.exact_json import JsonObject

NAME_PARTS = ("Title", "GivenName", "MiddleName", "FamilyName", "Suffix")
CUSTOMER_LEVELS_MAX = 4
NOT_WITH_PAYROLL = ("Title", "Suffix", "PrintOnCheckName", "BillRate")
MADE_BY_PAYROLL = frozenset({"DisplayName", "PrintOnCheckName"})
DISPLAY_NAME_MAX = 500
_CURRENCY_CODE = re.compile(r"[A-Z]{3}")


def shape_customer(draft: Draft) -> Shaped:
    body = _named(draft)
    body.setdefault("Taxable", False)
    body.setdefault("Job", False)
    body.setdefault("BillWithParent", False)
    body.setdefault("PreferredDeliveryMethod", "None")
    nested(draft, body, "DisplayName", levels=CUSTOMER_LEVELS_MAX)
    _references(draft, body, {"SalesTermRef": "Term", "PaymentMethodRef": "PaymentMethod", "ARAccountRef": "Account"})
    _currency(draft, body)
    _require_even(draft, body)
    return Shaped(body)


def shape_vendor(draft: Draft) -> Shaped:
    body = _named(draft)
    body.setdefault("Vendor1099", False)
    identifier = as_text(body.get("TaxIdentifier"))
    if identifier:
        body["TaxIdentifier"] = "X" * max(0, len(identifier) - 4) + identifier[-4:]
    _references(draft, body, {"TermRef": "Term", "APAccountRef": "Account"})
    _currency(draft, body)
    _require_even(draft, body)
    return Shaped(body)


def shape_employee(draft: Draft) -> Shaped:
    if not (draft.body.get("GivenName") or draft.body.get("FamilyName")):
        raise faults.required("GivenName or FamilyName")
    payroll = _has_payroll(draft)
    for name in NOT_WITH_PAYROLL if payroll else ():
        if name in draft.sent:
            raise faults.unsupported_property(name)
    if payroll and "PrimaryAddr" not in draft.body:
        raise faults.required("PrimaryAddr")
    # With payroll the name that is shown is made of its parts, whatever was sent.
    sent = {name: value for name, value in draft.body.items() if not (payroll and name in MADE_BY_PAYROLL)}
    body = _named(replace(draft, body=sent))
    if payroll:
        body.pop("PrintOnCheckName", None)
    if "SSN" in body:
        body["SSN"] = "XXX-XX-XXXX"
    body.setdefault("BillableTime", False)
    return Shaped(body)


def _has_payroll(draft: Draft) -> bool:
    """Whether the company's payroll is QuickBooks' own."""
    company = draft.tables.get("CompanyInfo", "1")
    pairs = as_list(company.body.get("NameValue")) if company is not None else []
    return any(
        pair.get("Name") == "PayrollFeature" and as_text(pair.get("Value")).lower() == "true"
        for pair in map(as_object, pairs)
    )


def _named(draft: Draft) -> JsonObject:
    body = dict(draft.body)
    display = as_text(body.get("DisplayName"))
    if not display:
        display = " ".join(text for part in NAME_PARTS if (text := as_text(body.get(part))))
    if not display:
        raise faults.required("DisplayName or one of Title, GivenName, MiddleName, FamilyName, Suffix")
    check_text("DisplayName", display, DISPLAY_NAME_MAX)
    for element in ("DisplayName", *NAME_PARTS, "CompanyName"):
        text = display if element == "DisplayName" else as_text(body.get(element))
        if text:
            check_name(text, element)
    body["DisplayName"] = display
    body.setdefault("PrintOnCheckName", as_text(body.get("CompanyName")) or display[:100])
    body.setdefault("Active", True)
    require_unique_name(draft, body)
    return body


def _require_even(draft: Draft, body: JsonObject) -> None:
    if not body["Active"] and draft.ledger.party(draft.identifier) != ZERO:
        who = draft.spec.name.lower()
        raise faults.QuickBooksFaultError(
            "6220", "Cannot deactivate", f"The {who} has a balance and cannot be made inactive.", element="Active"
        )


def _references(draft: Draft, body: JsonObject, targets: dict[str, str]) -> None:
    for name, entity in targets.items():
        if name in body:
            body[name] = draft.reference(body[name], entity, name)


def _currency(draft: Draft, body: JsonObject) -> None:
    # A party's currency is fixed when it is created; a later value is passed over like any read-only one.
    if draft.current is not None:
        body["CurrencyRef"] = draft.current.body.get("CurrencyRef")
        return
    body["CurrencyRef"] = currency(draft, reference_id(body.get("CurrencyRef")))


def currency(draft: Draft, code: str) -> JsonObject:
    """The currency of a party or a document; abroad only where the company deals in several.

    Raises:
        QuickBooksFaultError: 2220.
    """
    home = home_currency(draft)
    if not code or code == home:
        return {"value": home, "name": "United States Dollar" if home == "USD" else home}
    if draft.preference("CurrencyPrefs", "MultiCurrencyEnabled") is not True:
        raise faults.bad_currency(code[:20])
    if _CURRENCY_CODE.fullmatch(code) is None:
        raise faults.bad_currency(code[:20])
    return {"value": code, "name": code}


def home_currency(draft: Draft) -> str:
    return reference_id(draft.preference("CurrencyPrefs", "HomeCurrency"))
