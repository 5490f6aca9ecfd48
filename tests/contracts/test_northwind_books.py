"""Northwind through the command line into the emulator's books, to the cent, against figures from a script apart."""

import csv
import json
import os
import subprocess
import sys
from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil_schema.exact_json import JsonObject, JsonValue
from support.quickbooks_emulator import ROOT, EmulatorProcess, emulator_process

NORTHWIND = ROOT.parent / "shared" / "data" / "northwind"
ENVIRONMENT = {
    **os.environ,
    "PYTHONPATH": os.pathsep.join(str(ROOT / part) for part in ("engine", "adapters", "schema")),
}
SYNC_SECONDS_MAX = 240


@pytest.fixture(scope="module")
def folder() -> Path:
    if not NORTHWIND.is_dir():
        pytest.skip("the Northwind files are not beside this checkout")
    return NORTHWIND


@pytest.fixture(scope="module")
def expected(folder: Path) -> dict[str, object]:
    script = ROOT / "tests" / "northwind" / "expected.py"
    done = subprocess.run(
        [sys.executable, str(script), "--json", str(folder)], capture_output=True, text=True, check=True, timeout=60
    )
    figures: dict[str, object] = json.loads(done.stdout)
    return figures


@pytest.fixture(scope="module")
def books(folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[EmulatorProcess, Path, JsonObject]]:
    home = tmp_path_factory.mktemp("northwind")
    with emulator_process("--limits", "off") as emulator:
        config = configure(home, emulator, folder)
        yield emulator, config, sync(config)


def configure(home: Path, emulator: EmulatorProcess, folder: Path) -> Path:
    (home / "northwind.toml").write_text((ROOT / "tests" / "northwind" / "northwind.toml").read_text("utf-8"), "utf-8")
    config = home / "counterfoil.toml"
    config.write_text(
        f"""
[company.1]
name = "Northwind"
zone = "America/New_York"

[company.1.quickbooks]
environment = "emulator"
base_url = "{emulator["base_url"]}"
realm_id = "{emulator["realm_id"]}"
client_id = "{emulator["client_id"]}"
client_secret = "{emulator["client_secret"]}"
refresh_token = "{emulator["refresh_token"]}"
verifier_token = "{emulator["verifier_token"]}"
unlimited = true

[company.1.source.northwind]
adapter = "csv"
mapping = "northwind.toml"
folder = "{folder}"
""",
        "utf-8",
    )
    return config


def sync(config: Path) -> JsonObject:
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.cli", "sync", "--config", str(config), "--json"],
        capture_output=True,
        text=True,
        timeout=SYNC_SECONDS_MAX,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    report: JsonObject = json.loads(done.stdout, parse_float=Decimal)
    return report


def entities_of(emulator: EmulatorProcess) -> JsonObject:
    """Everything that the books hold, by entity."""
    state = emulator.control("/state")
    return _dict(state["records"]) if "records" in state else state


def invoices(emulator: EmulatorProcess) -> list[JsonObject]:
    return _list(entities_of(emulator)["Invoice"])


def _dict(value: JsonValue) -> JsonObject:
    assert isinstance(value, dict)
    return value


def _list(value: JsonValue) -> list[JsonObject]:
    assert isinstance(value, list)
    return [_dict(one) for one in value]


def test_the_books_hold_exactly_the_expected_invoices(
    books: tuple[EmulatorProcess, Path, JsonObject], expected: dict[str, object]
) -> None:
    held = invoices(books[0])
    assert len(held) == 830
    assert sum(Decimal(str(one["TotalAmt"])) for one in held) == Decimal("1330735.98")
    assert str(expected["total"]) == "1330735.98"
    assert {str(one["DocNumber"]): str(one["TotalAmt"]) for one in held} == expected["per_invoice"]


def test_totals_per_customer_month_and_account(
    books: tuple[EmulatorProcess, Path, JsonObject], expected: dict[str, object], folder: Path
) -> None:
    emulator = books[0]
    entities = entities_of(emulator)
    names = {str(one["Id"]): str(one["DisplayName"]) for one in _list(entities["Customer"])}
    items = {str(one["Id"]): str(one["Name"]) for one in _list(entities["Item"])}
    keys = customer_keys(folder)
    found: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    for invoice in _list(entities["Invoice"]):
        customer = keys[names[str(_dict(invoice["CustomerRef"])["value"])]]
        for line in _list(invoice["Line"]):
            if line["DetailType"] != "SalesItemLineDetail":
                continue
            item = items[str(_dict(_dict(line["SalesItemLineDetail"])["ItemRef"])["value"])]
            account = "freight" if item == "Freight" else "goods"
            found[customer, str(invoice["TxnDate"])[:7], account] += Decimal(str(line["Amount"]))
    cells = expected["per_customer_month_account"]
    assert isinstance(cells, list)
    wanted = {(one["customer"], one["month"], one["account"]): Decimal(one["amount"]) for one in cells}
    assert {key: amount for key, amount in found.items() if amount} == wanted


