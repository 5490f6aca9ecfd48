"""Files as other systems export them: a row for each line, many about one customer, titles, totals, odd cells."""

from datetime import date
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources import Seen, SourceChange, SourceError, Unreadable
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_schema.records import Customer, Employee, Invoice, PayRun, PayRunLine, Product
from support.csv_folders import context_for, read_changes, read_pages

SUPERSTORE = """
[connection]
source = "csv"
zone = "UTC"
currency = "USD"

[csv.buyer]
file = "orders.csv"
record = "customer"
id = "Customer ID"
repeated = "first"
[csv.buyer.columns]
name = "Customer Name"
given_name = { column = "Customer Name", before = " " }
family_name = { column = "Customer Name", after = " " }

[csv.ware]
file = "orders.csv"
record = "product"
id = "Product ID"
repeated = "first"
columns = { name = "Product Name" }

[csv.order]
file = "orders.csv"
record = "invoice"
id = "Order ID"
dates = ["%m/%d/%Y"]
constants = { status = "shipped", won = true }
columns = { customer = { kind = "buyer", column = "Customer ID" }, dated = "Order Date" }
[csv.order.lines]
id = "Row ID"
columns = { product = { kind = "ware", column = "Product ID" }, unit_price = "Sales", discount = "Discount" }
"""

ORDERS = (
    "Superstore,,,,,,,,\n"
    "Orders of 2016,,,,,,,,\n"
    "\n"
    "Row ID,Order ID,Order Date,Customer ID,Customer Name,Product ID,Product Name,Sales,Discount\n"
    '1,CA-1,11/8/2016,CG-1,Claire  Gute,FUR-1,,"$1,261.96",20%\n'
    "2,CA-2,11/9/2016,,,OFF-1,Labels,14.62,0\n"
    '3,CA-1,11/8/2016,CG-1,Claire Gute,FUR-1,"Chair, tall",(731.94),NULL\n'
    "4,CA-3,11/9/2016,CG-1,Claire Gute,OFF-1,Labels,-,0\n"
    "5,CA-4,11/9/2016,CG-1,Claire Gute,OFF-1,Labels,5.00 USD,0\n"
    "6,CA-4,11/9/2016,DV-2,Dan Vo,OFF-1,Labels,5.00,0\n"
    "7,CA-5,11/9/2016,CG-1,Claire Gute\n"
    'Grand Total,,,,,,,"1,277.96",\n'
)


def by_id(changes: list[SourceChange]) -> dict[str, SourceChange]:
    return {change.source_id: change for change in changes}


async def test_rows_of_one_order_are_its_lines_and_customers_and_products_come_out_of_the_same_file(
    tmp_path: Path,
) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    found = by_id(await read_changes(tmp_path, SUPERSTORE, "order"))
    nameless = [source_id for source_id in found if source_id.startswith("row ")]
    assert set(found) == {"CA-1", "CA-2", "CA-3", "CA-4", *nameless}
    first = found["CA-1"]
    assert isinstance(first, Seen)
    assert isinstance(first.record, Invoice)
    assert (first.record.customer, first.record.dated) == ("shop:buyer:CG-1", date(2016, 11, 8))
    assert [(one.line_id, one.product, one.unit_price, one.discount) for one in first.record.lines] == [
        ("1", "shop:ware:FUR-1", Decimal("1261.96"), Decimal("0.20")),
        ("3", "shop:ware:FUR-1", Decimal("-731.94"), Decimal(0)),
    ]
    nobody = found["CA-2"]
    assert isinstance(nobody, Seen)
    assert isinstance(nobody.record, Invoice)
    assert nobody.record.customer is None
    priceless, two = found["CA-3"], found["CA-4"]
    assert isinstance(priceless, Unreadable)
    assert "Column 'Sales' is empty" in priceless.problem
    assert isinstance(two, Unreadable)
    assert "The rows of one order disagree about the customer: lines 9 and 10." in two.problem
    # Row 7 breaks off; its id is not the leading cell, so that it stands for itself.
    (torn,) = (found[one] for one in nameless)
    assert isinstance(torn, Unreadable)
    assert "5 cells and the header 9" in torn.problem

    buyers = await read_changes(tmp_path, SUPERSTORE, "buyer")
    names = [one.record for one in buyers if isinstance(one, Seen)]
    assert [(one.name, one.given_name, one.family_name) for one in names if isinstance(one, Customer)] == [
        ("Claire  Gute", "Claire", "Gute"),
        ("Dan Vo", "Dan", "Vo"),
    ]
    assert len(buyers) == 2
    # The first row that names the product counts, not the first that bears its id.
    wares = [
        one.record.name
        for one in await read_changes(tmp_path, SUPERSTORE, "ware")
        if isinstance(one, Seen) and isinstance(one.record, Product)
    ]
    assert wares == ["Labels", "Chair, tall"]


