"""Reads the books of one company: what webhooks hinted at, what a sweep shows, names and preferences."""

from collections.abc import Sequence
from datetime import date, datetime, timedelta

from counterfoil.dispatch.books import Books, BooksFacts, Shown
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.dispatch.view import EventSource, KeyedHash
from counterfoil.log import NewEvent
from counterfoil.planning.inbound import payment_effect
from counterfoil.ports import Clock
from counterfoil.state.receipts import is_older_reading
from counterfoil.state.rows import CompanyRow, DocumentRow, HintRow, IntentRow, PaymentRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.receipts import (
    BooksObserved,
    DirectoryEntry,
    DirectoryObserved,
    HintsSettled,
    How,
    PreferencesObserved,
)

BOOKS = "quickbooks"
WATCHED = ("Customer", "Item", "Invoice", "Payment", "CreditMemo", "JournalEntry", "Employee", "Vendor")
"""Entities whose changes are swept for."""

NAMED = ("Account", "Class", "Department", "Item", "TaxCode", "Term")
"""Name lists that mappings refer to by name."""

SETTINGS = ("Preferences", "CompanyInfo")
"""What a company has once, and what is read of it as facts."""

SWEEP = "sweep"
SWEEP_OVERLAP = timedelta(minutes=2)
SWEEP_REACH = timedelta(days=29)
"""Intuit: change data capture reaches 30 days back."""

EVENTS_PER_APPEND = 500
READ_AT_ONCE = 200


