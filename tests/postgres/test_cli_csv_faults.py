"""Whatever can be wrong with a folder of CSV files, as somebody at the command line meets it.

Each fault is told with file, line, column and remedy; the rest goes on; what is not understood is kept; codes tell.
"""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support.cli import FILES, Ran, Shop, make_shop
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

pytestmark = pytest.mark.slow

HUGE_CHARACTERS = 9 * 1024 * 1024

CUSTOMERS = (
    "\ufeffid,name,mail\r\n"
    "C1,Ann Smith,ann@shop.example\r\n"
    "C2,Öztürk & Söhne,\r\n"
    'C3,"Never closed,\r\n'
    "C4,One,too,many\r\n"
    "C5,M\xdcller,\r\n"
    "C6,Zoë,\r\n"
    "C7," + "x" * HUGE_CHARACTERS + ",\r\n"
    "C8,Last in line,\r\n"
)
ORDERS = "id,customer,date\n501,C1,2026-03-02\n502,C2,2026-02-30\n503,C6,2026-03-03\n"
LINES = "order,line,product,qty,price\n501,1,P1,three,10.00\n503,1,P1,2,9.99\n504,1,P1,1,1.00\n"

EXPECTED = {
    "shop:customer:C3": ("customers.csv line 4", "double quote"),
    "shop:customer:C4": ("customers.csv line 5", "4 cells and the header 3"),
    "shop:customer:C5": ("customers.csv line 6", "bytes that are not utf-8"),
    "shop:customer:C7": ("customers.csv line 8", "longer than 8 MiB"),
    "shop:order:501": ("lines.csv line 2", "'three' in column 'qty' is not a number"),
    "shop:order:502": ("orders.csv line 3", "in column 'date'"),
    "shop:order:504": ("lines.csv line 4", "not in orders.csv"),
}
"""What is parked: where it stands, and what is wrong with it."""


FILE_FAULTS: dict[str, list[str]] = {
    "column": ["customers.csv has no column 'mail'", "Did you mean 'e-mail'?", "its columns are id, name, e-mail"],
    "empty": ["customers.csv is empty", "Export it again"],
    "vanished": ["customers.csv is not in", "no record is deleted meanwhile"],
    "renamed": ["customers.csv is not in", "Did you mean customer.csv?"],
    "folder": ["customers.csv cannot be read", "permissions"],
    "header": ["The header of customers.csv cannot be read", "double quote"],
}
"""What can be wrong with a whole file, and what is said of it."""


def damage(path: Path, fault: str, good: str) -> None:
    match fault:
        case "column":
            path.write_text(good.replace("mail", "e-mail", 1), encoding="utf-8")
        case "empty":
            path.write_bytes(b"")
        case "vanished":
            path.unlink()
        case "renamed":
            path.rename(path.with_name("customer.csv"))
        case "folder":
            path.unlink()
            path.mkdir()
        case _:
            path.write_text('"' + good, encoding="utf-8")


def mend(path: Path, good: str) -> None:
    if path.is_dir():
        path.rmdir()
    path.with_name("customer.csv").unlink(missing_ok=True)
    path.write_text(good, encoding="utf-8")


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    return make_shop(tmp_path / "shop", emulator, database)


def rows_of(path: Path) -> int:
    """Rows below the header, by Python's own reader."""
    with path.open(encoding="utf-8-sig", newline="") as stream:
        return sum(1 for _ in csv.reader(stream)) - 1


def report(ran: Ran) -> dict[str, Any]:
    """What `sync --json` says of the one company."""
    (company,) = ran.json()["companies"]
    return dict(company)


