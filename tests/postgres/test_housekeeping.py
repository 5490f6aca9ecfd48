"""Whoever takes a company over stays inside the limits: calls, reads, pauses and ceilings outlive their process."""

import pytest
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.trace import NoOpTracerProvider

from counterfoil.dispatch.limiter import CallKind, Lane, LimiterSettings, ReadBudget, RealmGate
from counterfoil.housekeeping import UNSAVED_CALLS_MAX, Housekeeper
from counterfoil.postgres import Pool
from counterfoil.state.store import PostgresStateStore, StateStore
from counterfoil.telemetry.ports import Instruments
from support.dispatching import COMPANY, MovedClock
from support.postgres import Database
from support.seeded import SeededEntropy

SETTINGS = LimiterSettings(ceiling=1.0, live_reserve=0, live_reserve_in_flight=0, pause_jitter_seconds=0)


class Nobody:
    """Watches nothing."""

    async def look(self) -> None:
        """Nothing to see."""


class Process:
    """One process that may hold the company: its gate and its housekeeper, over the shared database."""

    def __init__(
        self, store: StateStore, clock: MovedClock, company: int = COMPANY, meters: MeterProvider | None = None
    ) -> None:
        self.clock = clock
        budget = ReadBudget(clock, app=1_000)
        self.gate = RealmGate(SETTINGS, clock=clock, entropy=SeededEntropy(7), budget=budget)
        meter = (meters or NoOpMeterProvider()).get_meter("tests")
        instruments = Instruments(NoOpTracerProvider().get_tracer("tests"), meter)
        self.keeper = Housekeeper(
            company=company,
            store=store,
            gate=self.gate,
            clock=clock,
            instruments=instruments,
            watch=Nobody(),
        )

    async def call(self, count: int, kind: CallKind = CallKind.SINGLE) -> None:
        """Make so many calls, one after the other, a fifth of a second apart."""
        for _ in range(count):
            (await self.gate.acquire(Lane.LIVE, kind)).release()
            self.clock.seconds += 0.2


@pytest.fixture
def clock() -> MovedClock:
    return MovedClock()


@pytest.fixture
def store(database: Database, pool: Pool) -> StateStore:
    return PostgresStateStore(pool, database.names)


async def test_calls_of_the_last_minute_outlive_their_process(store: StateStore, clock: MovedClock) -> None:
    first = Process(store, clock)
    await first.keeper.begin()
    await first.call(20)
    await first.call(2, CallKind.BATCH)
    await first.keeper.save()
    second = Process(store, clock)
    await second.keeper.begin()
    # Those that the first may have made since it last saved are counted as well.
    assert second.gate.snapshot().used == 22 + UNSAVED_CALLS_MAX
    assert second.gate.snapshot().batches_used == 2
    clock.seconds += 61
    assert second.gate.snapshot().used == 0


async def test_a_company_that_comes_back_brings_what_others_did_meanwhile(store: StateStore, clock: MovedClock) -> None:
    first, second = Process(store, clock), Process(store, clock)
    await first.keeper.begin()
    await first.call(5)
    first.gate.count_metered(100)
    await first.keeper.save()
    clock.seconds += 120
    await second.keeper.begin()
    await second.call(30)
    second.gate.count_metered(7)
    await second.keeper.save()
    await first.keeper.begin()
    assert first.gate.snapshot().used == 30 + UNSAVED_CALLS_MAX
    assert first.gate.snapshot().metered_reads == {"2026-03": 107}


async def test_taking_up_ones_own_work_counts_nothing_twice(store: StateStore, clock: MovedClock) -> None:
    process = Process(store, clock)
    await process.keeper.begin()
    await process.call(5)
    process.gate.count_metered(100)
    await process.keeper.save()
    process.gate.count_metered(3)
    await process.keeper.begin()
    assert process.gate.snapshot().used == 5
    assert process.gate.snapshot().metered_reads == {"2026-03": 103}


async def test_a_pause_after_a_429_outlives_its_process(store: StateStore, clock: MovedClock) -> None:
    first = Process(store, clock)
    await first.keeper.begin()
    await first.call(10)
    first.gate.throttled()
    lowered = first.gate.snapshot().ceiling
    await first.keeper.save()
    clock.seconds += 20
    second = Process(store, clock)
    await second.keeper.begin()
    assert second.gate.rest_seconds() == pytest.approx(40)
    assert second.gate.snapshot().ceiling == pytest.approx(lowered, abs=0.001)
    clock.seconds += 40 + 60
    assert second.gate.snapshot().ceiling == pytest.approx(lowered + SETTINGS.ceiling_rise_per_minute, abs=0.001)


async def test_a_company_that_never_rested_starts_at_full_share(store: StateStore, clock: MovedClock) -> None:
    first = Process(store, clock)
    await first.keeper.begin()
    await first.call(3)
    await first.keeper.save()
    second = Process(store, clock)
    await second.keeper.begin()
    assert second.gate.rest_seconds() == 0
    assert second.gate.snapshot().ceiling == 1.0


async def test_the_month_s_budget_is_shared_between_processes_and_its_end_is_told(
    store: StateStore, clock: MovedClock, caplog: pytest.LogCaptureFixture
) -> None:
    reader = InMemoryMetricReader()
    first, second = Process(store, clock), Process(store, clock, COMPANY + 1, SdkMeterProvider([reader]))
    first.gate.count_metered(900)
    await first.keeper.save()
    second.gate.count_metered(50)
    await second.keeper.begin()
    # More than half of March is still to come: 113 reads are kept back from the lowest lane, 56 from the next.
    assert set(second.gate.budget.stopped()) == {Lane.BACKFILL, Lane.RECONCILE}
    told = [one.getMessage() for one in caplog.records]
    assert len(told) == 2
    assert all("950 of the month's budget of 1000 metered reads" in one for one in told)
    assert any("sweeps and comparisons stop until 2026-03-" in one for one in told)
    second.keeper.show()
    data = reader.get_metrics_data()
    assert data is not None
    figures = {
        (metric.name, *(str(value) for key, value in sorted((point.attributes or {}).items()) if key != "company")): (
            point.value
        )
        for metric in data.resource_metrics[0].scope_metrics[0].metrics
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    }
    assert figures["counterfoil.reads", "budget"] == 1_000
    assert figures["counterfoil.reads", "spent"] == 950
    assert figures["counterfoil.reads", "used"] == 50
    assert figures["counterfoil.reads", "forecast"] >= 50
    assert figures["counterfoil.reads.stopped_for", "reconcile"] > 0
    assert figures["counterfoil.reads.stopped_for", "live"] == 0
