"""A first table for a folder that nobody has mapped: common exports are recognised, and what is not is named."""

import tomllib
from collections import Counter
from decimal import Decimal
from pathlib import Path

import pytest

from counterfoil.errors import ConfigurationError
from counterfoil.sources import Seen
from counterfoil_adapters.csv.proposing import propose
from counterfoil_schema.records import Customer, Employee, Invoice, PayRun, Product
from support.csv_folders import read_changes
from support.dirty_exports import write_exports

HEAD = '[connection]\nsource = "csv"\nzone = "UTC"\ncurrency = "USD"\n'

EXPORTS = {
    # A CRM whose columns say first what they belong to.
    "deals.csv": (
        "Deal - ID,Deal - Title,Deal - Value,Deal - Currency,Deal - Organization,Deal - Status,Deal - Won time\n"
        "1,Roof,1200.50,EUR,Ørsted,won,2026-03-01 10:00:00\n2,Wall,,EUR,Ørsted,open,\n"
    ),
    # One that joins companies to deals by name.
    "opportunities.csv": (
        '"Opportunity ID","Opportunity Name","Account Name","Stage","Close Date","Amount"\n'
        '"006A","Big one","Acme","Closed Won","3/31/2026","1,000.00"\n'
        '"006B","Lost one","Acme","Closed Lost","4/1/2026","5.00"\n'
    ),
    "companies.csv": "Record ID,Company name,Phone Number,City,Country/Region\n900,Acme,+1 5,Paris,FR\n901,Ørsted,,,\n",
    "staff.csv": (
        "Age,Attrition,Department,EmployeeNumber,JobRole,MonthlyIncome\n41,Yes,Sales,1,Sales Executive,5993\n"
        "49,No,R&D,2,Research Scientist,5130\n"
    ),
    "payroll journal.csv": (
        "Acme Inc,,,,,,\nPayroll journal,,,,,,\n"
        "Employee,Department,Pay Date,Gross Pay,Employee Taxes,Employer Taxes,Net Pay\n"
        "Ann,Ops,03/15/2026,1000.00,200.00,80.00,800.00\nBo,Ops,03/15/2026,900.00,180.00,70.00,720.00\n"
    ),
    "notes.csv": "colour,size\nred,1\nblue,2\n",
}


async def read_proposed(folder: Path) -> tuple[str, dict[str, Counter[str]], list[Seen]]:
    """The proposal, what each of its kinds reads by name of the change's class, and what was seen."""
    text = propose({"folder": folder})
    counts: dict[str, Counter[str]] = {}
    seen: list[Seen] = []
    for kind in [name for name, table in tomllib.loads(text)["csv"].items() if isinstance(table, dict)]:
        changes = await read_changes(folder, HEAD + text, kind)
        counts[kind] = Counter(type(change).__name__ for change in changes)
        seen += [change for change in changes if isinstance(change, Seen)]
    return text, counts, seen


async def test_exports_of_common_shape_are_recognised_and_read(tmp_path: Path) -> None:
    folder = tmp_path / "exports"
    folder.mkdir()
    for name, content in EXPORTS.items():
        (folder / name).write_text(content, encoding="utf-8")
    text, counts, seen = await read_proposed(folder)
    assert not [kind for kind, count in counts.items() if count["Unreadable"]]
    sales = {one.source_id: one.record for one in seen if isinstance(one.record, Invoice)}
    assert {key: (sale.status, sale.won) for key, sale in sales.items()} == {
        "1": ("won", True),
        "2": ("open", False),
        "006A": ("Closed Won", True),
        "006B": ("Closed Lost", False),
    }
    assert [line.unit_price for line in sales["006A"].lines] == [Decimal("1000.00")]
    assert (sales["1"].currency, sales["2"].lines) == ("EUR", ())
    people = [one.record for one in seen if isinstance(one.record, Employee)]
    assert [(one.given_name, one.family_name, one.department, one.job) for one in people] == [
        ("Employee", "1", "Sales", "Sales Executive"),
        ("Employee", "2", "R&D", "Research Scientist"),
    ]
    (run,) = [one.record for one in seen if isinstance(one.record, PayRun)]
    assert {(line.part, line.department): (line.amount, line.people) for line in run.lines} == {
        ("wages", "Ops"): (Decimal(1900), 2),
        ("employer_tax", "Ops"): (Decimal(150), 2),
        ("net_pay", "Ops"): (Decimal(1520), 2),
        ("tax_payment", "Ops"): (Decimal(530), 2),
    }
    named = {one.record.name for one in seen if isinstance(one.record, Customer)}
    assert named == {"Acme", "Ørsted"}
    assert "# notes.csv was not recognised" in text
    assert "# colour, size" in text


async def test_dirty_exports_are_recognised_with_all_their_dirt(tmp_path: Path) -> None:
    expected = write_exports(tmp_path / "exports", 11, Decimal("0.1"))
    _, counts, seen = await read_proposed(tmp_path / "exports")
    kinds = {
        "order": "receipt",
        "superstore_order": "order",
        "deal": "deal",
        "employee": "person",
        "pay_run": "pay_run",
    }
    for kind, generated in kinds.items():
        total = sum(count for (one, _), count in expected.outcomes.items() if one == generated)
        assert counts[kind].total() == total, kind
        # What parks by its content alone (nobody's, dated never) is read all the same.
        assert counts[kind]["Unreadable"] <= expected.outcomes[generated, "parked"], kind
    assert sum(isinstance(one.record, Product) for one in seen) >= expected.outcomes["article", "applied"]
    assert counts["customer"]["Seen"] == expected.outcomes["account", "applied"]


