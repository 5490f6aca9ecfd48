"""The runbook for rollbacks, followed with the real command line; and what nobody should be able to ask for."""

import asyncio
import json
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.rollback import Wish, take_back
from counterfoil.errors import ConfigurationError, CounterfoilError
from counterfoil.settings import Settings, load_settings
from support.cli import Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import ROOT, EmulatorProcess, emulator_process
from support.rollbacks import difference, trial_balance

pytestmark = [pytest.mark.slow, pytest.mark.timeout(900)]
RUNBOOK = (ROOT / "ops" / "runbooks" / "rollback.md").read_text(encoding="utf-8")
SECONDS = 400.0
NOTHING = Wish(
    run=None, since=None, until=None, source=None, record=None, sales="void", dated=None, later="park", out=None,
    apply=False, preview=None, yes=False, reason="", author="", wait=False, personal=False, as_json=True,
)  # fmt: skip


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def settings_of(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.chdir(shop.folder)
    for name, value in shop.environment.items():
        monkeypatch.setenv(name, value)
    return load_settings(shop.folder / "counterfoil.toml")


def step(command: str) -> None:
    """The runbook says so."""
    assert command in RUNBOOK, command


def test_the_runbook_is_followed(shop: Shop, emulator: EmulatorProcess, monkeypatch: pytest.MonkeyPatch) -> None:
    empty = trial_balance(emulator)
    assert shop.run("sync", seconds=SECONDS).code == 0
    posted = trial_balance(emulator)

    step("counterfoil runs")
    (session,) = shop.run("runs", "--json").json()["runs"]
    assert (session["documents"], session["undone"], session["author"]) == (6, 0, "the engine")
    assert session["amounts"] == {"USD": 170.48}  # 150.50 + 19.98

    step("counterfoil rollback --run session-12 --out rollback.json")
    previewed = shop.run("rollback", "--run", session["run"], "--out", "rollback.json")
    assert previewed.code == 0, previewed.said
    assert "Voided: 2" in previewed.out
    assert "Made inactive: 4" in previewed.out
    assert trial_balance(emulator) == posted
    kept = json.loads((shop.folder / "rollback.json").read_text(), parse_float=Decimal)
    told = {one["account"]: Decimal(str(one["after"])) - Decimal(str(one["before"])) for one in kept["totals"]}

    step("counterfoil rollback --apply --preview rollback.json")
    step("--wait")
    applied = shop.run(
        "rollback", "--apply", "--preview", "rollback.json", "--reason", "mapping of November 30",
        "--author", "Ann Smith", "--wait", "--json",
        seconds=SECONDS,
    )  # fmt: skip
    assert applied.code == 0, applied.said
    ended = applied.json()["ended"]
    assert (ended["taken"], ended["done"], ended["open"], ended["parked"]) == (True, 6, 0, 0)
    assert difference(trial_balance(emulator), posted) == {name: amount for name, amount in told.items() if amount}
    assert trial_balance(emulator) == empty

    chain = shop.run("explain", "shop:order:501").out
    assert f"Ann Smith rolled it back ({applied.json()['run']}): mapping of November 30." in chain
    assert "Ann Smith asked to take back 6 documents" in chain
    step("counterfoil rebuild --check")
    assert shop.run("rebuild", "--check").code == 0

    # Read again whole, the source's records are not written again.
    assert shop.run("sync", "--full", seconds=SECONDS).code == 0
    assert trial_balance(emulator) == empty

    asyncio.run(_refusals(settings_of(shop, monkeypatch), session["run"]))

    # The rollback itself is taken back: two invoices are made anew, and four entries of lists are active again.
    back = ("rollback", "--run", applied.json()["run"], "--apply", "--yes", "--reason", "it was right", "--wait")
    assert shop.run(*back, seconds=SECONDS).code == 0
    assert trial_balance(emulator) == posted
    (sums,) = shop.run("totals", "--json").json()["companies"][0]["totals"]
    assert (sums["entity"], sums["documents"], sums["source"], sums["books"]) == ("Invoice", 2, 170.48, 170.48)


def test_a_document_that_changed_since_the_preview_stays_and_the_command_says_so(
    shop: Shop, emulator: EmulatorProcess
) -> None:
    assert shop.run("sync", seconds=SECONDS).code == 0
    assert shop.run("rollback", "--record", "shop:order:501", "--out", "rollback.json").code == 0
    held: Any = emulator.control("/state?entity=Invoice")["Invoice"]
    (invoice,) = (one for one in held if one["DocNumber"] == "501")
    edit = {"Id": invoice["Id"], "SyncToken": invoice["SyncToken"], "sparse": True, "TxnDate": "2026-03-09"}
    emulator.control("/books/Invoice", {"operation": "update", "body": edit})
    assert shop.run("sync", seconds=SECONDS).code == 0
    posted = trial_balance(emulator)

    apply = ("rollback", "--apply", "--preview", "rollback.json", "--reason", "a wrong order", "--wait", "--json")
    applied = shop.run(*apply, seconds=SECONDS)

    ended = applied.json()["ended"]
    assert (ended["taken"], ended["done"], len(ended["refused"])) == (True, 0, 1)
    assert applied.code == 1, "nothing was taken back"
    assert trial_balance(emulator) == posted


async def _refusals(settings: Settings, run: str) -> None:
    """Each a sentence and a remedy, and nothing recorded."""

    async def refused(said: str, **parts: Any) -> None:
        wish = replace(NOTHING, **parts)
        with pytest.raises(CounterfoilError, match=said) as caught:
            await take_back(settings, wish)
        assert caught.value.remedy or isinstance(caught.value, ConfigurationError)

    await refused("Say what is to be taken back")
    await refused("No run session-99 wrote anything", run="session-99")
    await refused("yesterday is no name of a run", run="yesterday")
    await refused("is not before --until", since="2026-11-30T10:00", until="2026-11-30T09:00")
    await refused("--since noon is no time", since="noon")
    await refused("lies in the future", since="2999-01-01")
    await refused("--until needs --since", until="2026-11-30T09:00")
    await refused("No connection is called crm", source="crm")
    await refused("Nothing is known under", record="shop:order:999")
    await refused("Nothing that Counterfoil wrote", run=run)
    await refused("A rollback needs a reason", run=run, apply=True)
    await refused("belong to --apply", run=run, wait=True)
    await refused("neither .csv nor .json", run=run, out=Path("preview.txt"))
    await refused("is no preview of a rollback", apply=True, reason="r", preview=Path("shop.toml"))
    await refused("cannot be read", apply=True, reason="r", preview=Path("nowhere.json"))
