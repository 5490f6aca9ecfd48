"""The rate of a foreign document: from the record, the mapping or the books, and never left to QuickBooks' silence.

QuickBooks stores 1 where a foreign document names no rate, without a word (Intuit: ExchangeRate "default 1").
"""

from datetime import date
from decimal import Decimal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import plain
from counterfoil.planning.outcome import named
from counterfoil.planning.types import RATE_REF, Park, StateView
from counterfoil_schema.exact_json import JsonObject


def kept_in_one(key: str, currency: str, view: StateView) -> Park | None:
    """Why books of one currency cannot take another."""
    home = view.home_currency()
    if currency == home:
        return None
    return Park(
        code="foreign_currency",
        reason=f"{named(key)} is in {currency}, but these books are kept in {home} alone.",
        fix="Switch on multi-currency in QuickBooks, or enter the document by hand.",
    )


def currency_fields(
    key: str, currency: str, stated: Decimal | None, day: date, mapping: Mapping, view: StateView
) -> JsonObject | Park:
    """`CurrencyRef` and, abroad, `ExchangeRate`; nothing where the books know one currency.

    A rate that the books are to give stands as `{"$rate": [currency, day]}`.
    """
    if not view.multi_currency():
        return kept_in_one(key, currency, view) or {}
    named_currency: JsonObject = {"CurrencyRef": {"value": currency}}
    if currency == view.home_currency():
        return named_currency
    rate = stated if stated is not None else mapping.exchange.rates.get(currency)
    if rate is not None:
        return {**named_currency, "ExchangeRate": plain(rate)}
    if mapping.exchange.rate == "books":
        return {**named_currency, "ExchangeRate": {RATE_REF: [currency, day.isoformat()]}}
    return Park(
        code="no_rate",
        reason=f"{named(key)} is in {currency} and states no exchange rate; QuickBooks would count one {currency} "
        f"as one {view.home_currency()}.",
        fix='State its rate at the source; or set [exchange] rate = "books", or a rate under [exchange.rates].',
    )
