"""Brings a company's projections up to the head of its log."""

from counterfoil.dispatch.erasures import Erasures
from counterfoil.dispatch.errors import ProjectionStoppedError
from counterfoil.dispatch.steps import Step, no_step
from counterfoil.log import LogReader
from counterfoil.ports import Clock
from counterfoil.state.projection import Checkpoint, fold_page
from counterfoil.state.store import StateStore, overtaken
from counterfoil.telemetry.ports import Instruments

PAGE_EVENTS_MAX = 500


class Folder:
    """Folds one company; the holder of its lease owns one."""

    def __init__(
        self,
        *,
        company: int,
        reader: LogReader,
        store: StateStore,
        clock: Clock,
        instruments: Instruments,
        erasures: Erasures | None = None,
        step: Step = no_step,
    ) -> None:
        self._company = company
        self._reader = reader
        self._store = store
        self._clock = clock
        self._instruments = instruments
        self._erasures = erasures
        self._step = step
        self._checkpoint: Checkpoint | None = None

    async def to_head(self) -> int:
        """Fold everything that is in the log; returns the position reached.

        Raises:
            ProjectionStoppedError: an event cannot be folded; the company stands still until that is mended.
            FoldOvertakenError: another process folds the same company, or a rebuild has put its rows right.
        """
        before = await self._store.checkpoint(self._company)
        if self._checkpoint is not None and not _is_same(before, self._checkpoint):
            raise overtaken(self._checkpoint)
        while True:
            page = await self._reader.read(self._company, after=before.position, limit=PAGE_EVENTS_MAX)
            if not page:
                self._checkpoint = before
                self._instruments.behind(self._company, 0)
                return before.position
            if len(page) == PAGE_EVENTS_MAX:
                head = (await self._reader.heads([self._company]))[self._company]
                self._instruments.behind(self._company, head.position - before.position)
            folded = await fold_page(self._store, self._company, before.position, page)
            after = Checkpoint(
                company=self._company,
                position=folded.position,
                state="stopped" if folded.error else "running",
                error=folded.error,
                moved_at=self._clock.now(),
                generation=before.generation,
            )
            self._step("fold.computed")
            if self._erasures is not None:
                await self._erasures.follow(page)
            await self._store.save(folded.rows.values(), before, after, after.moved_at)
            self._step("fold.saved")
            if folded.error:
                raise ProjectionStoppedError(
                    f"Company {self._company} stands still: {folded.error}.",
                    remedy="Nothing is lost. Install a release that knows the event, then start again.",
                )
            before = after
            if len(page) < PAGE_EVENTS_MAX:
                self._checkpoint = before
                self._instruments.behind(self._company, 0)
                return before.position


def _is_same(one: Checkpoint, other: Checkpoint) -> bool:
    return (one.position, one.generation) == (other.position, other.generation)
