"""Payments and credit memos that come from the source."""

from datetime import date
from decimal import Decimal

import pytest

from counterfoil.planning.plan import plan
from counterfoil.planning.types import Park, Skip
from counterfoil_schema.records import CreditMemo, Payment
from support.planning import COMPANY, DEAL, WIDGET, View, line, lines_of, link_of, mapping, only, request

OTHER = "hubspot:deal:513"
KEY = "hubspot:payment:9"


def paid(**values: object) -> Payment:
    return Payment.model_validate(
        {
            "customer": COMPANY,
            "dated": date(2026, 3, 20),
            "currency": "USD",
            "amount": Decimal("150.00"),
            "reference": "CHK 44",
            "applied": [{"invoice": DEAL, "amount": Decimal("100.00")}, {"invoice": OTHER, "amount": Decimal("30.00")}],
            **values,
        }
    )


def view() -> View:
    return View(known={COMPANY, WIDGET, DEAL, OTHER})


def test_a_payment_becomes_this_document() -> None:
    intent = only(plan(request(paid(), KEY), mapping('[payment]\ndeposit_account = "Checking"\n'), view()))
    assert intent.body == {
        "CustomerRef": {"$record": COMPANY},
        "TxnDate": "2026-03-20",
        "TotalAmt": Decimal("150.00"),
        "PaymentRefNum": "CHK 44",
        "DepositToAccountRef": {"$name": ["Account", "Checking"]},
        "Line": [
            {
                "$line": DEAL,
                "Amount": Decimal("100.00"),
                "LinkedTxn": [{"TxnId": {"$record": DEAL}, "TxnType": "Invoice"}],
            },
            {
                "$line": OTHER,
                "Amount": Decimal("30.00"),
                "LinkedTxn": [{"TxnId": {"$record": OTHER}, "TxnType": "Invoice"}],
            },
        ],
        "PrivateNote": "From hubspot payment 9 {marker}",
    }
    assert (intent.entity, intent.needs) == ("Payment", (COMPANY, DEAL, OTHER))


@pytest.mark.parametrize(
    ("values", "code"),
    [
        ({"amount": Decimal("129.99")}, "over_applied"),
        ({"amount": Decimal(0), "applied": ()}, "negative_payment"),
        ({"applied": [{"invoice": "hubspot:deal:99", "amount": Decimal(1)}]}, "unknown_invoice"),
        ({"customer": "hubspot:company:99"}, "unknown_customer"),
        ({"currency": "EUR"}, "foreign_currency"),
        ({"dated": date(1900, 1, 1)}, "wrong_date"),
    ],
)
def test_doubtful_payments_park(values: dict[str, object], code: str) -> None:
    planned = plan(request(paid(**values), KEY), mapping(), view())
    assert isinstance(planned, Park)
    assert planned.code == code


def test_money_that_no_invoice_takes_parks_where_the_mapping_says_so() -> None:
    planned = plan(request(paid(), KEY), mapping('[payment]\nunapplied = "park"\n'), view())
    assert isinstance(planned, Park)
    assert planned.reason == "payment 9 (hubspot) leaves 20.00 USD applied to no invoice."


def test_money_that_did_not_come_is_passed_over_and_what_was_taken_back_is_seen() -> None:
    pending = paid(received=False, status="processing")
    skipped = plan(request(pending, KEY), mapping(), view())
    assert isinstance(skipped, Skip)
    assert "no money received (status processing)" in skipped.reason
    books = view()
    books.links[KEY] = link_of(only(plan(request(paid(), KEY), mapping(), view())), KEY)
    lost = paid(received=False, status="disputed_lost")
    parked = plan(request(lost, KEY), mapping(), books)
    assert isinstance(parked, Park)
    assert (parked.code, "disputed_lost" in parked.reason) == ("not_received", True)
    voided = only(plan(request(lost, KEY), mapping('[payment]\nremoved = "void"\n'), books))
    assert (voided.operation, voided.entity) == ("void", "Payment")


def credit(*lines: object, **values: object) -> CreditMemo:
    return CreditMemo.model_validate(
        {
            "customer": COMPANY,
            "number": "CM-1",
            "dated": date(2026, 3, 20),
            "currency": "USD",
            "lines": lines or (line(quantity=Decimal(2)),),
            **values,
        }
    )


def test_a_credit_memo_becomes_this_document() -> None:
    intent = only(plan(request(credit(), "hubspot:credit:3"), mapping(), view()))
    assert intent.body["DocNumber"] == "CM-1"
    assert [entry["Amount"] for entry in lines_of(intent.body)] == [Decimal("20.00")]
    assert (intent.entity, intent.amount, intent.needs) == ("CreditMemo", Decimal("20.00"), (COMPANY, WIDGET))


@pytest.mark.parametrize(
    ("record", "code"),
    [
        (credit(line(unit_price=Decimal(-1))), "negative_total"),
        (credit(number="x" * 22), "number_too_long"),
        (credit(line(product="hubspot:product:99")), "unknown_product"),
        (CreditMemo.model_validate({**credit().model_dump(), "lines": ()}), "no_lines"),
    ],
)
def test_doubtful_credit_memos_park(record: CreditMemo, code: str) -> None:
    planned = plan(request(record, "hubspot:credit:3"), mapping(), view())
    assert isinstance(planned, Park)
    assert planned.code == code
