"""Real engines, Postgres and books in a storm: everything is once in the books, to the cent, and nothing is lost.

A short round of what `make chaos` does for as long as one likes.
"""

from collections.abc import Callable
from pathlib import Path

import pytest

from support.chaos.report import Report
from support.chaos.round import Order, Result, run_round
from support.chaos.scene import Size
from support.chaos.schedule import Blow, Kind

SMALL = Size(engines=2, companies=2)


def only(*kinds: Kind, after: float = 1.0, force: float = 0.5) -> list[Blow]:
    return [Blow(after, kind, 0.3, force) for kind in kinds]


async def storm(folder: Path, order: Order) -> Result:
    folder.mkdir()
    return await run_round(folder, order)


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_a_storm_loses_and_doubles_nothing(
    tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    kinds: list[Kind] = ["engine", "postmaster", "token", "engine", "partition", "backend", "outage", "engine"]
    order = Order(seed=20, kills=0, size=SMALL, only=only(*kinds, after=2.5), small_disk=False)
    result = await storm(tmp_path / "storm", order)
    report = Report()
    report.add(result)
    record_property("figures", str(report.figures()))
    assert result.broken == []
    # More than the orders of the first day.
    assert result.documents > SMALL.companies * 8
    assert result.kills >= 4
    assert {"engine", "postmaster", "token"} <= result.done.keys()


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_who_was_halted_while_a_write_was_in_flight_does_nothing_once_another_holds_the_company(
    tmp_path: Path,
) -> None:
    # One that finds nobody at work, or no write in time, does no harm; of three, one finds both.
    stops = only("stop", "stop", "stop", after=8.0)
    result = await storm(
        tmp_path / "halt", Order(seed=21, kills=0, size=SMALL, only=stops, small_disk=False, points=False)
    )
    assert result.broken == []
    halted = [stall for stall in result.stalls if stall.in_flight in stall.stolen]
    assert halted
    assert all(stall.woken is not None for stall in halted)
    assert all(old < new for stall in result.stalls for old, new in stall.stolen.values())


@pytest.mark.slow
@pytest.mark.timeout(600)
async def test_on_a_full_disk_work_waits_and_goes_on_when_there_is_space(tmp_path: Path) -> None:
    size = Size(engines=1, companies=1)
    order = Order(seed=22, kills=0, size=size, only=only("disk full", after=5.0, force=0.7), points=False)
    result = await storm(tmp_path / "full", order)
    if result.disk:
        pytest.skip(result.disk)
    assert result.broken == []
    assert result.done == {"disk full": 1}
    # No engine went away because of it.
    assert (result.lives, result.ends) == (1, {})
