"""Back up, run on, restore, resume: nothing is sent until the log is recovered; nothing is doubled or lost."""

import asyncio
import json
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.cli.tasks.recover import recover
from counterfoil.dispatch.watched import BOOKS
from counterfoil.errors import ConfigurationError
from counterfoil.log import LogDamagedError, LogForgetfulError
from counterfoil.log.anchor import AnchorKey, read_anchor
from counterfoil.postgres import Pool
from counterfoil.recovery.operators import WorkUnderWayError, operators_work
from counterfoil_schema.events.decisions import CallSent
from support.backups import back_up, needs_own_programs
from support.postgres import Database, Server, admin_connection
from support.recovering import KEY, WISH, anchored, effects, put_back, run_on
from support.running import Shop, open_shop


async def refused(shop: Shop) -> str:
    """Start the engine; why it sends nothing."""
    async with shop.engine(anchored(shop)) as engine, asyncio.timeout(60):
        while engine.runners[1].state != "recovering":
            await asyncio.sleep(0.05)
        return engine.runners[1].error


async def test_nothing_is_doubled_or_lost_after_an_older_backup_was_restored(
    postgres_server: Server,
    database: Database,
    pool: Pool,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    needs_own_programs()
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        sales = shop.sales
        sales.open(customers=3, products=2, orders=10)
        await run_on(shop)
        await back_up(database, tmp_path / "books.dump")

        customer = sales.add_customer()
        sales.add_product()
        fresh = [sales.add_order(customer) for _ in range(5)]
        for number in ("1001", "1002"):
            sales.edit_order(number)
        await run_on(shop)
        sales.edit_order(fresh[0])
        await shop.pay({"1003": Decimal("1.00")})
        sales.orders["1003"].paid += Decimal("1.00")
        await run_on(shop)
        sent = await effects(shop)
        # What comes while the database is away, to a document that was made since the backup and to one from before it.
        sales.edit_order(fresh[1])
        sales.edit_order("1001")
        sales.add_order(customer)

        async with put_back(shop, postgres_server, tmp_path / "books.dump") as again:
            why = await refused(again)
            assert "the company ends at" in why
            assert "`counterfoil recover --company 1`" in why
            assert await effects(again) == sent
            with pytest.raises(LogForgetfulError):
                async with again.engine(anchored(again)) as engine, engine.runners[1].aside():
                    pass
            capsys.readouterr()
            assert await recover(anchored(again), replace(WISH, dry_run=True)) == 1
            seen = json.loads(capsys.readouterr().out)["companies"][0]
            assert await recover(anchored(again), WISH) == 0
            told = json.loads(capsys.readouterr().out)["companies"][0]
            # 1 customer, 1 product, 5 orders; 2 orders edited, 1 paid for, and the payment.
            assert seen["found"] == told["found"] == {"Customer": 1, "Invoice": 5, "Item": 1}
            assert told["changed"] >= 4
            assert await effects(again) == sent
            async with again.engine(anchored(again)):
                await again.until_done()
            await again.check()
            assert await recover(anchored(again), WISH) == 0
            assert json.loads(capsys.readouterr().out)["companies"][0]["state"] == "whole"


async def test_before_a_call_leaves_its_log_is_anchored(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """However new a backup is: what it has forgotten of what was sent, the anchor knows of."""
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=1, products=1, orders=2)
        settings = anchored(shop)
        seen: list[int] = []

        def step(name: str) -> None:
            if name in {"call.sent", "batch.sent"}:
                seen.append(json.loads((shop.folder / "anchor.json").read_bytes())["heads"][0][1])

        async with shop.engine(settings, step=step) as engine:
            await shop.until_done()
            calls = [one async for one in engine.reader.stream(1) if one.event_type == CallSent.event_type]
            events = {one.position: await one.event() for one in calls}
        sent = [at for at, event in events.items() if isinstance(event, CallSent) and event.target == BOOKS]
        assert len(seen) == len(sent) >= 3
        assert all(one >= at for one, at in zip(sorted(seen), sent, strict=True))


async def test_a_log_that_has_gone_another_way_since_is_seen_too(
    postgres_server: Server, database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Webhooks are recorded meanwhile, until such a log is as long as the one that it was."""
    needs_own_programs()
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=1, products=1, orders=1)
        await run_on(shop)
        await back_up(database, tmp_path / "books.dump")
        shop.sales.add_order()
        await run_on(shop)
        anchor = await read_anchor(shop.folder / "anchor.json", AnchorKey(KEY))

        async with put_back(shop, postgres_server, tmp_path / "books.dump") as again:
            async with again.engine(anchored(again)) as engine:
                note = {"operation": "update", "id": "1", "body": {"PrivateNote": "seen"}}
                async with asyncio.timeout(60):
                    while (await again.pool.fetchval("select position from counterfoil_log.heads")) < anchor.heads[1][
                        0
                    ]:
                        await again.control("/books/Invoice", note)
                        await asyncio.sleep(0.05)
                    while "rewritten" not in engine.runners[1].error:
                        await asyncio.sleep(0.1)
                assert engine.runners[1].state == "recovering"
            assert await recover(anchored(again), WISH) == 0
            async with again.engine(anchored(again)):
                await again.until_done()
            await again.check()


async def test_what_cannot_be_recovered_is_refused(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=1, products=1, orders=1)
        with pytest.raises(ConfigurationError, match="No anchor says"):
            await recover(anchored(shop), WISH)
        await run_on(shop)
        with pytest.raises(ConfigurationError, match="needs a reason"):
            await recover(anchored(shop), replace(WISH, reason=" "))
        with pytest.raises(ConfigurationError, match="no anchor"):
            await recover(anchored(shop), replace(WISH, anchor=tmp_path / "none.json"))
        with pytest.raises(ConfigurationError, match="no type of document 'Invoices'"):
            await recover(anchored(shop), replace(WISH, left_out=("Invoices",)))
        async with operators_work(pool, database.names, 1, "rebuild"):
            with pytest.raises(WorkUnderWayError, match="Somebody else works on company 1: rebuild"):
                await recover(anchored(shop), WISH)
        async with admin_connection(database) as admin, admin.transaction():
            await admin.execute("SET LOCAL session_replication_role = replica")
            await admin.execute(
                "update counterfoil_log.events set recorded_at = recorded_at + interval '1 day' where position = 7"
            )
        with pytest.raises(LogDamagedError, match="position 7"):
            await recover(anchored(shop), replace(WISH, anyway=True))
        assert await pool.fetchval("select count(*) from counterfoil_log.events where event_type ~ 'recovery'") == 0


async def test_where_the_anchor_cannot_be_written_nothing_is_sent(
    database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with open_shop(database, pool, tmp_path, monkeypatch) as shop:
        shop.sales.open(customers=1, products=1, orders=1)
        settings = anchored(shop)
        assert settings.anchor is not None
        away = settings.anchor.model_copy(update={"file": tmp_path / "away" / "anchor.json"})
        async with shop.engine(settings.model_copy(update={"anchor": away})) as engine, asyncio.timeout(60):
            while engine.runners[1].state != "failing":
                await asyncio.sleep(0.05)
            assert "cannot be written" in engine.runners[1].error
        assert await effects(shop) == 0

        await run_on(shop)
        await shop.check()