async def test_what_is_passed_over_is_said(tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ORDERS, encoding="utf-8")
    async with CsvSource(context_for(tmp_path, SUPERSTORE)) as source:
        for kind in source.kinds():
            assert [page async for page in source.changes(kind, None)]
        said = " ".join(source.notices)
    assert "orders.csv line 12 was passed over: it is a row of totals." in said
    assert "2 rows were passed over for buyer: 'Customer ID' is empty in them" in said


async def test_several_files_of_one_pattern_are_one_kind(tmp_path: Path) -> None:
    mapping = SUPERSTORE.replace('"orders.csv"', '"orders_*.csv"')
    lines = ORDERS.splitlines(keepends=True)
    (tmp_path / "orders_2015.csv").write_text("".join([*lines[3:6], lines[7]]), encoding="utf-16")
    (tmp_path / "orders_2016.csv").write_text(
        "".join([lines[3], lines[6]]).replace(",", ";").replace("Chair;", "Chair,")
    )
    with pytest.raises(SourceError, match=r"No file in .* is called"):
        await read_changes(tmp_path / "nowhere", mapping, "order")
    found = await read_changes(tmp_path, mapping, "order")
    # The order's lines stand in two files.
    (first,) = [one for one in found if one.source_id == "CA-1"]
    assert isinstance(first, Seen)
    assert isinstance(first.record, Invoice)
    assert [one.line_id for one in first.record.lines] == ["1", "3"]
    assert {one.source_id for one in found} == {"CA-1", "CA-2", "CA-3"}


async def test_files_of_a_pattern_may_be_taken_away_when_they_were_read_and_others_come(tmp_path: Path) -> None:
    mapping = SUPERSTORE.replace('"orders.csv"', '"orders_*.csv"')
    lines = ORDERS.splitlines(keepends=True)
    first = tmp_path / "orders_1.csv"
    first.write_text("".join(lines[3:6]), encoding="utf-8")
    cursor = (await read_pages(tmp_path, mapping, "order"))[-1].cursor
    first.unlink()
    (nothing,) = await read_pages(tmp_path, mapping, "order", cursor)
    assert (nothing.changes, nothing.cursor, nothing.done) == ((), cursor, True)
    (tmp_path / "orders_2.csv").write_text("".join([lines[3], lines[7]]).replace("CA-3", "CA-9"), encoding="utf-8")
    pages = await read_pages(tmp_path, mapping, "order", cursor)
    assert [change.source_id for page in pages for change in page.changes] == ["CA-9"]


