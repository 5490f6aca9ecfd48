"""Currencies: those that a company deals in, their rates, and documents in home money.

Sources: Intuit's pages of CompanyCurrency and ExchangeRate. A document that names no rate is stored with 1, without
a word, as Intuit's does.
"""

from dataclasses import replace
from datetime import date
from decimal import Decimal

from counterfoil.quickbooks.emulator import faults
from counterfoil.quickbooks.emulator.drafting import Draft, Shaped, require_unique_name
from counterfoil.quickbooks.emulator.postings import Effect
from counterfoil.quickbooks.emulator.tables import Row, Tables
from counterfoil.quickbooks.emulator.values import ZERO, as_text, cents, reference_id, to_decimal
from counterfoil_schema.exact_json import JsonObject

NAMES = {
    "AUD": "Australian Dollar",
    "CAD": "Canadian Dollar",
    "CHF": "Swiss Franc",
    "EUR": "Euro",
    "GBP": "British Pound Sterling",
    "INR": "Indian Rupee",
    "JPY": "Japanese Yen",
    "MXN": "Mexican Peso",
    "NZD": "New Zealand Dollar",
    "USD": "United States Dollar",
}
CODE_LENGTH = 3
ONE = Decimal(1)


def shape_company_currency(draft: Draft) -> Shaped:
    """A currency that the company deals in.

    Raises:
        QuickBooksFaultError: 2020 without a code, 2220 for one that is none, 6240 for one that is there already.
    """
    body = dict(draft.body)
    code = as_text(body.get("Code"))
    if not code:
        raise faults.required("Code")
    if len(code) != CODE_LENGTH or not (code.isascii() and code.isalpha() and code.isupper()):
        raise faults.bad_currency(code[:20])
    body["Name"] = as_text(body.get("Name")) or NAMES.get(code, code)
    body.setdefault("Active", True)
    require_unique_name(draft, body)
    return Shaped(body)


def checked_rate(body: JsonObject, home: str, today: date) -> JsonObject:
    """An exchange rate as it is kept.

    Raises:
        QuickBooksFaultError: 2020 without currency or rate, 2220 for a currency that is none, 2090 for a rate of 0.
    """
    source = as_text(body.get("SourceCurrencyCode"))
    if not source:
        raise faults.required("SourceCurrencyCode")
    if "Rate" not in body:
        raise faults.required("Rate")
    if len(source) != CODE_LENGTH or not source.isalpha() or source == home:
        raise faults.bad_currency(source[:20])
    rate = to_decimal(body["Rate"], "Rate")
    if rate <= ZERO:
        raise faults.bad_number("Rate", str(rate))
    return {
        "SourceCurrencyCode": source,
        "TargetCurrencyCode": home,
        "Rate": rate,
        "AsOfDate": as_text(body.get("AsOfDate")) or today.isoformat(),
    }


def same_rate(tables: Tables, rate: JsonObject) -> Row | None:
    """The rate of the same currency and day, which a new one replaces."""
    key = (rate["SourceCurrencyCode"], rate["AsOfDate"])
    for row in tables.table("ExchangeRate").rows.values():
        if (row.body["SourceCurrencyCode"], row.body["AsOfDate"]) == key:
            return row
    return None


def rate_on(tables: Tables, source: str, day: str) -> Row | None:
    """The latest rate of a currency on or before a day; before the first one that is known, that one."""
    rates = [row for row in tables.table("ExchangeRate").rows.values() if row.body["SourceCurrencyCode"] == source]
    rates.sort(key=lambda row: as_text(row.body["AsOfDate"]))
    past = [row for row in rates if not day or as_text(row.body["AsOfDate"]) <= day]
    return past[-1] if past else next(iter(rates), None)


def in_home(body: JsonObject, home: str) -> JsonObject:
    """A document in another currency with its rate, and its worth at home."""
    if not _is_foreign(body, home):
        return body
    rate = to_decimal(body.get("ExchangeRate", ONE), "ExchangeRate")
    converted: JsonObject = {**body, "ExchangeRate": rate}
    for name, at_home in (("TotalAmt", "HomeTotalAmt"), ("Balance", "HomeBalance")):
        if name in body:
            converted[at_home] = cents(to_decimal(body[name], name) * rate)
    return converted


def posted(effect: Effect, body: JsonObject, home: str) -> Effect:
    """What a document posts in home money, still balanced; what its party owes stays in its own currency.

    What rounding leaves over goes to the largest posting.
    """
    if not effect.postings or not _is_foreign(body, home):
        return effect
    rate = to_decimal(body.get("ExchangeRate", ONE), "ExchangeRate")
    amounts = [cents(posting.amount * rate) for posting in effect.postings]
    largest = max(range(len(amounts)), key=lambda place: abs(amounts[place]))
    amounts[largest] -= sum(amounts, ZERO)
    postings = tuple(replace(posting, amount=amount) for posting, amount in zip(effect.postings, amounts, strict=True))
    stock = tuple(
        movement if movement.worth is None else movement._replace(worth=cents(movement.worth * rate))
        for movement in effect.stock
    )
    return replace(effect, postings=postings, stock=stock)


def _is_foreign(body: JsonObject, home: str) -> bool:
    return bool(home) and "TxnDate" in body and reference_id(body.get("CurrencyRef")) not in {"", home}