def test_every_broken_row_is_told_with_its_place_and_kept_and_costs_itself_alone(shop: Shop) -> None:
    exports = shop.folder / "exports"
    # One customer's umlaut is not UTF-8, in a file that is.
    (exports / "customers.csv").write_bytes(CUSTOMERS.encode().replace("\xdc".encode(), b"\xdc"))
    shop.write("exports/orders.csv", ORDERS)
    shop.write("exports/lines.csv", LINES)

    ran = shop.run("sync", "--strict", "--json")
    parked = shop.run("parked", "--json")

    assert ran.code == 1, ran.said[:2_000]
    # C1, C2, C6, C8, two products, order 503.
    assert report(ran)["outcomes"] == {"applied": 7, "unchanged": 0, "skipped": 0, "waiting": 0, "parked": 7}
    assert report(ran)["observed"] == 14
    assert parked.code == 1
    found = {one["record_key"]: one for one in parked.json()["parked"]}
    assert EXPECTED.keys() == found.keys()
    for key, (place, words) in EXPECTED.items():
        assert place in found[key]["reason"], found[key]
        assert words in found[key]["reason"], found[key]
        assert found[key]["fix"], found[key]

    # Nothing is lost: the log holds each row as it came, under its seal.
    kept = shop.run("log", "show", str(found["shop:order:501"]["position"]), "--personal", "--json")
    assert "three" in kept.json()["body"]["raw"]
    sealed = shop.run("log", "show", str(found["shop:customer:C4"]["position"]), "--json")
    assert "many" not in sealed.out
    opened = shop.run("log", "show", str(found["shop:customer:C4"]["position"]), "--personal", "--json")
    assert "C4,One,too,many" in opened.json()["body"]["raw"]
    assert "lines.csv line 2" in shop.run("parked").out
    (stands,) = shop.run("status", "--json").json()["companies"]
    lying = shop.folder / "rejected" / "shop"
    told = {Path(one["path"]).name: one["rows"] for one in stands["rejected"] if one["connection"] == "shop"}
    assert told == {path.name: rows_of(path) for path in lying.iterdir()}
    assert sum(told.values()) >= 7
    said = " ".join(shop.run("status").out.split())
    assert f"shop: {told['customers.csv']} rows could not be used at the reading of" in said

    for name, text in FILES.items():
        shop.write(f"exports/{name}", text)
    mended = shop.run("sync", "--json")
    rest = {one["record_key"] for one in shop.run("parked", "--json").json()["parked"]}
    assert mended.code == 0, mended.said
    # What was mended went through; what is gone from the files stays known, for nobody said that it is deleted.
    assert {"shop:customer:C3", "shop:customer:C4", "shop:customer:C5", "shop:customer:C7", "shop:order:504"} == rest
    assert shop.run("status", "--json").json()["companies"][0]["rejected"] == []


def test_a_file_that_cannot_be_read_is_told_and_the_others_are_read(shop: Shop) -> None:
    assert shop.run("sync").code == 0
    path = shop.folder / "exports" / "customers.csv"
    good = path.read_text(encoding="utf-8")
    orders, lines = FILES["orders.csv"], FILES["lines.csv"]
    applied = 6
    for number, (fault, words) in enumerate(FILE_FAULTS.items(), start=503):
        damage(path, fault, good)
        # A new order, in a file that is sound, of a customer that is known.
        orders += f"{number},C1,2026-04-01\n"
        lines += f"{number},1,P1,1,10.00\n"
        applied += 1
        shop.write("exports/orders.csv", orders)
        shop.write("exports/lines.csv", lines)

        ran = shop.run("sync", "--json")

        assert ran.code == 3, (fault, ran.said)
        trouble = report(ran)["troubles"]["shop"]
        for part in words:
            assert part in trouble, (fault, trouble)
        outcomes = report(ran)["outcomes"]
        assert (outcomes["applied"], outcomes["waiting"], outcomes["parked"]) == (applied, 0, 0), fault
        mend(path, good)

    shop.write("exports/customers.csv", "")
    said = shop.run("sync")
    assert said.code == 3
    assert "Trouble with shop: customers.csv is empty" in said.out.replace("\n", " ")
    mend(path, good)
    mended = shop.run("sync", "--json")
    assert mended.code == 0, mended.said
    assert report(mended)["outcomes"]["applied"] == applied
    assert report(mended)["recorded"].get("source.observed", 0) == 0


def test_two_files_that_cannot_be_read_are_both_told(shop: Shop) -> None:
    shop.write("exports/customers.csv", "")
    shop.write("exports/orders.csv", "id,customer\n501,C1\n")

    ran = shop.run("sync", "--json")

    assert ran.code == 3, ran.said
    trouble = report(ran)["troubles"]["shop"]
    assert "customers.csv is empty" in trouble
    assert "orders.csv has no column 'date'" in trouble
    assert report(ran)["outcomes"]["applied"] == 2  # the products


def test_an_encoding_that_does_not_fit_is_told(shop: Shop) -> None:
    shop.replace("shop.toml", 'file = "customers.csv"', 'file = "customers.csv"\nencoding = "cp1252"')

    ran = shop.run("sync", "--json")

    assert ran.code == 3, ran.said
    trouble = report(ran)["troubles"]["shop"]
    assert "customers.csv is utf-8, but the mapping says cp1252: accents would come out wrong." in trouble
    assert 'Set encoding = "auto"' in trouble


def test_a_file_of_windows_is_read_and_the_guess_is_said(shop: Shop, emulator: EmulatorProcess) -> None:
    (shop.folder / "exports" / "customers.csv").write_bytes(FILES["customers.csv"].encode("cp1252"))

    ran = shop.run("sync", "--json")

    assert ran.code == 0, ran.said
    assert "customers.csv is not UTF-8 and was read as Windows-1252" in ran.err
    state: Any = emulator.control("/state?entity=Customer")
    assert "Öztürk & Söhne" in {one["DisplayName"] for one in state["Customer"]}
