"""Reconciles one company now and then, whole, in the lane that stops first when the month's reads run out."""

from datetime import datetime, timedelta

from counterfoil.dispatch.reconciling.run import Reconciler
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.watched import BOOKS
from counterfoil.planning.reconciling.report import Report, Scope
from counterfoil.ports import Clock
from counterfoil.state.store import StateStore

DUE = "reconcile due"
AGAIN = timedelta(days=1)
"""After a run that could not compare everything."""


class Reconciling:
    """The schedule of one company.

    Args:
        every_days: from one run to the next; 0 for none.

    Attributes:
        reconciler: for whoever wants a run of their own.
    """

    def __init__(
        self, *, reconciler: Reconciler, session: Session, store: StateStore, clock: Clock, every_days: float
    ) -> None:
        self.reconciler = reconciler
        self._session = session
        self._store = store
        self._clock = clock
        self._every = timedelta(days=every_days)

    async def run_if_due(self) -> Report | None:
        """Reconcile if it is time to. A company that is new is left to its beginnings first."""
        if not self._every:
            return None
        now = self._clock.now()
        kept = await self._store.value("cursor", self._session.company, BOOKS, DUE)
        if kept is None:
            await self._save(now + self._every)
            return None
        if now < datetime.fromisoformat(kept):
            return None
        # Should the process end on the way, the next holder does not begin at once again.
        await self._save(now + AGAIN)
        report = await self.reconciler.run(Scope())
        await self._save(now + (AGAIN if report.not_compared else self._every))
        return report

    async def _save(self, due: datetime) -> None:
        await self._store.execute("save_cursor", self._session.company, BOOKS, DUE, due.isoformat(), self._clock.now())
