"""Anchors on a schedule and at shutdown: the file names the heads that the log really has."""

import asyncio
import base64
import fcntl
import logging
import os
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from pydantic import SecretStr

from counterfoil import anchoring as anchoring_of
from counterfoil.anchoring import Anchoring
from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.engine import Engine
from counterfoil.log import Anchor, AnchorBrokenError, AnchorError, Append, EventCodec, NewEvent, PostgresLogReader
from counterfoil.log import anchor as anchor_files
from counterfoil.log.anchor import AnchorKey, accept_log, compare_anchor, raise_anchor, read_anchor, write_anchor
from counterfoil.postgres import Pool
from counterfoil.settings import AnchorSettings, Settings
from counterfoil_schema.events.receipts import MappingRecorded
from support.postgres import Database

KEY = SecretStr(base64.b64encode(bytes(range(32))).decode())
EVENT = NewEvent(event=MappingRecorded(connection="shop", digest="d", text=""))


def settings_for(database: Database, folder: Path, every_seconds: float) -> Settings:
    return Settings(
        home=folder,
        dsn=database.engine_dsn,
        admin_dsn=database.admin_dsn,
        anchor=AnchorSettings(file=folder / "anchor.json", key=KEY, every_seconds=every_seconds),
    )


async def test_at_shutdown(database: Database, tmp_path: Path) -> None:
    async with Engine(settings_for(database, tmp_path, 3600)) as engine:
        await engine.log.append(Append(7, [EVENT]))
        assert not (tmp_path / "anchor.json").exists()
    anchor = await read_anchor(tmp_path / "anchor.json", AnchorKey(KEY))
    assert anchor.heads[7][0] == 1


async def test_on_schedule(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path, 1)
    assert settings.anchor is not None
    async with Engine(settings) as engine:
        await engine.log.append(Append(7, [EVENT, EVENT]))
        async with asyncio.TaskGroup() as tasks:
            anchoring = Anchoring(settings.anchor, engine.reader, engine.clock)
            running = tasks.create_task(anchoring.run())
            async with asyncio.timeout(30):
                while not await asyncio.to_thread(settings.anchor.file.exists):
                    await asyncio.sleep(0.05)
            running.cancel()
        anchor = await read_anchor(settings.anchor.file, AnchorKey(KEY))
        assert anchor.heads[7][0] == 2
        assert not await compare_anchor(engine.reader, anchor)


async def test_a_folder_that_cannot_be_written_stops_nothing(database: Database, tmp_path: Path) -> None:
    settings = settings_for(database, tmp_path, 3600)
    missing = AnchorSettings(file=tmp_path / "no such folder" / "anchor.json", key=KEY)
    async with Engine(settings.model_copy(update={"anchor": missing})) as engine:
        await engine.log.append(Append(7, [EVENT]))
    assert not missing.file.exists()


