"""Many invoices of generated customers, for clients that want to see what they do with a large company."""

from datetime import timedelta

from counterfoil.ports import Entropy
from counterfoil.quickbooks.emulator import chart
from counterfoil.quickbooks.emulator.books import Books, Write
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.values import as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue

INVOICES_PER_CUSTOMER = 40
ITEMS = 20
DAYS = 700
LINES_MAX = 4
PAID_OF_THREE = 2


def furnish_volume(books: Books, invoices: int, entropy: Entropy) -> None:
    """Customers, items, invoices and payments, in the order in which they would have come.

    Of three invoices two are paid, and one in a hundred only in part.
    """
    customers = [
        _make(books, "Customer", {"DisplayName": f"Customer {number:05d}"})
        for number in range(1, invoices // INVOICES_PER_CUSTOMER + 2)
    ]
    items = [
        _make(
            books,
            "Item",
            {"Name": f"Product {number:03d}", "Type": "Service", "IncomeAccountRef": {"value": chart.PRODUCT_INCOME}},
        )
        for number in range(1, ITEMS + 1)
    ]
    first = books.today() - timedelta(days=DAYS)
    for number in range(invoices):
        day = (first + timedelta(days=number * DAYS // invoices)).isoformat()
        customer = customers[int(entropy.random() * len(customers))]
        lines: list[JsonValue] = [
            _line(items[int(entropy.random() * ITEMS)], entropy) for _ in range(1 + int(entropy.random() * LINES_MAX))
        ]
        invoice = books.write(
            Write("Invoice", "create", {"CustomerRef": {"value": customer}, "TxnDate": day, "Line": lines}),
            Origin("server"),
        )
        if number % (PAID_OF_THREE + 1):
            paid = invoice["TotalAmt"] if number % 100 else 1
            link: JsonObject = {"TxnId": invoice["Id"], "TxnType": "Invoice"}
            applied: JsonObject = {"Amount": paid, "LinkedTxn": [link]}
            body: JsonObject = {"CustomerRef": {"value": customer}, "TotalAmt": paid, "TxnDate": day, "Line": [applied]}
            books.write(Write("Payment", "create", body), Origin("server"))


def _line(item: str, entropy: Entropy) -> JsonObject:
    quantity, price = 1 + int(entropy.random() * 9), 5 + int(entropy.random() * 495)
    return {
        "Amount": quantity * price,
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, "Qty": quantity, "UnitPrice": price},
    }


def _make(books: Books, entity: str, body: JsonObject) -> str:
    return as_text(books.write(Write(entity, "create", body), Origin("server"))["Id"])
