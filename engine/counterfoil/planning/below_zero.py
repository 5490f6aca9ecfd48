"""Sales below zero (returns, cancellations): QuickBooks takes no invoice of less than nothing, so they are credited."""

from decimal import Decimal

from counterfoil.planning.credits import plan_credit
from counterfoil.planning.dates import NoDateError, sale_date
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import to_cents
from counterfoil.planning.outcome import label, named
from counterfoil.planning.sale_lines import come_to, whole_sale
from counterfoil.planning.sales import no_customer, no_date, total_mismatch
from counterfoil.planning.sections import CreditMemoSection, InvoiceSection, SaleSection
from counterfoil.planning.types import Link, Park, Plan, PlanRequest, StateView
from counterfoil_schema.records import CreditMemo, Invoice, InvoiceLine

_OF_RECORDS = ("from_kinds", "filter")
"""What a section says of the records that it takes, and not of the documents that it makes."""


def is_below_zero(record: Invoice, mapping: Mapping) -> bool:
    """Whether a sale is to be credited."""
    return mapping.invoice.negative == "credit_memo" and come_to(_lines(record, mapping.invoice)) < 0


def plan_below_zero(record: Invoice, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan the credit memo: every line with the other sign."""
    key, section = request.record_key, mapping.invoice
    lines = _lines(record, section)
    total = come_to(lines)
    stated = to_cents(record.stated_total) if record.stated_total is not None else total
    if section.total_mismatch == "park" and abs(stated - total) > section.tolerance:
        return total_mismatch(key, record, total)
    try:
        day = sale_date(record, mapping.connection.zone, section.date)
    except NoDateError as error:
        return no_date(key, str(error))
    if record.customer is None:
        return no_customer(key)
    credit = CreditMemo(
        customer=record.customer,
        number=record.number,
        dated=day,
        currency=record.currency,
        lines=tuple(_turned(line) for line in lines),
        tax_included=record.tax_included,
        stated_tax=_minus(record.stated_tax),
        exchange_rate=record.exchange_rate,
    )
    rules = mapping.model_copy(update={"credit_memo": _section(mapping.credit_memo, section)})
    return plan_credit(credit, request, rules, view)


def changed_sign(key: str, link: Link, *, below: bool) -> Park:
    """What stands in the books is of the other kind: neither can be turned into the other."""
    now = "below zero" if below else "no longer below zero"
    return Park(
        code="changed_sign",
        reason=f"{named(key)} is {now}, but {label(link)} stands for it in QuickBooks.",
        fix="Void or delete that document and enter the other by hand; then mark this as settled.",
    )


def _lines(record: Invoice, section: InvoiceSection) -> tuple[InvoiceLine, ...]:
    if record.lines or section.no_lines == "park" or record.stated_total is None:
        return record.lines
    return (whole_sale(record, record.stated_total, record.memo),)


def _turned(line: InvoiceLine) -> InvoiceLine:
    """The quantity changes sign where it is negative, else the price: credit memos show pieces that came back."""
    side = {"quantity": -line.quantity} if line.quantity < 0 else {"unit_price": -line.unit_price}
    return line.model_copy(update={**side, "amount": _minus(line.amount), "tax": _minus(line.tax)})


def _minus(amount: Decimal | None) -> Decimal | None:
    return None if amount is None else -amount


def _section(own: CreditMemoSection, invoice: InvoiceSection) -> CreditMemoSection:
    """The rules for credit memos; what they leave open, as for invoices."""
    given = {
        name: getattr(invoice, name)
        for name in SaleSection.model_fields
        if name in invoice.model_fields_set and name not in own.model_fields_set and name not in _OF_RECORDS
    }
    return own.model_copy(update=given)
