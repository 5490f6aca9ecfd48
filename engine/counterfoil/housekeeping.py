"""What has to be done now and then: keep the limiter's last minute for a restart, watch the connection, show gauges."""

from collections.abc import Mapping
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Any, Protocol

from counterfoil.dispatch.limiter import CallKind, GateSnapshot, RealmGate, Stamp
from counterfoil.ports import Clock
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json

SAVE_SECONDS = 1.0
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

    async def begin(self) -> None:
        """Go on where whoever held the company last stopped: each time that its lease is taken.

        That holder's calls of the last minute count, and those that it may not have saved; so do its metered reads,
        its pause after a 429 and its ceiling.
        """
        for row in await self._store.records("gauges", self._company):
            self._resume(dict(row))
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
        gate.restore_metered({month: max(0, int(str(calls)) - own.get(month, 0)) for month, calls in counted.items()})
        gate.resume(ceiling=float(row["ceiling"]), paused_until=row["paused_until"], seen_at=row["saved_at"])

    async def run(self) -> None:
        """Save and show, until cancelled."""
        while True:
            await self._clock.sleep(SAVE_SECONDS)
            await self.save()
            await self._watch.look()
            self._show()

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

    def _show(self) -> None:
        self._instruments.limiter(self._company, self._gate.snapshot().used)


def _read(values: exact_json.JsonValue) -> list[Stamp]:
    pairs = [one for one in values if isinstance(one, list)] if isinstance(values, list) else []
    return [Stamp(datetime.fromisoformat(str(at)), CallKind(str(kind))) for at, kind in pairs]
