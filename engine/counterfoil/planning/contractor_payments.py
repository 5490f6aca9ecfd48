"""What a contractor is paid becomes a bill with its payment, or a cheque, to the contractor's entry among the vendors.

The payment of a bill is a document of its own, under the record key `connection:kind@payment:id`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from decimal import Decimal

from counterfoil.planning.dates import NoDateError, plausible
from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.names import choose_number
from counterfoil.planning.outcome import Draft, carry, delete, label, name_ref, named, private_note, record_ref
from counterfoil.planning.sales import no_date
from counterfoil.planning.sections import ContractorDepartment, ContractorPaymentSection
from counterfoil.planning.templates import fill
from counterfoil.planning.types import LINE_KEY, Intent, Link, Park, Plan, PlanRequest, Skip, StateView, Unchanged
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import ContractorPayment, record_key, split_key

_PARTS = {"wages": "Contractor's work", "reimbursement": "Reimbursement"}
_PLURALS = {"class": "classes", "department": "locations"}


@dataclass(frozen=True, slots=True, kw_only=True)
class _Head:
    """What all documents of one payment have in common."""

    key: str
    record: ContractorPayment
    section: ContractorPaymentSection
    day: str
    number: str
    note: str
    bank: str
    amount: Decimal
    lines: list[JsonValue]
    common: JsonObject
    figures: Figures


def payment_key(key: str) -> str:
    """The record key of the payment of a bill."""
    connection, kind, source_id = split_key(key)
    return record_key(connection, f"{kind}@payment", source_id)


def plan_contractor_payment(record: ContractorPayment, request: PlanRequest, mapping: Mapping, view: StateView) -> Plan:
    """Plan the documents of a contractor's payment."""
    refusal = _left_out(record, request.record_key, mapping) or _refused(record, request.record_key, mapping, view)
    if refusal is not None:
        return refusal
    head = _head(record, request.record_key, mapping, view)
    if isinstance(head, Park):
        return head
    if head.section.document == "cheque":
        return carry(_cheque(head), request, mapping, view)
    bill = carry(_bill(head), request, mapping, view)
    own = payment_key(head.key)
    payment = carry(_bill_payment(head), replace(request, record_key=own), mapping, view)
    return _together(bill, payment, own)


def plan_contractor_removal(request: PlanRequest, link: Link, mapping: Mapping, view: StateView) -> Plan:
    """What becomes of the documents of a payment that was cancelled: neither bill nor cheque can be voided."""
    section = mapping.contractor_payment
    if section.removed == "park":
        return Park(
            code="removed",
            reason=f"{named(request.record_key)} was cancelled at the source, but {label(link)} stands for it in "
            "QuickBooks.",
            fix='Delete it in QuickBooks together with its payment; or set [contractor_payment] removed = "delete".',
        )
    document = "bill" if link.entity == "Bill" else "cheque"
    planned = delete(request.record_key, link, mapping, document)
    own = payment_key(request.record_key)
    paid = view.link(own)
    if paid is None or paid.status != "live" or not isinstance(planned, tuple):
        return planned
    payment = delete(own, paid, mapping, "bill_payment")
    return payment if not isinstance(payment, tuple) else (*_under(payment, own), *planned)


def _left_out(record: ContractorPayment, key: str, mapping: Mapping) -> Skip | Park | None:
    section = mapping.contractor_payment
    if section.document is None:
        return Park(
            code="no_document",
            reason=f"{named(key)} pays a contractor, and the mapping does not say whether that becomes a bill or a "
            "cheque.",
            fix='Set [contractor_payment] document = "bill", "cheque" or "skip" in the mapping.',
        )
    if section.document == "skip":
        return Skip(
            code="not_mapped", reason="The mapping leaves contractors' payments out ([contractor_payment] document)."
        )
    if record.method is not None and record.method not in section.methods:
        return Skip(
            code="method_left_out",
            reason=f"{named(key)} was paid by {record.method}, which [contractor_payment] methods does not name.",
        )
    if not record.wages and not record.reimbursement:
        return Skip(code="nothing_to_post", reason=f"{named(key)} pays nothing.")
    return None


def _refused(record: ContractorPayment, key: str, mapping: Mapping, view: StateView) -> Park | None:
    section = mapping.contractor_payment
    total = to_cents(record.wages) + to_cents(record.reimbursement)
    if total <= 0:
        return Park(
            code="negative_payment",
            reason=f"{named(key)} comes to {text(total)} {record.currency}; a bill or cheque is more than nothing.",
            fix="Enter it in QuickBooks as what it is, such as a vendor credit; then mark this as settled.",
        )
    if record.currency != view.home_currency():
        return Park(
            code="foreign_currency",
            reason=f"{named(key)} is in {record.currency}, but these books are kept in {view.home_currency()}.",
            fix="Enter this payment by hand.",
        )
    if not view.is_known(record.contractor) and view.link(record.contractor) is None:
        return Park(
            code="unknown_vendor",
            reason=f"{named(key)} pays {named(record.contractor)}, which the source does not show.",
            fix="Restore the contractor at the source, or enter the payment by hand.",
        )
    if section.track != "none" and not view.tracks(section.track):
        return Park(
            code="tracking_off",
            reason=f"The mapping books {named(key)} by {section.track}, but QuickBooks does not track "
            f"{_PLURALS[section.track]}.",
            fix='Switch it on in QuickBooks\' settings, or set [contractor_payment] track = "none"; then retry it.',
        )
    return None