class BooksReader:
    """Appends what one company's books show, if it differs from what they showed before."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        events: EventSource,
        hashes: KeyedHash,
        books: Books,
        clock: Clock,
        instruments: Instruments,
        step: Step = no_step,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._hashes = hashes
        self._books = books
        self._clock = clock
        self._instruments = instruments
        self._step = step

    async def follow(self, hints: Sequence[HintRow]) -> int:
        """Read the documents that webhooks hinted at, in as few calls as can be; returns how many hints that were.

        A hint at a document that we do not know waits while a create of its type is in flight: it may be our own.

        Raises:
            BooksUnreadableError: a read failed; its hints stay open.
        """
        by_entity: dict[str, list[HintRow]] = {}
        for hint in hints:
            if not await self._is_perhaps_ours(hint):
                by_entity.setdefault(hint.kind, []).append(hint)
        payments, invoices = by_entity.pop("Payment", []), by_entity.pop("Invoice", [])
        followed = await self._follow_settlements(payments, invoices)
        about_the_company = [hint for kind in SETTINGS for hint in by_entity.pop(kind, [])]
        if about_the_company:
            await self.learn_preferences()
            followed += await self._followed(about_the_company, [])
        for entity, group in by_entity.items():
            shown = await self._books.read(entity, [hint.source_id for hint in group], "live")
            followed += await self._followed(group, shown)
        return followed

    async def _follow_settlements(self, payments: Sequence[HintRow], invoices: Sequence[HintRow]) -> int:
        """Payments, and in one reading the invoices that they concern and those that were hinted at themselves."""
        if not payments and not invoices:
            return 0
        paid = await self._books.read("Payment", [hint.source_id for hint in payments], "live") if payments else []
        wanted = dict.fromkeys([*(hint.source_id for hint in invoices), *await self._invoices_of(paid)])
        billed = await self._books.read("Invoice", list(wanted), "live") if wanted else []
        return await self._followed([*payments, *invoices], [*paid, *billed])

    async def _followed(self, group: Sequence[HintRow], shown: Sequence[Shown]) -> int:
        await self.record(shown, "webhook")
        self._step("books.recorded")
        done = HintsSettled(
            connection=BOOKS,
            through=max(hint.received for hint in group),
            settled=tuple((hint.kind, hint.source_id) for hint in group),
        )
        await self._session.receive([NewEvent(event=done)])
        return len(group)

    async def _is_perhaps_ours(self, hint: HintRow) -> bool:
        company = self._session.company
        if await self._store.one(DocumentRow, company, hint.kind, hint.source_id) is not None:
            return False
        flying = await self._store.some(IntentRow, "intents_in", company, ["sent", "uncertain"], 1_000)
        return any(row.entity == hint.kind and may_have_made(row, hint.received) for row in flying)

    async def _beside(self, shown: Sequence[Shown]) -> list[Shown]:
        """The invoices that payments concern, so that both are known before anything is decided."""
        wanted = await self._invoices_of(shown)
        return list(await self._books.read("Invoice", wanted, "live")) if wanted else []

    async def _invoices_of(self, shown: Sequence[Shown]) -> list[str]:
        """Ids of the invoices that payments concern, or concerned before."""
        wanted: dict[str, None] = {}
        for one in shown:
            if one.entity != "Payment":
                continue
            before = await self._store.one(PaymentRow, self._session.company, one.document_id)
            effect = payment_effect(one.document, one.status)
            for invoice_id in (*effect.invoices, *(before.invoices if before else ())):
                wanted[invoice_id] = None
        return list(wanted)

    async def record(self, shown: Sequence[Shown], how: How) -> int:
        """Append what is new among these documents; returns how many that were."""
        company = self._session.company
        known = await self._store.load(company, DocumentRow.table, [(one.entity, one.document_id) for one in shown])
        fresh: list[NewEvent] = []
        with self._instruments.span("counterfoil.observe", None, {"connection": BOOKS, "how": how}) as span:
            # Invoices first, so that a payment is decided when what it settles is known.
            for one in sorted(shown, key=lambda each: each.entity == "Payment"):
                content = exact_json.canonical([one.status, one.document])
                digest = await self._hashes.keyed_hash(company, content)
                row = known.get((one.entity, one.document_id))
                if not isinstance(row, DocumentRow):
                    fresh.append(self._event(one, digest, how, span.trace))
                elif not _is_known(row, one, digest):
                    fresh.append(self._event(one, digest, how, await self._trace_of(row) or span.trace))
            # A sweep may show more than one append may hold; the order stays.
            for start in range(0, len(fresh), EVENTS_PER_APPEND):
                await self._session.receive(fresh[start : start + EVENTS_PER_APPEND])
        self._instruments.observed(BOOKS, len(fresh))
        return len(fresh)

    async def _trace_of(self, row: DocumentRow) -> str | None:
        """What is seen of a document of ours continues the trace that led to it."""
        recorded = await self._events.recorded_at(self._session.company, row.position)
        return recorded.trace

    def _event(self, one: Shown, digest: str, how: How, trace: str | None) -> NewEvent:
        token = one.document.get("SyncToken")
        event = BooksObserved(
            entity=one.entity,
            document_id=one.document_id,
            sync_token=str(token) if token is not None else None,
            status=one.status,
            content_hash=digest,
            how=how,
            document=Document.of(one.entity, one.document),
        )
        return NewEvent(event=event, record_key=f"{BOOKS}:{one.entity}:{one.document_id}", trace=trace)

    async def sweep(self) -> None:
        """Record all changes since the last sweep that missed nothing, whoever made it.

        Raises:
            BooksUnreadableError: a read failed.
        """
        company, now = self._session.company, self._clock.now()
        kept = await self._store.value("cursor", company, BOOKS, SWEEP)
        since = datetime.fromisoformat(kept) if kept else now
        if now - since > SWEEP_REACH:
            # Change data capture tells of 30 days only: everything since, and every document known, is read.
            for entity in WATCHED:
                await self._read_whole(entity, since - SWEEP_OVERLAP)
            until: datetime | None = now
        else:
            until = await self._sweep_since(since - SWEEP_OVERLAP)
        if until is not None:
            await self._store.execute("save_cursor", company, BOOKS, SWEEP, until.isoformat(), now)

    async def _read_whole(self, entity: str, since: datetime) -> None:
        """All that changed since, however long ago, and every document known of an entity: some may be gone."""
        changed = await self._books.changed_since(entity, since)
        await self.record([*changed, *await self._beside(changed)], "sweep")
        read = {one.document_id for one in changed}
        after = ""
        while True:
            rows = await self._store.records("living_documents", self._session.company, entity, after, READ_AT_ONCE)
            if not rows:
                return
            after = rows[-1]["document_id"]
            rest = [row["document_id"] for row in rows if row["document_id"] not in read]
            if rest:
                await self.record(await self._books.read(entity, rest, "reconcile"), "sweep")

    async def _begin_sweeping(self) -> None:
        """What changes from the first acquaintance on is swept for, however long the first sweep takes to come."""
        company, now = self._session.company, self._clock.now()
        if await self._store.value("cursor", company, BOOKS, SWEEP) is None:
            await self._store.execute("save_cursor", company, BOOKS, SWEEP, now.isoformat(), now)

    async def _sweep_since(self, since: datetime) -> datetime | None:
        """Up to when nothing can be missing; None where more may have changed than was shown."""
        swept = await self._books.sweep(WATCHED, since)
        if not swept.truncated:
            await self.record([*swept.shown, *await self._beside(swept.shown)], "sweep")
            return swept.until
        instants: list[datetime] = []
        for entity in WATCHED:
            part = await self._books.sweep([entity], since)
            if part.truncated:
                # What was deleted comes last in the answer, and may have been cut off.
                await self._read_whole(entity, since)
            else:
                await self.record([*part.shown, *await self._beside(part.shown)], "sweep")
            if part.until is None:
                return None
            instants.append(part.until)
        return min(instants)

    async def get_to_know(self) -> BooksFacts:
        """Read company, preferences and the name lists, and append what is new of them.

        Raises:
            BooksUnreadableError: a read failed.
        """
        facts = await self.learn_preferences()
        for entity in NAMED:
            # Only abroad do lines name codes of the company's own.
            if entity != "TaxCode" or facts.tax_mode == "abroad":
                await self.learn_names(entity)
        await self._begin_sweeping()
        return facts

    async def learn_preferences(self) -> BooksFacts:
        """Read company and preferences, and append what is new of them.

        Raises:
            BooksUnreadableError: a read failed.
        """
        company = self._session.company
        facts = await self._books.facts()
        row = await self._store.one(CompanyRow, company)
        event = PreferencesObserved(
            content_hash="",
            home_currency=facts.home_currency,
            multi_currency=facts.multi_currency,
            custom_numbers=facts.custom_numbers,
            class_tracking=facts.class_tracking,
            department_tracking=facts.department_tracking,
            closed_until=facts.closed_until,
            tax_mode=facts.tax_mode,
        )
        digest = await self._hashes.keyed_hash(company, exact_json.canonical(event.model_dump(mode="json")))
        if row is None or row.preferences_hash != digest:
            await self._session.receive([NewEvent(event=event.model_copy(update={"content_hash": digest}))])
        return facts

    async def learn_rate(self, currency: str, day: date) -> bool:
        """Read the books' own rate of a currency on a day and append it; False where they keep none.

        Raises:
            BooksUnreadableError: the read failed.
        """
        shown = await self._books.rate(currency, day)
        if shown is not None:
            await self.record([shown], "look-up")
        return shown is not None

    async def learn_names(self, entity: str) -> bool:
        """Read one name list and append it if it differs from what is known; returns whether it does.

        Raises:
            BooksUnreadableError: the read failed.
        """
        company = self._session.company
        entries = tuple(
            DirectoryEntry(document_id=document_id, name=name, active=active)
            for document_id, name, active in await self._books.names(entity)
        )
        known = await self._store.load(company, DocumentRow.table, [(entity, one.document_id) for one in entries])
        same = all(
            isinstance(row := known.get((entity, one.document_id)), DocumentRow)
            and row.name == one.name
            and (row.status == "live") == one.active
            for one in entries
        )
        if not same:
            content = exact_json.canonical([one.model_dump() for one in entries])
            digest = await self._hashes.keyed_hash(company, content)
            event = DirectoryObserved(entity=entity, content_hash=digest, entries=entries)
            await self._session.receive([NewEvent(event=event)])
        return not same


def may_have_made(row: IntentRow, seen: int) -> bool:
    """Whether a document seen at a position may be the effect of a create in flight, which must have been sent before.

    Without the order a company that creates all day would never look at what people enter.
    """
    return row.operation == "create" and row.sent is not None and row.sent < seen


def _is_known(row: DocumentRow, one: Shown, content_hash: str) -> bool:
    """Whether a reading says nothing new. An invoice's first echo does: its number and status go to the source."""
    token = one.document.get("SyncToken")
    if row.content_hash == content_hash or is_older_reading(row, str(token) if token is not None else None, one.status):
        return True
    unmoved = row.status == one.status and row.sync_token == token
    return unmoved and one.entity != "Invoice"
