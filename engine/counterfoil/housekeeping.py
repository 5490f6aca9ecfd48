"""What has to be done now and then: keep the limiter's last minute for a restart, watch the connection, show gauges."""

from datetime import datetime, timedelta
from decimal import Decimal

from counterfoil.connections import Connected
from counterfoil.dispatch.limiter import CallKind, GateSnapshot, Stamp
from counterfoil.ports import Clock
from counterfoil.state.store import StateStore
from counterfoil.telemetry.ports import Instruments
from counterfoil.token_watch import ConnectionWatch
from counterfoil_schema import exact_json

SAVE_SECONDS = 1.0
UNSAVED_CALLS_MAX = 10
"""How many calls a process may have made since it last saved: Intuit allows ten a second."""


class Housekeeper:
    """Keeps house for one company while its lease is held."""

    def __init__(
        self,
        *,
        company: int,
        store: StateStore,
        connected: Connected,
        clock: Clock,
        instruments: Instruments,
        watch: ConnectionWatch,
    ) -> None:
        self._company = company
        self._store = store
        self._connected = connected
        self._clock = clock
        self._instruments = instruments
        self._watch = watch
        self._begun = False
        self._saved: tuple[Stamp, ...] = ()
        self._shown: GateSnapshot | None = None

    async def begin(self) -> None:
        """Count the calls that an earlier process made in the last minute, and those that it may not have saved."""
        if self._begun:
            return
        self._begun = True
        for row in await self._store.records("gauges", self._company):
            counted = exact_json.loads_object(str(row["metered"]).encode())
            self._connected.gate.restore_metered({month: int(str(calls)) for month, calls in counted.items()})
        text = await self._store.value("stamps", self._company)
        if text is None:
            return
        stamps = _read(exact_json.loads(text))
        now = self._clock.now()
        if stamps and now - max(stamp.at for stamp in stamps) < timedelta(minutes=1):
            stamps += [Stamp(now, CallKind.SINGLE)] * UNSAVED_CALLS_MAX
        self._connected.gate.restore(stamps)

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
        stamps = self._connected.gate.stamps()
        if stamps == self._saved:
            return
        values = [[stamp.at.isoformat(), stamp.kind.value] for stamp in stamps]
        text = exact_json.dumps(values).decode()
        await self._store.execute("save_stamps", self._company, text, self._clock.now())
        self._saved = stamps

    async def _save_gauges(self) -> None:
        seen = self._connected.gate.snapshot()
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
        self._instruments.limiter(self._company, self._connected.gate.snapshot().used)


def _read(values: exact_json.JsonValue) -> list[Stamp]:
    pairs = [one for one in values if isinstance(one, list)] if isinstance(values, list) else []
    return [Stamp(datetime.fromisoformat(str(at)), CallKind(str(kind))) for at, kind in pairs]
