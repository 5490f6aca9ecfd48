"""Every fault of a row is reported with its place, its cause and its cure, and the other rows go on."""

import json
from pathlib import Path

import pytest

from counterfoil.sources import Seen, SourceError, Unreadable
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_schema.records import Invoice
from support.csv_folders import SHOP_MAPPING, context_for, read_changes

ORDERS = "id,customer,date,freight\n"
LINES = "order,line,qty,price,discount\n"
GOOD_ORDER = "A,C1,2024-01-31,\n"
GOOD_LINE = "A,1,1,9.00,0\n"


def lay_out(folder: Path, orders: str, lines: str) -> None:
    (folder / "orders.csv").write_text(ORDERS + orders, encoding="utf-8", newline="")
    (folder / "lines.csv").write_text(LINES + lines, encoding="utf-8", newline="")


async def faults(folder: Path) -> list[Unreadable]:
    changes = await read_changes(folder, SHOP_MAPPING, "order")
    assert [change.source_id for change in changes if isinstance(change, Seen)].count("A") == 1, "the rest goes on"
    return [change for change in changes if isinstance(change, Unreadable)]


@pytest.mark.parametrize(
    ("orders", "lines", "source_id", "place", "words"),
    [
        ("B,C1,31/01/2024,\n", "B,1,1,9.00,0\n", "B", "orders.csv line 3", "'31/01/2024' in column 'date'"),
        ("B,C1,2024-01-31,abc\n", "B,1,1,9.00,0\n", "B", "orders.csv line 3", "'abc' in column 'freight'"),
        ("B,C1,2024-01-31,\n", "B,1,one,9.00,0\n", "B", "lines.csv line 3", "'one' in column 'qty' is not a number"),
        ("B,C1,2024-01-31,\n", "B,1,,9.00,0\n", "B", "lines.csv line 3", "Column 'qty' is empty"),
        ("B,C1,2024-01-31,\n", "B,1,1,,0\n", "B", "lines.csv line 3", "Column 'price' is empty"),
        ("B,C1,2024-01-31,\n", "B,1,1,9.00,15\n", "B", "lines.csv line 3", "discount is 15 of the line"),
        ("B,C1,2024-01-31,\n", "B,,1,9.00,0\n", "B", "lines.csv line 3", "has no id"),
        ("B,C1,2024-01-31,\n", "B,1,1,9.00,0\nB,1,1,9.00,0\n", "B", "lines.csv line 4", "a second line '1'"),
        ("B,C1,2024-01-31,\n", "B,1,1\n", "B", "lines.csv line 3", "3 cells and the header 5"),
        ("B,C1,2024-01-31,\n", "", "B", "orders.csv line 3", "order B has no line in lines.csv"),
        ("B,C1\n", "B,1,1,9.00,0\n", "B", "orders.csv line 3", "2 cells and the header 4"),
        ('B,"C1,2024-01-31,\n', "B,1,1,9.00,0\n", "B", "orders.csv line 3", "not closed"),
        ("", "B,1,1,9.00,0\nB,2,1,9.00,0\n", "B", "lines.csv line 3", "belongs to order B, which is not in orders.csv"),
        ("A,C1,2024-02-01,\n", "", "A again", "orders.csv line 3", "already on line 2"),
    ],
)
async def test_a_fault_names_its_record_place_cause_and_cure(
    tmp_path: Path, orders: str, lines: str, source_id: str, place: str, words: str
) -> None:
    lay_out(tmp_path, GOOD_ORDER + orders, GOOD_LINE + lines)
    (fault,) = await faults(tmp_path)
    assert (source_id, place) == (fault.source_id, fault.place)
    assert words in fault.problem
    assert fault.fix
    assert json.loads(fault.raw)


async def test_an_order_is_never_invoiced_without_one_of_its_lines(tmp_path: Path) -> None:
    lay_out(tmp_path, GOOD_ORDER + "B,C1,2024-01-31,\n", GOOD_LINE + "B,1,1,9.00,0\nB,2,x,9.00,0\nB,3,1,y,0\n")
    (fault,) = await faults(tmp_path)
    assert fault.place == "lines.csv line 4"
    assert "lines.csv line 5: 'y' in column 'price'" in fault.problem
    assert [line["price"] for line in json.loads(fault.raw)["lines"]] == ["9.00", "9.00", "y"]


@pytest.mark.parametrize(
    "broken",
    ["2,B,1,1,000.00,0", "2,,B,1,9.00,0", "B,1,9.00,0", '"2,B,1,9.00,0', '2,"B" x,1,9.00,0', '"2" x,B,1,9.00,0'],
)
async def test_nor_without_one_that_is_broken_and_does_not_begin_with_the_order(tmp_path: Path, broken: str) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS + GOOD_ORDER + "B,C1,2024-01-31,\nC,C1,2024-01-31,\n", encoding="utf-8")
    rows = f"1,A,1,9.00,0\n1,B,1,9.00,0\n{broken}\n1,C,1,9.00,0\n"
    (tmp_path / "lines.csv").write_text(f"line,order,qty,price,discount\n{rows}", encoding="utf-8")

    order, row = await faults(tmp_path)

    assert (order.source_id, order.place, row.place) == ("B", "lines.csv line 4", "lines.csv line 4")
    assert order.problem == row.problem


