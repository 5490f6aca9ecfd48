"""A fresh fold of the log against the tables: a change by hand is found exactly, and put right; nothing else moves."""

import asyncio
import os
import re
import signal
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator

import pytest

from counterfoil.cli.opening import Opened, open_state
from counterfoil.clock import SystemClock
from counterfoil.recovery import Rebuilding, RebuildReport, WorkUnderWayError, folding, operators_work
from counterfoil.recovery import rebuild as rebuild_module
from counterfoil.state.projection import Checkpoint, fold_page
from counterfoil.state.rows import ROW_TYPES
from counterfoil.state.store import FoldOvertakenError, PostgresStateStore
from support.cli import environment_of
from support.postgres import Server, admin_connection
from support.rebuilt import Books, Synced, copied, drop, synced_shop

DAMAGES: dict[str, tuple[str, tuple[str, tuple[str, ...] | None, str, str, str]]] = {
    "a token": (
        "update counterfoil_state.links set sync_token = '77' where record_key = 'shop:order:501'",
        ("links", ("shop:order:501",), "column", "sync_token", "'77'"),
    ),
    "an amount": (
        "update counterfoil_state.intents set amount = amount + 0.01 where record_key = 'shop:order:501'",
        ("intents", None, "column", "amount", "Decimal('150.51')"),
    ),
    "a row gone": (
        "delete from counterfoil_state.records where record_key = 'shop:product:P1'",
        ("records", ("shop:product:P1",), "missing", "", ""),
    ),
    "a row too many": (
        """insert into counterfoil_state.hints (company, connection, kind, source_id, operation, received)
        values (1, 'shop', 'order', '9', 'update', 1)""",
        ("hints", ("shop", "order", "9"), "extra", "", ""),
    ),
}


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("synced"), postgres_server) as shop:
        yield shop


@pytest.fixture
async def books(synced: Synced) -> AsyncIterator[Books]:
    """A company that was synchronised by a real engine, with one broken row and the books' own echoes."""
    copy = await copied(synced)
    try:
        yield copy
    finally:
        await drop(copy)


def rebuilding(opened: Opened) -> Rebuilding:
    return Rebuilding(pool=opened.pool, names=opened.names, reader=opened.reader, clock=opened.clock)


async def all_rows(books: Books) -> dict[str, list[str]]:
    """Everything that the projections hold, as text."""
    found: dict[str, list[str]] = {}
    async with admin_connection(books.database) as admin:
        for row_type in ROW_TYPES:
            table = row_type.table
            rows = await admin.fetch(f"select to_jsonb(row)::text from counterfoil_state.{table} as row order by 1")
            found[table] = [row[0] for row in rows]
    return found


