"""What becomes of the invoice of a sale that is no longer won: by default a person decides."""

from decimal import Decimal
from typing import Final

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import text
from counterfoil.planning.names import shorten
from counterfoil.planning.outcome import NUMBER_MAX, label, named, private_note, void
from counterfoil.planning.types import Intent, Link, Park, Plan, Skip, StateView, Unchanged
from counterfoil.planning.values import number, real_lines
from counterfoil_schema.events.decisions import Figures
from counterfoil_schema.exact_json import JsonObject, JsonValue
from counterfoil_schema.records import Invoice, record_key, split_key

_KEPT: Final = (
    *("CustomerRef", "CurrencyRef", "ExchangeRate", "DepartmentRef", "ClassRef", "GlobalTaxCalculation"),
    *("TxnTaxDetail", "TxnDate"),
)
_OF_THE_LINE: Final = frozenset({"Id", "LineNum", "LinkedTxn"})


def credit_key(key: str) -> str:
    """The record key of the credit memo beside a sale's invoice."""
    connection, kind, source_id = split_key(key)
    return record_key(connection, f"{kind}@credit", source_id)


def plan_reopened(record: Invoice, key: str, link: Link, mapping: Mapping, view: StateView) -> Plan:
    """What the mapping says of an invoice whose sale was reopened; of what is paid it says so apart."""
    rules = mapping.invoice
    if link.status != "live":
        return void(mapping, link, "invoice", person=record.customer)
    paid = _paid(link) if link.entity == "Invoice" else Decimal(0)
    match rules.reopened_paid if paid else rules.reopened:
        case "ignore":
            return Skip(
                code="reopened_ignored",
                reason=f"{named(key)} is no longer won (status {record.status}); {label(link)} stays as it is.",
            )
        case "credit":
            return _credit(record, key, link, mapping, view)
        case "void" if link.entity == "Invoice":
            return void(mapping, link, "invoice", person=record.customer)
        case "park" if paid and rules.reopened == "void":
            return void(mapping, link, "invoice", person=record.customer)  # which says what has been paid
        case _:
            return _parked(record, key, link, paid)


def credited(key: str, link: Link, mapping: Mapping, view: StateView) -> Park | None:
    """A sale that is won again, and was credited meanwhile: its invoice stands, and is set off."""
    if mapping.invoice.reopened_paid != "credit" or link.status != "live":
        return None
    beside = view.link(credit_key(key))
    if beside is None or beside.status != "live":
        return None
    return Park(
        code="credited",
        reason=f"{named(key)} is won again, but {label(link)} was credited by {label(beside)} when it was reopened.",
        fix=f"Delete {label(beside)} in QuickBooks, then retry; or mark this as settled.",
    )


def _paid(link: Link) -> Decimal:
    """What has been set against an invoice."""
    total, balance = link.latest.get("TotalAmt"), link.latest.get("Balance")
    if isinstance(total, int | Decimal) and isinstance(balance, int | Decimal):
        return Decimal(total) - Decimal(balance)
    return Decimal(0)


def _parked(record: Invoice, key: str, link: Link, paid: Decimal) -> Park:
    money = f", and {text(paid)} has been paid on it" if paid else ""
    rule = 'reopened_paid = "credit"' if paid else 'reopened = "void"'
    verb = "Refund or credit" if paid else "Void"
    return Park(
        code="reopened",
        reason=f"{named(key)} is no longer won (status {record.status}), "
        f"but {label(link)} stands for it in QuickBooks{money}.",
        fix=f"{verb} it in QuickBooks or win the deal again; or set {rule} for invoices in the mapping.",
    )


def _credit(record: Invoice, key: str, link: Link, mapping: Mapping, view: StateView) -> Plan:
    """A credit memo of all that the invoice bills as it stands, on its day: no date is moved unasked."""
    own = credit_key(key)
    beside = view.link(own)
    if beside is not None and beside.status == "live":
        return Unchanged(proof=beside.content_hash, reason=f"{label(link)} is credited by {label(beside)} already.")
    held = link.latest
    body: JsonObject = {name: held[name] for name in _KEPT if held.get(name) not in (None, "")}
    held_number = held.get("DocNumber")
    numbered = isinstance(held_number, str) and held_number
    doc_number = shorten(f"{held_number}-CR", NUMBER_MAX) if numbered else None
    if doc_number is not None:
        body["DocNumber"] = doc_number
    lines: list[JsonValue] = [
        {name: value for name, value in line.items() if name not in _OF_THE_LINE} for line in real_lines(held)
    ]
    body["Line"] = lines
    body["PrivateNote"] = private_note(f"Credits {label(link)} of {held.get('TxnDate')}: its sale was reopened.")
    total = held.get("TotalAmt")
    amount = Decimal(total) if isinstance(total, int | Decimal) else None
    return (
        Intent(
            target="quickbooks",
            entity="CreditMemo",
            operation="create",
            body=body,
            person=record.customer,
            review=mapping.reviews("credit_memo", amount),
            doc_number=doc_number,
            amount=amount,
            currency=record.currency,
            figures=_figures(record, held, mapping, view),
            record_key=own,
            remark=f"Credits {label(link)} in full.",
        ),
    )


def _figures(record: Invoice, held: JsonObject, mapping: Mapping, view: StateView) -> Figures:
    """What the credit memo must come to: the same as the invoice, tax apart."""
    tax = held.get("TxnTaxDetail")
    total_tax = number(tax.get("TotalTax")) if isinstance(tax, dict) else Decimal(0)
    included = held.get("GlobalTaxCalculation") == "TaxInclusive"
    return Figures(
        currency=record.currency,
        home=view.home_currency(),
        net=number(held.get("TotalAmt")) - total_tax,
        tax=total_tax,
        tolerance=mapping.tax.tolerance,
        included=included,
    )
