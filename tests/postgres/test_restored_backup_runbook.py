"""The runbook for going on after an older backup was restored, followed to the letter."""

import asyncio
import base64
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.audit import effects_of
from support.backups import needs_own_programs
from support.cli import Shop, make_shop
from support.postgres import Database, Server, fresh_database
from support.quickbooks_emulator import EmulatorProcess, emulator_process
from support.runbooks import commands, follow

RUNBOOK = "restored-backup.md"
BACKUPS = "backup-and-restore-of-log-and-keys.md"
KEY = base64.b64encode(b"the anchors' key of this one test").decode()


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def databases(postgres_server: Server) -> Iterator[tuple[Database, Database]]:
    """One migrated, and one empty."""
    with asyncio.Runner() as runner:
        opened = [fresh_database(postgres_server), fresh_database(postgres_server, migrated=False)]
        first, second = (runner.run(one.__aenter__()) for one in opened)
        try:
            yield first, second
        finally:
            for one in opened:
                runner.run(one.__aexit__(None, None, None))


def environment_for(database: Database, shop: Shop) -> dict[str, str]:
    return {
        "COUNTERFOIL_DSN": database.engine_dsn.get_secret_value(),
        "COUNTERFOIL_ADMIN_DSN": database.admin_dsn.get_secret_value(),
        "COUNTERFOIL_CONFIG": str(shop.folder / "counterfoil.toml"),
        "ANCHOR_KEY": KEY,
    }


def run_on(shop: Shop) -> None:
    """A day's work after the backup: a new customer with an order, an old order changed, a price too."""
    shop.write("exports/customers.csv", (shop.folder / "exports/customers.csv").read_text() + "C3,Carla Diaz,\n")
    shop.write("exports/orders.csv", (shop.folder / "exports/orders.csv").read_text() + "503,C3,2026-04-01\n")
    lines = (shop.folder / "exports/lines.csv").read_text().replace("502,1,P1,2,9.99", "502,1,P1,3,9.99")
    shop.write("exports/lines.csv", lines + "502,2,P2,1,100.00\n503,1,P2,2,120.50\n")


def written(emulator: EmulatorProcess) -> tuple[Any, dict[str, int]]:
    """How many effects there were, and how often which number was made."""
    journal = emulator.control("/journal")
    return journal["total"], dict(effects_of(journal, "create", "Invoice", "doc_number"))


def test_what_the_runbook_says_doubles_and_loses_nothing(
    databases: tuple[Database, Database], emulator: EmulatorProcess, tmp_path: Path
) -> None:
    needs_own_programs()
    first, second = databases
    shop = make_shop(tmp_path / "shop", emulator, first)
    before, after = environment_for(first, shop), environment_for(second, shop)
    blocks, backups = commands(RUNBOOK), commands(BACKUPS)
    assert list(blocks) == ["Restore", "Look", "Recover", "Go on"]

    follow(["counterfoil sync"], tmp_path, before)
    follow(backups["Back up"], tmp_path, before)
    run_on(shop)
    follow(["counterfoil sync", backups["Back up"][-1]], tmp_path, before)
    total, made = written(emulator)
    assert made == {"501": 1, "502": 1, "503": 1}

    follow(blocks["Restore"], tmp_path, after)
    missing, _, counted = follow(blocks["Look"], tmp_path, after, [4, 4, 1])
    assert "events were removed" in missing
    assert "2 are ours and not known to the log" in counted
    said, stands = follow(blocks["Recover"], tmp_path, after)
    assert "2 are ours and not known to the log" in said
    assert "Recovering" not in stands
    follow(blocks["Go on"], tmp_path, after)
    (chain,) = follow(["counterfoil explain shop:order:503"], tmp_path, after)
    assert "503" in chain

    assert written(emulator) == (total, made)
    # 501: 3 at 10.00 + 120.50; 502: 3 at 9.99 + 100.00; 503: 2 at 120.50.
    invoices: Any = emulator.control("/totals")["documents"]
    assert str(invoices["Invoice"]["total"]) == "521.47"
    follow([blocks["Recover"][0], "counterfoil log verify --anchor anchor.json --key env:ANCHOR_KEY"], tmp_path, after)
