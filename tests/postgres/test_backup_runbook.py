"""The runbook for backing up and restoring log and keys, followed to the letter: its own commands, run by a shell."""

import asyncio
import base64
import json
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from support.postgres import Database, Server, fresh_database
from support.rebuilt import Synced, synced_shop
from support.runbooks import commands, follow

RUNBOOK = "backup-and-restore-of-log-and-keys.md"
KEY = base64.b64encode(b"the anchors' key of this one test").decode()


@pytest.fixture(scope="module")
def synced(tmp_path_factory: pytest.TempPathFactory, postgres_server: Server) -> Iterator[Synced]:
    with synced_shop(tmp_path_factory.mktemp("backup"), postgres_server) as shop:
        yield shop


@pytest.fixture
def empty(postgres_server: Server) -> Iterator[Database]:
    with asyncio.Runner() as runner:
        opened = fresh_database(postgres_server, migrated=False)
        database = runner.run(opened.__aenter__())
        try:
            yield database
        finally:
            runner.run(opened.__aexit__(None, None, None))


def environment_for(database: Database, synced: Synced) -> dict[str, str]:
    return {
        "COUNTERFOIL_DSN": database.engine_dsn.get_secret_value(),
        "COUNTERFOIL_ADMIN_DSN": database.admin_dsn.get_secret_value(),
        "COUNTERFOIL_CONFIG": str(synced.shop.folder / "counterfoil.toml"),
        "ANCHOR_KEY": KEY,
    }


def test_what_the_runbook_says_brings_log_and_keys_back(synced: Synced, empty: Database, tmp_path: Path) -> None:
    if os.environ.get("COUNTERFOIL_TEST_DSN") or os.environ.get("COUNTERFOIL_TEST_MAJOR"):
        pytest.skip("the programs at hand are of another release than this server")
    blocks = commands(RUNBOOK)
    assert {"Back up", "Restore"} <= blocks.keys()

    follow(blocks["Back up"], tmp_path, environment_for(synced.database, synced))
    said = follow(blocks["Restore"], tmp_path, environment_for(empty, synced))

    assert {path.name for path in tmp_path.iterdir()} == {"books.dump", "roles.sql", "anchor.json"}
    verified = next(text for text in said if "as they were written" in text)
    assert "and fit the anchor of" in verified
    assert any("the tables hold exactly these" in text for text in said)
    # The keys came back as well: what is personal can be opened.
    tail = follow(["counterfoil log tail --lines 1000 --json"], tmp_path, environment_for(empty, synced))[0]
    events = [json.loads(line) for line in tail.splitlines()]
    customer = next(one for one in events if one["record_key"] == "shop:customer:C1")
    show = [f"counterfoil log show {customer['position']} --company 1 --personal"]
    assert "Ann Smith" in follow(show, tmp_path, environment_for(empty, synced))[0]
    assert "Ann Smith" not in follow([show[0].removesuffix(" --personal")], tmp_path, environment_for(empty, synced))[0]
