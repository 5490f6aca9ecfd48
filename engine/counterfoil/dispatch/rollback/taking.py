"""Takes up rollbacks that operators applied: plans at the present position what they were shown, and nothing else.

The plan is made afresh; a step whose document, or anything it rests on, is another since the preview is refused, and
comes back in a new preview. All intents bear the run's name. Their ids follow from the request, so that whoever goes on
after a crash plans each of them once.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final

from counterfoil.dispatch.ids import intent_id
from counterfoil.dispatch.rollback.loading import Loaded, RollbackLoader
from counterfoil.dispatch.rollback.preview import Agreed, agreed, preview_of
from counterfoil.dispatch.session import Session
from counterfoil.dispatch.view import EventSource, ViewLoader
from counterfoil.dispatch.watched import BOOKS
from counterfoil.log import Guard, StaleDecisionError
from counterfoil.planning.rollback import Refusal, Step
from counterfoil.planning.types import PLANNER_VERSION
from counterfoil.state.rows import IntentRow, RunRow
from counterfoil.state.runs import ROLLBACK
from counterfoil.state.store import StateStore
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import Inputs, IntentPlanned, IntentWithdrawn, Lane
from counterfoil_schema.events.rollbacks import RollbackDecided, RollbackRefused, RollbackRequested

STEPS_PER_APPEND: Final = 200
LIVE_MAX: Final = 30
"""A rollback of more documents goes in the lane of backfills, so that new work is not kept waiting behind it."""

_CHANGED: Final = "It, or what it rests on, has changed since the preview."


@dataclass(slots=True, kw_only=True)
class RollbackTaker:
    """Takes up the rollbacks of one company."""

    session: Session
    store: StateStore
    events: EventSource
    view: ViewLoader
    loader: RollbackLoader

    async def take(self, head: int) -> bool:
        """Plan one rollback that waits; returns whether there was any. `head` is where the state stands."""
        company = self.session.company
        for run in await self.store.some(RunRow, "open_runs", company, ROLLBACK, 1):
            request = await self.events.event_at(company, run.asked)
            if not isinstance(request, RollbackRequested):
                raise TypeError(f"the event at {run.asked} asks for no rollback")
            with suppress(StaleDecisionError):  # something newer bears on it: fold that, then plan what is left
                await self._decide(run, request, head)
            return True
        return False

    async def _decide(self, run: RunRow, request: RollbackRequested, head: int) -> None:
        loaded = await self.loader.load(request.scope, request.policy, upto=request.previewed, own=run.run)
        preview = preview_of(loaded)
        rows = await self.store.some(IntentRow, "intents_of_run", self.session.company, run.run)
        planned = {undone for row in rows for undone in row.undoes}
        done = frozenset(step.document for step in preview.plan.steps if planned.issuperset(step.undoes))
        found = agreed(preview, request.steps, done)
        steps = [step for step in found.steps if step.document not in done]
        ids = self._ids(run, preview.plan.steps)
        for start in range(0, len(steps), STEPS_PER_APPEND):
            part = steps[start : start + STEPS_PER_APPEND]
            await self._plan(run, part, loaded, ids, lane=_lane(len(found.steps)), head=head)
        refused = _refused(found, preview.plan.refusals, done)
        decided = RollbackDecided(
            change=run.asked,
            record_key=run.run,
            planned=len(rows) + len(steps),
            refused=tuple(refused),
            outcome=_outcome(len(rows) + len(steps), len(refused), head),
        )
        await self.session.decide([decided])

    async def _plan(
        self, run: RunRow, steps: Sequence[Step], loaded: Loaded, ids: dict[str, str], *, lane: Lane, head: int
    ) -> None:
        company = self.session.company
        keys = sorted({key for step in steps for key in (step.of_key, step.record_key)})
        rows = await self.store.some(IntentRow, "intents_of_records", company, keys)
        stuck = [row for row in rows if row.undoes and row.state == "parked" and row.run != run.run]
        new: list[tuple[Event, str | None]] = []
        for step in steps:
            trace = loaded.traces.get(step.undoes[-1])
            new.extend((gone, trace) for gone in _overtaken(stuck, step, run.run))
            new.append((await self._intent(run, step, loaded, ids, lane), trace))
        about = {key for step in steps for key in (step.of_key, step.record_key, f"{BOOKS}:{step.document}")}
        await self.session.decide_each(new, guard=Guard(tuple(sorted(about)), head))

    async def _intent(self, run: RunRow, step: Step, loaded: Loaded, ids: dict[str, str], lane: Lane) -> IntentPlanned:
        return IntentPlanned(
            change=step.change,
            record_key=step.record_key,
            person=step.person,
            intent_id=ids[step.document],
            target=BOOKS,
            entity=step.entity,
            operation=step.operation,
            body=Document.of(step.entity, step.body),
            needs=step.needs,
            content_hash=await self.view.body_hash(step.body),
            lane=lane,
            doc_number=step.number,
            amount=step.amount,
            currency=step.currency or None,
            remark=f"Takes back {step.label}{f' ({step.detail})' if step.detail else ''}.",
            inputs=Inputs(
                record=step.document, mapping=ROLLBACK, planner=PLANNER_VERSION, preferences=loaded.preferences
            ),
            run=run.run,
            undoes=step.undoes,
            builds_on=step.builds_on,
            waits_for=tuple(ids[first] for first in step.after if first in ids),
        )

    def _ids(self, run: RunRow, steps: Sequence[Step]) -> dict[str, str]:
        """The id of each step's intent, by the document that it takes back."""
        met: Counter[str] = Counter()
        ids: dict[str, str] = {}
        for step in sorted(steps, key=lambda one: one.document):
            ids[step.document] = intent_id(
                self.session.company, BOOKS, step.record_key, run.asked, met[step.record_key]
            )
            met[step.record_key] += 1
        return ids


def _lane(count: int) -> Lane:
    return "live" if count <= LIVE_MAX else "backfill"


def _overtaken(rows: Sequence[IntentRow], step: Step, run: str) -> Iterator[IntentWithdrawn]:
    """An earlier rollback's compensation of the same effects that could not be carried out."""
    for row in rows:
        if set(row.undoes) & set(step.undoes):
            yield IntentWithdrawn(
                change=row.change,
                record_key=row.record_key,
                intent_id=row.intent_id,
                code="superseded",
                reason=f"A newer rollback, {run}, takes its place.",
            )


def _refused(found: Agreed, refusals: Sequence[Refusal], done: frozenset[str]) -> list[RollbackRefused]:
    changed = [
        RollbackRefused(
            record_key=step.of_key,
            entity=step.of_entity,
            document_id=step.document_id,
            code="changed",
            reason=_CHANGED,
        )
        for step in found.changed
        if step.document not in done
    ]
    refused = [
        RollbackRefused(
            record_key=one.record_key,
            entity=one.entity,
            document_id=one.document_id,
            code=one.code,
            reason=one.reason,
        )
        for one in refusals
    ]
    return [*changed, *refused]


def _outcome(planned: int, refused: int, head: int) -> str:
    return f"{planned} compensations planned, {refused} documents stay, as the log stood at {head}"