async def test_a_warehouse_in_tables_with_sales_of_several_years_and_no_price_in_them(tmp_path: Path) -> None:
    files = {
        "AdventureWorks_Customers.csv": (
            "CustomerKey,Prefix,FirstName,LastName,EmailAddress,AnnualIncome\n"
            '7,MR.,JON,YANG,jon@x.test,"$90,000 "\n8,MS.,ANA,LI,ana@x.test,"$60,000 "\n'
        ),
        "AdventureWorks_Products.csv": (
            "ProductKey,ProductSKU,ProductName,ProductCost,ProductPrice\n1,HL-U509,Helmet,13.0863,34.99\n"
            "2,SO-B909,Socks,3.3963,9.50\n"
        ),
        "AdventureWorks_Sales_2015.csv": (
            "OrderDate,StockDate,OrderNumber,ProductKey,CustomerKey,TerritoryKey,OrderLineItem,OrderQuantity\n"
            "1/13/2015,9/21/2001,SO45080,1,7,1,1,2\n1/13/2015,9/21/2001,SO45080,2,7,1,2,1\n"
        ),
        "AdventureWorks_Sales_2016.csv": (
            "OrderDate,StockDate,OrderNumber,ProductKey,CustomerKey,TerritoryKey,OrderLineItem,OrderQuantity\n"
            "1/14/2016,9/21/2001,SO45081,2,8,1,1,3\n"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    text, counts, seen = await read_proposed(tmp_path)
    assert not [kind for kind, count in counts.items() if count["Unreadable"]], text
    assert 'file = "AdventureWorks_Sales_*.csv"' in text
    sales = {one.source_id: one.record for one in seen if isinstance(one.record, Invoice)}
    assert {key: [(line.quantity, line.unit_price) for line in sale.lines] for key, sale in sales.items()} == {
        "SO45080": [(Decimal(2), Decimal("34.99")), (Decimal(1), Decimal("9.50"))],
        "SO45081": [(Decimal(3), Decimal("9.50"))],
    }
    assert {one.record.name for one in seen if isinstance(one.record, Customer)} == {"JON YANG", "ANA LI"}


async def test_columns_that_are_called_otherwise_are_recognised_by_what_they_number(tmp_path: Path) -> None:
    files = {
        "Accounts export (final).csv": (
            "Account No.;Company Name;E-Mail;Country;Active?\n"
            "A1;Ødegård & Li GmbH;a@x.test;DE;yes\nA2;Smith Ltd.;;AT;no\nA3;Smith Ltd.;;AT;yes\n"
        ),
        "opps.csv": (
            "Opp Ref;Account No.;Opportunity;Sales Stage;Deal Value;Close Date\n"
            "O-1;A1;Roof;Closed Won;1.234,50;31.12.2025\nO-2;A2;Wall;Negotiation;;\n"
            "O-3;A3;Door;Closed Won;2,00;1.1.2026\n"
        ),
        "HR_Export.txt": (
            "Personnel No\tName (Last, First)\tWork Email\tDept\tStart Date\tEmployment Status\tAnnual Salary\n"
            "P1\tLi, Ava\ta@x.test\tSales\t2020-01-02\tActive\t1,000.00\n"
            "P2\tNguyễn, Mei\t\tSales\t2020-01-02\tTerminated\t1,000.00\n"
            "P3\tO'Neill, Jo\t\tSales\t2020-01-02\tOn leave\t1,000.00\n"
        ),
    }
    for name, content in files.items():
        (tmp_path / name).write_text(content, encoding="utf-8")
    text, counts, seen = await read_proposed(tmp_path)
    assert not [kind for kind, count in counts.items() if count["Unreadable"]], text
    customers = {one.source_id: one.record for one in seen if isinstance(one.record, Customer)}
    assert {key: (one.name, one.active) for key, one in customers.items()} == {
        "A1": ("Ødegård & Li GmbH", True),
        "A2": ("Smith Ltd.", False),
        "A3": ("Smith Ltd.", True),
    }
    deals = {one.source_id: one.record for one in seen if isinstance(one.record, Invoice)}
    assert {key: (one.customer, one.won) for key, one in deals.items()} == {
        "O-1": ("shop:customer:A1", True),
        "O-2": ("shop:customer:A2", False),
        "O-3": ("shop:customer:A3", True),
    }
    assert [line.unit_price for line in deals["O-1"].lines] == [Decimal("1234.50")]
    people = {one.source_id: one.record for one in seen if isinstance(one.record, Employee)}
    assert {key: (one.given_name, one.family_name, one.active) for key, one in people.items()} == {
        "P1": ("Ava", "Li", True),
        "P2": ("Mei", "Nguyễn", False),
        "P3": ("Jo", "O'Neill", True),
    }
    # What people are paid is nobody's business here.
    assert "Salary" not in text


def test_a_folder_without_anything_like_a_table_is_said(tmp_path: Path) -> None:
    (tmp_path / "empty.csv").write_text("", encoding="utf-8")
    (tmp_path / "words.txt").write_text("one\ntwo\n", encoding="utf-8")
    for settings in ({"folder": tmp_path}, {"folder": tmp_path / "nowhere"}, {"file": tmp_path / "nothing.csv"}):
        with pytest.raises(ConfigurationError, match="no CSV file with a header"):
            propose(settings)
