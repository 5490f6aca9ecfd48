"""Each kind of record, from the columns that a mapping names."""

import tomllib
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from datetime import UTC, date, datetime
from decimal import Decimal
from pathlib import Path

from counterfoil.sources import Seen, SourceAdapter, SourceContext, Unreadable
from counterfoil_adapters.csv.adapter import CsvSource
from counterfoil_schema.records import (
    Address,
    Application,
    CreditMemo,
    Customer,
    Employee,
    Invoice,
    InvoiceLine,
    Payment,
    Payout,
    PayoutPart,
    Product,
    Record,
    Vendor,
)
from support.csv_folders import context_for, read_changes

MAPPING = """
[connection]
source = "csv"
zone = "America/New_York"
currency = "USD"

[csv.receipt]
file = "receipts.csv"
record = "payment"
id = ["year", "no"]
columns = { customer = "client", dated = "day", amount = "sum", reference = "cheque" }
applied = { invoice = { kind = "deal", column = "deal" }, amount = "part" }

[csv.deal]
file = "deals.csv"
record = "invoice"
id = "id"

[csv.deal.columns]
customer = { kind = "company", column = "company", connection = "hubspot" }
status = "stage"
won = { column = "stage", when = ["Closed Won"] }
happened_at = "closed"
currency = "cur"
stated_total = "amount"
memo = "{name} for {who}"

[[csv.deal.charges]]
column = "amount"
role = "goods"
id = "all"

[csv.refund]
file = "refunds.csv"
record = "credit_memo"
id = "id"
columns = { customer = "client", dated = "day" }
charges = [{ column = "sum", role = "goods", description = "Returned" }]

[csv.client]
file = "clients.csv"
record = "customer"
id = "id"

[csv.client.columns]
name = "{first} {middle} {last}"
active = "active"
billing = { lines = ["street", "street 2"], city = "city", country = "country" }

[csv.good]
file = "goods.csv"
record = "product"
id = "sku"
columns = { name = "name", sku = "sku", unit_price = "price" }

[csv.person]
file = "people.csv"
record = "employee"
id = "id"
columns = { given_name = "first", family_name = "last", hired = "hired", active = "active", department = "dept" }

[csv.supplier]
file = "suppliers.csv"
record = "vendor"
id = "id"
columns = { name = "name" }
"""


async def only(folder: Path, kind: str, file: str, text: str) -> tuple[str, Record]:
    (folder / file).write_text(text, encoding="utf-8")
    (change,) = await read_changes(folder, MAPPING, kind)
    assert isinstance(change, Seen), change
    return change.source_id, change.record


async def test_a_deal_without_lines_and_its_amount_as_the_one_line(tmp_path: Path) -> None:
    text = "id,company,stage,closed,cur,amount,name,who\n7,512,Closed Won,2024-01-31 23:30,eur,1000.50,New roof,\n"
    line = InvoiceLine(line_id="all", unit_price=Decimal("1000.50"))
    expected = Invoice(
        customer="hubspot:company:512",
        status="Closed Won",
        won=True,
        happened_at=datetime(2024, 2, 1, 4, 30, tzinfo=UTC),
        currency="EUR",
        stated_total=Decimal("1000.50"),
        memo="New roof for",
        lines=(line,),
    )
    assert ("7", expected) == await only(tmp_path, "deal", "deals.csv", text)


async def test_a_lost_deal_without_amount_currency_or_customer(tmp_path: Path) -> None:
    text = "id,company,stage,closed,cur,amount,name,who\n7,,Lost,,,,,\n"
    expected = Invoice(customer=None, status="Lost", won=False, currency="USD", lines=())
    assert ("7", expected) == await only(tmp_path, "deal", "deals.csv", text)


async def test_a_payment_that_settles_part_of_an_invoice(tmp_path: Path) -> None:
    text = "year,no,client,day,sum,cheque,deal,part\n2024,1/2,C1,2024-03-01,120.00,998,7,100.00\n"
    expected = Payment(
        customer="shop:client:C1",
        dated=date(2024, 3, 1),
        currency="USD",
        amount=Decimal("120.00"),
        reference="998",
        applied=(Application(invoice="shop:deal:7", amount=Decimal("100.00")),),
    )
    assert ("2024/1\\/2", expected) == await only(tmp_path, "receipt", "receipts.csv", text)


async def test_a_payment_on_account(tmp_path: Path) -> None:
    text = "year,no,client,day,sum,cheque,deal,part\n2024,1,C1,2024-03-01,120.00,,,\n"
    expected = Payment(customer="shop:client:C1", dated=date(2024, 3, 1), currency="USD", amount=Decimal("120.00"))
    assert ("2024/1", expected) == await only(tmp_path, "receipt", "receipts.csv", text)


