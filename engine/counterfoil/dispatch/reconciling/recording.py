"""Records what a reconciliation found: each difference once while it lasts, and each run in sum."""

from collections.abc import Callable, Mapping, Sequence

from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import KeyedHash
from counterfoil.log import NewEvent
from counterfoil.planning.reconciling.drifts import Drift, kind_of
from counterfoil.planning.reconciling.report import Report
from counterfoil.state.rows import DriftRow
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import (
    BooksReconciled,
    DriftCleared,
    DriftCount,
    DriftField,
    DriftFound,
    NotComparedPart,
    ReconciledType,
)

RECONCILED = "reconciled"
"""Name of the cursor: when everything was last compared."""

PAGE_ROWS = 1_000
EVENTS_PER_APPEND = 500
TOLD_MAX = 1_000
"""New differences that one run records; the others are in its sum, and recorded by the next."""
FIELDS_MAX = 50
TEXT_MAX = 2_000

Examined = Callable[[str, str], bool]
"""Whether a run looked at what a difference is about (by key and kind), so that it would have found it again."""


class DriftRecorder:
    """Appends for one company."""

    def __init__(self, *, session: Session, store: StateStore, hashes: KeyedHash) -> None:
        self._session = session
        self._store = store
        self._hashes = hashes

    async def record(self, report: Report, examined: Examined) -> None:
        """Append what is new of it, what is gone, and the run in sum."""
        known = await self._open()
        found = {(one.about, one.kind): one for one in report.drifts}
        new: list[Event] = []
        for key, drift in found.items():
            digest = await self._hashes.keyed_hash(report.company, drift.digest.encode())
            row = known.get(key)
            if len(new) < TOLD_MAX and (row is None or row.digest != digest):
                new.append(_event(drift, digest))
        gone: list[Event] = [
            DriftCleared(about=row.about, kind=kind_of(row.kind))
            for key, row in known.items()
            if key not in found and examined(row.about, row.kind)
        ]
        events = [*((one, _about(one)) for one in (*new, *gone)), (_sum(report, len(new), len(gone)), None)]
        for start in range(0, len(events), EVENTS_PER_APPEND):
            part = events[start : start + EVENTS_PER_APPEND]
            await self._session.receive([NewEvent(event=event, record_key=key) for event, key in part])

    async def _open(self) -> Mapping[tuple[str, str], DriftRow]:
        return {(row.about, row.kind): row for row in await open_drifts(self._store, self._session.company)}


async def open_drifts(store: StateStore, company: int) -> Sequence[DriftRow]:
    """Every difference that is known and not cleared."""
    found: list[DriftRow] = []
    after = ("", "")
    while True:
        rows = await store.some(DriftRow, "open_drifts", company, *after, PAGE_ROWS)
        found += rows
        if len(rows) < PAGE_ROWS:
            return found
        after = (rows[-1].about, rows[-1].kind)


def _event(drift: Drift, digest: str) -> DriftFound:
    return DriftFound(
        about=drift.about,
        kind=drift.kind,
        entity=drift.entity,
        document_id=drift.document_id,
        digest=digest,
        fields=tuple(
            DriftField(field=one.field, ours=one.ours[:TEXT_MAX], books=one.books[:TEXT_MAX])
            for one in drift.fields[:FIELDS_MAX]
        ),
        amount=drift.amount,
        currency=drift.currency,
        what_to_do=drift.what_to_do,
    )


def _about(event: Event) -> str | None:
    return event.about if isinstance(event, DriftFound | DriftCleared) else None


def _sum(report: Report, new: int, cleared: int) -> BooksReconciled:
    scope = report.scope
    return BooksReconciled(
        month=scope.month,
        entities=tuple(sorted(scope.entities)),
        sources=scope.sources,
        compared=tuple(
            ReconciledType(entity=one.entity, ours=one.ours, shown=one.shown, counted=one.counted)
            for one in report.reads
        ),
        drifts=tuple(DriftCount(kind=kind, documents=count) for kind, count in sorted(report.counts().items())),
        new=new,
        cleared=cleared,
        not_compared=tuple(NotComparedPart(what=one.what, reason=one.reason[:TEXT_MAX]) for one in report.not_compared),
        metered=report.metered,
    )
