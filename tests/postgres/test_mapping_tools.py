"""`mapping check`, `preview`, `init`, `schema` as processes, between CSV files and the QuickBooks emulator."""

import json
import tomllib
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from openapi_schema_validator import OAS31Validator

from counterfoil.postgres import Pool
from counterfoil_schema import exact_json
from support.cli import SHOP_MAPPING, Shop, make_shop, run_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process


@pytest.fixture(scope="module")
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        running.control("/books/Term", {"body": {"Name": "Net 30 days", "DueDays": 30, "Type": "STANDARD"}})
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def found(shop: Shop, *arguments: str, code: int) -> list[dict[str, Any]]:
    ran = shop.run("mapping", "check", "--json", *arguments)
    assert ran.code == code, ran.said
    (one,) = ran.json()["connections"]
    findings: list[dict[str, Any]] = one["findings"]
    return findings


def books_of(emulator: EmulatorProcess) -> str:
    return json.dumps(emulator.control("/journal"), sort_keys=True, default=str)


def line_of(shop: Shop, name: str, text: str) -> int:
    lines = (shop.folder / name).read_text(encoding="utf-8").splitlines()
    return next(number for number, line in enumerate(lines, start=1) if text in line)


async def test_a_mapping_that_fits_is_said_to_and_nothing_is_written(
    shop: Shop, emulator: EmulatorProcess, admin_pool: Pool
) -> None:
    before = books_of(emulator)
    ran = shop.run("mapping", "check")
    assert ran.code == 0, ran.said
    assert "shop (company 1), shop.toml: 6 records read" in ran.out
    assert "(everything); as the engine would plan them: 6 create." in ran.out
    assert "Nothing to settle before it runs. Nothing was written." in ran.out
    assert shop.run("mapping", "preview").code == 0
    assert books_of(emulator) == before
    for table in ("counterfoil_log.events", "counterfoil_state.cursors", "counterfoil_state.sealing_keys"):
        assert await admin_pool.fetchval(f"SELECT count(*) FROM {table}") == 0, table


def test_what_does_not_exist_is_told_with_line_column_and_nearest_name(shop: Shop) -> None:
    shop.replace("shop.toml", "[invoice]\n", '[invoice]\nfrom = ["ordr"]\nterms = "Net 30 day"\n')
    shop.replace("shop.toml", "Sales of Product Income", "Sales of Produkt Income")
    errors = [one for one in found(shop, code=1) if one["level"] == "error"]
    assert [(one["line"], one["column"]) for one in errors] == [
        (line_of(shop, "shop.toml", "Produkt"), len('income_account = "')),
        (line_of(shop, "shop.toml", "ordr"), len('from = ["')),
        (line_of(shop, "shop.toml", "Net 30 day"), len('terms = "')),
    ]
    assert [one["says"].rpartition("; ")[2] for one in errors] == [
        'did you mean "Sales of Product Income"?',
        'did you mean "order"?',
        'did you mean "Net 30 days"?',
    ]
    shown = shop.run("mapping", "check")
    assert (shown.code, "3 to settle before it runs at night" in shown.out) == (1, True), shown.said


def test_what_would_be_parked_at_night_is_parked_in_the_check(shop: Shop) -> None:
    shop.write("exports/lines.csv", "order,line,product,qty,price\n501,1,P9,3,10.00\n502,1,P1,2,9.99\n")
    (parked,) = [one for one in found(shop, code=1) if one["level"] == "parked"]
    assert parked["says"].startswith("unknown_product: Line 1 of order 501 (shop) names product P9 (shop)")
    assert parked["records"] == 1
    assert shop.run("sync").code == 0
    assert "order 501 (shop) names product P9 (shop)" in shop.run("parked").out


