"""What is parked is told on the very deal, in its owner's own tool, and taken back once it is resolved."""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from counterfoil import Engine, RecordedEvent
from counterfoil.clock import SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import MasterKey
from counterfoil.postgres import Pool
from support import hubspot
from support.audit import OBSERVED, assert_state_adds_up
from support.between import at_work, documents, pay, source_settings
from support.cli import Ran, run_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

BOUND_SECONDS = 90.0
MONTHS = 12
STILL_SECONDS = 3.0
DEAL = "hubspot:deal:512"
MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["deal"]

[write_back]
status = "qbo_invoice_status"
balance = "qbo_balance"
amount_paid = "qbo_amount_paid"
problem = "qbo_problem"
"""


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


@dataclass
class Between:
    """A deal of 512 over 100.00, whose lines are what its amount is changed against."""

    engine: Engine
    account: hubspot.Account
    emulator: EmulatorProcess

    async def edit(self, **properties: str) -> None:
        """A person edits the deal."""
        await self.account.control("PATCH", "/people/deals/512", {"properties": properties})

    def shown(self) -> dict[str, Any]:
        """What the deal shows."""
        return self.account.emulator.portal.tables["deals"].rows[512].properties

    async def until(self, fits: Callable[[dict[str, Any]], bool]) -> dict[str, Any]:
        """What the deal shows once it fits."""
        try:
            async with asyncio.timeout(BOUND_SECONDS):
                while not fits(self.shown()):
                    await asyncio.sleep(0.1)
        except TimeoutError:
            raise AssertionError(self.shown()) from None
        return self.shown()

    async def until_parked(self) -> dict[str, Any]:
        return await self.until(lambda deal: bool(deal.get("qbo_problem")))

    async def until_clear(self) -> dict[str, Any]:
        return await self.until(lambda deal: not deal.get("qbo_problem") and bool(deal.get("qbo_invoice_status")))

    async def until_paid(self, amount: str) -> dict[str, Any]:
        return await self.until(lambda deal: deal["qbo_amount_paid"] == amount)

    async def events(self) -> list[RecordedEvent]:
        return [recorded async for recorded in self.engine.reader.stream(1)]

    async def writes(self) -> int:
        """How often we wrote to HubSpot."""
        entries = (await self.account.control("GET", "/journal?by=api"))["entries"]
        assert isinstance(entries, list)
        return len(entries)

    async def until_still(self) -> int:
        """Once nothing was recorded for several polls and sweeps: how many events there are."""
        async with asyncio.timeout(BOUND_SECONDS):
            before = -1
            while (count := len(await self.events())) != before:
                before = count
                await asyncio.sleep(STILL_SECONDS)
        return before


@asynccontextmanager
async def between(database: Database, home: Path, emulator: EmulatorProcess, **deal: str) -> AsyncIterator[Between]:
    async with hubspot.account() as account:
        await account.load(
            companies=[hubspot.company(7, "Käthe Unmistakable & Daughters")],
            products=[hubspot.product(3, "50.00")],
            deals=[hubspot.deal(512, **deal)],
            line_items=[hubspot.line_item(9, "50.00", quantity="2", hs_product_id="3")],
            associations=[
                hubspot.link("deals", 512, "companies", 7),
                hubspot.link("deals", 512, "line_items", 9),
            ],
        )
        source = source_settings("hubspot", MAPPING, account.settings(timeout_seconds=30))
        async with at_work(database, home, emulator, source) as engine:
            yield Between(engine, account, emulator)


async def test_a_parked_deal_shows_why_and_a_corrected_one_does_not(
    database: Database, tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with between(database, tmp_path, emulator, amount="120.00") as crm:
        deal = await crm.until_parked()
        assert "120" in deal["qbo_problem"]
        assert "100" in deal["qbo_problem"]
        assert not deal.get("qbo_invoice_status"), "nothing is said of an invoice that is not there"
        assert "Unmistakable" not in deal["qbo_problem"]
        assert len(deal["qbo_problem"]) <= 255
        await crm.edit(amount="100.00")
        deal = await crm.until_clear()
        assert (deal["qbo_invoice_status"], deal["qbo_balance"]) == ("open", "100.00")
        await crm.until_still()
        events = await crm.events()
    traces = {
        one.position: str(one.trace).split("-")[1] for one in events if one.record_key == DEAL and one.trace is not None
    }
    observed = [one.position for one in events if (one.event_type, one.record_key) == ("source.observed", DEAL)]
    assert len(observed) == 2, "what we write is no change of the deal"
    for position in observed:
        of_it = {traces[one.position] for one in events if one.cause == position and one.record_key == DEAL}
        assert of_it == {traces[position]}


CONFIGURATION = """
home = "{home}"
[company.1]
name = "Traced"
[company.1.quickbooks]
environment = "emulator"
realm_id = "{realm}"
client_id = "id"
client_secret = "secret"
base_url = "http://127.0.0.1:9"
[company.1.source.hubspot]
adapter = "hubspot"
mapping = "hubspot.toml"
access_token = "pat"
"""


async def test_a_note_that_hubspot_refuses_is_shown_to_people_and_goes_out_once_it_can(
    database: Database, tmp_path: Path, emulator: EmulatorProcess
) -> None:
    """Somebody makes a number of the property that the mapping names, and later a text again."""
    folder = tmp_path / "desk"
    folder.mkdir()
    text = CONFIGURATION.format(home=tmp_path / "home", realm=emulator["realm_id"])
    (folder / "counterfoil.toml").write_text(text, encoding="utf-8")
    (folder / "hubspot.toml").write_text(MAPPING, encoding="utf-8")
    environment = {"COUNTERFOIL_DSN": database.engine_dsn.get_secret_value()}

    async def run(*arguments: str) -> Ran:
        return await asyncio.to_thread(run_cli, *arguments, cwd=folder, environment=environment)

    async def until_listed(count: int) -> Ran:
        async with asyncio.timeout(BOUND_SECONDS):
            while len((ran := await run("parked", "--json")).json()["notes"]) != count:
                await asyncio.sleep(0.5)
        return ran

    async with between(database, tmp_path / "home", emulator, amount="100.00") as crm:
        await crm.until_clear()
        properties = crm.account.emulator.portal.tables["deals"].properties
        definition = properties["qbo_problem"]
        properties["qbo_problem"] = {**definition, "type": "number"}
        await crm.edit(amount="120.00")

        listed = await until_listed(1)
        words, status, explained = await run("parked"), await run("status"), await run("explain", DEAL)

        assert (listed.code, words.code, status.code, explained.code) == (1, 1, 0, 0)
        (note,) = listed.json()["notes"]
        (parked,) = listed.json()["parked"]
        assert (note["record_key"], note["target"], note["position"]) == (DEAL, "hubspot", parked["position"])
        assert "qbo_problem" in note["reason"]
        assert note["fix"]
        assert "Notes that a source refused: 1" in words.out
        assert "1 notes refused by a source" in status.out
        assert "hubspot refused to be told: " in explained.out

        properties["qbo_problem"] = definition
        retried = await run("retry", DEAL)
        assert retried.code == 0, retried.said
        deal = await crm.until_parked()
        assert "120" in deal["qbo_problem"]
        listed = await until_listed(0)
        assert [one["record_key"] for one in listed.json()["parked"]] == [DEAL]


async def test_a_year_of_both_sides_editing_makes_no_loop(
    database: Database, pool: Pool, tmp_path: Path, emulator: EmulatorProcess
) -> None:
    async with between(database, tmp_path, emulator, amount="100.00") as crm:
        await crm.until_clear()
        entropy, edits = SystemEntropy(), 1
        (invoice,) = await documents(emulator)
        for month in range(1, MONTHS + 1):
            await crm.edit(amount=f"{100 + month}.00")
            await crm.until_parked()
            await pay(emulator, invoice, 1)
            await crm.until_paid(f"{month}.00")
            assert crm.shown()["qbo_problem"], "a payment does not make the amount right"
            await crm.edit(amount="100.00")
            await crm.until_clear()
            edits += 2
        before, writes = await crm.until_still(), await crm.writes()
        events = await crm.events()
        assert len(events) == before
        observed = [one for one in events if one.event_type in OBSERVED]
        of_the_deal = [one for one in observed if (one.event_type, one.record_key) == ("source.observed", DEAL)]
        assert edits == len(of_the_deal)
        assert writes <= 1 + 3 * MONTHS, "one for the invoice; each month one for the park, the payment, the correction"
    await assert_state_adds_up(pool, database.names, MasterKey(master_key(None, tmp_path, entropy), entropy))
