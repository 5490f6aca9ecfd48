"""Northwind's 830 orders, planned from the files as they are: the books must come to 1,330,735.98."""

import csv
from collections.abc import Iterator
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

import pytest

from counterfoil.planning.plan import plan
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, Product
from support.planning import View, lines_of, mapping, only, request

FOLDER = Path(__file__).parents[4] / "shared" / "data" / "northwind"
PARSED = mapping('[invoice]\nfreight_item = "Freight"\nnumber = "{id}"\n')

pytestmark = pytest.mark.skipif(not FOLDER.is_dir(), reason="the Northwind files are not beside the repository")


def rows(name: str) -> Iterator[dict[str, str]]:
    with (FOLDER / f"{name}.csv").open(encoding="utf-8", newline="") as file:
        yield from csv.DictReader(file)


def orders() -> Iterator[tuple[str, Invoice]]:
    details: dict[str, list[InvoiceLine]] = {}
    for row in rows("order_details"):
        details.setdefault(row["order_id"], []).append(
            InvoiceLine(
                line_id=row["product_id"],
                product=f"csv:product:{row['product_id']}",
                quantity=Decimal(row["quantity"]),
                unit_price=Decimal(row["unit_price"]),
                discount=Decimal(row["discount"]),
            )
        )
    for row in rows("orders"):
        freight = InvoiceLine(line_id="freight", unit_price=Decimal(row["freight"]), role="freight")
        yield (
            f"csv:order:{row['order_id']}",
            Invoice(
                customer=f"csv:customer:{row['customer_id']}",
                status="ordered",
                won=True,
                dated=date.fromisoformat(row["order_date"]),
                currency="USD",
                lines=(*details[row["order_id"]], freight),
            ),
        )


def test_all_orders_become_invoices_for_the_right_total() -> None:
    customers = {f"csv:customer:{row['customer_id']}" for row in rows("customers")}
    products = {f"csv:product:{row['product_id']}" for row in rows("products")}
    view = View(known=customers | products)
    total = freight = Decimal(0)
    count = lines = four_decimals = 0
    for key, record in orders():
        intent = only(plan(request(record, key), PARSED, view))
        count += 1
        for entry in lines_of(intent.body):
            amount, detail = entry["Amount"], entry["SalesItemLineDetail"]
            assert isinstance(amount, Decimal)
            assert isinstance(detail, dict)
            price, quantity = detail["UnitPrice"], detail["Qty"]
            assert isinstance(price, Decimal)
            assert isinstance(quantity, Decimal)
            assert amount == (price * quantity).quantize(Decimal("0.01"), rounding=ROUND_HALF_UP)
            total += amount
            if entry["$line"] == "freight":
                freight += amount
            else:
                lines += 1
                four_decimals += price != price.quantize(Decimal("0.01"))
    assert (count, lines) == (830, 2155)
    assert (total, freight, total - freight) == (Decimal("1330735.98"), Decimal("64942.69"), Decimal("1265793.29"))
    assert four_decimals > 0


def test_all_customers_and_products_fit() -> None:
    for row in rows("customers"):
        record = Customer(name=row["company_name"], phone=row["phone"])
        assert only(plan(request(record, f"csv:customer:{row['customer_id']}"), PARSED, View())).name
    for row in rows("products"):
        item = Product(name=row["product_name"], unit_price=Decimal(row["unit_price"]))
        assert only(plan(request(item, f"csv:product:{row['product_id']}"), PARSED, View())).name
