"""`counterfoil totals`: what source, log and books come to, by currency and kind of document, and how far apart."""

from dataclasses import dataclass, fields
from decimal import Decimal

from rich.text import Text

from counterfoil.cli.exits import ExitCode
from counterfoil.cli.opening import Opened, open_state
from counterfoil.cli.output import add_row, console, table, write_json
from counterfoil.dispatch.outbox import SINGLE_ENTITIES
from counterfoil.planning.money import text, to_cents
from counterfoil.planning.values import number, real_lines
from counterfoil.settings import CompanySettings, Settings
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import IntentAccepted, IntentPlanned
from counterfoil_schema.events.receipts import BooksObserved
from counterfoil_schema.exact_json import JsonObject

PAGE_ROWS = 500
NOTHING = Decimal(0)
UNDONE = frozenset({"void", "delete"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Sums:
    """One kind of document in one currency; in that currency, and in home money at the documents' own rates.

    Attributes:
        source: what the source wants, tax included; QuickBooks' tax where the source states none.
        log: what QuickBooks answered to our last write.
        books: what the documents were last seen to come to.
        off: documents whose source and books differ.
    """

    currency: str
    entity: str
    documents: int = 0
    source: Decimal = NOTHING
    log: Decimal = NOTHING
    books: Decimal = NOTHING
    home_source: Decimal = NOTHING
    home_books: Decimal = NOTHING
    off: int = 0

    @property
    def difference(self) -> Decimal:
        """By how much the books come to more than the source."""
        return self.books - self.source

    def with_one(self, other: "Sums") -> "Sums":
        """Both together."""
        names = [part.name for part in fields(self) if part.name not in {"currency", "entity"}]
        added = {name: getattr(self, name) + getattr(other, name) for name in names}
        return Sums(currency=self.currency, entity=self.entity, **added)


async def totals(settings: Settings, *, as_json: bool) -> int:
    """Print them; 1 if source, log and books differ anywhere."""
    async with open_state(settings) as opened:
        found = [(company, await totals_of(opened, company.company)) for company in settings.companies]
    if as_json:
        write_json({"companies": [_as_json(company, sums) for company, sums in found]})
    else:
        for company, sums in found:
            _show(company, sums)
    off = any(one.off or one.source != one.books or one.log != one.books for _, sums in found for one in sums)
    return ExitCode.UNSETTLED if off else ExitCode.OK


async def totals_of(opened: Opened, company: int) -> list[Sums]:
    """The sums of one company, over all documents of ours that are not undone."""
    found: dict[tuple[str, str], Sums] = {}
    after = ""
    while True:
        arguments = (company, after, sorted(SINGLE_ENTITIES), PAGE_ROWS)
        rows = await opened.store.records("linked_documents", *arguments)
        positions = {row[name] for row in rows for name in ("image", "latest", "planned")}
        recorded = await opened.reader.get_many(company, sorted(positions))
        events = {one.position: await one.event() for one in recorded}
        for row in rows:
            if row["operation"] in UNDONE:
                continue
            one = _sums(
                row["entity"], events[row["planned"]], events[row["image"]], events[row["latest"]], row["status"]
            )
            if one is not None:
                key = (one.currency, one.entity)
                found[key] = found[key].with_one(one) if key in found else one
        if len(rows) < PAGE_ROWS:
            return [found[key] for key in sorted(found)]
        after = rows[-1]["record_key"]


def _sums(entity: str, planned: Event, image: Event, latest: Event, status: str) -> Sums | None:
    """One document; None where its plan says of no amount."""
    if not isinstance(planned, IntentPlanned):
        return None
    answered = _document(image)
    if planned.figures is None:
        return _brought_back(entity, planned, _total(answered), latest, status) if planned.undoes else None
    tie = image.tie_out if isinstance(image, IntentAccepted) else None
    figures = planned.figures
    tax = figures.tax if figures.tax is not None else tie.tax if tie is not None else NOTHING
    source = tie.expected if tie is not None and tie.expected is not None else figures.net + tax
    shown = _document(latest) if status == "live" else {}
    books = _total(shown)
    foreign = figures.currency != figures.home
    rate = (tie.rate if tie is not None else None) or number(shown.get("ExchangeRate") or 1)
    home = shown.get("HomeTotalAmt") if foreign else None
    return Sums(
        currency=figures.currency,
        entity=entity,
        documents=1,
        source=source,
        log=_total(answered),
        books=books,
        home_source=to_cents(source * rate) if foreign else source,
        home_books=number(home) if home is not None else to_cents(books * rate) if foreign else books,
        off=int(source != books),
    )


def _brought_back(entity: str, planned: IntentPlanned, wanted: Decimal, latest: Event, status: str) -> Sums | None:
    """One that a rollback made anew, or gave its earlier content: what was written then is what is wanted."""
    if planned.currency is None:
        return None
    shown = _document(latest) if status == "live" else {}
    rate, books = number(shown.get("ExchangeRate") or 1), _total(shown)
    return Sums(
        currency=planned.currency,
        entity=entity,
        documents=1,
        source=wanted,
        log=wanted,
        books=books,
        home_source=to_cents(wanted * rate),
        home_books=to_cents(books * rate),
        off=int(wanted != books),
    )


def _document(event: Event) -> JsonObject:
    return event.document.fields() if isinstance(event, IntentAccepted | BooksObserved) else {}


def _total(document: JsonObject) -> Decimal:
    """A document's total; of a journal entry, whose own is always 0, its debits."""
    sides = [
        (detail.get("PostingType"), number(line.get("Amount")))
        for line in real_lines(document)
        if isinstance(detail := line.get("JournalEntryLineDetail"), dict)
    ]
    if sides:
        return sum((amount for side, amount in sides if side == "Debit"), NOTHING)
    return number(document.get("TotalAmt"))


def _as_json(company: CompanySettings, sums: list[Sums]) -> dict[str, object]:
    return {
        "company": company.company,
        "name": company.name,
        "totals": [
            {part.name: getattr(one, part.name) for part in fields(one)} | {"difference": one.difference}
            for one in sums
        ],
    }


def _show(company: CompanySettings, sums: list[Sums]) -> None:
    title = f"{company.name} (company {company.company})"
    shown = table(title, "", "", ">documents", ">source", ">log", ">books", ">difference", ">books, home", ">off")
    for one in sums:
        money = (text(value) for value in (one.source, one.log, one.books, one.difference, one.home_books))
        add_row(shown, one.currency, one.entity, f"{one.documents:,}", *money, f"{one.off:,}")
    out = console()
    out.print(shown)
    off = sum(one.off for one in sums)
    out.print(
        Text(f"{off:,} documents differ." if off else "Source, log and books tie out, as the books were last seen.")
    )
    out.print()
