"""What the books must hold once Northwind is in them, from the files alone. Imports nothing but the standard library.

    python tests/northwind/expected.py --json FOLDER

Each line comes to unit_price * quantity * (1 - discount), rounded half up to the cent; freight is a line of its own
wherever it is not zero. All figures are exact and printed as text.
"""

import argparse
import csv
import json
import sys
from collections import defaultdict
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path

CENT = Decimal("0.01")
GOODS = "goods"
FREIGHT = "freight"


def to_the_cent(amount: Decimal) -> Decimal:
    """Rounded half up."""
    return amount.quantize(CENT, rounding=ROUND_HALF_UP)


def rows(folder: Path, name: str) -> list[dict[str, str]]:
    """All rows of a file, by the names of their columns."""
    with (folder / name).open(encoding="utf-8", newline="") as stream:
        return list(csv.DictReader(stream))


def expected(folder: Path) -> dict[str, object]:
    """Counts, totals, and sums per customer, month, account and invoice."""
    goods: dict[str, Decimal] = defaultdict(Decimal)
    unrounded = Decimal(0)
    off_cent = 0
    details = rows(folder, "order_details.csv")
    for detail in details:
        exact = Decimal(detail["unit_price"]) * Decimal(detail["quantity"]) * (1 - Decimal(detail["discount"]))
        unrounded += exact
        off_cent += exact != to_the_cent(exact)
        goods[detail["order_id"]] += to_the_cent(exact)

    per_customer: dict[str, Decimal] = defaultdict(Decimal)
    per_month: dict[str, Decimal] = defaultdict(Decimal)
    per_account: dict[str, Decimal] = defaultdict(Decimal)
    per_cell: dict[tuple[str, str, str], Decimal] = defaultdict(Decimal)
    per_invoice: dict[str, Decimal] = {}
    freight_lines = 0
    orders = rows(folder, "orders.csv")
    for order in orders:
        freight = to_the_cent(Decimal(order["freight"]))
        freight_lines += freight != 0
        month = order["order_date"][:7]
        for account, amount in ((GOODS, goods[order["order_id"]]), (FREIGHT, freight)):
            per_customer[order["customer_id"]] += amount
            per_month[month] += amount
            per_account[account] += amount
            per_cell[order["customer_id"], month, account] += amount
        per_invoice[order["order_id"]] = goods[order["order_id"]] + freight

    return {
        "customers": len(rows(folder, "customers.csv")),
        "products": len(rows(folder, "products.csv")),
        "employees": len(rows(folder, "employees.csv")),
        "invoices": len(orders),
        "lines": len(details),
        "lines_no_whole_cent": off_cent,
        "freight_lines": freight_lines,
        "goods_unrounded": str(unrounded.normalize()),
        "goods": str(per_account[GOODS]),
        "freight": str(per_account[FREIGHT]),
        "total": str(sum(per_invoice.values(), Decimal(0))),
        "per_account": _text(per_account),
        "per_month": _text(per_month),
        "per_customer": _text(per_customer),
        "per_customer_month_account": [
            {"customer": customer, "month": month, "account": account, "amount": str(amount)}
            for (customer, month, account), amount in sorted(per_cell.items())
            if amount
        ],
        "per_invoice": _text(per_invoice),
    }


def _text(sums: dict[str, Decimal]) -> dict[str, str]:
    return {name: str(amount) for name, amount in sorted(sums.items())}


def main() -> int:
    """Print the figures."""
    parser = argparse.ArgumentParser(description="The figures that Northwind must come to in the books.")
    parser.add_argument("folder", type=Path, help="the folder that holds orders.csv and the others")
    parser.add_argument("--json", action="store_true", help="everything, as JSON")
    arguments = parser.parse_args()
    figures = expected(arguments.folder)
    if arguments.json:
        sys.stdout.write(json.dumps(figures, indent=1, ensure_ascii=False) + "\n")
    else:
        for name, value in figures.items():
            if not isinstance(value, dict | list):
                sys.stdout.write(f"{name:>20}  {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
