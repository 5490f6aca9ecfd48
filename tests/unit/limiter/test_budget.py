"""The month's budget at the gate: who is refused, who is not, and what others' spending does."""

from datetime import UTC, datetime

import pytest

from counterfoil.connections import budget_of
from counterfoil.dispatch.limiter import CallKind, GateRefusedError, Lane, LimiterSettings, ReadBudget, RealmGate
from counterfoil.settings import QuickBooksSettings
from counterfoil.testing.virtual_time import LoopClock, run_virtually
from support.seeded import SeededEntropy


class Day(LoopClock):
    """Some day of a month, at its beginning."""

    def __init__(self, day: int = 16) -> None:
        super().__init__()
        self.day = day

    def now(self) -> datetime:
        return datetime(2026, 11, self.day, tzinfo=UTC)


def refused(budget: ReadBudget, kind: CallKind = CallKind.READ) -> list[Lane]:
    """The lanes that get no permit, in their order."""

    async def main() -> list[Lane]:
        gate = RealmGate(LimiterSettings.unreserved(), clock=LoopClock(), entropy=SeededEntropy(1), budget=budget)
        found = []
        for lane in Lane:
            try:
                (await gate.acquire(lane, kind)).release()
            except GateRefusedError as refusal:
                found.append((lane, refusal.over_budget, refusal.paused))
        assert {one[1:] for one in found} <= {(True, False)}
        return [lane for lane, *_ in found]

    return run_virtually(main())


@pytest.mark.parametrize(
    ("spent", "expected"),
    [
        (400, []),
        (920, [Lane.RECONCILE]),
        (960, [Lane.BACKFILL, Lane.RECONCILE]),
        (1_000, [Lane.LIVE, Lane.BACKFILL, Lane.RECONCILE]),
        (5_000, [Lane.LIVE, Lane.BACKFILL, Lane.RECONCILE]),
    ],
)
def test_reads_stop_lane_by_lane_and_writes_never(spent: int, expected: list[Lane]) -> None:
    budget = ReadBudget(Day(), own=1_000)
    budget.count(spent)
    assert refused(budget) == expected
    assert refused(budget, CallKind.SINGLE) == refused(budget, CallKind.BATCH) == []


def test_a_refusal_says_what_was_spent_and_when_to_come_again() -> None:
    async def main() -> GateRefusedError:
        budget = ReadBudget(Day(), own=1_000)
        budget.count(1_200)
        gate = RealmGate(LimiterSettings.unreserved(), clock=Day(), entropy=SeededEntropy(1), budget=budget)
        with pytest.raises(GateRefusedError) as refusal:
            await gate.acquire(Lane.RECONCILE, CallKind.READ)
        return refusal.value

    said = run_virtually(main())
    assert "1,200 of 1,000 are spent" in said.message
    assert "2026-12-01 00:00 UTC" in said.message
    # Asked again within the hour: the budget may have been raised.
    assert said.retry_after_seconds == 3_600


def test_what_other_companies_spend_of_the_app_s_budget_counts() -> None:
    budget = ReadBudget(Day(), app=1_000)
    budget.count(10)
    assert refused(budget) == []
    budget.learn(spent=1_000, companies=4)
    assert refused(budget) == [Lane.LIVE, Lane.BACKFILL, Lane.RECONCILE]
    (app,) = budget.budgets()
    assert (app.spent, app.companies) == (1_010, 5)


def test_a_new_month_begins_with_nothing_spent() -> None:
    clock = Day(30)
    budget = ReadBudget(clock, own=100, app=100)
    budget.count(200)
    budget.learn(spent=500, companies=1)
    assert budget.stopped_until(Lane.LIVE) == datetime(2026, 12, 1, tzinfo=UTC)
    december = ReadBudget(LaterClock(), own=100, app=100)
    december.restore(budget.counted)
    assert december.stopped() == {}


class LaterClock(Day):
    """The month after."""

    def now(self) -> datetime:
        return datetime(2026, 12, 1, 0, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("environment", "own", "expected"),
    [
        ("production", None, (None, 500)),
        ("production", 70, (70, 500)),
        ("production", "off", (None, None)),
        # Intuit meters no sandbox, and nobody an emulator: what somebody sets there is kept all the same.
        ("sandbox", None, (None, None)),
        ("sandbox", 70, (70, None)),
    ],
)
def test_which_budgets_bind_a_company(
    environment: str, own: int | str | None, expected: tuple[int | None, int | None]
) -> None:
    settings = QuickBooksSettings.model_validate(
        {"environment": environment, "client_id": "c", "client_secret": "s", "metered_reads_per_month": own}
    )
    budget = budget_of(settings, 500, LoopClock())
    assert (budget.own, budget.app) == expected
