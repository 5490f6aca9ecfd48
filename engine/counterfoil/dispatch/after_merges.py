"""What was refused because it named a record that somebody had merged away is decided afresh.

A merge may become known only after a document that names the one that went was refused: its webhook was late or lost.
What the document named is in the log, and so is what became of that. Tried again, it names the one that stays. The
same where a mapping names what a list showed no more, before anybody told of the merge.
"""

from collections.abc import Iterator

from counterfoil.dispatch.observing import BooksReader
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.survivors import Survivors
from counterfoil.dispatch.view import EventSource
from counterfoil.planning.outcome import MERGED_AT_SOURCE
from counterfoil.planning.references import references_in
from counterfoil.planning.types import NAME_REF
from counterfoil.state.rows import ChangeRow, IntentRow, LinkRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.decisions import CallSent, ChangeReopened, IntentPlanned
from counterfoil_schema.events.receipts import SourceRemoved
from counterfoil_schema.exact_json import JsonValue
from counterfoil_schema.records import record_key

NAMES_WHAT_IS_GONE = ("610", "2500")
"""Intuit's codes for a document that names a record which is inactive, deleted or not there."""

NAME_UNKNOWN = "unknown-name"
"""The code of what was not sent, for want of something in the books that its mapping names (`missing_names.py`)."""

PARKED_ROWS = 200
_REASONS = (*NAMES_WHAT_IS_GONE, NAME_UNKNOWN, MERGED_AT_SOURCE)


class AfterMerges:
    """Reopens what one company's merges stood in the way of.

    It looks once a holder takes over, whenever a merge was recorded, and when it is told to: a refusal may come in
    after the merge that explains it.
    """

    def __init__(
        self, *, session: Session, store: StateStore, events: EventSource, books: BooksReader, survivors: Survivors
    ) -> None:
        self._session = session
        self._store = store
        self._events = events
        self._books = books
        self._survivors = survivors
        self._looked_at = -1

    async def take(self, head: int, *, anyway: bool = False) -> bool:
        """Decide what waits, if a merge is news; returns whether there was anything. `head`: where the state stands."""
        merged_at = self._books.merged_at
        if head < merged_at or not (anyway or merged_at > self._looked_at):
            return False
        await self._survivors.load()
        found: list[ChangeReopened] = []
        after = 0
        while True:
            arguments = (self._session.company, _REASONS, after, PARKED_ROWS)
            page = await self._store.some(ChangeRow, "parked_for", *arguments)
            for change in page:
                reason = await self._explained(change)
                if reason is not None:
                    found.append(ChangeReopened(change=change.position, record_key=change.record_key, reason=reason))
            if len(page) < PARKED_ROWS:
                break
            after = page[-1].position
        if found:
            await self._session.decide(found)
        self._looked_at = merged_at
        return bool(found)

    async def _explained(self, change: ChangeRow) -> str | None:
        """Which merge explains that this was refused, or was waited for; None if none does."""
        if change.code == MERGED_AT_SOURCE:
            return await self._followed(change)
        keys = [(one,) for one, state in change.intents.items() if state == "parked"]
        rows = await self._store.load(self._session.company, IntentRow.table, keys)
        for row in rows.values():
            if isinstance(row, IntentRow) and row.code == NAME_UNKNOWN:
                return await self._known_again(row)
            if not isinstance(row, IntentRow) or row.sent is None or row.code not in NAMES_WHAT_IS_GONE:
                continue
            sent = await self._events.event_at(self._session.company, row.sent)
            items = sent.items if isinstance(sent, CallSent) else ()
            bodies = [one.body.fields() for one in items if one.intent_id == row.intent_id]
            named = {key for body in bodies for key in references_in(body, row.entity)}
            survivors = self._survivors.among(named)
            for (entity, gone), kept in sorted(survivors.items()):
                return f"{entity} {gone}, which it names, was merged in QuickBooks into {entity} {kept}."
        return None

    async def _followed(self, change: ChangeRow) -> str | None:
        """Whether two records that became one at their source are one in the books now."""
        event = await self._events.event_at(self._session.company, change.position)
        if not isinstance(event, SourceRemoved) or event.merged_into is None:
            return None
        keys = (change.record_key, record_key(event.connection, event.source_kind, event.merged_into))
        rows = await self._store.load(self._session.company, LinkRow.table, [(one,) for one in keys])
        links = [row for row in rows.values() if isinstance(row, LinkRow)]
        documents = {(row.entity, row.document_id) for row in links}
        if len(links) < len(keys) or len(documents) > 1:
            return None
        return f"{links[0].entity} {links[0].document_id} stands for both in QuickBooks, since they were merged there."

    async def _known_again(self, row: IntentRow) -> str | None:
        """Which of the names that a plan bears leads to something since the merge; None while one of them does not."""
        planned = await self._events.event_at(self._session.company, row.planned)
        names = sorted(set(_names_in(planned.body.fields()))) if isinstance(planned, IntentPlanned) else []
        for entity, name in names:
            if await self._store.answer("document_named", self._session.company, entity, name) is None:
                return None
        if not names:
            return None
        return f"{' and '.join(f'{entity} “{name}”' for entity, name in names)}: merged in QuickBooks into what stays."


def _names_in(value: JsonValue) -> Iterator[tuple[str, str]]:
    """Entity and name of all that a symbolic body names."""
    if isinstance(value, list):
        for member in value:
            yield from _names_in(member)
    elif isinstance(value, dict):
        match value.get(NAME_REF):
            case [str(entity), str(name)]:
                yield entity, name
            case _:
                for member in value.values():
                    yield from _names_in(member)
