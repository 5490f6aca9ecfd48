"""Whether the books' figures are the source's: each difference is a number."""

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from counterfoil.planning.plan import plan
from counterfoil.planning.tie_out import compare
from counterfoil.planning.types import Park, Unchanged
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.planning import DEAL, View, line, link_of, mapping, only, request, sale

OURS = frozenset({"1", "2"})


def figures(**more: Any) -> Figures:
    values = {"currency": "USD", "home": "USD", "net": "100.00", "tax": "8.25", "tolerance": "0.01", **more}
    return Figures.model_validate(values)


def document(
    *, total: str = "108.25", tax: str = "8.25", amounts: tuple[str, ...] = ("60", "40"), **more: JsonValue
) -> JsonObject:
    lines: list[JsonValue] = [
        {"Id": str(number), "Amount": Decimal(amount), "DetailType": "SalesItemLineDetail"}
        for number, amount in enumerate(amounts, start=1)
    ]
    lines.append({"Amount": Decimal(100), "DetailType": "SubTotalLineDetail"})
    return {"TotalAmt": Decimal(total), "TxnTaxDetail": {"TotalTax": Decimal(tax)}, "Line": lines, **more}


def off(held: JsonObject, rate: str | None = None, **more: Any) -> tuple[str, ...]:
    compared = compare(figures(**more), held, OURS, None if rate is None else Decimal(rate))
    assert compared is not None
    return compared.off


def test_what_ties_out_says_by_which_figures() -> None:
    compared = compare(figures(), document(), OURS, None)
    assert compared is not None
    assert compared.off == ()
    assert (compared.tie.total, compared.tie.tax, compared.tie.expected) == (
        Decimal("108.25"),
        Decimal("8.25"),
        Decimal("108.25"),
    )


def test_tax_may_differ_by_the_tolerance_and_no_more() -> None:
    assert off(document(total="108.26", tax="8.26")) == ()
    assert off(document(total="108.27", tax="8.27")) == ("its tax is 8.27 USD, not 8.25: a difference of 0.02",)


def test_the_net_is_exact() -> None:
    assert off(document(total="108.24", amounts=("60", "39.99")))[0] == (
        "its lines come to 99.99 USD, not 100.00: a difference of -0.01"
    )


def test_tax_that_the_source_left_to_the_books_is_not_judged() -> None:
    assert off(document(), tax=None) == ()
    assert off(document(amounts=("60", "41")), tax=None) != ()


def test_lines_of_somebody_else_are_not_judged() -> None:
    assert off(document(total="120", tax="10", amounts=("60", "40", "10"))) == ()


@pytest.mark.parametrize(
    ("more", "words"),
    [
        ({"CurrencyRef": {"value": "USD"}}, "it is in USD, not in EUR"),
        ({"ExchangeRate": Decimal(1)}, "its rate is 1, not 1.0835"),
        ({"HomeTotalAmt": Decimal("108.25")}, "it is worth 108.25 USD, not 117.29: a difference of -9.04"),
    ],
)
def test_rate_and_worth_at_home_are_judged(more: JsonObject, words: str) -> None:
    assert off({**document(), **more}, rate="1.0835", currency="EUR") == (words,)


def test_worth_at_home_may_differ_by_a_cent() -> None:
    # 108.25 x 1.0835 = 117.288875.
    assert off(document(HomeTotalAmt=Decimal("117.28")), rate="1.0835", currency="EUR") == ()


def test_where_prices_contain_the_tax_the_total_is_exact() -> None:
    inside: dict[str, Any] = {"net": "24.97", "tax": "5.00", "included": True}
    assert off(document(total="29.97", tax="4.99", amounts=("24.98",)), **inside) == ()
    assert off(document(total="29.98", tax="5.00", amounts=("24.98",)), **inside) == (
        "its total is 29.98 USD, not 29.97: a difference of 0.01",
    )


def test_a_payment_is_its_amount() -> None:
    paid: JsonObject = {"TotalAmt": Decimal(60), "Line": [{"Amount": Decimal(50), "LinkedTxn": []}]}
    assert compare(figures(net="60", tax="0"), paid, None, None) is not None
    compared = compare(figures(net="61", tax="0"), paid, None, None)
    assert compared is not None
    assert compared.off == ("its total is 60.00 USD, not 61.00: a difference of -1.00",)


def test_an_entry_is_judged_by_its_sides_because_its_total_is_always_zero() -> None:
    def side(number: str, posting: str, amount: str) -> JsonObject:
        return {"Id": number, "Amount": Decimal(amount), "JournalEntryLineDetail": {"PostingType": posting}}

    held: JsonObject = {"TotalAmt": 0, "Line": [side("0", "Debit", "60"), side("1", "Credit", "60")]}
    right = compare(figures(net="60", tax="0"), held, frozenset({"0", "1"}), None)
    wrong = compare(figures(net="61", tax="0"), held, frozenset({"0", "1"}), None)
    edited = compare(figures(net="61", tax="0"), held, frozenset({"0"}), None)
    assert right is not None
    assert wrong is not None
    assert edited is not None
    assert (right.off, right.tie.total, edited.off) == ((), Decimal(60), ())
    assert wrong.off == (
        "its debits come to 60.00 USD, not 61.00: a difference of -1.00",
        "its credits come to 60.00 USD, not 61.00: a difference of -1.00",
    )


def test_what_was_off_parks_again_until_the_document_is_mended() -> None:
    """A difference that our own write left is looked at afresh; what a bookkeeper made later is an edit, and kept."""
    record = sale(line(unit_price=Decimal("100.00"), tax=Decimal("8.25")))
    view = View(taxes="automated")
    intent = only(plan(request(record), mapping(), view))
    wrong, right = document(total="109.00", tax="9.00", amounts=("100",)), document(amounts=("100",))

    def again(image: JsonObject, latest: JsonObject) -> object:
        view.links = {DEAL: link_of(intent, document=image, latest=latest, lines={"1": "1"})}
        return plan(request(record), mapping(), view)

    found = again(wrong, wrong)
    assert isinstance(found, Park)
    assert (found.code, "a difference of 0.75" in found.reason) == ("does_not_tie_out", True)
    assert isinstance(again(wrong, right), Unchanged)
    assert isinstance(again(right, wrong), Unchanged)


def test_what_has_no_total_is_not_judged() -> None:
    assert compare(figures(), {"DisplayName": "Ann"}, None, None) is None


@given(
    amounts=st.lists(st.decimals("0.01", "9999", places=2), min_size=1, max_size=5),
    tax=st.decimals("0", "99", places=2),
    error=st.decimals("0.02", "5", places=2),
)
def test_no_error_of_two_cents_goes_unseen(amounts: list[Decimal], tax: Decimal, error: Decimal) -> None:
    net = sum(amounts, Decimal(0))
    texts = tuple(str(amount) for amount in amounts)
    ours = frozenset(str(number) for number in range(1, len(amounts) + 1))
    wanted = figures(net=net, tax=tax)
    right = compare(wanted, document(total=str(net + tax), tax=str(tax), amounts=texts), ours, None)
    wrong_tax = compare(wanted, document(total=str(net + tax + error), tax=str(tax + error), amounts=texts), ours, None)
    wrong_total = compare(wanted, document(total=str(net + tax + error), tax=str(tax), amounts=texts), ours, None)
    assert right is not None
    assert wrong_tax is not None
    assert wrong_total is not None
    assert (right.off, bool(wrong_tax.off), bool(wrong_total.off)) == ((), True, True)
