"""Northwind through the csv source: every record, every line, and the totals to the cent."""

import asyncio
import importlib.util
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from types import ModuleType

import pytest

from counterfoil.planning.mapping import parse_mapping
from counterfoil.sources import Seen
from counterfoil_schema.records import Customer, Employee, Invoice, Product
from support.csv_folders import read_changes, read_pages

HERE = Path(__file__).parents[1] / "northwind"
ROOT = Path(__file__).parents[2]
FOLDER = ROOT.parent / "shared" / "data" / "northwind"
MAPPING = (HERE / "northwind.toml").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def northwind() -> None:
    if not FOLDER.is_dir():
        pytest.skip(f"Northwind is not at {FOLDER}")


def expected_figures() -> dict[str, object]:
    spec = importlib.util.spec_from_file_location("northwind_expected", HERE / "expected.py")
    assert spec is not None
    assert spec.loader is not None
    module: ModuleType = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    figures: dict[str, object] = module.expected(FOLDER)
    return figures


def test_the_mapping_is_understood_whole_and_shipped_as_an_example() -> None:
    assert parse_mapping(MAPPING, file="northwind.toml").connection.source == "csv"
    shipped = ROOT / "adapters/counterfoil_adapters/csv/examples/northwind.toml"
    assert shipped.read_text(encoding="utf-8") == MAPPING


@pytest.mark.parametrize(
    ("kind", "count", "record"),
    [("customer", 91, Customer), ("product", 77, Product), ("employee", 9, Employee), ("order", 830, Invoice)],
)
async def test_every_record_is_read(kind: str, count: int, record: type[object]) -> None:
    changes = await read_changes(FOLDER, MAPPING, kind)
    assert count == len({change.source_id for change in changes})
    assert all(isinstance(change, Seen) and isinstance(change.record, record) for change in changes)


async def test_names_keep_their_accents_and_apostrophes() -> None:
    names = {
        change.record.name
        for change in await read_changes(FOLDER, MAPPING, "customer")
        if isinstance(change, Seen) and isinstance(change.record, Customer)
    }
    assert {"Folk och fä HB", "B's Beverages", "Bólido Comidas preparadas"} <= names


async def test_an_employee_s_birth_date_and_home_are_left_behind() -> None:
    told = "".join(change.raw for change in await read_changes(FOLDER, MAPPING, "employee") if isinstance(change, Seen))
    assert "Davolio" in told
    assert [secret for secret in ("1948-12-08", "20th Ave", "555-9857", "birth_date") if secret in told] == []


async def test_the_invoices_come_to_the_expected_figures_per_invoice() -> None:
    figures = await asyncio.to_thread(expected_figures)
    totals: dict[str, str] = {}
    lines = 0
    for change in await read_changes(FOLDER, MAPPING, "order"):
        assert isinstance(change, Seen)
        assert isinstance(change.record, Invoice)
        total = Decimal(0)
        for line in change.record.lines:
            lines += line.role == "goods"
            exact = line.quantity * line.unit_price * (1 - line.discount)
            total += exact.quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
        totals[change.source_id] = str(total)
    assert lines == 2155
    assert figures["per_invoice"] == dict(sorted(totals.items()))


async def test_an_untouched_folder_brings_no_change_again() -> None:
    for kind in ("customer", "product", "employee", "order"):
        cursor = (await read_pages(FOLDER, MAPPING, kind))[-1].cursor
        (page,) = await read_pages(FOLDER, MAPPING, kind, cursor)
        assert (tuple(page.changes), page.done) == ((), True)
