"""Waits for a rollback or a redrive to end, and works for the company itself where nobody else does."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from counterfoil.cli.opening import Opened
from counterfoil.cli.output import tell
from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.engine import Engine
from counterfoil.settings import Settings
from counterfoil.state.rows import OPEN_INTENTS, IntentRow, RunRow
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.redrives import RedriveDecided
from counterfoil_schema.events.rollbacks import RollbackDecided

LOOK_SECONDS: Final = 0.3
SERVED_SECONDS: Final = 6.0
"""For how long somebody else may take it up before this process does the work itself."""

ENDED_SECONDS_MAX: Final = 3_600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How far a run is.

    Attributes:
        held: plans that wait for a person's approval.
        withdrawn: plans that were not sent: the books held all of it, or somebody skipped it.
        refused: what stays or was put back, with the reasons.
    """

    taken: bool
    done: int = 0
    open: int = 0
    held: int = 0
    parked: int = 0
    withdrawn: int = 0
    refused: Sequence[str] = ()


async def until_ended(opened: Opened, settings: Settings, company: int, run: str) -> Ended:
    """Until it is planned and nothing of it moves any more; what waits for approval is not waited for."""
    found = await _watched(opened, company, run, SERVED_SECONDS, taken=True)
    if found.taken:
        return await _watched(opened, company, run, ENDED_SECONDS_MAX, taken=False)
    async with Engine(settings) as engine:
        watched = await until_quiet(engine, engine.clock, timeout_seconds=None)
        for one in watched.values():
            if one.ending != "quiet" and one.runner.error:
                tell(one.runner.error)
    return await how_far(opened, company, run)


async def _watched(opened: Opened, company: int, run: str, seconds: float, *, taken: bool) -> Ended:
    began = opened.clock.monotonic()
    while True:
        found = await how_far(opened, company, run)
        reached = found.taken if taken else found.taken and not found.open
        if reached or opened.clock.monotonic() - began > seconds:
            return found
        await asyncio.sleep(LOOK_SECONDS)


async def how_far(opened: Opened, company: int, run: str) -> Ended:
    """How far a run is now."""
    row = await opened.store.one(RunRow, company, run)
    if row is None or row.taken is None:
        return Ended(taken=False)
    intents = await opened.store.some(IntentRow, "intents_of_run", company, run)
    recorded = await opened.reader.get(company, row.taken)
    decided = await recorded.event() if recorded is not None else None
    return Ended(
        taken=True,
        done=sum(one.state == "accepted" for one in intents),
        open=sum(one.state in OPEN_INTENTS and one.state != "held" for one in intents),
        held=sum(one.state == "held" for one in intents),
        parked=sum(one.state == "parked" for one in intents),
        withdrawn=sum(one.state == "withdrawn" for one in intents),
        refused=_refused(decided),
    )


def _refused(decided: Event | None) -> tuple[str, ...]:
    match decided:
        case RollbackDecided(refused=refused):
            return tuple(f"{one.entity} {one.document_id} ({one.record_key}): {one.reason}" for one in refused)
        case RedriveDecided(refused=refused):
            return tuple(f"{one.record_key}: {one.reason}" for one in refused)
        case _:
            return ()
