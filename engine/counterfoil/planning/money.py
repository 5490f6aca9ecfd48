"""Cents and prices: exact decimals, rounded half up, never a float."""

from decimal import ROUND_HALF_UP, Decimal

CENT = Decimal("0.01")
_UNIT_PRICE_STEP = Decimal("0.0000001")


def to_cents(amount: Decimal) -> Decimal:
    """Rounded half up (away from zero at the half) to the cent."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def plain(value: Decimal) -> Decimal:
    """The same number without trailing zeros and without an exponent."""
    if value == value.to_integral_value():
        return value.quantize(Decimal(1))
    return value.normalize()


def text(amount: Decimal) -> str:
    """An amount for people: two decimals, or more where it has more, thousands apart."""
    exact = plain(amount)
    shown = exact.quantize(CENT) if exact == exact.quantize(CENT, rounding=ROUND_HALF_UP) else exact
    return f"{shown:,f}"


def price_for(quantity: Decimal, exact_price: Decimal, amount: Decimal) -> Decimal | None:
    """A unit price of at most seven decimals with `amount` = quantity x price to the cent, or None.

    QuickBooks refuses a line whose Amount is not Qty x UnitPrice (fault 6070). The exact price is kept wherever it
    fits; else it is rounded to seven decimals; else the price that the amount itself implies is tried, so that a
    source which rounds its lines in another way is followed to the cent.
    """
    candidates = [exact_price.quantize(_UNIT_PRICE_STEP, rounding=ROUND_HALF_UP)]
    if quantity:
        candidates.append((amount / quantity).quantize(_UNIT_PRICE_STEP, rounding=ROUND_HALF_UP))
    for price in candidates:
        if to_cents(quantity * price) == amount:
            return plain(price)
    return None
