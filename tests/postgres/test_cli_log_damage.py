"""`log verify` at the command line: whatever was done to the log is told by its position, and leaves with 4."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.cli import Shop, make_shop
from support.postgres import Database, admin_connection
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

EVENTS = "counterfoil_log.events"
COPIED = "gen_random_uuid(), event_type, event_version, recorded_at, record_key, cause, trace, epoch, NULL, body, link"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def tamper(database: Database, *statements: str) -> None:
    """As somebody who owns the server could: with triggers off."""

    async def work() -> None:
        async with admin_connection(database) as admin, admin.transaction():
            await admin.execute("SET LOCAL session_replication_role = replica")
            for statement in statements:
                await admin.execute(statement)

    asyncio.run(work())


def test_changed_removed_inserted_and_swapped_events_are_told_by_position(shop: Shop, database: Database) -> None:
    assert shop.run("sync").code == 0
    intact = shop.run("log", "verify")
    assert intact.code == 0, intact.said
    assert "are as they were written" in intact.out
    head = shop.run("log", "verify", "--json").json()["events"]
    tamper(database, f"CREATE TABLE public.kept AS TABLE {EVENTS}")
    restore = (f"DELETE FROM {EVENTS}", f"INSERT INTO {EVENTS} TABLE public.kept")
    moved = f"UPDATE {EVENTS} SET position = %d WHERE company = 1 AND position = %d"
    damages: dict[str, tuple[list[str], dict[int, str]]] = {
        "changed": (
            [f"UPDATE {EVENTS} SET body = body || '\\x00'::bytea WHERE company = 1 AND position = 7"],
            {7: "changed"},
        ),
        "redated": (
            [f"UPDATE {EVENTS} SET recorded_at = recorded_at + interval '1 day' WHERE company = 1 AND position = 8"],
            {8: "changed"},
        ),
        "removed": ([f"DELETE FROM {EVENTS} WHERE company = 1 AND position = 9"], {9: "missing"}),
        "inserted": (
            [f"INSERT INTO {EVENTS} SELECT company, {head + 1}, {COPIED} FROM {EVENTS} WHERE position = {head}"],
            {head + 1: "inserted"},
        ),
        "swapped": ([moved % (0, 5), moved % (5, 6), moved % (6, 0)], {5: "changed", 6: "changed"}),
    }
    for name, (statements, expected) in damages.items():
        tamper(database, *statements)

        told = shop.run("log", "verify", "--json")
        words = shop.run("log", "verify")

        assert (told.code, words.code) == (4, 4), name
        assert told.json()["intact"] is False
        found = {one["position"]: one["kind"] for one in told.json()["faults"] if one["kind"] != "delivery"}
        assert expected.items() <= found.items(), (name, found)
        # What follows a changed link does not fit either; nothing before the damage is accused.
        assert min(found) == min(expected), (name, found)
        for position in expected:
            assert f"company 1, position {position}: " in words.out, (name, words.out)
        assert "faults in" in words.out or "fault in" in words.out
        tamper(database, *restore)
        assert shop.run("log", "verify").code == 0, name


def test_a_log_shown_exported_and_followed_is_the_same_log(shop: Shop) -> None:
    assert shop.run("sync").code == 0

    exported = shop.run("log", "export")
    again = shop.run("log", "export", "--to", "log.jsonl")
    later = shop.run("log", "export", "--after", "3")

    assert (exported.code, again.code, later.code) == (0, 0, 0)
    assert exported.out == (shop.folder / "log.jsonl").read_text(encoding="utf-8")
    assert exported.out.splitlines()[3:] == later.out.splitlines()
    assert "Öztürk" not in exported.out
    assert "Öztürk" in shop.run("log", "export", "--personal").out
