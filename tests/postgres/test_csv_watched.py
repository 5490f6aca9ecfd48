"""A folder that is watched: `counterfoil serve` takes in what is put there, and nothing is lost when files go."""

import time
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from support.cli import Shop, Started, make_shop, started_cli
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

SECONDS_MAX = 150
LINE_COLUMNS = 'columns = { product = "product", quantity = "qty", unit_price = "price" }'


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off", "--seed", "7") as running:
        yield running


@pytest.fixture
def shop(tmp_path: Path, emulator: EmulatorProcess, database: Database) -> Shop:
    """Orders arrive as files of a day, each row a line."""
    made = make_shop(tmp_path / "shop", emulator, database)
    made.replace("counterfoil.toml", "[company.1.quickbooks]", "poll_seconds = 0.5\n[company.1.quickbooks]")
    made.replace("shop.toml", 'file = "orders.csv"', 'file = "orders_*.csv"')
    made.replace("shop.toml", f'file = "lines.csv"\nkey = "order"\nid = "line"\n{LINE_COLUMNS}', LINE_COLUMNS)
    for name in ("orders.csv", "lines.csv"):
        (made.folder / "exports" / name).unlink()
    arrives(made, "orders_1.csv", "501,C1,2026-03-02,P1,3,10.00\n501,C1,2026-03-02,P2,1,120.50\n")
    return made


def arrives(shop: Shop, name: str, rows: str) -> None:
    """As exports should: whole, under its name at once."""
    path = shop.folder / "exports" / name
    path.with_suffix(".part").write_text(f"id,customer,date,product,qty,price\n{rows}", encoding="utf-8")
    path.with_suffix(".part").rename(path)


def invoices(emulator: EmulatorProcess) -> dict[str, Decimal]:
    shown: Any = emulator.control("/state?entity=Invoice")
    return {one["DocNumber"]: Decimal(str(one["TotalAmt"])) for one in shown["Invoice"]}


def until(holds: Callable[[], bool], serving: Started) -> None:
    end = time.monotonic() + SECONDS_MAX
    while not holds():
        assert serving.process.poll() is None, serving.err.read_text()
        assert time.monotonic() < end, serving.err.read_text()
        time.sleep(0.1)


def test_what_is_put_into_the_folder_is_taken_in_while_it_is_watched(shop: Shop, emulator: EmulatorProcess) -> None:
    exports, rejected = shop.folder / "exports", shop.folder / "rejected" / "shop" / "orders_2.csv"
    with started_cli("serve", "--port", "0", "--json", cwd=shop.folder, environment=shop.environment) as serving:
        serving.ready()
        until(lambda: invoices(emulator) == {"501": Decimal("150.50")}, serving)

        arrives(shop, "orders_2.csv", "502,C2,2026-03-31,P1,2,9.99\n503,C2,soon,P1,1,10.00\n")
        until(lambda: invoices(emulator).get("502") == Decimal("19.98"), serving)
        until(rejected.exists, serving)
        assert "'soon' in column 'date' is not a date" in rejected.read_text(encoding="utf-8-sig")

        # A row is mended and another one changed; what was read is taken away in the same moment.
        (exports / "orders_1.csv").unlink()
        arrives(shop, "orders_2.csv", "502,C2,2026-03-31,P1,3,9.99\n503,C2,2026-04-01,P1,1,10.00\n")
        books = {"501": Decimal("150.50"), "502": Decimal("29.97"), "503": Decimal("10.00")}
        until(lambda: invoices(emulator) == books, serving)
        until(lambda: not rejected.exists(), serving)

        # An empty folder says nothing of what was read; the next file is taken in as any other.
        (exports / "orders_2.csv").unlink()
        arrives(shop, "orders_3.csv", "504,C1,2026-04-02,P1,1,1.00\n")
        until(lambda: invoices(emulator) == {**books, "504": Decimal("1.00")}, serving)
        assert serving.stop() == 0

    stands = shop.run("status", "--json").json()["companies"][0]
    assert (stands["outcomes"]["parked"], stands["outcomes"]["waiting"], stands["rejected"]) == (0, 0, [])
