"""What is really there at the end: read from the emulators, the log and the projections, not from the plan."""

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from zoneinfo import ZoneInfo

from counterfoil.demo.control import Control, part_of, rows_of, text_of
from counterfoil.demo.expected import BOOKKEEPERS_INCOME, INCOME, RECEIVABLE, UNDEPOSITED
from counterfoil.demo.generator import ZONE
from counterfoil.demo.tally import Tally, cents
from counterfoil_schema.exact_json import JsonObject, JsonValue

_PAGE = "/journal?after=0&limit=100000"


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedInvoice:
    """An invoice in the books; amounts in cents."""

    document_id: str
    number: str
    customer_id: str
    day: str
    cents: int
    balance: int
    due: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BookedEntry:
    """A journal entry in the books: debits less credits by account."""

    document_id: str
    number: str
    day: str
    accounts: Mapping[str, int]

    @property
    def debits(self) -> int:
        """What the debit side comes to."""
        return sum(cents_of for cents_of in self.accounts.values() if cents_of > 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Books:
    """QuickBooks at the end, as the emulator's control address shows it."""

    customers: Mapping[str, tuple[str, str]]
    invoices: tuple[BookedInvoice, ...]
    entries: tuple[BookedEntry, ...]
    payments: int
    credit_memos: int
    accounts: Mapping[str, int]
    account_names: Mapping[str, str]
    created: Mapping[str, int]
    unmarked: tuple[str, ...]
    twice: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SoldDeal:
    """A deal as HubSpot shows it at the end; `cents` is the sum of its lines, `back` what was written back."""

    deal_id: str
    number: str
    customer_id: str
    month: str
    won: bool
    cents: int
    back: Mapping[str, str] = field(default_factory=dict)


async def read_books(quickbooks: Control) -> Books:
    """Everything in the books, with creates counted from the emulator's own journal."""
    state = await quickbooks.get("/state")
    totals = await quickbooks.get("/totals")
    effects = rows_of(await quickbooks.get(_PAGE), "effects")
    ours = [one for one in effects if text_of(one, "app") == "api" and text_of(one, "operation") == "create"]
    accounts = {text_of(row, "Id"): text_of(row, "FullyQualifiedName") for row in rows_of(state, "Account")}
    marked = [one for one in ours if text_of(one, "entity") in {"Invoice", "JournalEntry"}]
    markers = Counter(_marker(text_of(one, "private_note")) for one in marked)
    names = Counter((text_of(one, "entity"), text_of(one, "name")) for one in ours if one not in marked)
    return Books(
        customers={
            text_of(row, "Id"): (
                text_of(row, "DisplayName"),
                text_of(part_of(row, "PrimaryPhone"), "FreeFormNumber"),
            )
            for row in rows_of(state, "Customer")
        },
        invoices=tuple(_invoice(row) for row in rows_of(state, "Invoice")),
        entries=tuple(_entry(row, accounts) for row in rows_of(state, "JournalEntry")),
        payments=len(rows_of(state, "Payment")),
        credit_memos=len(rows_of(state, "CreditMemo")),
        accounts={
            text_of(row, "name"): cents(row.get("debit_less_credit"))
            for row in rows_of(totals, "accounts")
            if cents(row.get("debit_less_credit"))
        },
        account_names=accounts,
        created=Counter(text_of(one, "entity") for one in ours),
        unmarked=tuple(
            f"{text_of(one, 'entity')} {text_of(one, 'id')}"
            for one in marked
            if not _marker(text_of(one, "private_note"))
        ),
        twice=(
            *(marker for marker, times in markers.items() if times > 1 and marker),
            *(f"{entity} {name}" for (entity, name), times in names.items() if times > 1),
        ),
    )


def _marker(note: str) -> str:
    last = note.rpartition(" ")[2]
    return last if last.startswith("cf-") else ""


def _invoice(row: JsonObject) -> BookedInvoice:
    return BookedInvoice(
        document_id=text_of(row, "Id"),
        number=text_of(row, "DocNumber"),
        customer_id=text_of(part_of(row, "CustomerRef"), "value"),
        day=text_of(row, "TxnDate"),
        cents=cents(row.get("TotalAmt")),
        balance=cents(row.get("Balance")),
        due=text_of(row, "DueDate"),
    )


def _entry(row: JsonObject, accounts: Mapping[str, str]) -> BookedEntry:
    sums: Counter[str] = Counter()
    for line in rows_of(row, "Line"):
        detail = part_of(line, "JournalEntryLineDetail")
        sign = 1 if text_of(detail, "PostingType") == "Debit" else -1
        account = text_of(part_of(detail, "AccountRef"), "value")
        sums[accounts.get(account, account)] += sign * cents(line.get("Amount"))
    return BookedEntry(
        document_id=text_of(row, "Id"), number=text_of(row, "DocNumber"), day=text_of(row, "TxnDate"), accounts=sums
    )


async def read_deals(hubspot: Control) -> tuple[SoldDeal, ...]:
    """All deals with what HubSpot itself says of their lines."""
    lines = {text_of(row, "id"): part_of(row, "properties") for row in await _objects(hubspot, "line_items")}
    return tuple(_deal(row, lines) for row in await _objects(hubspot, "deals"))


async def _objects(hubspot: Control, kind: str) -> list[JsonObject]:
    return rows_of(await hubspot.get(f"/objects/{kind}"), "results")


def _deal(row: JsonObject, lines: Mapping[str, JsonObject]) -> SoldDeal:
    held = part_of(row, "properties")
    linked = part_of(row, "associations")
    line_ids = _linked(linked, "line_items")
    company_ids = _linked(linked, "companies")
    return SoldDeal(
        deal_id=text_of(row, "id"),
        number=text_of(held, "invoice_number"),
        customer_id=company_ids[0] if company_ids else "",
        month=_month(text_of(held, "closedate")),
        won=text_of(held, "hs_is_closed_won") == "true",
        cents=sum(cents(lines[line_id].get("amount")) for line_id in line_ids if line_id in lines),
        back={name: text_of(held, name) for name in held if name.startswith("qbo_")},
    )


def _month(instant: str) -> str:
    """The month on the company's own calendar."""
    return f"{datetime.fromisoformat(instant).astimezone(ZoneInfo(ZONE)):%Y-%m}" if instant else ""


def _linked(links: JsonObject, kind: str) -> list[str]:
    found: JsonValue = links.get(kind) or links.get(kind.replace("_", " "))
    rows = found.get("results") if isinstance(found, dict) else found
    ids = [text_of(row, "id") if isinstance(row, dict) else str(row) for row in rows] if isinstance(rows, list) else []
    return list(dict.fromkeys(ids))


@dataclass(frozen=True, slots=True, kw_only=True)
class LoggedInvoice:
    """An invoice as the log last saw it; `customer_id` is the source's own number of the customer."""

    number: str
    customer_id: str
    day: str
    cents: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Logged:
    """What the log alone says of the books; amounts in cents."""

    invoices: tuple[LoggedInvoice, ...]
    entries: Mapping[str, int]
    accounts: Mapping[str, int]


def read_log(tally: Tally, account_names: Mapping[str, str]) -> Logged:
    """Figures from the answers and readings that the log holds."""
    customers = {
        document_id: document.record_key.rpartition(":")[2]
        for (entity, document_id), document in tally.documents.items()
        if entity == "Customer"
    }
    items = frozenset(document_id for entity, document_id in tally.documents if entity == "Item")
    invoices: list[LoggedInvoice] = []
    entries: dict[str, int] = {}
    accounts: Counter[str] = Counter()
    for (entity, _), fields in tally.entered.items():
        accounts.update(_received(fields) if entity == "Payment" else _sold(fields, items, sign=-1))
    for (entity, _), document in tally.documents.items():
        if entity == "Invoice":
            row = _invoice(document.fields)
            accounts.update(_sold(document.fields, items, sign=1))
            invoices.append(
                LoggedInvoice(
                    number=row.number, customer_id=customers.get(row.customer_id, "?"), day=row.day, cents=row.cents
                )
            )
        if entity == "JournalEntry":
            entry = _entry(document.fields, account_names)
            entries[document.record_key.rpartition(":")[2]] = entry.debits
            accounts.update(entry.accounts)
    return Logged(
        invoices=tuple(invoices),
        entries=entries,
        accounts={name: amount for name, amount in accounts.items() if amount},
    )


def _sold(document: JsonObject, items: frozenset[str], *, sign: int) -> Counter[str]:
    """An invoice (or, with the sign turned, a credit memo) by account: items of ours are products, others freight."""
    sums: Counter[str] = Counter()
    for line in rows_of(document, "Line"):
        detail = part_of(line, "SalesItemLineDetail")
        if detail:
            ours = text_of(part_of(detail, "ItemRef"), "value") in items
            amount = sign * cents(line.get("Amount"))
            sums[INCOME if ours else BOOKKEEPERS_INCOME] -= amount
            sums[RECEIVABLE] += amount
    return sums


def _received(payment: JsonObject) -> Counter[str]:
    amount = cents(payment.get("TotalAmt"))
    return Counter({UNDEPOSITED: amount, RECEIVABLE: -amount})
