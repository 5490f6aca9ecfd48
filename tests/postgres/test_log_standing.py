"""An engine writes nothing for a company whose log is not as it was written; it says where, and what to do."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from counterfoil.cli.tasks.quiet import until_quiet
from counterfoil.engine import Engine
from counterfoil.log import standing
from counterfoil.settings import AnchorSettings
from support.logs import MASTER
from support.postgres import Server
from support.rebuilt import Books, Synced, copied, drop, synced_shop

REDATE = "update counterfoil_log.events set recorded_at = recorded_at {} interval '1 day' where position = 7"
SENT = "select count(*) from counterfoil_log.events where event_type = 'call.sent'"
RUNBOOK = "ops/runbooks/log-verify-failed.md"


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("standing"), postgres_server) as shop:
        yield shop


@pytest.fixture
async def books(synced: Synced) -> AsyncIterator[Books]:
    copy = await copied(synced)
    try:
        yield copy
    finally:
        await drop(copy)


async def stopped(engine: Engine, state: str = "stopped") -> str:
    """Why the company was stopped; waits for it."""
    async with asyncio.timeout(60):
        while engine.runners[1].state != state:
            await asyncio.sleep(0.02)
    return engine.runners[1].error


async def test_a_verdict_stops_the_company_and_another_one_lets_it_go_on(books: Books) -> None:
    before = await books.value(SENT)
    await books.execute(REDATE.format("+"), replica=True)
    found = await asyncio.to_thread(books.shop.run, "log", "verify")
    assert found.code == 4

    async with Engine(books.settings) as engine:
        engine.start()
        why = await stopped(engine)
        health = await engine.health()
    assert "company 1, position 7: the " in why
    assert RUNBOOK in why
    assert "`counterfoil log verify --company 1` finds nothing" in why
    assert health["ready"] is False
    assert before == await books.value(SENT)

    await books.execute(REDATE.format("-"), replica=True)
    mended = await asyncio.to_thread(books.shop.run, "log", "verify")
    assert mended.code == 0, mended.said
    async with Engine(books.settings) as engine:
        watched = await until_quiet(engine, engine.clock, timeout_seconds=120)
        assert [one.ending for one in watched.values()] == ["quiet"], engine.runners[1].error


async def test_nothing_that_a_person_asks_for_is_built_upon_a_damaged_log(books: Books) -> None:
    await books.execute(REDATE.format("+"), replica=True)
    assert (await asyncio.to_thread(books.shop.run, "log", "verify")).code == 4
    head = await books.value("select position from counterfoil_log.heads where company = 1")

    apply = ("rollback", "--record", "shop:order:501", "--apply", "--yes", "--reason", "a wrong order")
    asked = await asyncio.to_thread(books.shop.run, *apply)

    assert asked.code == 4, asked.said
    assert "company 1, position 7: the " in asked.err
    assert RUNBOOK in asked.err
    assert head == await books.value("select position from counterfoil_log.heads where company = 1")


async def test_a_verdict_stops_a_company_at_work(books: Books, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "LOOK_SECONDS", 0.05)
    async with Engine(books.settings) as engine:
        engine.start()
        async with asyncio.timeout(60):
            while engine.runners[1].state != "working":
                await asyncio.sleep(0.02)
        await books.execute(
            "insert into counterfoil_state.verdicts values (1, now(), 9, 1, 'company 1, position 9: changed')"
        )
        assert "position 9: changed" in await stopped(engine)


async def test_a_head_that_does_not_fit_its_event_is_seen_without_a_verdict(books: Books) -> None:
    await books.execute("update counterfoil_log.heads set hash = sha256(hash) where company = 1", replica=True)
    async with Engine(books.settings) as engine:
        engine.start()
        assert "the head does not fit its event" in await stopped(engine)


async def test_a_log_that_was_cut_off_behind_its_anchor_is_seen(books: Books, tmp_path: Path) -> None:
    anchor = AnchorSettings(file=tmp_path / "anchor.json", key=SecretStr(MASTER.get_secret_value()))
    settings = books.settings.model_copy(update={"anchor": anchor})
    environment = {"COUNTERFOIL_ANCHOR_KEY": MASTER.get_secret_value()}
    shop = type(books.shop)(books.shop.folder, {**books.shop.environment, **environment})
    written = await asyncio.to_thread(shop.run, "log", "anchor", str(anchor.file))
    assert written.code == 0, written.said
    await books.execute(
        "delete from counterfoil_log.events where position > 20",
        "update counterfoil_log.heads set position = 20, hash = "
        "(select link from counterfoil_log.events where position = 20)",
        replica=True,
    )

    async with Engine(settings) as engine:
        engine.start()
        why = await stopped(engine, "recovering")
        health = await engine.health()
    assert "the company ends at 20, but stood at" in why
    assert "`counterfoil recover --company 1`" in why
    assert RUNBOOK in why
    assert (health["ready"], [one["state"] for one in health["companies"]]) == (False, ["recovering"])

    against = await asyncio.to_thread(shop.run, "log", "verify", "--anchor", str(anchor.file))
    without = await asyncio.to_thread(shop.run, "log", "verify")
    assert against.code == 4
    assert without.code in {0, 4}
    # What only the anchor shows is not forgotten because somebody looked without it.
    assert "against the anchor" in str(await books.value("select first_fault from counterfoil_state.verdicts"))
