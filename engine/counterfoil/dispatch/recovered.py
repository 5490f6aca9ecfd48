"""Documents that a recovery found, instead of those that would be made: what is there already is never made again."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Final, Literal

from counterfoil.dispatch.evidence import shows_effect
from counterfoil.dispatch.ids import completing_id, marker
from counterfoil.dispatch.outbox import SINGLE_ENTITIES, Instead, Prepared, Ready, first_incarnation
from counterfoil.dispatch.sender import accepted, with_differences
from counterfoil.dispatch.view import EventSource, ViewLoader, document_of
from counterfoil.dispatch.watched import BOOKS
from counterfoil.planning.outcome import named
from counterfoil.planning.recovered import recovered_lines, regained_lines
from counterfoil.planning.types import Composed, Link
from counterfoil.state.recoveries import known_sign
from counterfoil.state.rows import DocumentRow, IntentRow, LinkRow, RecoveredRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeParked, IntentAccepted, IntentParked, IntentPlanned, LineLink
from counterfoil_schema.exact_json import JsonObject

INCARNATIONS_MAX: Final = 8
"""How many documents may have been made, one after the other, for one record in the time that was forgotten."""

TWICE: Final = "recovered-twice"
LINES: Final = "recovered-lines"
CHANGED: Final = "recovered-changed"
VOIDED: Final = "recovered-voided"


class RecoveredDocuments:
    """Looks up, for what is about to be made, whether a recovery found it in the books of one company."""

    def __init__(self, *, company: int, store: StateStore, events: EventSource, view: ViewLoader) -> None:
        self._company = company
        self._store = store
        self._events = events
        self._view = view

    async def instead(self, ready: Ready) -> Prepared | None:
        """What becomes of a create whose document is there: it is taken as ours, and updated if it holds anything else.

        None where nothing of the kind was found, so that it is made.
        """
        if not (await self._view.company()).recovery:
            return None
        found = await self._bearers(ready)
        rows = [row for row, _ in found]
        living = [one for one in found if one[0].status == "live"]
        if len(living) > 1:
            return _park(ready.row, TWICE, *_twice_words(ready, [row for row, _ in living]))
        if not rows:
            return None
        row, observed = living[0] if living else found[-1]
        document = await self._document(row, observed)
        if row.status != "live":
            return Instead(row=ready.row, events=_voided(ready, row, document))
        lines = recovered_lines(ready.item.line_keys, ready.body, document)
        if lines is None:
            label = _label(row.entity, row.document_id, document)
            return _park(ready.row, LINES, *_lines_words(ready.row, label, "made"))
        if shows_effect(ready.body, document):
            whole = _accepted(ready, document, how="found").model_copy(update={"lines": lines})
            return Instead(row=ready.row, events=with_differences([whole], [ready.item]))
        part = _accepted(ready, document, how="adopted").model_copy(update={"lines": lines})
        return Instead(row=ready.row, events=[part, _completing(ready)])

    async def is_forgotten(self, row: IntentRow) -> bool:
        """Whether updates of a document may have been sent of which the log knows nothing."""
        if row.target != BOOKS or not (await self._view.company()).recovery:
            return False
        found = await self._store.one(RecoveredRow, self._company, row.entity, known_sign(row.record_key))
        link = await self._store.one(LinkRow, self._company, row.record_key)
        return found is not None and link is not None and link.image < found.observed

    async def regained(self, row: IntentRow, link: Link, whole: Composed) -> Link | IntentParked:
        """The link of such a document with the lines that forgotten updates added; or why nobody can tell them.

        Args:
            whole: the document as it would be made today.
        """
        lines = regained_lines(whole.line_keys, whole.body, link.lines, link.image, link.latest)
        if lines is not None:
            return replace(link, lines=lines)
        words = _lines_words(row, _label(row.entity, link.document_id, link.latest), "changed")
        return _park(row, LINES, *words)

    async def unexplained(self, ready: Ready) -> IntentParked | None:
        """Why such an update waits for a person: its document changed in the forgotten time, and its source did not.

        A person may have edited it, or we ourselves, for a state that the source has left since. Asked for again
        (`retry`), the source's values are written over it.
        """
        row = ready.row
        if row.generation or not await self.is_forgotten(row):
            return None
        found = await self._store.one(RecoveredRow, self._company, row.entity, known_sign(row.record_key))
        if found is None or row.change > found.observed:
            return None
        reason = (
            f"{_label(row.entity, str(ready.body.get('Id')), {})} was changed in the time that the restored log has "
            f"forgotten, by a person or by us, and does not hold what {row.record_key} says."
        )
        fix = "`counterfoil retry` writes the source's values over it; `counterfoil skip` keeps what is there."
        return _park(row, CHANGED, reason, fix)

    def held(self, ready: Ready, link: Link) -> Instead:
        """The end of an update that was sent before, and forgotten: the document holds all of it."""
        known = [LineLink(line_key=key, line_id=identity) for key, identity in link.lines.items()]
        found = accepted(ready.own_request_id, ready.item, link.latest, how="found")
        return Instead(row=ready.row, events=[found.model_copy(update={"lines": tuple(known)})])

    async def _bearers(self, ready: Ready) -> list[tuple[DocumentRow, int]]:
        """Documents that bear a sign of the record and stand for nothing, with the reading that holds each."""
        row, entity = ready.row, ready.item.entity
        link = await self._store.one(LinkRow, self._company, row.record_key)
        first = first_incarnation(row, link)
        numbers = range(first, first + INCARNATIONS_MAX)
        signs = [marker(self._company, row.record_key, row.entity, number) for number in numbers]
        if entity in SINGLE_ENTITIES and row.name_key is not None:
            signs.append(row.name_key)
        found = await self._store.load(self._company, RecoveredRow.table, [(entity, sign) for sign in signs])
        kept = [one for one in found.values() if isinstance(one, RecoveredRow)]
        observed = {document_id: one.observed for one in kept for document_id in one.documents}
        rows = await self._store.load(self._company, DocumentRow.table, [(entity, one) for one in observed])
        bearers = [one for one in rows.values() if isinstance(one, DocumentRow)]
        return [
            (one, observed[one.document_id])
            for one in sorted(bearers, key=lambda each: each.position)
            if one.record_key is None and one.status != "deleted"
        ]

    async def _document(self, row: DocumentRow, observed: int) -> JsonObject:
        """As last read; a list of names, read since, holds no whole entry."""
        document = document_of(await self._events.event_at(self._company, row.position))
        if document is None:
            document = document_of(await self._events.event_at(self._company, observed))
        if document is None:
            raise LookupError(f"the event at {observed} of company {self._company} carries no document")
        return document.fields()


def _accepted(ready: Ready, document: JsonObject, *, how: Literal["found", "adopted"]) -> IntentAccepted:
    return accepted(ready.own_request_id, ready.item, document, how=how)


def _completing(ready: Ready) -> IntentPlanned:
    """The update after it; where the document lacks nothing, it proves needless and is not sent."""
    return ready.planned.model_copy(
        update={"intent_id": completing_id(ready.row.intent_id), "operation": "update", "review": False}
    )


def _voided(ready: Ready, row: DocumentRow, document: JsonObject) -> Sequence[Event]:
    label = _label(row.entity, row.document_id, document)
    told = ChangeParked(
        change=ready.row.change,
        record_key=ready.row.record_key,
        code=VOIDED,
        reason=f"{label} was made for {ready.row.record_key} in the time that the restored log has forgotten, and "
        "voided since. It is not made again by itself.",
        fix="If it is right that it is void, mark this as settled (`counterfoil skip`); else enter it by hand.",
        outside=f"What was made for {named(ready.row.record_key)} in QuickBooks was voided since.",
    )
    return [_accepted(ready, document, how="adopted"), told]


def _twice_words(ready: Ready, rows: Sequence[DocumentRow]) -> tuple[str, str]:
    ids = ", ".join(row.document_id for row in rows)
    reason = (
        f"{len(rows)} documents in QuickBooks bear the mark of {ready.row.record_key}: {ready.item.entity} {ids}. "
        "One of them is probably a copy that somebody made; nothing is made or changed until it is clear which."
    )
    fix = "Void or delete the copy in QuickBooks, or take our mark (cf-…) out of its note; then retry the record."
    return reason, fix


def _lines_words(row: IntentRow, label: str, what: str) -> tuple[str, str]:
    reason = (
        f"{label} was {what} for {row.record_key} in the time that the restored log has forgotten, and holds lines "
        "that are not those of the source. Nobody can tell whether we wrote them or a person."
    )
    fix = "Give the document in QuickBooks the lines that the source has; then retry the record."
    return reason, fix


def _label(entity: str, document_id: str, document: JsonObject) -> str:
    number = document.get("DocNumber")
    name = f"number {number}" if isinstance(number, str) and number else document_id
    return f"{entity} {name}"


def _park(row: IntentRow, code: str, reason: str, fix: str) -> IntentParked:
    return IntentParked(
        change=row.change,
        record_key=row.record_key,
        intent_id=row.intent_id,
        code=code,
        reason=reason,
        fix=fix,
        outside=f"What stands for {named(row.record_key)} in QuickBooks has to be looked at.",
    )