def _head(record: ContractorPayment, key: str, mapping: Mapping, view: StateView) -> _Head | Park:
    section = mapping.contractor_payment
    if section.bank_account is None:
        return _no_account(key, "from which account it is paid", "bank_account")
    lines = _lines(record, key, section)
    if isinstance(lines, Park):
        return lines
    try:
        day = plausible(record.dated).isoformat()
    except NoDateError as error:
        return no_date(key, str(error))
    connection, kind, source_id = split_key(key)
    values = {"id": source_id, "connection": connection, "kind": kind, "date": day}
    number = choose_number(key, fill(section.number, values), section.number_too_long, view)
    if isinstance(number, Park):
        return number
    amount = to_cents(record.wages) + to_cents(record.reimbursement)
    return _Head(
        key=key,
        record=record,
        section=section,
        day=day,
        number=number,
        note=private_note(fill(section.memo, values)),
        bank=section.bank_account,
        amount=amount,
        lines=lines,
        common={"CurrencyRef": {"value": record.currency}} if view.multi_currency() else {},
        figures=Figures(currency=record.currency, home=view.home_currency(), net=amount, tax=Decimal(0)),
    )


def _lines(record: ContractorPayment, key: str, section: ContractorPaymentSection) -> list[JsonValue] | Park:
    rule = section.departments.get(record.department or "", ContractorDepartment())
    amounts = {"wages": to_cents(record.wages), "reimbursement": to_cents(record.reimbursement)}
    lines: list[JsonValue] = []
    for part, amount in amounts.items():
        if not amount:
            continue
        account: str | None = getattr(rule, part) or getattr(section.accounts, part)
        if account is None:
            return _no_account(key, f"to which account its {part} belong", f"accounts.{part}")
        detail: JsonObject = {"AccountRef": name_ref("Account", account)}
        if section.track == "class" and record.department is not None:
            detail["ClassRef"] = name_ref("Class", rule.name or record.department)
        line: JsonObject = {
            LINE_KEY: part,
            "Description": _PARTS[part],
            "Amount": amount,
            "DetailType": "AccountBasedExpenseLineDetail",
            "AccountBasedExpenseLineDetail": detail,
        }
        lines.append(line)
    return lines


def _no_account(key: str, what: str, setting: str) -> Park:
    return Park(
        code="no_account",
        reason=f"{named(key)} pays a contractor, and the mapping does not say {what}.",
        fix=f'Set {setting} = "…" under [contractor_payment] in the mapping.',
    )


def _spent(head: _Head) -> JsonObject:
    """The fields that a bill and a cheque share."""
    body: JsonObject = {"TxnDate": head.day, **head.common}
    if head.number:
        body["DocNumber"] = head.number
    department = head.record.department
    if head.section.track == "department" and department is not None:
        rule = head.section.departments.get(department, ContractorDepartment())
        body["DepartmentRef"] = name_ref("Department", rule.name or department)
    return {**body, "Line": head.lines, "PrivateNote": head.note}


def _bill(head: _Head) -> Draft:
    body: JsonObject = {"VendorRef": record_ref(head.record.contractor), "DueDate": head.day, **_spent(head)}
    if head.section.payable_account is not None:
        body["APAccountRef"] = name_ref("Account", head.section.payable_account)
    return _drafted(head, "bill", "Bill", body, (head.record.contractor,), head.number)


def _cheque(head: _Head) -> Draft:
    payee: JsonObject = {**record_ref(head.record.contractor), "type": "Vendor"}
    body: JsonObject = {
        "PaymentType": "Check",
        "AccountRef": name_ref("Account", head.bank),
        "EntityRef": payee,
        **_spent(head),
    }
    return _drafted(head, "cheque", "Purchase", body, (head.record.contractor,), head.number)


def _bill_payment(head: _Head) -> Draft:
    settled: JsonObject = {"TxnId": record_ref(head.key), "TxnType": "Bill"}
    line: JsonObject = {LINE_KEY: head.key, "Amount": head.amount, "LinkedTxn": [settled]}
    body: JsonObject = {
        "VendorRef": record_ref(head.record.contractor),
        "TxnDate": head.day,
        **head.common,
        "TotalAmt": head.amount,
        "PayType": "Check",
        "CheckPayment": {"BankAccountRef": name_ref("Account", head.bank)},
        "Line": [line],
        "PrivateNote": head.note,
    }
    if head.section.payable_account is not None:
        body["APAccountRef"] = name_ref("Account", head.section.payable_account)
    return _drafted(head, "bill_payment", "BillPayment", body, (head.record.contractor, head.key), "")


def _drafted(head: _Head, document: str, entity: str, body: JsonObject, needs: tuple[str, ...], number: str) -> Draft:
    return Draft(
        document=document,
        entity=entity,
        body=body,
        needs=needs,
        person=head.record.contractor,
        doc_number=number or None,
        amount=head.amount,
        currency=head.record.currency,
        figures=head.figures,
        edited=head.section.edited,
    )


def _under(intents: Sequence[Intent], key: str) -> tuple[Intent, ...]:
    return tuple(replace(intent, record_key=key) for intent in intents)


def _together(bill: Plan, payment: Plan, own: str) -> Plan:
    """Both as one plan: what refuses one refuses both, and only where both stand is nothing to do."""
    for planned in (bill, payment):
        if isinstance(planned, Park | Skip):
            return planned
    bills = () if isinstance(bill, Unchanged | Park | Skip) else tuple(bill)
    payments = () if isinstance(payment, Unchanged | Park | Skip) else _under(payment, own)
    return (*bills, *payments) or bill
