"""What was offered to a customer becomes an estimate. It posts nothing: no ledger, no tax owed, no payment."""

from counterfoil.planning.dates import sale_date
from counterfoil.planning.invoices import total_refusal
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.outcome import label, named
from counterfoil.planning.sale_documents import plan_sale
from counterfoil.planning.sale_lines import SaleLines, sale_lines
from counterfoil.planning.sales import negative
from counterfoil.planning.types import Park, Plan, PlanRequest, Skip, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Estimate

PENDING, ACCEPTED = "Pending", "Accepted"
"""States of an estimate in QuickBooks (Intuit: estimate page, TxnStatus)."""


def plan_estimate(record: Estimate, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan an estimate, or what becomes of one whose offer was taken back."""
    key = request.record_key
    if not (record.offered if mapping.estimate.when == "offered" else record.accepted):
        return _not_due(record, key, mapping, view)
    section = mapping.estimate
    fields: JsonObject = {}
    if record.expires is not None:
        fields["ExpirationDate"] = record.expires.isoformat()
    fields["TxnStatus"] = ACCEPTED if record.accepted else PENDING
    return plan_sale(
        record,
        request,
        mapping,
        view,
        section=section,
        day=lambda: sale_date(record, mapping.connection.zone, section.date),
        lines=lambda: _lines(record, key, mapping, view),
        fields=fields,
    )


def _not_due(record: Estimate, key: str, mapping: Mapping, view: StateView) -> Skip | Park:
    link = view.link(key)
    wanted = mapping.estimate.when
    if link is None:
        return Skip(code=f"not_{wanted}", reason=f"{named(key)} is not {wanted} (status {record.status}).")
    return Park(
        code="withdrawn",
        reason=f"{named(key)} is no longer {wanted} (status {record.status}), but {label(link)} stands for it in "
        "QuickBooks.",
        fix="Close or delete the estimate in QuickBooks, or offer it again; then retry it, or mark it as settled.",
    )


def _lines(record: Estimate, key: str, mapping: Mapping, view: StateView) -> SaleLines | Park:
    offered = sale_lines(key, record, record.lines, mapping.estimate, mapping, view)
    if isinstance(offered, Park):
        return offered
    if not offered.lines:
        return Park(
            code="no_lines",
            reason=f"{named(key)} has no lines, so nobody can say what was offered.",
            fix="Add its products at the source.",
        )
    if offered.total < 0:
        return negative(key, f"{text(offered.total)} {record.currency}")
    return total_refusal(record, key, offered, mapping.estimate) or offered
