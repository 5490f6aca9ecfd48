"""Takes up what somebody asked to have repaired: reads both sides once more, then has the record decided afresh.

Nothing is written past the planner: what a repair comes to is planned, owned field by field, held for approval, limited
and explained like any other change.
"""

from collections.abc import Mapping, Sequence

from counterfoil.dispatch.adapters import kept_apart
from counterfoil.dispatch.books import Books, BooksUnreadableError
from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.sources import SourceReader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.ports import Clock
from counterfoil.sources import SourceAdapter, SourceError
from counterfoil.state.rows import ChangeRow, LinkRow, RequestRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeReopened, RequestTaken
from counterfoil_schema.records import split_key

REPAIR = "repair"
REQUESTS_PER_TURN = 50
REST_SECONDS = 5.0


class Repairs:
    """Decides the open requests for repairs of one company."""

    def __init__(
        self,
        *,
        session: Session,
        store: StateStore,
        books: Books,
        reader: BooksReader,
        sources: SourceReader,
        adapters: Mapping[str, SourceAdapter],
        clock: Clock,
    ) -> None:
        self._session = session
        self._store = store
        self._books = books
        self._reader = reader
        self._sources = sources
        self._adapters = adapters
        self._clock = clock
        self._read: set[int] = set()
        self._resting_until = 0.0

    async def take(self) -> bool:
        """Read what open requests are about, and once that is folded, decide them; returns whether anything moved."""
        open_ones = await self._store.some(
            RequestRow, "open_requests_for", self._session.company, REPAIR, REQUESTS_PER_TURN
        )
        if not open_ones or self._clock.monotonic() < self._resting_until:
            return False
        unread = [one for one in open_ones if one.position not in self._read]
        if unread:
            try:
                await self._look(unread)
            except (BooksUnreadableError, SourceError) as trouble:
                # They stay open: nothing is decided on what could not be read.
                wait = trouble.retry_after if trouble.retry_after is not None else REST_SECONDS
                self._resting_until = self._clock.monotonic() + max(wait, REST_SECONDS)
                return False
            self._read.update(one.position for one in unread)
            return True
        for one in open_ones:
            await self._session.decide(await self._decide(one))
            self._read.discard(one.position)
        return True

    async def _look(self, some: Sequence[RequestRow]) -> None:
        """Both sides as they are now: the record at its source, its document in the books."""
        links = await self._store.load(self._session.company, LinkRow.table, [(one.record_key,) for one in some])
        documents: dict[str, list[str]] = {}
        for one in some:
            row = links.get((one.record_key,))
            if isinstance(row, LinkRow):
                documents.setdefault(row.entity, []).append(row.document_id)
        for entity, ids in documents.items():
            await self._reader.record(await self._books.read(entity, ids, "retry"), "look-up")
        for one in some:
            connection, kind, source_id = split_key(one.record_key)
            adapter = self._adapters.get(connection)
            if adapter is not None and kind in adapter.kinds():
                changes = await kept_apart(connection, adapter.read(kind, source_id))
                await self._sources.record(connection, changes, "look-up")

    async def _decide(self, request: RequestRow) -> list[Event]:
        change = await self._change_of(request.record_key)
        reopened: list[Event] = []
        outcome = "It was read anew at its source; what is new of it is decided like any change."
        if change is not None and change.state != "waiting":
            reason = f"{request.author} asked that the books hold again what the source wants."
            reopened = [
                ChangeReopened(change=change.position, record_key=change.record_key, reason=reason, repair=True)
            ]
            outcome = "It is decided afresh, on what both sides hold now."
        taken = RequestTaken(
            change=request.position, record_key=request.record_key, request=request.position, outcome=outcome
        )
        return [*reopened, taken]

    async def _change_of(self, record_key: str) -> ChangeRow | None:
        """The change from which the document's last wish came: that of its record, or of the one that it belongs to."""
        company = self._session.company
        intents = [row for row in await self._store.intents_of(company, record_key) if row.target == BOOKS]
        if not intents:
            return None
        first = await self._store.one(ChangeRow, company, str(intents[-1].change))
        if first is None:
            return None
        changes = await self._store.some(ChangeRow, "changes_of_record", company, first.record_key)
        return changes[-1] if changes else first
