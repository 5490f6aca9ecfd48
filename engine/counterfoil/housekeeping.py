"""What has to be done now and then: keep the limiter's last minute for a restart, watch the connection, show gauges."""

import logging
from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from counterfoil.dispatch.limiter import CallKind, GateSnapshot, Lane, RealmGate, Stamp
from counterfoil.dispatch.limiter.budget import COMPANIES_SEEN, WHAT_STOPS
from counterfoil.ports import Clock
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json

logger = logging.getLogger("counterfoil")
SAVE_SECONDS = 1.0
BUDGET_SECONDS = 15.0
"""How often it is asked what the app's other companies have spent of the month's budget."""

UNSAVED_CALLS_MAX = 10
"""How many calls a process may have made since it last saved: Intuit allows ten a second."""


class Watch(Protocol):
    """What is needed of `ConnectionWatch`."""

    async def look(self) -> None: ...


class Housekeeper:
    """Keeps house for one company while its lease is held."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        gate: RealmGate,
        clock: Clock,
        instruments: Instruments,
        watch: Watch,
    ) -> None:
        self._company = company
        self._store = store
        self._gate = gate
        self._clock = clock
        self._instruments = instruments
        self._watch = watch
        self._saved: tuple[Stamp, ...] = ()
        self._shown: GateSnapshot | None = None
        self._budget_due = 0.0
        self._stopped: frozenset[Lane] = frozenset()

    async def begin(self) -> None:
        """Go on where whoever held the company last stopped: each time that its lease is taken.

        That holder's calls of the last minute count, and those that it may not have saved; so do its metered reads,
        its pause after a 429 and its ceiling.
        """
        for row in await self._store.records("gauges", self._company):
            self._resume(dict(row))
        await self._share_budget()
        text = await self._store.value("stamps", self._company)
        stamps = _read(exact_json.loads(text)) if text is not None else []
        if tuple(stamps) == self._saved:
            return  # nobody else has held the company since
        now = self._clock.now()
        if stamps and now - max(stamp.at for stamp in stamps) < timedelta(minutes=1):
            stamps += [Stamp(now, CallKind.SINGLE)] * UNSAVED_CALLS_MAX
        self._gate.restore(stamps)

    def _resume(self, row: Mapping[str, Any]) -> None:
        gate, shown = self._gate, self._shown
        counted = exact_json.loads_object(str(row["metered"]).encode())
        # Of what stands there, what this process saved itself is counted already.
        own = shown.metered_reads if shown is not None else {}
        gate.budget.restore({month: max(0, int(str(calls)) - own.get(month, 0)) for month, calls in counted.items()})
        gate.resume(ceiling=float(row["ceiling"]), paused_until=row["paused_until"], seen_at=row["saved_at"])

    async def run(self) -> None:
        """Save and show, until cancelled."""
        while True:
            await self._clock.sleep(SAVE_SECONDS)
            await self.save()
            await self._watch.look()
            if self._clock.monotonic() >= self._budget_due:
                await self._share_budget()
            self.show()

    async def save(self) -> None:
        """Keep the last minute's calls and what the gate shows, if they have changed."""
        await self._save_gauges()
        stamps = self._gate.stamps()
        if stamps == self._saved:
            return
        values = [[stamp.at.isoformat(), stamp.kind.value] for stamp in stamps]
        text = exact_json.dumps(values).decode()
        await self._store.execute("save_stamps", self._company, text, self._clock.now())
        self._saved = stamps

    async def _save_gauges(self) -> None:
        seen = self._gate.snapshot()
        if seen == self._shown:
            return
        waiting = {lane.name.lower(): count for lane, count in seen.waiting.items()}
        await self._store.execute(
            "save_gauges",
            self._company,
            exact_json.dumps(dict(seen.metered_reads)).decode(),
            seen.used,
            seen.allowed,
            Decimal(str(round(seen.ceiling, 4))),
            exact_json.dumps(dict(waiting)).decode(),
            seen.throttled,
            Decimal(str(round(seen.waited_seconds, 3))),
            seen.paused_until,
            self._clock.now(),
        )
        self._shown = seen

    async def _share_budget(self) -> None:
        """Learn what others have spent, and say what that stops."""
        self._budget_due = self._clock.monotonic() + BUDGET_SECONDS
        budget, now = self._gate.budget, self._clock.now()
        arguments = (budget.month(), now - COMPANIES_SEEN, self._company)
        (row,) = await self._store.records("metered_elsewhere", *arguments)
        budget.learn(spent=row["spent"], companies=row["companies"])
        stopped = budget.stopped()
        for lane, until in stopped.items():
            if lane not in self._stopped:
                self._warn(lane, until)
        for lane in self._stopped.difference(stopped):
            logger.info("company %d: %s go on; the month's budget has room again", self._company, WHAT_STOPS[lane])
        self._stopped = frozenset(stopped)
        for lane in WHAT_STOPS:
            seconds = (stopped[lane] - now).total_seconds() if lane in stopped else 0.0
            self._instruments.stopped(self._company, lane.name.lower(), seconds)

    def _warn(self, lane: Lane, until: datetime) -> None:
        tightest = self._gate.budget.tightest()
        spent, reads = (tightest.spent, tightest.reads_per_month) if tightest is not None else (0, 0)
        logger.warning(
            "company %d: %s stop until %s UTC; %d of the month's budget of %d metered reads are spent. "
            "Raise metered_reads_per_month if Intuit's plan has more.",
            self._company,
            WHAT_STOPS[lane],
            f"{until:%Y-%m-%d %H:%M}",
            spent,
            reads,
        )

    def show(self) -> None:
        """Set the gauges."""
        self._instruments.limiter(self._company, self._gate.snapshot().used)
        budget = self._gate.budget
        figures = {"used": budget.used(), "forecast": budget.forecast()}
        if (tightest := budget.tightest()) is not None:
            figures.update(budget=tightest.reads_per_month, spent=tightest.spent)
        self._instruments.reads(self._company, figures)


def _read(values: exact_json.JsonValue) -> list[Stamp]:
    pairs = [one for one in values if isinstance(one, list)] if isinstance(values, list) else []
    return [Stamp(datetime.fromisoformat(str(at)), CallKind(str(kind))) for at, kind in pairs]
