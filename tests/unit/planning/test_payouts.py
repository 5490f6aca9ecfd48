"""Payouts of a payment processor, and refunds."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.tie_out import compare
from counterfoil.planning.types import Park
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Payout, Refund
from support.planning import COMPANY, WIDGET, View, line, lines_of, mapping, only, request

ONE, TWO, BACK = "stripe:charge:1", "stripe:charge:2", "stripe:refund:1"
KEY = "stripe:payout:7"
LINKED = '[payout]\naccount = "Checking"\nfee_account = "Office Expenses"\n[refund]\naccount = "Undeposited Funds"\n'
CLEARED = '[payout]\naccount = "Checking"\nfee_account = "Office Expenses"\nfrom_account = "Stripe"\n'


def payout(**values: object) -> Payout:
    """100.00 and 50.00 came in, 20.00 went back, 4.65 was kept: 125.35."""
    parts = [(ONE, "100.00"), (TWO, "50.00"), (BACK, "-20.00")]
    usual = {
        "dated": date(2026, 3, 20),
        "currency": "USD",
        "amount": Decimal("125.35"),
        "fee": Decimal("4.65"),
        "parts": [{"part_of": key, "amount": Decimal(amount)} for key, amount in parts],
    }
    return Payout.model_validate({**usual, **values})


def refund(**values: object) -> Refund:
    usual = {"customer": COMPANY, "number": "RE-1", "dated": date(2026, 3, 20), "currency": "USD", "lines": [line()]}
    return Refund.model_validate({**usual, **values})


def view() -> View:
    return View(known={COMPANY, WIDGET, ONE, TWO, BACK})


def detail(amount: str, account: str, key: str) -> JsonObject:
    return {
        "$line": key,
        "Amount": Decimal(amount),
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {"AccountRef": {"$name": ["Account", account]}},
    }


def linked(amount: str, key: str) -> JsonObject:
    part: JsonObject = {"TxnId": {"$record": key}, "TxnType": "Payment", "TxnLineId": "0"}
    return {"$line": key, "Amount": Decimal(amount), "LinkedTxn": [part]}


def test_a_payout_takes_up_the_payments_that_lie_undeposited() -> None:
    intent = only(plan(request(payout(), KEY), mapping(LINKED), view()))
    assert intent.body == {
        "DepositToAccountRef": {"$name": ["Account", "Checking"]},
        "TxnDate": "2026-03-20",
        "Line": [
            linked("100.00", ONE),
            linked("50.00", TWO),
            detail("-20.00", "Undeposited Funds", BACK),
            detail("-4.65", "Office Expenses", "fee"),
        ],
        "PrivateNote": "From stripe payout 7 {marker}",
    }
    assert (intent.entity, intent.amount, intent.needs) == ("Deposit", Decimal("125.35"), (ONE, TWO, BACK))


def test_a_payout_empties_the_processors_account_where_payments_are_posted_there() -> None:
    intent = only(plan(request(payout(), KEY), mapping(CLEARED), view()))
    by_default = CLEARED.replace("from_account", "[payment]\ndeposit_account")
    assert only(plan(request(payout(), KEY), mapping(by_default), view())).body == intent.body
    assert lines_of(intent.body) == [
        detail("100.00", "Stripe", ONE),
        detail("50.00", "Stripe", TWO),
        detail("-20.00", "Stripe", BACK),
        detail("-4.65", "Office Expenses", "fee"),
    ]


def test_a_payout_without_its_parts_is_one_sum_from_the_processors_account() -> None:
    intent = only(plan(request(payout(parts=()), KEY), mapping(CLEARED), view()))
    assert lines_of(intent.body) == [detail("130.00", "Stripe", "rest"), detail("-4.65", "Office Expenses", "fee")]


@pytest.mark.parametrize(
    ("values", "rules", "code", "says"),
    [
        ({"amount": Decimal("125.34")}, LINKED, "payout_mismatch", "a difference of 0.01"),
        ({"amount": Decimal(0)}, LINKED, "negative_payout", "more than nothing"),
        ({"fee": Decimal(-1)}, LINKED, "negative_payout", "more than nothing"),
        ({"parts": ()}, LINKED, "no_parts", "does not say which payments"),
        ({"parts": [{"part_of": "stripe:charge:9", "amount": 130}]}, LINKED, "unknown_payment", "charge 9 (stripe)"),
        ({}, "", "no_account", "into which account"),
        ({}, '[payout]\naccount = "Checking"\n', "no_account", "where its fee of 4.65 USD belongs"),
        ({}, LINKED.partition("[refund]")[0], "no_account", "less a refund"),
        ({"currency": "EUR"}, LINKED, "foreign_currency", "EUR"),
        ({"dated": date(1900, 1, 1)}, LINKED, "wrong_date", "1900"),
    ],
)
def test_doubtful_payouts_park(values: dict[str, object], rules: str, code: str, says: str) -> None:
    planned = plan(request(payout(**values), KEY), mapping(rules), view())
    assert isinstance(planned, Park)
    assert planned.code == code
    assert says in planned.reason


def test_a_refund_becomes_a_receipt_from_its_account() -> None:
    intent = only(plan(request(refund(), BACK), mapping('[refund]\naccount = "Checking"\n'), view()))
    assert intent.entity == "RefundReceipt"
    assert intent.body["DepositToAccountRef"] == {"$name": ["Account", "Checking"]}
    assert (intent.body["DocNumber"], intent.body["CustomerRef"]) == ("RE-1", {"$record": COMPANY})
    assert [entry["Amount"] for entry in lines_of(intent.body)] == [Decimal("10.00")]


def test_a_refund_names_no_item() -> None:
    rules = '[product]\nunknown = "create"\n[refund]\naccount = "Checking"\ncatch_all = "Sales"\n'
    back = refund(lines=[line(product=None, description="Refund of payment 7")])
    intent = only(plan(request(back, BACK), mapping(rules), view()))
    (only_line,) = lines_of(intent.body)
    sold = only_line["SalesItemLineDetail"]
    assert isinstance(sold, dict)
    assert sold["ItemRef"] == {"$name": ["Item", "Sales"]}


def test_a_refund_from_nowhere_parks() -> None:
    planned = plan(request(refund(), BACK), mapping(), view())
    assert isinstance(planned, Park)
    assert planned.code == "no_account"


def test_a_deposit_ties_out_by_its_total() -> None:
    figures = Figures(currency="USD", home="USD", net=Decimal("95.35"), tax=Decimal(0))
    fee: JsonObject = {
        "Id": "2",
        "Amount": Decimal("-4.65"),
        "DetailType": "DepositLineDetail",
        "DepositLineDetail": {},
    }
    taken: JsonObject = {"Id": "1", "Amount": Decimal(100), "LinkedTxn": [{"TxnId": "9", "TxnType": "Payment"}]}
    whole = compare(figures, {"TotalAmt": Decimal("95.35"), "Line": [taken, fee]}, frozenset({"1", "2"}), None)
    short = compare(figures, {"TotalAmt": Decimal(100), "Line": [taken]}, None, None)
    added = compare(figures, {"TotalAmt": Decimal("195.35"), "Line": [taken, fee]}, frozenset({"2"}), None)
    assert whole is not None
    assert (whole.off, whole.tie.expected) == ((), Decimal("95.35"))
    assert short is not None
    assert "a difference of 4.65" in short.off[0]
    assert added is not None
    assert (added.off, added.tie.expected) == ((), None), "somebody's own line is not ours to judge"
