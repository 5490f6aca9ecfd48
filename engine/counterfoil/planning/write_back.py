"""What the source is told about its invoice."""

from decimal import Decimal
from typing import Literal

from counterfoil.planning.mapping import Mapping
from counterfoil.planning.money import to_cents
from counterfoil.planning.templates import fill
from counterfoil.planning.types import Settlement
from counterfoil.planning.values import number
from counterfoil_schema.exact_json import JsonObject

PROBLEM_CHARACTERS_MAX = 255
"""What a text field takes at the narrowest of the sources (Salesforce: Text)."""

InvoiceStatus = Literal["open", "partial", "paid", "overpaid", "credited", "voided", "deleted"]


def invoice_status(
    total: Decimal, settlement: Settlement, status: Literal["live", "deleted", "voided"] = "live"
) -> InvoiceStatus:
    """The state of an invoice in one word. `credited`: nothing is owed, and no money was received for it."""
    if status != "live":
        return status
    settled = settlement.cash + settlement.credited
    if settled < total:
        return "partial" if settled > 0 else "open"
    if settlement.unapplied > 0 and settlement.cash > 0:
        return "overpaid"
    return "credited" if settlement.credited > 0 and settlement.cash == 0 else "paid"


def write_back_values(
    mapping: Mapping,
    invoice_document: JsonObject,
    settlement: Settlement,
    status: Literal["live", "deleted", "voided"] = "live",
    problem: str = "",
) -> dict[str, str]:
    """Values by the source's own property names; only for what the mapping names.

    The balance is worked out from the payments, so that it agrees with the amounts beside it even where the invoice
    was read before the payment was entered. Amounts have two decimals; what was never set is the empty text.
    """
    total = number(invoice_document.get("TotalAmt")) - number(invoice_document.get("Deposit"))
    word = invoice_status(total, settlement, status)
    live = status == "live"
    balance = max(total - settlement.cash - settlement.credited, Decimal(0)) if live else Decimal(0)
    doc_number, due = invoice_document.get("DocNumber"), invoice_document.get("DueDate")
    identity = str(invoice_document.get("Id", ""))
    values = {
        "invoice_number": doc_number if isinstance(doc_number, str) else "",
        "document_id": identity,
        "status": word,
        "balance": _cents(balance),
        "amount_paid": _cents(settlement.cash),
        "credited": _cents(settlement.credited),
        "overpaid": _cents(settlement.unapplied if word == "overpaid" else Decimal(0)),
        "last_payment_date": settlement.last_paid or "",
        "problem": problem,
        "due_date": due if isinstance(due, str) else "",
        "document_link": fill(mapping.invoice.link, {"document_id": identity}) if status != "deleted" else "",
    }
    return _named(mapping, values)


def problem_values(mapping: Mapping, problem: str) -> dict[str, str]:
    """Values that tell the source why its record did not reach the books; the empty text takes it back."""
    return _named(mapping, {"problem": problem})


def problem_text(reason: str, fix: str) -> str:
    """Why a record is parked and what to do, in one line that fits; of what is too long, the fix stays."""
    why, remedy = " ".join(reason.split()), " ".join(fix.split())
    room = PROBLEM_CHARACTERS_MAX - len(remedy) - 1
    if room < PROBLEM_CHARACTERS_MAX // 2:
        return _shortened(f"{why} {remedy}".strip(), PROBLEM_CHARACTERS_MAX)
    return f"{_shortened(why, room)} {remedy}".strip()


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else text[: most - 1].rstrip() + "…"


def _named(mapping: Mapping, values: dict[str, str]) -> dict[str, str]:
    properties = {value: getattr(mapping.write_back, value) for value in values}
    return {name: values[value] for value, name in properties.items() if name is not None}


def _cents(amount: Decimal) -> str:
    return f"{to_cents(amount):.2f}"
