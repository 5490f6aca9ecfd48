"""Anchors on a schedule and at shutdown: the file names the heads that the log really has."""

import asyncio
import base64
from pathlib import Path

from pydantic import SecretStr

from counterfoil.anchoring import Anchoring
from counterfoil.engine import Engine
from counterfoil.log import Append, NewEvent
from counterfoil.log.anchor import AnchorKey, compare_anchor, read_anchor
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
