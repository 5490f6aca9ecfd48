"""`export` and `erase`: all that is held on a person, and then nothing of it anywhere, while the accounts stay."""

import json
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from counterfoil.postgres import Pool
from support.cli import Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

NAME, MAIL = "Ann Smith", "ann@shop.example"
OTHER = "Öztürk & Söhne"


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def of(emulator: EmulatorProcess, entity: str) -> list[Any]:
    found: Any = emulator.control(f"/state?entity={entity}")[entity]
    return list(found)


async def everything(pool: Pool) -> str:
    """Every row of every table of ours, as text; bytes as the text that they are, or as digits."""
    tables = await pool.fetch(
        "SELECT table_schema AS s, table_name AS t FROM information_schema.tables"
        " WHERE table_schema LIKE 'counterfoil%' AND table_type = 'BASE TABLE'"
    )
    said: list[str] = []
    for one in tables:
        rows = await pool.fetch(f'SELECT * FROM "{one["s"]}"."{one["t"]}"')
        said += [
            value.decode(errors="replace") if isinstance(value, bytes) else str(value) for row in rows for value in row
        ]
    assert len(said) > 1_000
    return "\n".join(said)


async def sealed_under(pool: Pool, *subjects: str) -> int:
    """How many events bear a part under one of these people's keys, by the database's own count."""
    keys = [f'%"key":"person/{subject}/%' for subject in subjects]
    counted: int = await pool.fetchval(
        "SELECT count(*) FROM counterfoil_log.events WHERE convert_from(body, 'UTF8') LIKE ANY ($1)", keys
    )
    return counted


def drifts(shop: Shop) -> list[object]:
    compared: list[object] = shop.run("reconcile", "--json").json()["companies"][0]["drifts"]
    return compared


async def test_a_person_is_exported_and_then_erased_across_source_and_books(
    shop: Shop, emulator: EmulatorProcess, pool: Pool
) -> None:
    assert shop.run("sync").code == 0
    [customer] = [one for one in of(emulator, "Customer") if one["DisplayName"] == NAME]
    [invoice] = [one for one in of(emulator, "Invoice") if one["DocNumber"] == "501"]
    person = f"Customer {customer['Id']}"

    exported = shop.run("export", person, "--out", "person.json", "--json")
    assert exported.code == 0, exported.said
    assert (shop.folder / "person.json").stat().st_mode & 0o777 == 0o600
    text = (shop.folder / "person.json").read_text(encoding="utf-8")
    held = json.loads(text)
    assert set(held["person"]) == {"shop:customer:C1", f"quickbooks:Customer:{customer['Id']}"}
    assert [one["document"] for one in held["links"]] == [customer["Id"]]
    assert [(one["entity"], one["document"]) for one in held["documents"]] == [("Invoice", invoice["Id"])]
    assert len(held["events"]) == exported.json()["events"]
    assert NAME in text
    assert MAIL in text
    assert OTHER not in text
    assert shop.run("export", person, "--out", "person.json").code == 2

    subjects = ("shop:customer:C1", f"quickbooks:Customer:{customer['Id']}", f"quickbooks:Invoice:{invoice['Id']}")
    shown = shop.run("erase", "shop:customer:C1", "--json")
    preview = shown.json()
    assert preview["erased"] is None
    assert preview["unreadable"]["events"] == await sealed_under(pool, *subjects, "shop:order:501")
    assert preview["sources"] == ["shop"]
    assert [one["number"] for one in preview["stays"]["retained"]] == ["501"]
    assert preview["stays"]["in_the_clear"] == []
    assert "sealing_keys" in preview["backups"]
    refused = shop.run("erase", "shop:customer:C1", "--apply", "--reason", f"{NAME} asked")
    assert (refused.code, "names the person" in refused.said) == (2, True)
    assert "It names shop:customer:C1" in shop.run("erase", "shop:order:501").said

    done = shop.run("erase", "shop:customer:C1", "--apply", "--author", "Ben", "--reason", "request 2026-31")
    assert done.code == 0, done.said
    assert NAME not in done.said
    assert (
        f"Customer {customer['Id']} stays, named as party of what bookkeeping law has kept, here 1 Invoice: "
        in done.out
    )

    # The source goes on showing the person, and so do the books.
    shop.replace("exports/customers.csv", MAIL, "ann.smith@shop.example")
    edited = {"Id": customer["Id"], "SyncToken": customer["SyncToken"], "Notes": "called", "sparse": True}
    emulator.control("/books/Customer", {"operation": "update", "body": edited})
    again = shop.run("sync")
    assert again.code == 0, again.said
    parked = shop.run("deadletters", "list", "--json").json()["causes"]
    assert [(one["code"], one["records"]) for one in parked] == [("erased", ["shop:customer:C1"])]

    # Nothing of the person is anywhere; the other customer is as readable as before.
    opened = shop.run("log", "export", "--personal").out
    told = shop.run("explain", person, "--personal").out
    for name in ("Ann Smith", "ann@shop", "ann.smith@"):
        for where in (opened, told, json.dumps(parked), await everything(pool)):
            assert name not in where
    assert OTHER in opened
    # The accounts stay, and log and tables are whole.
    assert "150.5" in told
    [kept] = [one for one in of(emulator, "Invoice") if one["DocNumber"] == "501"]
    assert Decimal(str(kept["TotalAmt"])) == Decimal("150.50")
    assert of(emulator, "Customer")[-1]["DisplayName"]
    assert drifts(shop) == [], "a name that nobody knows any more is no difference"
    assert "was erased before" in shop.run("erase", "shop:customer:C1").out
    assert shop.run("log", "verify").code == 0
    checked = shop.run("rebuild", "--check")
    assert checked.code == 0, checked.said
