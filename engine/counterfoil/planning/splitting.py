"""A sum split so that the parts equal it to the cent."""

import math
from collections.abc import Sequence
from decimal import Decimal
from fractions import Fraction

_CENTS = 100


def split(total: Decimal, weights: Sequence[int | Decimal]) -> tuple[Decimal, ...]:
    """The parts of a sum by weight, in whole cents, by the method of the largest remainder.

    Each part is first rounded towards minus infinity; the cents that are left go to the parts that lost most by it, of
    equal ones to the earlier. Weights that come to nothing say nothing of shares: then the parts are equal. A part
    without weight is zero in all other cases. The parts of `-total` are the parts of `total` with the other sign.

    Raises:
        ValueError: the sum is not whole in cents, or there is nothing to split it into.
    """
    cents = Fraction(abs(total)) * _CENTS
    if cents.denominator != 1:
        raise ValueError(f"{total} is not whole in cents")
    if not weights:
        raise ValueError("a sum cannot be split into no parts")
    shares = [Fraction(weight) for weight in weights]
    whole = sum(shares)
    if not whole:
        shares, whole = [Fraction(1)] * len(shares), Fraction(len(shares))
    quotas = [cents * share / whole for share in shares]
    parts = [math.floor(quota) for quota in quotas]
    left = int(cents) - sum(parts)
    by_loss = sorted(range(len(parts)), key=lambda place: (parts[place] - quotas[place], place))
    for place in by_loss[:left]:
        parts[place] += 1
    sign = -1 if total < 0 else 1
    return tuple(Decimal(sign * part) / _CENTS for part in parts)
