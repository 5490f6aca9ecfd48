"""What a document comes to: net, tax, and by account, in its own currency. The same rules for every side."""

from collections.abc import Mapping
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from decimal import Decimal

from counterfoil.planning.values import line_id, number, real_lines
from counterfoil_schema.events.decisions import Figures, TieOut
from counterfoil_schema.exact_json import JsonObject, JsonValue

NOTHING = Decimal(0)
NO_ACCOUNT = ""
_PARTIES = ("CustomerRef", "VendorRef", "EmployeeRef", "EntityRef")
_MONTH = len("2026-03")


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """One document, as totals see it.

    Attributes:
        month: of its accounting date (`2026-03`); empty for an entry of a list.
        party: the Id of the customer, vendor or employee whose it is, with the kind before it (`Customer 12`).
        accounts: Id of the account → what is posted to it, credits of a journal entry below zero.
    """

    entity: str
    currency: str
    month: str = ""
    party: str = ""
    net: Decimal = NOTHING
    tax: Decimal = NOTHING
    accounts: Mapping[str, Decimal] = field(default_factory=dict)

    @property
    def total(self) -> Decimal:
        """Net and tax."""
        return self.net + self.tax


def total_of(document: JsonObject) -> Decimal:
    """A document's total; of a journal entry, whose own is always 0 (Intuit: journal entry page), its debits."""
    sides = [
        (detail.get("PostingType"), number(line.get("Amount")))
        for line in real_lines(document)
        if isinstance(detail := line.get("JournalEntryLineDetail"), dict)
    ]
    if sides:
        return sum((amount for side, amount in sides if side == "Debit"), NOTHING)
    return number(document.get("TotalAmt"))


def posted_of(
    entity: str,
    document: JsonObject,
    *,
    home: str,
    accounts_of_items: Mapping[str, str],
    ours: AbstractSet[str] | None = None,
) -> Posted:
    """A document in figures.

    Args:
        home: the books' own currency, which single-currency books do not name.
        accounts_of_items: Id of an item → Id of its account, where lines name only items.
        ours: ids of the lines that count by account; None for all.
    """
    tax = number(_part(document, "TxnTaxDetail").get("TotalTax"))
    dated = document.get("TxnDate")
    currency = _part(document, "CurrencyRef").get("value")
    return Posted(
        entity=entity,
        currency=currency if isinstance(currency, str) else home,
        month=dated[:_MONTH] if isinstance(dated, str) else "",
        party=_party(document),
        net=total_of(document) - tax,
        tax=tax,
        accounts=_accounts(document, accounts_of_items, ours),
    )


def wanted_by_source(
    accepted: Posted, figures: Figures | None, tie: TieOut | None, *, of_others: Decimal = NOTHING
) -> tuple[Decimal, Decimal]:
    """Net and tax by the source's word.

    Where the source leaves the tax to the books, or it differs by no more than the mapping puts up with, it is what
    QuickBooks worked out.

    Args:
        accepted: what QuickBooks answered.
        figures: the plan's.
        tie: how that answer stood to them.
        of_others: what lines of a bookkeeper's own, which are kept, come to in it.
    """
    if figures is None:
        return accepted.net, accepted.tax
    net, tax = figures.net + of_others, figures.tax
    held = tie.tax if tie is not None else accepted.tax
    if tax is None or abs(tax - held) <= figures.tolerance:
        tax = held
    # Where prices contain the tax, the total counts and not how it is parted.
    if figures.included and net + tax != accepted.total and abs(net + tax - accepted.total) <= figures.tolerance:
        net = accepted.total - tax
    return net, tax


def amount_of_others(document: JsonObject, ours: AbstractSet[str]) -> Decimal:
    """What lines come to that are not among ours; nothing where no line is told apart."""
    if not ours:
        return NOTHING
    lines = [line for line in real_lines(document) if "DetailType" in line and line_id(line) not in ours]
    return sum((number(line.get("Amount")) for line in lines), NOTHING)


def _party(document: JsonObject) -> str:
    for name in _PARTIES:
        held = _part(document, name)
        value = held.get("value")
        if isinstance(value, str):
            kind = held.get("type") if name == "EntityRef" else name.removesuffix("Ref")
            return f"{kind if isinstance(kind, str) else 'Party'} {value}"
    return ""


def _accounts(document: JsonObject, of_items: Mapping[str, str], ours: AbstractSet[str] | None) -> dict[str, Decimal]:
    found: dict[str, Decimal] = {}
    for line in real_lines(document):
        if "DetailType" not in line or (ours is not None and line_id(line) not in ours):
            continue
        detail = _part(line, str(line["DetailType"]))
        sign = -1 if detail.get("PostingType") == "Credit" else 1
        account = _account(detail, of_items)
        found[account] = found.get(account, NOTHING) + sign * number(line.get("Amount"))
    return found


def _account(detail: JsonObject, of_items: Mapping[str, str]) -> str:
    for name in ("ItemAccountRef", "AccountRef"):
        value = _part(detail, name).get("value")
        if isinstance(value, str):
            return value
    item = _part(detail, "ItemRef").get("value")
    return of_items.get(item, NO_ACCOUNT) if isinstance(item, str) else NO_ACCOUNT


def _part(document: JsonObject, name: str) -> JsonObject:
    part: JsonValue = document.get(name)
    return part if isinstance(part, dict) else {}
