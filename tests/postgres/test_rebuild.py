"""A fresh fold of the log against the tables: nothing differs after real work; a change by hand is found exactly."""

from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from counterfoil.cli.opening import open_state
from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.engine import Engine
from counterfoil.recovery import CheckReport, check_company
from counterfoil.recovery import check as check_module
from counterfoil.recovery.tables import at_one_moment
from counterfoil.settings import Settings, load_settings
from support.cli import make_shop
from support.postgres import Database, admin_connection
from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
async def synced(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Settings:
    """A company that was synchronised by a real engine, with one broken row and the books' own echoes."""
    shop = make_shop(tmp_path / "shop", emulator, database)
    shop.replace("exports/lines.csv", "502,1,P1,2,9.99", "502,1,P1,two,9.99")
    settings = load_settings(shop.folder / "counterfoil.toml", shop.environment)
    for _ in range(2):  # the second one sees by its sweep what the first one wrote
        async with Engine(settings) as engine:
            watched = await until_quiet(engine, engine.clock, timeout_seconds=120)
            assert [one.ending for one in watched.values()] == ["quiet"], engine.runners[1].error
    return settings


async def check(settings: Settings) -> CheckReport:
    async with open_state(settings) as opened:
        return await check_company(1, opened.reader, partial(at_one_moment, opened.pool, opened.names))


async def test_after_real_work_nothing_differs(synced: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    report = await check(synced)

    assert report.differences == ()
    assert report.same
    assert report.events == report.position
    # Two customers and two products, and two orders of which one is parked; 3 have documents of their own kind.
    assert report.rows["records"] == 6
    assert report.rows["links"] == 5
    assert report.rows["companies"] == 1

    # In pages of one event the result is the same: nothing rests on what a page holds.
    monkeypatch.setattr(check_module, "PAGE_EVENTS", 1)
    assert report == await check(synced)


@pytest.mark.parametrize(
    ("statement", "expected"),
    [
        (
            "update counterfoil_state.links set sync_token = '77' where record_key = 'shop:order:501'",
            [("links", ("shop:order:501",), "column", "sync_token", "'77'")],
        ),
        (
            "update counterfoil_state.intents set amount = amount + 0.01 where record_key = 'shop:order:501'",
            [("intents", None, "column", "amount", "Decimal('150.51')")],
        ),
        (
            "delete from counterfoil_state.records where record_key = 'shop:product:P1'",
            [("records", ("shop:product:P1",), "missing", "", "")],
        ),
        (
            (
                "insert into counterfoil_state.hints (company, connection, kind, source_id, operation, received) "
                "values (1, 'shop', 'order', '9', 'update', 1)"
            ),
            [("hints", ("shop", "order", "9"), "extra", "", "")],
        ),
    ],
)
async def test_what_was_changed_by_hand_is_found_and_nothing_else(
    synced: Settings,
    database: Database,
    statement: str,
    expected: list[tuple[str, tuple[str, ...] | None, str, str, str]],
) -> None:
    async with admin_connection(database) as admin:
        await admin.execute(statement)

    report = await check(synced)

    found = [
        (one.table, one.key if key is not None else None, one.kind, one.column, one.found)
        for one, (_, key, *_rest) in zip(report.differences, expected, strict=True)
    ]
    assert expected == found
    assert report.differing == 1
    assert not report.same
    assert one_line(report)


def one_line(report: CheckReport) -> bool:
    """Each difference is one sentence that names the table."""
    return all("\n" not in str(one) and one.table in str(one) for one in report.differences)


async def test_tables_that_are_ahead_of_the_log_are_told(synced: Settings, database: Database) -> None:
    """As after a log was restored from an older backup than the tables."""
    async with admin_connection(database) as admin:
        await admin.execute("update counterfoil_state.checkpoints set position = position + 5 where company = 1")

    report = await check(synced)

    assert [one.kind for one in report.differences] == ["stopped"]
    assert "but the tables are folded up to" in str(report.differences[0])


async def test_a_company_without_a_log_has_nothing_to_differ(synced: Settings) -> None:
    async with open_state(synced) as opened:
        report = await check_company(99, opened.reader, partial(at_one_moment, opened.pool, opened.names))

    assert report.same
    assert report.events == 0
