"""Adoptions taken back: by event, with nothing written on either side, and only where nothing rests on them.

Three customers and an open invoice are in the books; which of them is whose is fixed here.
"""

import csv
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.cli.tasks.asking import Question, ask
from counterfoil.cli.tasks.lists import show_held, show_parked
from counterfoil.cli.tasks.onboard import Wish, review
from counterfoil.cli.tasks.onboard_apply import apply
from counterfoil.cli.tasks.onboard_approval import approve
from counterfoil.cli.tasks.onboard_undo import undo
from counterfoil.cli.tasks.sync import SyncOptions, sync
from counterfoil.errors import ConfigurationError
from counterfoil.settings import Settings, load_settings
from support.cli import Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

ACME, BOLT, CREST = "shop:customer:C1", "shop:customer:C2", "shop:customer:C3"
OPEN, NEW = "shop:order:701", "shop:order:702"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "5") as running:
        yield running


def booked(emulator: EmulatorProcess, entity: str, body: dict[str, object]) -> str:
    """What a person entered in QuickBooks; its id."""
    results: Any = emulator.control("/books", [{"entity": entity, "body": body}])["results"]
    return str(next(iter(results[0].values()))["Id"])


def shop_of(folder: Path, emulator: EmulatorProcess, database: Database) -> tuple[Shop, dict[str, str]]:
    """A shop whose three customers, lamp and one of two orders are in the books; their ids there."""
    lamp = {"Name": "Lamp", "Type": "NonInventory", "IncomeAccountRef": {"value": "79"}, "UnitPrice": 10}
    ids = {name: booked(emulator, "Customer", {"DisplayName": name}) for name in ("Acme", "Bolt", "Crest", "Kraft")}
    ids["Lamp"] = booked(emulator, "Item", lamp)
    line = {
        "Amount": 20,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": ids["Lamp"]}, "Qty": 2, "UnitPrice": 10},
    }
    body: dict[str, object] = {"CustomerRef": {"value": ids["Acme"]}, "DocNumber": "701", "TxnDate": "2026-10-20"}
    ids["701"] = booked(emulator, "Invoice", {**body, "Line": [line]})
    shop = make_shop(folder, emulator, database)
    shop.replace("counterfoil.toml", 'name = "Shop"', 'name = "Shop"\npreview_first = true')
    shop.write("exports/customers.csv", "id,name,mail\nC1,Acme,\nC2,Bolt,\nC3,Crest,\n")
    shop.write("exports/products.csv", "id,name,price\nP1,Lamp,10.00\n")
    shop.write("exports/orders.csv", "id,customer,date\n701,C1,2026-10-20\n702,C2,2026-11-03\n")
    shop.write("exports/lines.csv", "order,line,product,qty,price\n701,1,P1,2,10.00\n702,1,P1,3,10.00\n")
    return shop, ids


Task = Callable[[Settings], Awaitable[int]]


@dataclass(frozen=True)
class Day:
    """A first day, worked in this process: what the commands do, without starting each."""

    shop: Shop
    emulator: EmulatorProcess
    ids: Mapping[str, str]
    said: pytest.CaptureFixture[str]

    async def run(self, task: Task, code: int = 0) -> Any:
        """What a command's work prints as JSON, with the exit code that it must have."""
        settings = load_settings(self.shop.folder / "counterfoil.toml", self.shop.environment)
        self.said.readouterr()
        found = await task(settings)
        told = self.said.readouterr()
        assert found == code, told.out + told.err
        return json.loads(told.out.splitlines()[-1])

    async def sync(self, code: int) -> Any:
        return await self.run(lambda settings: sync(settings, SyncOptions(as_json=True)), code)

    async def review(self, code: int, start: date | None = None) -> dict[str, str]:
        """The decisions of the review's file, by record."""
        wish = Wish(config=self.shop.folder / "counterfoil.toml", file=None, start=start, as_json=True)
        await self.run(lambda settings: review(settings, wish), code)
        with (self.shop.folder / "onboarding-1.csv").open(encoding="utf-8-sig", newline="") as file:
            return {row["record"]: row["decision"] for row in csv.DictReader(file)}

    async def apply(self, *rows: str) -> Any:
        """What is adopted by a file of these rows, or by the review's where there are none."""
        path = self.shop.folder / ("mine.csv" if rows else "onboarding-1.csv")
        if rows:
            path.write_text("\n".join(["decision,record,books_id", *rows]) + "\n")
        return await self.run(lambda settings: apply(settings, path, "Ann", as_json=True))

    async def undo(self, *what: str) -> Any:
        return await self.run(lambda settings: undo(settings, what, "Ann", as_json=True))

    async def refusals(self, *what: str) -> dict[str, str]:
        told = await self.run(lambda settings: undo(settings, what, "Ann", as_json=True), code=2)
        assert told["undone"] == []
        return {one["record_key"]: one["says"] for one in told["refused"]}

    async def held(self) -> list[str]:
        told = await self.run(lambda settings: show_held(settings, as_json=True))
        return [one["record_key"] for one in told["review"]]


