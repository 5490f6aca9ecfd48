"""Reads the books of one company: what webhooks hinted at, names and preferences; records what is new of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date

from counterfoil.dispatch.books import Books, BooksFacts, BooksUnreadableError, Shown
from counterfoil.dispatch.early_echoes import EarlyEchoes
from counterfoil.dispatch.merging import Merges, is_gone
from counterfoil.dispatch.resting import Resting
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.dispatch.view import EventSource, KeyedHash
from counterfoil.dispatch.watched import BOOKS, FOLLOWED, NAME_LISTS, NAMED, SETTINGS
from counterfoil.log import NewEvent
from counterfoil.planning.inbound import payment_effect
from counterfoil.planning.references import Key
from counterfoil.ports import Clock
from counterfoil.state.receipts import is_older_reading
from counterfoil.state.rows import CompanyRow, DocumentRow, HintRow, IntentRow, PaymentRow
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.decisions import Lane
from counterfoil_schema.events.receipts import (
    BooksMerged,
    BooksObserved,
    DirectoryEntry,
    DirectoryObserved,
    HintsSettled,
    How,
    PreferencesObserved,
)

EVENTS_PER_APPEND = 500
CREATES_MAX = 1_000


@dataclass(frozen=True, slots=True)
class News:
    """A document that shows something new, and the row of what was known of it."""

    shown: Shown
    digest: str
    row: DocumentRow | None


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
        echoes: EarlyEchoes,
        clock: Clock,
        instruments: Instruments,
        step: Step = no_step,
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._hashes = hashes
        self._books = books
        self._echoes = echoes
        self._instruments = instruments
        self._step = step
        self._resting = Resting(clock)
        self._merges = Merges(company=session.company, store=store, events=events, books=books)
        self._troubles: list[BooksUnreadableError] = []
        self.merged_at = 0
        """Where this reader last recorded a merge."""

    async def to_follow(self, hints: Sequence[HintRow]) -> list[HintRow]:
        """Those that can be followed now.

        A hint at a document that we do not know waits while a create of its type is in flight: it may be our own.
        One whose reading failed rests, longer each time.
        """
        awake = [hint for hint in hints if not self._resting.rests((hint.kind, hint.source_id))]
        keys = [(hint.kind, hint.source_id) for hint in awake]
        known = await self._store.load(self._session.company, DocumentRow.table, keys)
        flying = await self._flying() if any(key not in known for key in keys) else []
        return [
            hint
            for hint in awake
            if (hint.kind, hint.source_id) in known
            or not any(row.entity == hint.kind and may_have_made(row, hint.received) for row in flying)
        ]

    async def _flying(self) -> list[IntentRow]:
        return await self._store.some(
            IntentRow, "intents_in", self._session.company, ["sent", "uncertain"], CREATES_MAX
        )

    async def follow(self, hints: Sequence[HintRow]) -> int:
        """Read the documents that webhooks hinted at, in as few calls as can be; returns how many hints that were.

        What cannot be read keeps its hint open and holds up no other.

        Raises:
            BooksUnreadableError: some of it could not be read.
        """
        groups: dict[str, list[HintRow]] = {}
        for hint in await self.to_follow(hints):
            groups.setdefault(hint.kind, []).append(hint)
        payments, invoices = groups.pop("Payment", []), groups.pop("Invoice", [])
        followed, self._troubles = 0, []
        for entity, group in (("Payment", [*payments, *invoices]), *groups.items()):
            try:
                match entity:
                    case "Payment":
                        followed += await self._follow_settlements(payments, invoices)
                    case _ if entity in FOLLOWED:
                        followed += await self._followed(group, await self._read(group))
                    case _:
                        followed += await self._follow_other(entity, group)
            except BooksUnreadableError as trouble:
                if trouble.reconnect or trouble.retry_after is not None:
                    raise
                self._resting.failed((hint.kind, hint.source_id) for hint in group)
                self._troubles.append(trouble)
        if self._troubles:
            raise self._troubles[0]
        return followed

    async def _follow_other(self, entity: str, group: Sequence[HintRow]) -> int:
        """What is no document: names and settings. Of anything else nothing is made, and nothing is read."""
        if entity in NAME_LISTS:
            await self.learn_names(entity, "live", told=await self._merges.told(group))
        elif entity in SETTINGS:
            await self.learn_preferences()
        return await self.settle(group)

    async def _follow_settlements(self, payments: Sequence[HintRow], invoices: Sequence[HintRow]) -> int:
        """Payments, and in one reading the invoices that they concern and those that were hinted at themselves."""
        if not payments and not invoices:
            return 0
        paid = await self._read(payments) if payments else []
        wanted = dict.fromkeys([*(hint.source_id for hint in invoices), *await self.invoices_of(paid)])
        billed = await self._read_ids("Invoice", list(wanted)) if wanted else []
        return await self._followed([*payments, *invoices], [*paid, *billed])

    async def _read(self, group: Sequence[HintRow]) -> list[Shown]:
        return await self._read_ids(group[0].kind, [hint.source_id for hint in group])

    async def _read_ids(self, entity: str, ids: Sequence[str]) -> list[Shown]:
        """Documents by id; one that spoils the reading of the others is found by halves, and left aside to rest."""
        try:
            return list(await self._books.read(entity, ids, "live"))
        except BooksUnreadableError as trouble:
            if not trouble.divisible:
                raise
            if len(ids) == 1:
                self._resting.failed([(entity, ids[0])])
                self._troubles.append(trouble)
                return []
        middle = len(ids) // 2
        return [*await self._read_ids(entity, ids[:middle]), *await self._read_ids(entity, ids[middle:])]

    async def _followed(self, group: Sequence[HintRow], shown: Sequence[Shown]) -> int:
        news = await self.news(shown)
        told = await self._merges.told(group)
        await self.append(news, "webhook", also=shown if told else (), told=told, lane="live")
        seen = {(one.entity, one.document_id) for one in shown}
        return await self.settle([hint for hint in group if (hint.kind, hint.source_id) in seen])

    async def settle(self, hints: Sequence[HintRow]) -> int:
        """Record that these hints were followed; returns how many that were."""
        if hints:
            done = HintsSettled(
                connection=BOOKS,
                through=max(hint.received for hint in hints),
                settled=tuple((hint.kind, hint.source_id) for hint in hints),
            )
            await self._session.receive([NewEvent(event=done)])
            self._resting.recovered((hint.kind, hint.source_id) for hint in hints)
        return len(hints)

    async def invoices_of(self, shown: Sequence[Shown]) -> list[str]:
        """Ids of the invoices that payments concern, or concerned before: both are to be known before a decision."""
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
        return await self.append(await self.news(shown), how)

    async def news(self, shown: Sequence[Shown]) -> list[News]:
        """What is new among these documents."""
        company = self._session.company
        known = await self._store.load(company, DocumentRow.table, [(one.entity, one.document_id) for one in shown])
        found: list[News] = []
        for one in shown:
            digest = await self._hashes.keyed_hash(company, exact_json.canonical([one.status, one.document]))
            row = known.get((one.entity, one.document_id))
            if not isinstance(row, DocumentRow):
                found.append(News(one, digest, None))
            elif not _is_known(row, one, digest):
                found.append(News(one, digest, row))
        return found

    async def append(
        self,
        news: Sequence[News],
        how: How,
        *,
        also: Sequence[Shown] = (),
        told: Mapping[Key, str] | None = None,
        lane: Lane = "retry",
    ) -> int:
        """Append these, and the merges that took any of them away; returns how many they are.

        Args:
            also: readings that are no news, among which a merge may be found all the same.
            told: what webhooks say of merges.
        """
        merges = await self._merges.among(list(also) or [one.shown for one in news], told or {}, lane)
        with self._instruments.span("counterfoil.observe", None, {"connection": BOOKS, "how": how}) as span:
            traces = await self._traces(news)
            # Invoices first, so that a payment is decided when what it settles is known.
            ordered = sorted(news, key=lambda each: each.shown.entity == "Payment")
            fresh = [self._event(one, how, traces.get(_key(one)) or span.trace) for one in ordered]
            fresh.extend(_merge_event(one, span.trace) for one in merges)
            # A sweep may show more than one append may hold; the order stays.
            for start in range(0, len(fresh), EVENTS_PER_APPEND):
                appended = await self._session.receive(fresh[start : start + EVENTS_PER_APPEND])
                if merges:
                    self.merged_at = appended.last_position
                self._step("books.recorded")
        self._instruments.observed(BOOKS, len(fresh))
        return len(news)

    async def _traces(self, news: Sequence[News]) -> dict[tuple[str, ...], str | None]:
        """What is seen of a document of ours continues the trace that led to it, whichever of them comes first.

        The rows are read afresh, and after the echoes: our own answer may be recorded and folded at any moment.
        """
        company = self._session.company
        early = await self._echoes.traces([one.shown for one in news if one.row is None])
        known = await self._store.load(company, DocumentRow.table, [_key(one) for one in news])
        positions = {key: row.position for key, row in known.items() if isinstance(row, DocumentRow)}
        recorded = await self._events.recorded_many(company, list(positions.values()))
        return {**early, **{key: recorded[position].trace for key, position in positions.items()}}

    def _event(self, news: News, how: How, trace: str | None) -> NewEvent:
        one = news.shown
        token = one.document.get("SyncToken")
        event = BooksObserved(
            entity=one.entity,
            document_id=one.document_id,
            sync_token=str(token) if token is not None else None,
            status=one.status,
            content_hash=news.digest,
            how=how,
            document=Document.of(one.entity, one.document),
        )
        return NewEvent(event=event, record_key=f"{BOOKS}:{one.entity}:{one.document_id}", trace=trace)

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

    async def learn_names(self, entity: str, lane: Lane = "retry", *, told: Mapping[Key, str] | None = None) -> bool:
        """Read one name list and append it if it differs from what is known; returns whether it does.

        Args:
            lane: by default that of what a write needs, which is never stopped for want of budget.
            told: what webhooks say of merges.

        Raises:
            BooksUnreadableError: the read failed.
        """
        company = self._session.company
        listed = [
            DirectoryEntry(document_id=one.document_id, name=one.name, active=one.active, account_type=one.account_type)
            for one in await self._books.names(entity, lane)
        ]
        vanished, merges = await self._left_names(entity, listed, told or {}, lane)
        entries = (*listed, *vanished)
        known = await self._store.load(company, DocumentRow.table, [(entity, one.document_id) for one in entries])
        same = all(_is_listed(known.get((entity, one.document_id)), one) for one in entries)
        fresh: list[NewEvent] = []
        if not same:
            content = exact_json.canonical([one.model_dump() for one in entries])
            digest = await self._hashes.keyed_hash(company, content)
            fresh.append(NewEvent(event=DirectoryObserved(entity=entity, content_hash=digest, entries=entries)))
        fresh.extend(_merge_event(one, None) for one in merges)
        if fresh:
            appended = await self._session.receive(fresh)
            self.merged_at = appended.last_position if merges else self.merged_at
        return bool(fresh)

    async def _left_names(
        self, entity: str, listed: Sequence[DirectoryEntry], told: Mapping[Key, str], lane: Lane
    ) -> tuple[list[DirectoryEntry], list[BooksMerged]]:
        """What a list shows no more, once a reading has confirmed it; and the merges that webhooks tell of."""
        rows = await self._store.records("living_names", self._session.company, entity)
        living = {row["document_id"]: row for row in rows}
        shown_ids = {one.document_id for one in listed}
        missing = [one for one in living if one not in shown_ids]
        active = {one.document_id for one in listed if one.active}
        # A sweep may have come before the webhook that says what became of them.
        merged = [one for kind, one in told if kind == entity and one not in active]
        asked = list(dict.fromkeys([*missing, *merged]))
        if not asked:
            return [], []
        shown = await self._books.read(entity, asked, lane)
        if entity in FOLLOWED:
            # Of these there are links too, which a reading of the record itself closes or moves.
            await self.append(await self.news(shown), "sweep", also=shown, told=told, lane=lane)
            return [], []
        merges = await self._merges.among(shown, told, lane)
        vanished = [
            DirectoryEntry(
                document_id=one.document_id,
                name=living[one.document_id]["name"],
                active=False,
                account_type=living[one.document_id]["account_type"],
            )
            for one in shown
            if one.document_id in missing and is_gone(one)
        ]
        return vanished, merges


def _is_listed(row: object, entry: DirectoryEntry) -> bool:
    """Whether a list says nothing new of an entry."""
    return (
        isinstance(row, DocumentRow)
        and (row.name, row.account_type) == (entry.name, entry.account_type)
        and (row.status == "live") == entry.active
    )


def _merge_event(merge: BooksMerged, trace: str | None) -> NewEvent:
    return NewEvent(event=merge, record_key=f"{BOOKS}:{merge.entity}:{merge.document_id}", trace=trace)


def may_have_made(row: IntentRow, seen: int) -> bool:
    """Whether a document seen at a position may be the effect of a create in flight, which must have been sent before.

    Without the order a company that creates all day would never look at what people enter.
    """
    return row.operation == "create" and row.sent is not None and row.sent < seen


def _key(news: News) -> tuple[str, ...]:
    return news.shown.entity, news.shown.document_id


_TOLD_BY_ECHOES = frozenset({"Invoice", "Payment"})


def _is_known(row: DocumentRow, one: Shown, content_hash: str) -> bool:
    """Whether a reading says nothing new.

    An invoice's first echo does: its number and status go to the source; so does that of a payment of our own, which
    says what it settles.
    """
    token = one.document.get("SyncToken")
    if row.content_hash == content_hash or is_older_reading(row, str(token) if token is not None else None, one.status):
        return True
    unmoved = row.status == one.status and row.sync_token == token
    return unmoved and one.entity not in _TOLD_BY_ECHOES
