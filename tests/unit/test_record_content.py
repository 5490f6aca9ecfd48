"""What tells a changed record from an unchanged one, over releases in which records gain fields."""

from collections.abc import Iterator
from datetime import date
from decimal import Decimal
from typing import get_args

from hypothesis import given
from hypothesis import strategies as st

from counterfoil_schema.events.base import Shape
from counterfoil_schema.records import (
    Address,
    Application,
    Customer,
    Invoice,
    InvoiceLine,
    LedgerSum,
    PayRate,
    PayRun,
    PayRunLine,
    ProviderLedger,
    Record,
    Vendor,
    WorkedTime,
    content_of,
)

PARTS: tuple[type[Shape], ...] = (
    *(Address, InvoiceLine, Application, PayRate, WorkedTime),
    *(PayRunLine, LedgerSum, ProviderLedger),
)
OTHER_DEFAULTS = {
    "Customer.active": True,
    "Product.active": True,
    "InvoiceLine.quantity": Decimal(1),
    "InvoiceLine.discount": Decimal(0),
    "InvoiceLine.role": "goods",
    "Invoice.tax_included": False,
    "Estimate.accepted": False,
    "Estimate.tax_included": False,
    "CreditMemo.tax_included": False,
    "Refund.tax_included": False,
    "Payment.received": True,
    "Payout.fee": Decimal(0),
    "Vendor.active": True,
    "Employee.active": True,
    "TimeEntry.approved": True,
    "PayRun.off_cycle": False,
    "ContractorPayment.reimbursement": Decimal(0),
}
"""Defaults that are neither None nor empty. A line here may be added; one that is changed makes hashes in logs lie."""


class LaterInvoice(Invoice):
    """An invoice after somebody gave it fields."""

    channel: str = "direct"
    tags: tuple[str, ...] = ()


def shapes() -> Iterator[type[Shape]]:
    union, *_ = get_args(Record)
    yield from get_args(union)
    yield from PARTS


def sale(line: InvoiceLine, **more: object) -> Invoice:
    return Invoice.model_validate(
        {"customer": None, "status": "won", "won": True, "currency": "USD", "lines": (line,), **more}
    )


def test_a_field_added_later_changes_no_record_without_it() -> None:
    earlier = sale(InvoiceLine(line_id="1", unit_price=Decimal("9.99")))
    later = LaterInvoice.model_validate(dict(earlier))
    assert content_of(earlier) == content_of(later)
    assert content_of(earlier) != content_of(later.model_copy(update={"channel": "shop"}))


def test_the_form_is_that_of_hashes_in_the_log() -> None:
    line = PayRunLine(department="Design", part="wages", amount=Decimal("10.50"), people=3)
    run = PayRun(
        status="processed",
        processed=True,
        check_date=date(2026, 3, 13),
        period_start=date(2026, 3, 1),
        period_end=date(2026, 3, 13),
        currency="USD",
        lines=(line,),
    )
    assert content_of(run) == (
        b'{"check_date":"2026-03-13","currency":"USD","kind":"pay_run",'
        b'"lines":[{"amount":"10.50","department":"Design","part":"wages","people":3}],'
        b'"period_end":"2026-03-13","period_start":"2026-03-01","processed":true,"status":"processed"}'
    )


def test_two_kinds_of_one_name_are_two_records() -> None:
    assert content_of(Customer(name="Ola")) != content_of(Vendor(name="Ola"))


def test_defaults_stay_what_they_were() -> None:
    found = {
        f"{shape.__name__}.{name}": field.default
        for shape in shapes()
        for name, field in shape.model_fields.items()
        if name != "kind" and not field.is_required() and field.default not in (None, ())
    }
    assert found == OTHER_DEFAULTS


TEXT = st.none() | st.sampled_from(["", "a", "b"])


@given(
    *[st.builds(Customer, name=st.sampled_from(["a", "b"]), email=TEXT, phone=TEXT, active=st.booleans())] * 2,
)
def test_contents_are_equal_just_where_records_are(one: Customer, other: Customer) -> None:
    assert (content_of(one) == content_of(other)) == (one == other)


@given(
    *[
        st.builds(
            Invoice,
            customer=st.none(),
            status=st.just("won"),
            won=st.booleans(),
            currency=st.just("USD"),
            tax_included=st.booleans(),
            lines=st.lists(
                st.builds(
                    InvoiceLine,
                    line_id=st.just("1"),
                    quantity=st.sampled_from([Decimal(0), Decimal(1), Decimal(2)]),
                    unit_price=st.sampled_from([Decimal(0), Decimal(1)]),
                    discount=st.sampled_from([Decimal(0), Decimal("0.1")]),
                    taxed=st.none() | st.booleans(),
                    tax=st.none() | st.just(Decimal(0)),
                ),
                max_size=2,
            ).map(tuple),
        )
    ]
    * 2
)
def test_so_are_those_of_sales(one: Invoice, other: Invoice) -> None:
    assert (content_of(one) == content_of(other)) == (one == other)
