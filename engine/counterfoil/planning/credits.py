"""Money owed back becomes a credit memo; money given back, a refund receipt."""

from counterfoil.planning.dates import plausible
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.outcome import name_ref, named
from counterfoil.planning.sale_documents import plan_sale
from counterfoil.planning.sale_lines import SaleLines, sale_lines
from counterfoil.planning.sales import negative
from counterfoil.planning.sections import SaleSection
from counterfoil.planning.types import Park, Plan, PlanRequest, StateView
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import CreditMemo, Refund


def plan_credit(record: CreditMemo | Refund, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan a credit memo or a refund."""
    key = request.record_key
    section = mapping.credit_memo if isinstance(record, CreditMemo) else mapping.refund
    fields: JsonObject = {}
    if isinstance(record, Refund):
        if mapping.refund.account is None:
            return Park(
                code="no_account",
                reason=f"{named(key)} is a refund, and the mapping does not say from which account the money went.",
                fix='Name it: [refund] account = "Checking".',
            )
        fields["DepositToAccountRef"] = name_ref("Account", mapping.refund.account)
    return plan_sale(
        record,
        request,
        mapping,
        view,
        section=section,
        day=lambda: plausible(record.dated),
        lines=lambda: _lines(record, key, section, mapping, view),
        fields=fields,
    )


def _lines(
    record: CreditMemo | Refund, key: str, section: SaleSection, mapping: Mapping, view: StateView
) -> SaleLines | Park:
    credited = sale_lines(key, record, record.lines, section, mapping, view)
    if isinstance(credited, Park):
        return credited
    if not credited.lines:
        return Park(
            code="no_lines",
            reason=f"{named(key)} has no lines, so nobody can say what is credited.",
            fix="Add its lines at the source.",
        )
    if credited.total < 0:
        return negative(key, f"{text(credited.total)} {record.currency}")
    return credited