async def test_after_real_work_nothing_differs(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    report = await books.rebuild(check=True)

    assert report.differences == ()
    assert report.same
    assert not report.swapped
    assert report.events == report.position
    # Two customers and two products, and two orders of which one is parked; 3 have documents of their own kind.
    assert report.rows["records"] == 6
    assert report.rows["links"] == 5
    assert report.rows["companies"] == 1
    assert await books.value("select count(*) from pg_class where relname like 'fresh%'") == 0

    # In pages of one event the result is the same: nothing rests on what a page holds.
    monkeypatch.setattr(folding, "READ_ROWS", 1)
    assert report == await books.rebuild(check=True)


@pytest.mark.parametrize("name", DAMAGES)
async def test_what_was_changed_by_hand_is_found_and_nothing_else(books: Books, name: str) -> None:
    statement, expected = DAMAGES[name]
    await books.execute(statement)
    damaged = await all_rows(books)

    report = await books.rebuild(check=True)

    found = [
        (one.table, one.key if expected[1] is not None else None, one.kind, one.column, one.found)
        for one in report.differences
    ]
    assert [expected] == found
    assert report.differing == 1
    assert not report.same
    assert one_line(report)
    assert damaged == await all_rows(books), "a check changes nothing"


def one_line(report: RebuildReport) -> bool:
    """Each difference is one sentence that names the table."""
    return all("\n" not in str(one) and one.table in str(one) for one in report.differences)


async def test_all_of_it_is_put_right_at_once(books: Books) -> None:
    right = await all_rows(books)
    await books.execute(*(statement for statement, _ in DAMAGES.values()))

    mended = await books.rebuild()
    again = await books.rebuild()

    assert mended.swapped
    assert mended.differing == len(DAMAGES)
    assert right == await all_rows(books)
    assert again.same
    assert not again.swapped
    assert await books.value("select generation from counterfoil_state.checkpoints") == 1
    assert await books.value("select count(*) from pg_class where relname like 'fresh%'") == 0


async def test_tables_that_were_emptied_are_filled_from_the_log(books: Books) -> None:
    right = await all_rows(books)
    tables = ", ".join(f"counterfoil_state.{row_type.table}" for row_type in ROW_TYPES)
    await books.execute(f"truncate {tables}, counterfoil_state.checkpoints")

    report = await books.rebuild()

    assert report.swapped
    assert right == await all_rows(books)
    head = await books.value("select position from counterfoil_log.heads where company = 1")
    assert head == await books.value("select position from counterfoil_state.checkpoints where company = 1")


async def test_whoever_folded_on_wrong_rows_begins_anew(books: Books) -> None:
    """A page folded from rows as they were before the swap must not be written over what was put right."""
    await books.execute(DAMAGES["a token"][0])
    async with open_state(books.settings) as opened:
        store, clock = PostgresStateStore(opened.pool, opened.names), SystemClock()
        before = await store.checkpoint(1)
        wrong = await store.load(1, "links", [("shop:order:501",)])
        page = await opened.reader.read(1, after=before.position)
        folded = await fold_page(store, 1, before.position, page)

        report = await rebuilding(opened).rebuild(1)

        assert report.swapped
        after = Checkpoint(company=1, position=folded.position, generation=before.generation)
        with pytest.raises(FoldOvertakenError):
            await store.save(wrong.values(), before, after, clock.now())
    assert (await books.rebuild(check=True)).same


async def test_the_engine_works_on_behind_a_swap_and_writes_nothing_twice(books: Books) -> None:
    """The engine holds its caches while the tables are put right under it; it begins anew by itself."""
    from counterfoil.cli.tasks.quiet import until_quiet
    from counterfoil.engine import Engine

    sent = "select count(*) from counterfoil_log.events where event_type = 'call.sent'"
    before = await books.value(sent)
    async with Engine(books.settings) as engine:
        await until_quiet(engine, engine.clock, timeout_seconds=120)
        first = engine.runners[1].worker
        await books.execute(*(statement for statement, _ in DAMAGES.values()))
        report = await books.rebuild()
        assert report.swapped
        async with asyncio.timeout(60):
            while engine.runners[1].worker is first or engine.runners[1].state != "working":
                await asyncio.sleep(0.05)
        watched = await until_quiet(engine, engine.clock, timeout_seconds=120)
        assert [one.ending for one in watched.values()] == ["quiet"], engine.runners[1].error
    assert before == await books.value(sent)
    assert (await books.rebuild(check=True)).same


KILLED = """
import asyncio, os, signal, sys
from pathlib import Path
from counterfoil.cli.opening import open_state
from counterfoil.recovery import Rebuilding, folding, fresh
from counterfoil.settings import load_settings

folding.READ_ROWS = 2
fresh.ROWS_PER_SAVE = 2

def die(done, total):
    if done > total // 2:
        os.kill(os.getpid(), signal.SIGKILL)

async def main():
    async with open_state(load_settings(Path("counterfoil.toml"))) as opened:
        work = Rebuilding(pool=opened.pool, names=opened.names, reader=opened.reader, clock=opened.clock)
        await work.rebuild(1, progress=die)

asyncio.run(main())
"""


def killed_half_way(books: Books) -> None:
    died = subprocess.run(
        [sys.executable, "-c", KILLED],
        cwd=books.shop.folder,
        env=environment_of(books.shop.environment),
        timeout=120,
        check=False,
    )
    assert died.returncode == -signal.SIGKILL


async def test_a_rebuild_that_was_killed_goes_on_where_it_was(books: Books) -> None:
    right = await all_rows(books)
    await books.execute(*(statement for statement, _ in DAMAGES.values()))
    await asyncio.to_thread(killed_half_way, books)
    assert right != await all_rows(books), "nothing half done"

    report = await books.rebuild()

    assert 0 < report.went_on_from < report.position
    assert report.swapped
    assert report.differing == len(DAMAGES)
    assert right == await all_rows(books)


@pytest.mark.parametrize(
    "between",
    [
        "update counterfoil_state.fresh_runs set edition = 'another release'",
        "alter table counterfoil_state.links add column later text",
        "update counterfoil_state.fresh_runs set link = '\\x00'",
    ],
    ids=["other code", "other columns", "another log"],
)
async def test_what_an_attempt_left_is_not_trusted_if_anything_has_changed(books: Books, between: str) -> None:
    await asyncio.to_thread(killed_half_way, books)
    await books.execute(between)

    report = await books.rebuild()

    assert report.went_on_from == 0
    assert report.same


async def test_two_operators_do_not_work_on_one_company_at_once(books: Books) -> None:
    async with open_state(books.settings) as opened:
        async with operators_work(opened.pool, opened.names, 1, "rollback"):
            with pytest.raises(WorkUnderWayError, match=f"rollback by process {os.getpid()} on ") as refused:
                await rebuilding(opened).rebuild(1)
            told = await asyncio.to_thread(books.shop.run, "rebuild", "--json")
        assert "Nothing was changed" in str(refused.value)
        assert told.code == 3
        assert "Somebody else works on company 1: rollback by process" in told.json()["errors"][0]["message"]
        assert "Company 1: Somebody else works on company 1: rollback" in told.err
        assert (await rebuilding(opened).rebuild(1)).same


async def test_tables_that_are_ahead_of_the_log_are_told_and_kept(books: Books) -> None:
    """As after a log was restored from an older backup than the tables."""
    await books.execute("update counterfoil_state.checkpoints set position = position + 5 where company = 1")
    before = await all_rows(books)

    report = await books.rebuild()

    assert [one.kind for one in report.differences] == ["stopped"]
    assert "but the tables are folded up to" in str(report.differences[0])
    assert not report.swapped
    assert before == await all_rows(books)


async def test_a_log_that_is_not_as_it_was_written_gives_no_tables(books: Books) -> None:
    await books.execute(DAMAGES["a token"][0])
    await books.execute(
        "update counterfoil_log.events set recorded_at = recorded_at + interval '1 day' "
        "where company = 1 and position = 7",
        replica=True,
    )
    before = await all_rows(books)

    report = await books.rebuild()
    told = await asyncio.to_thread(books.shop.run, "rebuild")

    assert report.damaged
    assert report.position == 6
    assert "at 7 does not fit its link" in report.stopped
    assert not report.swapped
    assert before == await all_rows(books)
    assert told.code == 4
    assert "The log itself is damaged" in told.out


async def test_a_company_without_a_log_has_nothing_to_differ(books: Books) -> None:
    report = await books.rebuild(99, check=True)

    assert report.same
    assert report.events == 0
    assert (await books.rebuild(99)).same


async def test_the_fold_catches_up_while_the_tables_move_on(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    """The last stretch is folded while the live tables are held still."""
    monkeypatch.setattr(rebuild_module, "ROUNDS_MAX", 0)

    report = await books.rebuild()

    assert report.same
    assert report.position == await books.value("select position from counterfoil_state.checkpoints where company = 1")


async def test_companies_are_rebuilt_side_by_side_and_one_that_cannot_be_holds_up_no_other(books: Books) -> None:
    right = await all_rows(books)
    configuration = (books.shop.folder / "counterfoil.toml").read_text()
    second = configuration[configuration.index("[company.1]") :].replace("company.1", "company.2")
    second = re.sub('realm_id = "[0-9]+"', 'realm_id = "2"', second)
    two = books.shop.folder / "two.toml"
    await asyncio.to_thread(two.write_text, configuration + second)
    await books.execute(*(statement for statement, _ in DAMAGES.values()))
    command = ("rebuild", "--config", "two.toml", "--processes", "2")

    both = await asyncio.to_thread(books.shop.run, *command, "--json")
    async with open_state(books.settings) as opened, operators_work(opened.pool, opened.names, 2, "rollback"):
        one = await asyncio.to_thread(books.shop.run, *command)

    assert both.code == 0, both.said
    assert [(1, len(DAMAGES)), (2, 0)] == [(each["company"], each["differing"]) for each in both.json()["companies"]]
    assert right == await all_rows(books)
    assert one.code == 3
    assert "Company 2: Somebody else works on company 2: rollback by process" in one.err
    assert "the tables hold exactly these" in one.out
