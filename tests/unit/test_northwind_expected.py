"""Northwind's figures, from the files alone, are those that the issue and the data's own README state."""

import ast
import json
import subprocess
import sys
from pathlib import Path

import pytest

SCRIPT = Path(__file__).parents[1] / "northwind" / "expected.py"
FOLDER = Path(__file__).parents[3] / "shared" / "data" / "northwind"


@pytest.fixture(scope="module")
def figures() -> dict[str, object]:
    if not FOLDER.is_dir():
        pytest.skip(f"Northwind is not at {FOLDER}")
    done = subprocess.run(
        [sys.executable, "-I", str(SCRIPT), "--json", str(FOLDER)], check=True, capture_output=True, timeout=60
    )
    parsed: dict[str, object] = json.loads(done.stdout)
    return parsed


def test_it_imports_only_the_standard_library() -> None:
    names = {
        alias.name
        for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8")))
        if isinstance(node, ast.Import)
        for alias in node.names
    } | {
        str(node.module)
        for node in ast.walk(ast.parse(SCRIPT.read_text(encoding="utf-8")))
        if isinstance(node, ast.ImportFrom)
    }
    assert set() == {name.partition(".")[0] for name in names} - sys.stdlib_module_names


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("customers", 91),
        ("products", 77),
        ("employees", 9),
        ("invoices", 830),
        ("lines", 2155),
        ("lines_no_whole_cent", 81),
        ("goods_unrounded", "1265793.0395"),
        ("goods", "1265793.29"),
        ("freight", "64942.69"),
        ("total", "1330735.98"),
    ],
)
def test_the_totals_are_those_stated(figures: dict[str, object], name: str, value: object) -> None:
    assert value == figures[name]


def test_one_invoice_worked_out_by_hand(figures: dict[str, object]) -> None:
    # Order 10248: 12 x 14.00 + 10 x 9.80 + 5 x 34.80 = 440.00, freight 32.38.
    invoices = figures["per_invoice"]
    assert isinstance(invoices, dict)
    assert invoices["10248"] == "472.38"


def test_every_breakdown_adds_up_to_the_total(figures: dict[str, object]) -> None:
    from decimal import Decimal

    for name in ("per_account", "per_month", "per_customer", "per_invoice"):
        part = figures[name]
        assert isinstance(part, dict)
        assert Decimal("1330735.98") == sum(map(Decimal, part.values())), name
    cells = figures["per_customer_month_account"]
    assert isinstance(cells, list)
    assert Decimal("1330735.98") == sum(Decimal(cell["amount"]) for cell in cells)
