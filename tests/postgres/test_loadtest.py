"""`counterfoil loadtest` as a process: a shop's own history, multiplied; the shop's books and log stay as they are."""

import signal
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.loadtest.command import history_of
from counterfoil.settings import load_settings
from counterfoil_schema.exact_json import JsonObject
from support.cli import SECONDS_MAX, Shop, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def scratch(tmp_path: Path) -> Path:
    """Where temporary folders are made."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    return folder


@pytest.fixture
def shop(tmp_path: Path, scratch: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    made = make_shop(tmp_path / "shop", emulator, database)
    return replace(made, environment={**made.environment, "TMPDIR": str(scratch)})


def processes_in(folder: Path) -> list[str]:
    """Command lines of processes that were started for a folder, or work in it."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            line = (entry / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
            if str(folder) in line or (entry / "cwd").readlink().is_relative_to(folder):
                found.append(line)
        except OSError:
            continue
    return found


def stands(shop: Shop, emulator: EmulatorProcess) -> tuple[Any, JsonObject]:
    """The last event of the shop's log, and what its books were asked so far."""
    return shop.run("log", "tail", "--lines", "1", "--json").json(), emulator.control("/stats")


def test_a_multiple_of_the_own_history_is_run_and_nothing_of_the_shop_is_touched(
    shop: Shop, emulator: EmulatorProcess, scratch: Path
) -> None:
    early = shop.run("loadtest", "--json")
    assert early.code == 2, early.said
    assert "Nothing is recorded of the last 30 days" in early.json()["error"]["message"]
    assert "--orders-per-hour" in early.json()["error"]["remedy"]
    assert shop.run("sync").code == 0
    before = stands(shop, emulator)

    ran = shop.run("loadtest", "--times", "600", "--minutes", "0.3", "--seed", "5", "--html", "load.html", "--json")

    report = ran.json()
    (company,) = report["companies"]
    # Whether a busy machine keeps up is not ours to say.
    assert ran.code == (0 if company["keeps_up"] else 1), ran.said
    volume, measured = company["volume"], company["measured"]
    assert volume["changes"] == 6
    assert dict(volume["kinds"]) == {"shop:customer": 2, "shop:order": 2, "shop:product": 2}
    # Two customers and two products go one by one, two orders of one and of two lines in batches; 18 s are a 200th of
    # an hour. Where the hour struck meanwhile, the busier part counts.
    peak = volume["peak"]
    assert (peak["singles_new"] + peak["batched_new"], peak["lines"]) == (volume["busiest"], 2)
    expected = 3 * volume["busiest"]
    assert measured["planned"] == measured["made"] == expected
    assert measured["outcomes"] == {"applied": expected}
    assert measured["effects"] == expected
    assert measured["throttled"] == 0
    assert 0 < measured["in_second"] <= 10
    assert measured["writes"] <= measured["calls"]
    assert measured["in_minute"] <= measured["calls"]
    assert measured["delays"]["p50"] <= measured["delays"]["max"]
    assert report["peak_memory_bytes"] > 10_000_000
    assert "600 times its volume for 18 s" in (shop.folder / "load.html").read_text()

    assert stands(shop, emulator) == before
    assert [*scratch.iterdir()] == []
    assert processes_in(scratch) == []
    points = {one["number"]: one for one in shop.run("doctor", "--json").json()["companies"][0]["points"]}
    assert points[10]["verdict"] == ("warning" if company["keeps_up"] else "failed")
    assert "600 times the own volume for 18 s" in points[10]["evidence"]


async def test_the_history_tells_new_from_changed_and_names_from_transactions(shop: Shop) -> None:
    assert shop.run("sync").code == 0
    shop.replace("exports/lines.csv", "502,1,P1,2,9.99", "502,1,P1,3,9.99")
    shop.replace("exports/customers.csv", "C1,Ann Smith", "C1,Ann Miller")
    assert shop.run("sync").code == 0
    settings = load_settings(shop.folder / "counterfoil.toml", shop.environment)
    async with open_state(settings) as opened:
        hours = await history_of(opened, 1, opened.clock.now() - timedelta(days=1))
        later = await history_of(opened, 1, opened.clock.now() + timedelta(days=1))

    found: Counter[tuple[str, str]] = Counter()
    for one in hours:
        assert one.connection == "shop"
        names = (
            "changes",
            "quiet",
            "singles_new",
            "singles_changed",
            "batched_new",
            "batched_changed",
            "lines",
            "lined",
        )
        found.update({(one.kind, name): getattr(one, name) for name in names})
    assert +found == {
        ("customer", "changes"): 3,
        ("customer", "singles_new"): 2,
        ("customer", "singles_changed"): 1,
        ("product", "changes"): 2,
        ("product", "singles_new"): 2,
        ("order", "changes"): 3,
        ("order", "batched_new"): 2,
        ("order", "batched_changed"): 1,
        # Order 501 has two lines; 502 has one, and was written twice.
        ("order", "lines"): 4,
        ("order", "lined"): 3,
    }
    assert later == []


@pytest.mark.parametrize("stop", [signal.SIGINT, signal.SIGTERM])
def test_a_stop_leaves_no_process_and_no_folder_behind(shop: Shop, scratch: Path, stop: signal.Signals) -> None:
    arguments = ("loadtest", "--orders-per-hour", "600", "--minutes", "5")
    with started_cli(*arguments, cwd=shop.folder, environment=shop.environment) as started:
        until = time.monotonic() + SECONDS_MAX
        while "under load" not in started.err.read_text():
            assert started.process.poll() is None, started.err.read_text()
            assert time.monotonic() < until
            time.sleep(0.1)
        assert processes_in(scratch)
        assert started.stop(stop) == 130
    assert processes_in(scratch) == []
    assert [*scratch.iterdir()] == []


def test_what_cannot_be_run_is_refused_before_anything_is_started(shop: Shop, scratch: Path) -> None:
    refusals = {
        ("--minutes", "0.01"): "says nothing",
        ("--html", "none/load.html"): "There is no folder",
        ("--times", "0.01", "--minutes", "1"): "less than one change",
        ("--times", "0"): "--times",
        ("--company", "7"): "Company 7 is not configured",
    }
    for arguments, words in refusals.items():
        ran = shop.run("loadtest", "--orders-per-hour", "60", *arguments, "--json")
        assert ran.code == 2, (arguments, ran.said)
        assert words in ran.json()["error"]["message"], (arguments, ran.said)
    assert [*scratch.iterdir()] == []