async def test_a_file_without_a_header_and_one_with_two_columns_of_a_name(tmp_path: Path) -> None:
    (tmp_path / "customers.csv").write_text("7|Ann|x\n8|Bo|y\n", encoding="utf-8")
    mapping = (
        '[csv.customer]\nfile = "customers.csv"\nrecord = "customer"\nid = "key"\nheader = ["key", "who", "code"]\n'
        'columns = { name = "who" }\n'
    )
    found = await read_changes(tmp_path, mapping, "customer")
    assert [one.record.name for one in found if isinstance(one, Seen) and isinstance(one.record, Customer)] == [
        "Ann",
        "Bo",
    ]
    (tmp_path / "customers.csv").write_text("key,name,name\n7,short,Ann Long\n", encoding="utf-8")
    twice = '[csv.customer]\nfile = "customers.csv"\nrecord = "customer"\nid = "key"\ncolumns = { name = "name" }\n'
    with pytest.raises(SourceError, match="2 columns called 'name'") as caught:
        await read_changes(tmp_path, twice, "customer")
    assert "name (1), name (2)" in caught.value.remedy
    (one,) = await read_changes(tmp_path, twice.replace('"name" }', '"name (2)" }'), "customer")
    assert isinstance(one, Seen)
    assert isinstance(one.record, Customer)
    assert one.record.name == "Ann Long"


async def test_people_whose_names_stand_in_one_cell_and_whose_dates_lie_long_ago(tmp_path: Path) -> None:
    (tmp_path / "hr.csv").write_text(
        'Employee_Name,EmpID,DateofHire\n"Adinolfi, Wilson  K",10026,7/5/1961\n"Cher",7,N/A\n', encoding="utf-8"
    )
    mapping = (
        '[csv.person]\nfile = "hr.csv"\nrecord = "employee"\nid = "EmpID"\ndates = ["%m/%d/%Y"]\n'
        '[csv.person.columns]\nfamily_name = { column = "Employee_Name", before = "," }\n'
        'given_name = { column = "Employee_Name", after = "," }\nhired = "DateofHire"\n'
    )
    known, mononym = await read_changes(tmp_path, mapping, "person")
    assert isinstance(known, Seen)
    assert isinstance(known.record, Employee)
    assert (known.record.given_name, known.record.family_name) == ("Wilson K", "Adinolfi")
    assert known.record.hired == date(1961, 7, 5)
    assert isinstance(mononym, Unreadable)
    assert mononym.problem == "Column 'Employee_Name' is filled, but not with a given_name."


async def test_a_payroll_journal_is_summed_by_department_and_part_and_names_nobody(tmp_path: Path) -> None:
    (tmp_path / "payroll.csv").write_text(
        "Check Date,Employee,Department,Regular,Overtime,Employee Tax,Employer Tax,Net\n"
        '3/15/2026,Ann,Design,"1,000.00",50.25,210.05,80.33,840.20\n'
        "3/15/2026,Bo,Design,900,,180,70,720\n"
        "3/15/2026,Bo,Design,-,10.00,0,0,10.00\n"
        "3/15/2026,Cy,,500,0,100,40,400\n"
        "3/31/2026,Ann,Design,n/k,0,0,0,0\n",
        encoding="utf-8",
    )
    mapping = (
        '[connection]\ncurrency = "USD"\nzone = "UTC"\n[csv.run]\nfile = "payroll.csv"\nrecord = "pay_run"\n'
        'id = "Check Date"\ndates = ["%m/%d/%Y"]\nconstants = { status = "paid", processed = true }\n'
        'columns = { check_date = "Check Date" }\n[csv.run.pay]\nperson = "Employee"\ndepartment = "Department"\n'
        'wages = ["Regular", "Overtime"]\nemployer_tax = "Employer Tax"\ntax_payment = '
        '["Employee Tax", "Employer Tax"]\n'
        'net_pay = "Net"\n'
    )
    paid, wrong = await read_changes(tmp_path, mapping, "run")
    assert isinstance(paid, Seen)
    assert isinstance(paid.record, PayRun)
    assert (paid.record.check_date, paid.record.period_end) == (date(2026, 3, 15), date(2026, 3, 15))
    assert list(paid.record.lines) == [
        PayRunLine(department="Design", part="wages", amount=Decimal("1960.25"), people=2),
        PayRunLine(department="Design", part="employer_tax", amount=Decimal("150.33"), people=2),
        PayRunLine(department="Design", part="net_pay", amount=Decimal("1570.20"), people=2),
        PayRunLine(department="Design", part="tax_payment", amount=Decimal("540.38"), people=2),
        PayRunLine(department="", part="wages", amount=Decimal(500), people=1),
        PayRunLine(department="", part="employer_tax", amount=Decimal(40), people=1),
        PayRunLine(department="", part="net_pay", amount=Decimal(400), people=1),
        PayRunLine(department="", part="tax_payment", amount=Decimal(140), people=1),
    ]
    assert paid.raw == '{"rows":4}'
    assert isinstance(wrong, Unreadable)
    assert wrong.raw == '{"rows":1}'
    assert "The cell in column 'Regular' is not a number." in wrong.problem.replace("the cell", "The cell")


