"""Records made of several rows: what they come to, or why nobody can read them."""

from collections.abc import Callable
from decimal import Decimal, Overflow

import pytest

from counterfoil.sources import BadValueError, Seen, Unreadable, compose, finite_number
from counterfoil_schema.exact_json import JsonValue
from counterfoil_schema.records import Product, Record


def composed(normalise: Callable[[], Record], *, essence: JsonValue = None) -> Seen | Unreadable:
    return compose(
        "product",
        "7",
        source="Acme",
        payload={"id": 7, "price": Decimal("1.10")},
        stamp="2026-03-01",
        essence=essence,
        normalise=normalise,
    )


def lamp(name: str = "Lamp") -> Record:
    return Product(name=name, unit_price=Decimal("1.10"), currency="USD")


def refuse(error: Exception) -> Callable[[], Record]:
    def normalise() -> Record:
        raise error

    return normalise


def test_what_came_is_kept_exactly_and_the_version_follows_stamp_content_and_essence() -> None:
    seen = composed(lamp)

    assert isinstance(seen, Seen)
    assert seen.raw == '{"id":7,"price":1.10}'
    assert seen.version.startswith("2026-03-01/")
    assert composed(lamp) == seen
    others = [composed(lambda: lamp("Lantern")), composed(lamp, essence=["line 2"])]
    assert len({seen.version, *(one.version for one in others if isinstance(one, Seen))}) == 3


def test_a_value_that_is_no_such_thing_is_said_with_place_and_fix() -> None:
    unreadable = composed(refuse(BadValueError("product 7, field price", "price is 'x'.", "Correct price.")))

    assert isinstance(unreadable, Unreadable)
    assert (unreadable.place, unreadable.problem, unreadable.fix) == (
        "product 7, field price",
        "price is 'x'.",
        "Correct price.",
    )
    assert unreadable.raw == '{"id":7,"price":1.10}'


@pytest.mark.parametrize(
    ("normalise", "place", "problem"),
    [
        (
            lambda: Product(name="Lamp", currency="dollars"),
            "product 7, currency",
            "currency of product 7 cannot be used.",
        ),
        (refuse(Overflow()), "product 7", "An amount of product 7 is too large to be reckoned with."),
    ],
)
def test_what_no_record_can_hold_is_unreadable_too(normalise: Callable[[], Record], place: str, problem: str) -> None:
    unreadable = composed(normalise)

    assert isinstance(unreadable, Unreadable)
    assert (unreadable.place, unreadable.problem, unreadable.fix) == (place, problem, "Correct it in Acme.")


@pytest.mark.parametrize("text", ["", "one", "NaN", "-Infinity", "1,5"])
def test_a_number_is_one_or_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"is no number|has no end"):
        finite_number(text)
    assert finite_number("1.50") == Decimal("1.50")