async def truncate(pool: Pool) -> None:
    """What somebody does who owns the database: the end of a log is gone, and nothing inside it tells."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL session_replication_role = replica")
        await connection.execute("DELETE FROM counterfoil_log.events WHERE company = 7 AND position = 2")
        await connection.execute(
            "UPDATE counterfoil_log.heads SET position = 1, hash = "
            "(SELECT link FROM counterfoil_log.events WHERE company = 7 AND position = 1) WHERE company = 7"
        )


async def test_the_proof_of_a_truncation_is_not_written_over(
    database: Database, admin_pool: Pool, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(database, tmp_path, 3600)
    async with Engine(settings) as engine:
        await engine.log.append(Append(7, [EVENT, EVENT]))
    proof = (tmp_path / "anchor.json").read_bytes()
    await truncate(admin_pool)
    with caplog.at_level(logging.CRITICAL, logger="counterfoil"):
        async with Engine(settings) as engine:
            await engine.log.append(Append(8, [EVENT]))
            with pytest.raises(AnchorBrokenError, match="company 7, position 2"):
                await write_anchor(engine.reader, tmp_path / "anchor.json", AnchorKey(KEY), SystemClock())
    assert (tmp_path / "anchor.json").read_bytes() == proof
    assert [record.levelno for record in caplog.records if "not anchored any more" in record.getMessage()] == [50]


async def test_a_company_that_has_forgotten_something_keeps_no_other_from_being_anchored(
    database: Database, admin_pool: Pool, tmp_path: Path
) -> None:
    file, key, clock = tmp_path / "anchor.json", AnchorKey(KEY), SystemClock()
    async with Engine(settings_for(database, tmp_path, 3600)) as engine:
        await engine.log.append(Append(7, [EVENT, EVENT]))
    await truncate(admin_pool)
    async with Engine(settings_for(database, tmp_path, 3600)) as engine:
        await engine.log.append(Append(8, [EVENT]))
        raised = await raise_anchor(engine.reader, file, key, clock, 8)
        assert (raised.heads[7][0], raised.heads[8][0]) == (2, 1)
        with pytest.raises(AnchorBrokenError, match="company 7, position 2"):
            await raise_anchor(engine.reader, file, key, clock, 7)
        assert (await read_anchor(file, key)).heads == raised.heads

        await engine.log.append(Append(8, [EVENT]))
        accepted = await accept_log(engine.reader, file, key, clock, 7)
        # Only what was recovered is taken at its word.
        assert (accepted.heads[7][0], accepted.heads[8][0]) == (1, 1)
        assert not await compare_anchor(engine.reader, accepted)


async def test_those_who_wait_at_the_same_time_share_a_writing(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings, writings = settings_for(database, tmp_path, 3600), []

    async def counted(*arguments: Any) -> Anchor:
        writings.append(arguments)
        return await raise_anchor(*arguments)

    monkeypatch.setattr(anchoring_of, "raise_anchor", counted)
    assert settings.anchor is not None
    async with Engine(settings) as engine:
        anchoring = Anchoring(settings.anchor, engine.reader, engine.clock)
        await engine.log.append(Append(7, [EVENT] * 40))
        cover = anchoring.covering(7)
        await asyncio.gather(*(cover(position) for position in range(1, 41)))
        assert len(writings) == 1
        await engine.log.append(Append(7, [EVENT]))
        await cover(41)
        assert len(writings) == 2
        assert (await read_anchor(settings.anchor.file, AnchorKey(KEY))).heads[7][0] == 41


async def test_what_was_anchored_before_the_database_was_put_back_is_anchored_anew(
    database: Database, admin_pool: Pool, tmp_path: Path
) -> None:
    """An engine that ran on while somebody restored and recovered: its next call is as well anchored as its first."""
    settings, key = settings_for(database, tmp_path, 3600), AnchorKey(KEY)
    assert settings.anchor is not None
    file = settings.anchor.file
    async with Engine(settings) as engine:
        anchoring = Anchoring(settings.anchor, engine.reader, engine.clock)
        await engine.log.append(Append(7, [EVENT, EVENT]))
        await anchoring.covering(7)(2)
        await truncate(admin_pool)
        assert (await accept_log(engine.reader, file, key, engine.clock, 7)).heads[7][0] == 1

        await engine.log.append(Append(7, [EVENT]))
        await anchoring.covering(7)(2)
        anchor = await read_anchor(file, key)
        assert anchor.heads[7][0] == 2
        assert not await compare_anchor(engine.reader, anchor)


async def test_whoever_was_halted_while_it_wrote_keeps_nobody_for_ever(
    database: Database, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchor_files, "LOCK_SECONDS_MAX", 0.2)
    path = tmp_path / "anchor.json"
    async with Engine(settings_for(database, tmp_path, 3600)) as engine:
        await engine.log.append(Append(7, [EVENT]))
        # A lock belongs to whoever opened the folder: this is another one, which does not let go.
        held = os.open(tmp_path, os.O_RDONLY)
        fcntl.flock(held, fcntl.LOCK_EX)
        with pytest.raises(AnchorError, match="Another process has been writing the anchor"):
            await write_anchor(engine.reader, path, AnchorKey(KEY), SystemClock())
        assert not path.exists()
        os.close(held)
        await write_anchor(engine.reader, path, AnchorKey(KEY), SystemClock())
    assert path.exists()


async def test_a_file_that_another_key_signed_is_not_written_over(database: Database, tmp_path: Path) -> None:
    other = AnchorKey(SecretStr(base64.b64encode(b"o" * 32).decode()))
    async with Engine(settings_for(database, tmp_path, 3600)) as engine:
        await engine.log.append(Append(7, [EVENT]))
        await write_anchor(engine.reader, tmp_path / "anchor.json", other, SystemClock())
        proof = (tmp_path / "anchor.json").read_bytes()
    assert (tmp_path / "anchor.json").read_bytes() == proof


async def test_a_database_that_is_away_when_an_anchor_is_due_stops_nothing(
    database: Database, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    settings = settings_for(database, tmp_path, 3600)
    assert settings.anchor is not None
    away = await asyncpg.create_pool(database.engine_dsn.get_secret_value(), min_size=1, max_size=1)
    away.terminate()
    async with Engine(settings) as engine:
        codec = EventCodec(engine.keyring, clock=SystemClock(), entropy=SystemEntropy())
        reader = PostgresLogReader(away, database.names, codec, clock=SystemClock())
        await Anchoring(settings.anchor, reader, SystemClock()).last()
    assert "the log could not be anchored" in caplog.text