async def test_nor_where_each_row_is_a_line(tmp_path: Path) -> None:
    mapping = """
    [connection]
    source = "csv"
    zone = "UTC"
    currency = "USD"

    [csv]
    dates = "iso"

    [csv.customer]
    file = "sales.csv"
    record = "customer"
    id = "customer"
    repeated = "first"
    columns = { name = "customer" }

    [csv.sale]
    file = "sales.csv"
    record = "invoice"
    id = "invoice"
    columns = { customer = { kind = "customer", column = "customer" }, dated = "day" }
    constants = { status = "sold", won = true }

    [csv.sale.lines]
    id = "line"
    columns = { quantity = "qty", unit_price = "price" }
    """
    rows = (
        "1,A,C1,2024-01-31,1,9.00\n1,B,C1,2024-01-31,1,9.00\n2,B,C1,2024-01-31,1,1,000.00\n1,C,C1,2024-01-31,1,9.00\n"
    )
    (tmp_path / "sales.csv").write_text(f"line,invoice,customer,day,qty,price\n{rows}", encoding="utf-8")

    changes = await read_changes(tmp_path, mapping, "sale")

    assert {change.source_id for change in changes if isinstance(change, Seen)} == {"A", "C"}
    held = [change for change in changes if isinstance(change, Unreadable)]
    assert [change.place for change in held] == ["sales.csv line 4"] * 2
    assert "B" in {change.source_id for change in held}


async def test_rows_without_an_id_are_kept_under_a_name_of_their_own(tmp_path: Path) -> None:
    lay_out(tmp_path, GOOD_ORDER + ",C1,2024-01-31,\n,C1,2024-01-31,\n", GOOD_LINE + ",1,1,9.00,0\n,1,1,9.00,0\n")
    found = await faults(tmp_path)
    assert [fault.place for fault in found] == [
        "orders.csv line 3",
        "orders.csv line 4",
        "lines.csv line 3",
        "lines.csv line 4",
    ]
    assert len({fault.source_id for fault in found}) == 4
    assert found == await faults(tmp_path)


async def test_places_are_physical_lines_even_after_cells_of_several_lines(tmp_path: Path) -> None:
    lay_out(
        tmp_path, '"A","C\r\n1\r\n",2024-01-31,\r\n\r\nB,C1,yesterday,\r\n', GOOD_LINE + '"B",1,1,9.00,"0"\r\nQ,1,1,1,0'
    )
    assert [fault.place for fault in await faults(tmp_path)] == ["orders.csv line 6", "lines.csv line 4"]


async def test_all_faults_of_one_row_are_told_at_once(tmp_path: Path) -> None:
    lay_out(tmp_path, GOOD_ORDER + "B,C1,soon,much\n", GOOD_LINE)
    (fault,) = await faults(tmp_path)
    assert all(words in fault.problem for words in ("'soon'", "'much'", "has no line"))


async def test_a_fault_in_a_person_s_row_does_not_repeat_the_cell(tmp_path: Path) -> None:
    mapping = """
[csv.person]
file = "people.csv"
record = "employee"
id = "id"
columns = { given_name = "first", family_name = "last", hired = "hired" }
"""
    (tmp_path / "people.csv").write_text("id,first,last,hired,ssn\n1,A,B,123-45-6789,987-65-4321\n2,C,D\n", "utf-8")
    faults = [change for change in await read_changes(tmp_path, mapping, "person") if isinstance(change, Unreadable)]
    assert [fault.source_id for fault in faults] == ["1", "2"]
    assert [fault for fault in faults if "123-45-6789" in fault.problem or "987-65-4321" in repr(fault)] == []


async def test_the_amounts_of_a_german_export_with_percents(tmp_path: Path) -> None:
    mapping = SHOP_MAPPING.replace(
        '[csv.order]\nfile = "orders.csv"',
        '[csv]\ndecimal = ","\nthousands = "."\ndates = ["%d.%m.%Y"]\n\n[csv.order]\nfile = "orders.csv"',
    ).replace('id = "line"\ncolumns', 'id = "line"\ndiscount_as = "percent"\ncolumns')
    (tmp_path / "orders.csv").write_text("id;customer;date;freight\nA;C1;31.01.2024;1.002,50\n", encoding="cp1252")
    (tmp_path / "lines.csv").write_text("order;line;qty;price;discount\nA;1;1,5;1.234,56;12,5\n", encoding="cp1252")
    (order,) = await read_changes(tmp_path, mapping, "order")
    assert isinstance(order, Seen)
    assert isinstance(order.record, Invoice)
    goods, freight = order.record.lines
    assert (str(goods.quantity), str(goods.unit_price), str(goods.discount)) == ("1.5", "1234.56", "0.125")
    assert (freight.role, str(freight.unit_price)) == ("freight", "1002.50")
    assert order.record.currency == "EUR"
    assert str(order.record.dated) == "2024-01-31"


async def test_a_file_of_lines_beyond_the_bound_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("counterfoil_adapters.csv.walk.LINE_ROWS_MAX", 2)
    lay_out(tmp_path, GOOD_ORDER, GOOD_LINE * 3)
    with pytest.raises(SourceError, match=r"lines\.csv has more than 2 rows"):
        await read_changes(tmp_path, SHOP_MAPPING, "order")


async def test_one_record_is_read_after_those_that_it_names(tmp_path: Path) -> None:
    lay_out(tmp_path, GOOD_ORDER, GOOD_LINE)
    (tmp_path / "customers.csv").write_text("id,name,mail\nC0,x,\nC1,Zoë,\n", encoding="utf-8")
    async with CsvSource(context_for(tmp_path, SHOP_MAPPING)) as source:
        customer, order = await source.read("order", "A")
        assert isinstance(order, Seen)
        assert [(change.kind, change.source_id) for change in (customer, order)] == [("customer", "C1"), ("order", "A")]
        assert source.same_values("order", {"date": "2024-01-31"}, order.raw)
        assert not source.same_values("order", {"date": "2024-02-01"}, order.raw)
