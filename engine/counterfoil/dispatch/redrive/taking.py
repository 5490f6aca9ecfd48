"""Takes up redrives that operators applied: plans once more what they were shown, and nothing else.

It waits until the mapping of the preview holds: that is recorded by an engine that was started with it, so that sources
are read by it, too, and no older one comes back. Each record is decided afresh by the same room as always; if its
documents, their versions or its content are others than in the preview, nothing is planned for it, and it is put back.
All intents bear the run's name, which also tells whoever goes on after a crash what is planned already.
"""

import asyncio
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Final

from counterfoil.dispatch.decide import Decider
from counterfoil.dispatch.decided import Decided, compatible
from counterfoil.dispatch.redrive.steps import StepDocument, Steps
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource
from counterfoil.log import Guard, RecordedEvent, StaleDecisionError
from counterfoil.planning.shadow import owner_of
from counterfoil.state.rows import ChangeRow, IntentRow, MappingRow, RecordRow, RunRow
from counterfoil.state.runs import REDRIVE
from counterfoil.state.store import StateStore
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import ChangeParked, ChangeSkipped, ChangeUnchanged, IntentPlanned
from counterfoil_schema.events.receipts import SourceObserved, SourceRemoved
from counterfoil_schema.events.redrives import RedriveDecided, RedriveRefused, RedriveRequested, RedriveStep

STEPS_PER_TURN: Final = 100
RUNS_PER_TURN: Final = 5
LIVE_MAX: Final = 30
"""A redrive of more records goes in the lane of backfills, so that new work is not kept waiting behind it."""

_CHANGED: Final = "It, its document or what would be sent has changed since the preview."
_IN_FLIGHT: Final = "Something of it is on its way, or about to be decided anyway."
_MAPPING: Final = "Another mapping was recorded since it was asked for."

_Made = tuple[ChangeRow, Decided]


@dataclass(slots=True, kw_only=True)
class RedriveTaker:
    """Takes up the redrives of one company.

    Attributes:
        refused: by run and record, what was put back so far; found again after a crash.
    """

    session: Session
    store: StateStore
    events: EventSource
    decider: Decider
    steps: Steps
    refused: dict[str, dict[str, RedriveRefused]] = field(default_factory=dict)

    async def take(self, head: int) -> bool:
        """Plan some records of a redrive whose mapping holds; returns whether there were any."""
        company = self.session.company
        for run in await self.store.some(RunRow, "open_runs", company, REDRIVE, RUNS_PER_TURN):
            request = await self.events.event_at(company, run.asked)
            if not isinstance(request, RedriveRequested):
                raise TypeError(f"the event at {run.asked} asks for no redrive")
            mapping = await self.store.one(MappingRow, company, request.connection)
            if mapping is None or mapping.digest != request.mapping:
                if mapping is None or mapping.position < run.asked:
                    continue  # until an engine is started with that mapping
                self._put_back(run, request.steps, "mapping", _MAPPING)
            with suppress(StaleDecisionError):  # something newer bears on it: fold that, then plan what is left
                await self._go_on(run, request, head)
            return True
        return False

    async def _go_on(self, run: RunRow, request: RedriveRequested, head: int) -> None:
        refused = self.refused.setdefault(run.run, {})
        rows = await self.store.some(IntentRow, "intents_of_run", self.session.company, run.run)
        planned = {owner_of(row.record_key) for row in rows}
        left = [one for one in request.steps if one.record_key not in refused and one.record_key not in planned]
        if not left:
            await self._end(run, len(planned), list(refused.values()), head)
            return
        made = await self._made(run, left[:STEPS_PER_TURN], request.mapping)
        lane = "live" if len(request.steps) <= LIVE_MAX else "backfill"
        new: list[tuple[Event, str | None]] = []
        bears_on: dict[str, None] = {}
        for _, decided in compatible(made):
            bears_on |= dict.fromkeys(decided.bears_on)
            for event in decided.events:
                ours = isinstance(event, IntentPlanned)
                stamped = event.model_copy(update={"run": run.run, "lane": lane}) if ours else event
                new.append((stamped, decided.trace))
        if new:
            await self.session.decide_each(new, guard=Guard(tuple(bears_on), head))

    async def _made(self, run: RunRow, steps: Sequence[RedriveStep], mapping: str) -> list[_Made]:
        """Decisions on those records that are as they were shown; the others are put back."""
        company, keys = self.session.company, [(one.record_key,) for one in steps]
        records = await self.store.load(company, RecordRow.table, keys)
        rows = {one.record_key: row for one in steps if (row := records.get((one.record_key,))) is not None}
        positions = [row.position for row in rows.values() if isinstance(row, RecordRow)]
        found = await self.events.recorded_many(company, positions)
        changes = await self.store.load(company, ChangeRow.table, [(str(one),) for one in positions])

        async def one(step: RedriveStep) -> _Made | None:
            row = rows.get(step.record_key)
            position = row.position if isinstance(row, RecordRow) else 0
            change = changes.get((str(position),))
            if not isinstance(change, ChangeRow) or position not in found:
                self._put_back(run, [step], "changed", _CHANGED)
                return None
            return await self._decided(run, step, change, found[position], mapping)

        return [made for made in await asyncio.gather(*(one(step) for step in steps)) if made is not None]

    async def _decided(
        self, run: RunRow, step: RedriveStep, change: ChangeRow, recorded: RecordedEvent, mapping: str
    ) -> _Made | None:
        event = await recorded.event()
        decided = await self.decider.decide(change, event) if change.decided is not None else None
        if decided is None:
            self._put_back(run, [step], "in_flight", _IN_FLIGHT)
            return None
        intents = [one for one in decided.events if isinstance(one, IntentPlanned)]
        if not intents or not isinstance(event, SourceObserved | SourceRemoved):
            self._put_back(run, [step], *_said(decided.events))
            return None
        wanted = [
            StepDocument(
                record_key=one.record_key,
                target=one.target,
                entity=one.entity,
                operation=one.operation,
                content=one.content_hash,
            )
            for one in intents
        ]
        content = event.content_hash if isinstance(event, SourceObserved) else "removed"
        fresh = await self.steps.step(step.record_key, content, mapping, wanted)
        if fresh.digest != step.digest:
            self._put_back(run, [step], "changed", _CHANGED)
            return None
        traced = Decided(events=decided.events, bears_on=decided.bears_on, trace=decided.trace or recorded.trace)
        return change, traced

    def _put_back(self, run: RunRow, steps: Sequence[RedriveStep], code: str, reason: str) -> None:
        refused = self.refused.setdefault(run.run, {})
        for step in steps:
            refused[step.record_key] = RedriveRefused(record_key=step.record_key, code=code, reason=reason)

    async def _end(self, run: RunRow, planned: int, refused: Sequence[RedriveRefused], head: int) -> None:
        decided = RedriveDecided(
            change=run.asked,
            record_key=run.run,
            planned=planned,
            refused=tuple(refused),
            outcome=f"{planned} records planned, {len(refused)} put back, as the log stood at {head}",
        )
        await self.session.decide([decided])
        self.refused.pop(run.run, None)


def _said(events: Sequence[Event]) -> tuple[str, str]:
    """What became of a record of which nothing was to be sent after all."""
    for event in events:
        if isinstance(event, ChangeSkipped | ChangeParked):
            return event.code, event.reason
        if isinstance(event, ChangeUnchanged):
            return "unchanged", event.reason
    return "changed", _CHANGED