def customer_keys(folder: Path) -> dict[str, str]:
    """Customer ids by company name, from the file itself; QuickBooks takes no double blanks."""
    keys: dict[str, str] = {}
    with (folder / "customers.csv").open(encoding="utf-8", newline="") as stream:
        for row in csv.DictReader(stream):
            keys[" ".join(row["company_name"].split())] = row["customer_id"]
    return keys


def test_masters_are_there_once(books: tuple[EmulatorProcess, Path, JsonObject]) -> None:
    entities = entities_of(books[0])
    assert len(_list(entities["Customer"])) == 91
    assert len(_list(entities["Item"])) == 77 + 1, "the products, and the item for freight"
    assert len(_list(entities["Employee"])) == 9


def test_a_second_sync_changes_nothing_and_makes_no_write_call(
    books: tuple[EmulatorProcess, Path, JsonObject],
) -> None:
    emulator, config, _ = books
    before = emulator.control("/stats")
    sync(config)
    after = emulator.control("/stats")
    assert (after["writes"], after["batches"], after["effects"]) == (
        before["writes"],
        before["batches"],
        before["effects"],
    )


def test_every_change_is_accounted_for(books: tuple[EmulatorProcess, Path, JsonObject]) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.cli", "status", "--config", str(books[1]), "--json"],
        capture_output=True,
        text=True,
        timeout=60,
        env=ENVIRONMENT,
        check=True,
    )
    status = json.loads(done.stdout)
    outcomes = status["companies"][0]["outcomes"]
    assert outcomes["applied"] == 91 + 77 + 9 + 830
    assert outcomes.get("parked", 0) == 0


def test_log_and_projections_hold(books: tuple[EmulatorProcess, Path, JsonObject]) -> None:
    for command in (["log", "verify"], ["rebuild", "--check"]):
        done = subprocess.run(
            [sys.executable, "-m", "counterfoil.cli", *command, "--config", str(books[1]), "--json"],
            capture_output=True,
            text=True,
            timeout=180,
            env=ENVIRONMENT,
            check=False,
        )
        assert done.returncode == 0, done.stdout + done.stderr


def test_reconciliation_ties_out_at_200_documents_a_metered_read_or_more(
    books: tuple[EmulatorProcess, Path, JsonObject], expected: dict[str, object]
) -> None:
    emulator, config, _ = books
    before = emulator.control("/stats")["metered_reads"]
    last = _list(emulator.control("/calls?after=0&limit=200000")["calls"])[-1]["sequence"]
    done = subprocess.run(
        [sys.executable, "-m", "counterfoil.cli", "reconcile", "--config", str(config), "--json"],
        capture_output=True,
        text=True,
        timeout=180,
        env=ENVIRONMENT,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    (report,) = json.loads(done.stdout, parse_float=Decimal)["companies"]
    (invoices,) = [one for one in report["totals"] if (one["by"], one["type"]) == ("type", "Invoice")]
    assert invoices["books"]["documents"] == 830
    assert invoices["source"]["total"] == invoices["books"]["total"] == Decimal(str(expected["total"]))
    months: dict[str, Decimal] = defaultdict(Decimal)
    cells = expected["per_customer_month_account"]
    assert isinstance(cells, list)
    for one in cells:
        months[one["month"]] += Decimal(one["amount"])
    told = {one["value"]: one["books"]["total"] for one in report["totals"] if one["by"] == "month"}
    assert told == dict(months)
    calls = _list(emulator.control(f"/calls?after={last}&limit=200000")["calls"])
    reads = [one for one in calls if "from+invoice" in str(one["path"]).lower().replace("%20", "+")]
    assert reads, calls
    assert 830 / len(reads) >= 200, "one count, one page"
    # Company information and preferences come before.
    metered = emulator.control("/stats")["metered_reads"]
    assert isinstance(metered, int)
    assert isinstance(before, int)
    assert metered - before == report["metered_reads"] + 2