def effects(emulator: EmulatorProcess) -> int:
    found = emulator.control("/journal")["effects"]
    assert isinstance(found, list)
    return len(found)


@pytest.mark.timeout(900)
async def test_an_adoption_is_taken_back_while_nothing_rests_on_it(
    tmp_path: Path, emulator: EmulatorProcess, database: Database, capsys: pytest.CaptureFixture[str]
) -> None:
    shop, ids = shop_of(tmp_path / "shop", emulator, database)
    day = Day(shop, emulator, ids, capsys)
    before = effects(emulator)
    await day.sync(code=5)
    adopt = dict.fromkeys((ACME, BOLT, CREST, "shop:product:P1", OPEN), "adopt")
    assert await day.review(code=0, start=date(2026, 11, 1)) == {**adopt, NEW: "create"}
    assert (await day.apply())["adopted"] == len(adopt)

    await takes_one_back(day)
    await takes_back_what_rests_together(day)
    await takes_back_a_whole_file(day)
    assert effects(emulator) == before, "nothing was written"
    await keeps_what_was_written(day)
    assert shop.run("rebuild", "--check").code == 0


async def takes_one_back(day: Day) -> None:
    """Nothing stands for it, nothing is made anew, and it is not proposed again as if nothing had happened."""
    assert (await day.undo(CREST))["undone"] == [CREST]
    await day.sync(code=5)
    parked = await day.run(lambda settings: show_parked(settings, as_json=True), code=1)
    assert [(one["record_key"], one["code"]) for one in parked["parked"]] == [(CREST, "undecided")]
    assert await day.review(code=1) == {CREST: "ask", NEW: "create"}
    assert "Ann took its adoption back: Customer" in day.shop.run("explain", CREST).out
    assert (await day.refusals(CREST))[CREST].startswith(f"nothing in QuickBooks stands for {CREST}")


async def takes_back_what_rests_together(day: Day) -> None:
    """A customer whose invoice was adopted stays, unless the invoice goes with it; then another can be adopted."""
    ids = day.ids
    alone = await day.refusals(ACME, CREST)
    assert alone[ACME] == (
        f"Invoice {ids['701']} ({OPEN}) rests on Customer {ids['Acme']}: undo what was adopted in the same command."
    )
    assert set(alone) == {ACME, CREST}
    assert (await day.undo(ACME, OPEN))["undone"] == [OPEN, ACME], "what rests on it goes first"
    await day.apply(f"adopt,{ACME},{ids['Acme']}", f"adopt,{OPEN},{ids['701']}", f"adopt,{CREST},{ids['Kraft']}")
    await day.sync(code=5)
    assert await day.held() == [CREST], "it bears another name than what stands for it now"


async def takes_back_a_whole_file(day: Day) -> None:
    """Everything that a file adopted, with what was planned for it; a second time nothing is left to do."""
    path = str(day.shop.folder / "mine.csv")
    assert (await day.undo(path))["undone"] == [OPEN, ACME, CREST]
    assert await day.held() == []
    again = await day.undo(path)
    assert (again["undone"], again["before"]) == ([], 3)
    with pytest.raises(ConfigurationError, match=r"nothing\.csv cannot be read"):
        await day.undo("nothing.csv")


async def keeps_what_was_written(day: Day) -> None:
    """What we wrote, or wrote something upon, stays; once that is void the adoption can go."""
    ids = day.ids
    day.shop.replace("exports/customers.csv", "C3,Crest,", "C3,Crest Home,")
    await day.apply(f"adopt,{CREST},{ids['Kraft']}", f"skip,{ACME},", f"skip,{OPEN},", f"create,{NEW},")
    await day.sync(code=5)
    await day.run(lambda settings: approve(settings, "Ann", as_json=True))
    question = Question("approve", (CREST,), all_of_them=False, author="Ann", as_json=True)
    await day.run(lambda settings: ask(settings, question))
    await day.sync(code=0)
    (made,) = [one for one in invoices(day.emulator) if one["DocNumber"] == "702"]
    assert (made["CustomerRef"]["value"], Decimal(str(made["TotalAmt"]))) == (ids["Bolt"], Decimal(30))
    told = await day.refusals(NEW, CREST, BOLT)
    assert told[NEW].startswith(f"Invoice {made['Id']} was written by Counterfoil; only what was adopted")
    assert told[CREST].startswith(f"Customer {ids['Kraft']} was written by Counterfoil")
    assert told[BOLT] == (
        f"Invoice {made['Id']} ({NEW}) rests on Customer {ids['Bolt']}: "
        "void or delete in QuickBooks what was written, and sync."
    )
    day.emulator.control("/books/Invoice", {"operation": "void", "id": made["Id"]})
    await day.sync(code=0)
    assert (await day.undo(BOLT))["undone"] == [BOLT]


def invoices(emulator: EmulatorProcess) -> list[dict[str, Any]]:
    found: Any = emulator.control("/state?entity=Invoice")["Invoice"]
    return list(found)