async def test_a_credit_memo(tmp_path: Path) -> None:
    line = InvoiceLine(line_id="sum", description="Returned", unit_price=Decimal("5.00"))
    expected = CreditMemo(customer="shop:client:C1", dated=date(2024, 3, 1), currency="USD", lines=(line,))
    text = "id,client,day,sum\nR1,C1,2024-03-01,5.00\n"
    assert ("R1", expected) == await only(tmp_path, "refund", "refunds.csv", text)


async def test_a_customer_with_a_template_a_flag_and_an_address_of_several_lines(tmp_path: Path) -> None:
    header = "id,first,middle,last,active,street,street 2,city,country"
    text = header + '\n1,Zoë,,O\'Neill,no,"1 High St.\n2nd floor",,York,UK\n'
    address = Address(lines=("1 High St.", "2nd floor"), city="York", country="UK")
    expected = Customer(name="Zoë O'Neill", active=False, billing=address)
    assert ("1", expected) == await only(tmp_path, "client", "clients.csv", text)


async def test_a_product_an_employee_and_a_vendor(tmp_path: Path) -> None:
    product = Product(name="Nail", sku="N-1", unit_price=Decimal("0.0395"), currency="USD")
    assert ("N-1", product) == await only(tmp_path, "good", "goods.csv", "sku,name,price\nN-1,Nail,0.0395\n")
    person = Employee(given_name="A", family_name="B", hired=date(1969, 7, 20), department="Sales")
    text = "id,first,last,hired,active,dept\n1,A,B,1969-07-20,YES,Sales\n"
    assert ("1", person) == await only(tmp_path, "person", "people.csv", text)
    assert ("1", Vendor(name="V")) == await only(tmp_path, "supplier", "suppliers.csv", "id,name\n1,V\n")


def test_the_entry_point_opens_an_adapter(tmp_path: Path) -> None:
    project = tomllib.loads((Path(__file__).parents[3] / "pyproject.toml").read_text(encoding="utf-8"))
    expected = project["project"]["entry-points"]["counterfoil.sources"][CsvSource.name]
    assert expected == f"{CsvSource.__module__}:{CsvSource.__name__}"
    factory: Callable[[SourceContext], AbstractAsyncContextManager[SourceAdapter]] = CsvSource
    opened = factory(context_for(tmp_path, MAPPING))
    assert isinstance(opened, CsvSource)
    assert list(opened.kinds()) == ["client", "good", "person", "supplier", "deal", "refund", "receipt"]


PAYOUTS = """
[connection]
source = "csv"
zone = "America/New_York"
currency = "USD"

[csv.charge]
file = "charges.csv"
record = "payment"
id = "id"
columns = { customer = "client", dated = "day", amount = "sum" }

[csv.client]
file = "clients.csv"
record = "customer"
id = "id"
columns = { name = "name" }

[csv.back]
file = "back.csv"
record = "refund"
id = "id"
columns = { customer = "client", dated = "day" }
charges = [{ column = "sum", role = "goods" }]

[csv.payout]
file = "payouts.csv"
record = "payout"
id = "id"
columns = { dated = "day", amount = "net", fee = "fee", reference = "trace" }
lines = { file = "balance.csv", key = "payout", columns = { payment = "charge", refund = "back", amount = "gross" } }
"""
PARTS = "payout,charge,back,gross\npo,ch_1,,100.00\npo,,re_1,-20.00\nnone,,,1.00\nboth,ch_1,re_1,1.00\n"


async def test_payouts_and_what_they_pass_on(tmp_path: Path) -> None:
    rows = "".join(f"{each},2026-03-06,76.80,3.20,T-1\n" for each in ("po", "none", "both"))
    (tmp_path / "payouts.csv").write_text("id,day,net,fee,trace\n" + rows)
    (tmp_path / "balance.csv").write_text(PARTS)
    whole, none, both = await read_changes(tmp_path, PAYOUTS, "payout")
    assert isinstance(whole, Seen)
    assert whole.record == Payout(
        reference="T-1",
        dated=date(2026, 3, 6),
        currency="USD",
        amount=Decimal("76.80"),
        fee=Decimal("3.20"),
        parts=(
            PayoutPart(part_of="shop:charge:ch_1", amount=Decimal("100.00")),
            PayoutPart(part_of="shop:back:re_1", amount=Decimal("-20.00")),
        ),
    )
    assert isinstance(none, Unreadable)
    assert (none.place, none.problem) == ("balance.csv line 4", "The part names neither a payment nor a refund.")
    assert isinstance(both, Unreadable)
    assert (both.place, both.problem) == ("balance.csv line 5", "The part names both a payment and a refund.")
