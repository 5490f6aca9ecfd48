"""The start date: what is dated before it was booked by others, and is not posted. Pure."""

from datetime import date
from typing import assert_never

from counterfoil.planning.dates import NoDateError, sale_date
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.outcome import named
from counterfoil.planning.types import Park, PlanRequest, Skip, StateView
from counterfoil_schema.records import (
    ContractorPayment,
    CreditMemo,
    Custom,
    Customer,
    Employee,
    Estimate,
    Invoice,
    Payment,
    Payout,
    PayRun,
    Product,
    Record,
    Refund,
    TimeEntry,
    Vendor,
)

BEFORE_START = "before_start"


def day_of(record: Record, mapping: Mapping) -> date | None:
    """The accounting date that a record would be posted with; None for lists, and where it has none that can be."""
    match record:
        case Customer() | Vendor() | Employee() | Product() | Custom():
            return None
        case Invoice():
            return _sale_day(record, mapping, mapping.invoice.date)
        case Estimate():
            return _sale_day(record, mapping, mapping.estimate.date)
        case CreditMemo() | Refund() | Payment() | Payout() | TimeEntry() | ContractorPayment():
            return record.dated
        case PayRun():
            return record.check_date if mapping.payroll.date == "check_date" else record.period_end
        case _:
            assert_never(record)


def _sale_day(record: Invoice | Estimate, mapping: Mapping, prefer: str) -> date | None:
    try:
        return sale_date(record, mapping.connection.zone, prefer)
    except NoDateError:
        return None  # the plan says so


def before_start(record: Record, request: PlanRequest, mapping: Mapping, view: StateView) -> Skip | Park | None:
    """Why a record is not posted; None where it may be: no start date, dated later, or in the books already."""
    start = mapping.start.of(record.kind)
    if start is None:
        return None
    day = day_of(record, mapping)
    if day is not None and day < start:
        if view.link(request.record_key) is not None:
            return None
        reason = f"{named(request.record_key)} is dated {day}, before the start date {start}."
        return Skip(code=BEFORE_START, reason=reason)
    return _pays_earlier(record, request, mapping, view) if isinstance(record, Payment) else None


def _pays_earlier(record: Payment, request: PlanRequest, mapping: Mapping, view: StateView) -> Park | None:
    """A payment of an invoice that is not posted would wait for it for ever."""
    start = mapping.start.of("invoice")
    for part in record.applied:
        invoice = view.record(part.invoice) if start is not None else None
        day = day_of(invoice, mapping) if isinstance(invoice, Invoice) else None
        if start is not None and day is not None and day < start and view.link(part.invoice) is None:
            return Park(
                code="invoice_before_start",
                reason=f"{named(request.record_key)} pays {named(part.invoice)}, which is dated {day}, "
                f"before the start date {start}, and stands for nothing in QuickBooks.",
                fix="Adopt the open invoice with `counterfoil onboard`, then retry; or enter the payment by hand and "
                "skip this one.",
            )
    return None
