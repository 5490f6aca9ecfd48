"""Sales become invoices."""

from counterfoil.planning.below_zero import changed_sign, is_below_zero, plan_below_zero
from counterfoil.planning.dates import sale_date
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.outcome import name_ref, named
from counterfoil.planning.reopened import credited, plan_reopened
from counterfoil.planning.sale_documents import plan_sale
from counterfoil.planning.sale_lines import SaleLines, sale_lines, whole_sale
from counterfoil.planning.sales import negative, total_mismatch
from counterfoil.planning.sections import EstimateSection, InvoiceSection
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Estimate, Invoice


def plan_invoice(record: Invoice, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan an invoice, or a credit memo for a sale below zero, or what becomes of one whose sale was reopened."""
    link = view.link(request.record_key)
    if is_due(record, mapping):
        below = is_below_zero(record, mapping)
        if link is not None and link.status == "live" and (link.entity == "CreditMemo") != below:
            return changed_sign(request.record_key, link, below=below)
        set_off = credited(request.record_key, link, mapping, view) if link is not None else None
        if set_off is not None:
            return set_off
        return plan_below_zero(record, request, mapping, view) if below else _due(record, request, mapping, view)
    if link is None:
        return Skip(code="not_won", reason=f"{named(request.record_key)} is not won (status {record.status}).")
    return plan_reopened(record, request.record_key, link, mapping, view)


def _due(record: Invoice, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    section = mapping.invoice
    fields: JsonObject = {}
    if record.due is not None:
        fields["DueDate"] = record.due.isoformat()
    if section.terms is not None:
        fields["SalesTermRef"] = name_ref("Term", section.terms)
    return plan_sale(
        record,
        request,
        mapping,
        view,
        section=section,
        day=lambda: sale_date(record, mapping.connection.zone, section.date),
        lines=lambda: _lines(record, request.record_key, mapping, view),
        fields=fields,
    )


def is_due(record: Invoice, mapping: Mapping) -> bool:
    """Whether a sale has come so far that it is invoiced."""
    when = mapping.invoice.when
    if isinstance(when, str):
        return record.won
    return record.status.casefold() in {status.casefold() for status in when}


def _lines(record: Invoice, key: str, mapping: Mapping, view: StateView) -> SaleLines | Park:
    if not record.lines:
        return _without_lines(record, key, mapping, view)
    sold = sale_lines(key, record, record.lines, mapping.invoice, mapping, view)
    if isinstance(sold, Park):
        return sold
    if not sold.lines:
        return _without_lines(record, key, mapping, view)
    if sold.total < 0:
        return negative(key, f"{text(sold.total)} {record.currency}")
    return total_refusal(record, key, sold, mapping.invoice) or sold


def _without_lines(record: Invoice, key: str, mapping: Mapping, view: StateView) -> SaleLines | Park:
    section = mapping.invoice
    if section.no_lines == "one_line" and section.catch_all is not None and record.stated_total is not None:
        if record.stated_total < 0:
            return negative(key, f"{text(record.stated_total)} {record.currency}")
        whole = whole_sale(record, record.stated_total, record.memo)
        return sale_lines(key, record, (whole,), section, mapping, view)
    return Park(
        code="no_lines",
        reason=f"{named(key)} has no lines, so nobody can say what was sold.",
        fix='Add its products at the source; or set no_lines = "one_line" and a catch_all item in the mapping.',
    )


def total_refusal(
    record: Invoice | Estimate, key: str, sold: SaleLines, section: InvoiceSection | EstimateSection
) -> Park | None:
    """Why a sale whose stated total is not that of its lines is not written; None where the two agree."""
    if record.stated_total is None or section.total_mismatch == "ignore":
        return None
    difference = to_cents(record.stated_total) - sold.stated
    if abs(difference) <= section.tolerance:
        return None
    return total_mismatch(key, record, sold.stated)