ADVENTURE = """
[connection]
source = "csv"
zone = "UTC"
currency = "USD"

[csv.ware]
file = "products.csv"
record = "product"
id = "ProductKey"
columns = { name = "ProductName", unit_price = "ProductPrice" }

[csv.buyer]
file = "buyers.csv"
record = "customer"
id = "CustomerKey"
columns = { name = "{FirstName} {LastName}" }

[csv.order]
file = "sales_*.csv"
record = "invoice"
id = "OrderNumber"
dates = ["%m/%d/%Y"]
constants = { status = "sold", won = true }
columns = { customer = { kind = "buyer", column = "CustomerKey" }, dated = "OrderDate" }
[csv.order.lines]
id = "OrderLineItem"
price_from = "ware"
columns = { product = { kind = "ware", column = "ProductKey" }, quantity = "OrderQuantity" }
"""


async def test_lines_without_a_price_take_that_of_their_product_and_follow_it(tmp_path: Path) -> None:
    (tmp_path / "products.csv").write_text("ProductKey,ProductName,ProductPrice\n1,Bike,1034.50\n2,Cap,\n")
    (tmp_path / "sales_2015.csv").write_text(
        "OrderDate,OrderNumber,ProductKey,CustomerKey,OrderLineItem,OrderQuantity\n"
        "1/1/2015,SO1,1,7,1,2\n1/1/2015,SO2,2,7,1,1\n1/1/2015,SO3,1,7,1,1\n1/1/2015,SO3,9,7,2,1\n"
    )
    pages = await read_pages(tmp_path, ADVENTURE, "order")
    sold, capped, strange = [change for page in pages for change in page.changes]
    assert isinstance(sold, Seen)
    assert isinstance(sold.record, Invoice)
    assert [(line.quantity, line.unit_price) for line in sold.record.lines] == [(Decimal(2), Decimal("1034.50"))]
    for change, line in ((capped, 3), (strange, 5)):
        assert isinstance(change, Unreadable)
        assert "The line states no price, and [csv.ware] has none for its product." in change.problem
        assert f"sales_2015.csv line {line}" in f"{change.place} {change.problem}"

    # Another price is another order, though its own file is as it was.
    (tmp_path / "products.csv").write_text("ProductKey,ProductName,ProductPrice\n1,Bike,999\n2,Cap,5\n")
    pages = await read_pages(tmp_path, ADVENTURE, "order", pages[-1].cursor)
    prices = {
        change.source_id: [line.unit_price for line in change.record.lines]
        for page in pages
        for change in page.changes
        if isinstance(change, Seen) and isinstance(change.record, Invoice)
    }
    assert prices == {"SO1": [Decimal(999)], "SO2": [Decimal(5)]}


def test_a_kind_without_prices_is_refused_by_name(tmp_path: Path) -> None:
    for wrong in ("wear", "buyer"):
        with pytest.raises(ConfigurationError, match=f"price_from names '{wrong}'"):
            CsvSource(context_for(tmp_path, ADVENTURE.replace('"ware"\ncolumns', f'"{wrong}"\ncolumns')))