def test_a_preview_shows_both_sides_as_they_are_then_written(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.replace("shop.toml", 'number = "{id}"', 'number = "PV-{id}"')
    shown = shop.run("mapping", "preview", "--connection", "shop", "--sample", "50")
    assert shown.code == 0, shown.said
    for text in ("order 501 (shop)", "create Invoice, 150.50 USD", "Line.2.Amount: 120.50", "DocNumber: PV-501"):
        assert text in shown.out
    assert "Of 6 records: 6 create. Nothing was written." in shown.out
    told: Any = exact_json.loads(shop.run("mapping", "preview", "--json").out.encode())
    planned = {one["record_key"]: one for one in told["connections"][0]["records"]}
    assert planned["shop:order:501"]["source"]["lines"][1]["unit_price"] == "120.50"
    invoice = planned["shop:order:501"]["documents"][0]
    assert (invoice["operation"], invoice["amount"]) == ("create", Decimal("150.50"))
    assert shop.run("sync").code == 0
    state: Any = emulator.control("/state?entity=Invoice")
    written = {one["DocNumber"]: one for one in state["Invoice"]}["PV-501"]
    body = invoice["body"]
    assert (body["DocNumber"], body["TxnDate"]) == (written["DocNumber"], written["TxnDate"])
    lines = [one for one in written["Line"] if one["DetailType"] == "SalesItemLineDetail"]
    assert [one["Amount"] for one in body["Line"]] == [one["Amount"] for one in lines]
    assert shop.run("mapping", "preview", "--json").json()["connections"][0]["outcomes"] == {"unchanged": 6}


def test_records_outside_the_sample_that_it_names_are_read_beside_it(shop: Shop) -> None:
    rows = "".join(f"X{number},Customer {number},\n" for number in range(5))
    customers = (shop.folder / "exports/customers.csv").read_text()
    shop.write("exports/customers.csv", customers.replace("C1,", f"{rows}C1,", 1))
    told = shop.run("mapping", "preview", "--sample", "2", "--json").json()["connections"][0]
    assert {one["record_key"]: one["outcome"] for one in told["records"]} == {
        "shop:customer:X0": "create",
        "shop:customer:X1": "create",
        "shop:product:P1": "create",
        "shop:product:P2": "create",
        "shop:order:501": "create",
        "shop:order:502": "create",
    }


def test_a_first_mapping_is_written_from_both_sides_and_can_be_used(shop: Shop) -> None:
    taken = shop.run("mapping", "init")
    assert (taken.code, "exists already, and nothing was written" in taken.err) == (2, True), taken.said
    ran = shop.run("mapping", "init", "first.toml")
    assert ran.code == 0, ran.said
    assert "after 6 records of shop" in ran.out
    data = tomllib.loads((shop.folder / "first.toml").read_text(encoding="utf-8"))
    assert data["csv"] == tomllib.loads(SHOP_MAPPING)["csv"]
    assert (data["customer"]["from"], data["product"]["from"], data["invoice"]["from"]) == (
        ["customer"],
        ["product"],
        ["order"],
    )
    assert data["product"]["income_account"] == "Sales of Product Income"
    schema = json.loads((shop.folder / "mapping.schema.json").read_text(encoding="utf-8"))
    assert list(OAS31Validator(schema).iter_errors(data)) == []
    assert found(shop, "first.toml", "--connection", "shop", code=0) == []


def test_a_mapping_that_is_not_there_yet_can_be_begun_from_the_files_alone(shop: Shop) -> None:
    """The configuration names a file that does not exist; the CSV adapter finds its own tables in the folder."""
    shop.replace("counterfoil.toml", 'mapping = "shop.toml"', 'mapping = "other.toml"')
    ran = shop.run("mapping", "init")
    assert ran.code == 0, ran.said
    tables = tomllib.loads((shop.folder / "other.toml").read_text(encoding="utf-8"))["csv"]
    assert [tables[name]["file"] for name in ("customer", "product")] == ["customers.csv", "products.csv"]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("check", "--connection", "crm"), "There is no source crm; configured are: shop."),
        (("preview", "shop.toml"), "For which connection is this mapping?"),
        (("check", "nowhere.toml", "--connection", "shop"), "There is no mapping nowhere.toml."),
        (("preview", "--company", "9"), "Company 9 is not configured"),
    ],
)
def test_wrong_questions_are_told(shop: Shop, arguments: tuple[str, ...], said: str) -> None:
    ran = shop.run("mapping", *arguments)
    assert (ran.code, said in ran.err) == (2, True), ran.said


def test_books_that_are_away_are_told(shop: Shop, emulator: EmulatorProcess) -> None:
    shop.replace("counterfoil.toml", emulator["base_url"], "http://127.0.0.1:9")
    ran = shop.run("mapping", "check")
    assert ran.code == 3, ran.said


def test_the_schema_is_printed_without_a_configuration(tmp_path: Path) -> None:
    ran = run_cli("mapping", "schema", cwd=tmp_path)
    schema = json.loads(ran.out)
    assert (ran.code, schema["title"]) == (0, "Counterfoil mapping")
    assert run_cli("mapping", "schema", "--json", cwd=tmp_path).json() == schema
