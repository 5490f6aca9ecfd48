"""A folder of exports with all the dirt that public data sets have, through `counterfoil sync` into the books.

Every record ends in one of the five outcomes, the documents come to what the generator says, and what could not be used
comes back. Here a tenth of 20,000 rows; COUNTERFOIL_TEST_DIRTY_SHARE=1 takes them all (with a longer `--timeout`).
"""

import os
from collections import Counter
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.cli import Shop, make_shop
from support.dirty_exports import Expected, write_exports
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

SEED = 4
SHARE = Decimal(os.environ.get("COUNTERFOIL_TEST_DIRTY_SHARE", "0.1"))
SECONDS_MAX = 1500.0
MAPPING = (Path(__file__).parents[1] / "support" / "dirty_exports.toml").read_text(encoding="utf-8")


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    made = make_shop(tmp_path / "shop", emulator, database)
    for path in (made.folder / "exports").iterdir():
        path.unlink()
    made.write("shop.toml", MAPPING)
    return made


def outcomes_by_kind(shop: Shop) -> Counter[tuple[str, str]]:
    """Parked ones by kind, as `parked` lists them."""
    parked = shop.run("parked", "--json").json()["parked"]
    return Counter((one["record_key"].split(":")[1], "parked") for one in parked)


def documents(emulator: EmulatorProcess, entity: str) -> list[dict[str, Any]]:
    found: Any = emulator.control(f"/state?entity={entity}")
    return list(found[entity])


def total_of(shown: list[dict[str, Any]]) -> Decimal:
    return sum((Decimal(str(one["TotalAmt"])) for one in shown), Decimal(0))


def test_every_row_is_accounted_for_and_the_books_come_to_the_cent(
    shop: Shop, emulator: EmulatorProcess, tmp_path: Path
) -> None:
    expected: Expected = write_exports(shop.folder / "exports", SEED, SHARE)

    ran = shop.run("sync", "--json", seconds=SECONDS_MAX)

    (report,) = ran.json()["companies"]
    parked = outcomes_by_kind(shop)
    assert ran.code == 0, ran.said[-3_000:]
    assert {key: count for key, count in expected.outcomes.items() if key[1] == "parked" and count} == dict(parked)
    # In a run of minutes the sweep sees our own documents: they are unchanged, and no more than that.
    assert {**report["outcomes"], "unchanged": 0} == {
        "applied": expected.of("applied"),
        "unchanged": 0,
        "skipped": expected.of("skipped"),
        "waiting": 0,
        "parked": expected.of("parked"),
    }
    assert report["observed"] == sum(report["outcomes"].values())
    invoices, memos = documents(emulator, "Invoice"), documents(emulator, "CreditMemo")
    orders = [one for one in invoices if one["DocNumber"].startswith("CA-")]
    deals = [one for one in invoices if one["DocNumber"].startswith("OPP")]
    # A cancellation of what had cost nothing is no credit.
    receipts = [one for one in invoices if one["DocNumber"].startswith(("5", "C5"))]
    assert len(orders) + len(deals) + len(receipts) == len(invoices)
    assert (total_of(orders), total_of(deals)) == (expected.sums["order"], expected.sums["deal"])
    assert total_of(receipts) - total_of(memos) == expected.sums["receipt"]
    debits = [
        Decimal(str(line["Amount"]))
        for entry in documents(emulator, "JournalEntry")
        for line in entry["Line"]
        if line["JournalEntryLineDetail"]["PostingType"] == "Debit"
    ]
    assert sum(debits) == expected.sums["pay_run"]

    # What could not be used came back, and each of the reasons of a parked record says what to do.
    rejected = {path.name for path in (shop.folder / "rejected" / "shop").iterdir()}
    assert rejected >= {"HRDataset.csv", "online_retail.receipt.csv", "sales_pipeline.csv", "payroll.csv"}
    said = " ".join(report["notices"]["shop"])
    assert "rows could not be used; with reasons in" in said
    reasons = shop.run("parked", "--json").json()["parked"]
    assert all(one["reason"] and one["fix"] for one in reasons)

    again = shop.run("sync", "--full", "--json", seconds=SECONDS_MAX)
    (unchanged,) = again.json()["companies"]
    # Read from the top again, nothing is new; what else was observed are our own documents, seen by the sweep.
    assert not {"source.observed", "source.unreadable", "call.sent"}.intersection(unchanged["recorded"])
    assert {**unchanged["outcomes"], "unchanged": 0} == {**report["outcomes"], "unchanged": 0}


def test_a_mapping_is_begun_for_a_folder_that_nobody_has_mapped(shop: Shop, emulator: EmulatorProcess) -> None:
    del emulator
    write_exports(shop.folder / "exports", SEED, Decimal("0.02"))
    (shop.folder / "shop.toml").unlink()

    begun = shop.run("mapping", "init", "--sample", "60", "--json")
    checked = shop.run("mapping", "check", "--connection", "shop", "--sample", "60", "--json")

    assert begun.code == 0, begun.said
    text = (shop.folder / "shop.toml").read_text(encoding="utf-8")
    for table in ("[csv.order.lines.columns]", "[csv.deal.columns]", "[csv.pay_run.pay]", "[employee]", "[payroll]"):
        assert table in text
    assert checked.code in (0, 1), checked.said
    (found,) = checked.json()["connections"]
    assert found["outcomes"].get("create", 0) > found["outcomes"].get("parked", 0)
    assert not (shop.folder / "rejected").exists()
