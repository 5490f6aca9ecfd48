"""Does in HubSpot and QuickBooks what people do there, through the emulators' control addresses."""

import asyncio
from collections.abc import Iterable
from decimal import Decimal

from counterfoil.demo.changes import (
    PAID_ON,
    AddLine,
    Change,
    ChangePhone,
    ChangeQuantity,
    CreditInvoice,
    DeletePayment,
    EditInvoice,
    NewCustomer,
    Payment,
    WinDeal,
)
from counterfoil.demo.control import Control, part_of, rows_of, text_of
from counterfoil.demo.errors import DemoError
from counterfoil.demo.loading import company_properties, deal_properties, decimal, line_properties
from counterfoil.demo.sample import Sample
from counterfoil_schema.exact_json import JsonObject, JsonValue

_LOOK_SECONDS = 1.0
_WAIT_SECONDS_MAX = 180.0


class People:
    """Those who sell and those who keep the books.

    Args:
        hubspot, quickbooks: control addresses.
        sample: what was there at the start.
    """

    def __init__(self, hubspot: Control, quickbooks: Control, sample: Sample) -> None:
        self._hubspot = hubspot
        self._quickbooks = quickbooks
        self._products = {one.product_id: one.name for one in sample.products}
        self._payments: dict[str, str] = {}
        self._invoices: dict[str, JsonObject] = {}

    async def prepare(self, actions: Iterable[JsonValue]) -> None:
        """What a bookkeeper sets up beforehand."""
        await self._quickbooks.post("/books", list(actions))

    async def act(self, change: Change) -> None:
        """Make one change; what is done to an invoice waits until that is in the books.

        Raises:
            DemoError: it is refused, or the invoice does not come.
        """
        match change:
            case WinDeal(deal_id):
                await self._edit("deals", deal_id, {"dealstage": "closedwon"})
            case ChangeQuantity(deal_id, line, stated):
                await self._edit("line_items", line.line_id, {"quantity": str(line.quantity)})
                await self._edit("deals", deal_id, {"amount": decimal(stated)})
            case ChangePhone(customer_id, phone):
                await self._edit("companies", customer_id, {"phone": phone})
            case NewCustomer():
                await self._meet(change)
            case Payment():
                await self._pay(change)
            case DeletePayment(name):
                order: JsonObject = {"operation": "delete", "id": self._payments[name]}
                await self._quickbooks.post("/books/Payment", order)
            case CreditInvoice():
                await self._credit(change)
            case EditInvoice(number, due):
                invoice = await self._invoice(number)
                body: JsonObject = {"DueDate": due.isoformat()}
                await self._update_invoice(invoice, {"body": body})
            case AddLine(number, cents):
                await self._add_line(number, cents)

    async def _edit(self, kind: str, object_id: int, properties: JsonObject) -> None:
        await self._hubspot.call("PATCH", f"/people/{kind}/{object_id}", {"properties": properties})

    async def _meet(self, change: NewCustomer) -> None:
        company = await self._hubspot.post("/people/companies", {"properties": company_properties(change.customer)})
        line_ids: list[JsonValue] = []
        for place, line in enumerate(change.deal.lines):
            made = await self._hubspot.post("/people/line_items", {"properties": line_properties(line, place)})
            line_ids.append(text_of(made, "id"))
        links: JsonObject = {"companies": [text_of(company, "id")], "line_items": line_ids}
        deal: JsonObject = {"properties": deal_properties(change.deal, won=True), "associations": links}
        await self._hubspot.post("/people/deals", deal)

    async def _pay(self, payment: Payment) -> None:
        lines: list[JsonValue] = []
        customer = ""
        for number, cents in payment.parts:
            invoice = await self._invoice(number)
            customer = text_of(part_of(invoice, "CustomerRef"), "value")
            lines.append(_applied(cents, "Invoice", text_of(invoice, "Id")))
        body: JsonObject = {
            "CustomerRef": {"value": customer},
            "TxnDate": PAID_ON.isoformat(),
            "TotalAmt": Decimal(decimal(payment.cents)),
            "Line": lines,
        }
        made = await self._quickbooks.post("/books/Payment", {"body": body})
        self._payments[payment.name] = text_of(part_of(made, "Payment") or made, "Id")

    async def _credit(self, change: CreditInvoice) -> None:
        invoice = await self._invoice(change.number)
        customer: JsonObject = {"value": text_of(part_of(invoice, "CustomerRef"), "value")}
        item = await self._item(self._products[change.product_id])
        memo: JsonObject = {
            "CustomerRef": customer,
            "TxnDate": PAID_ON.isoformat(),
            "Line": [_sold(change.cents, item)],
        }
        made = await self._quickbooks.post("/books/CreditMemo", {"body": memo})
        memo_id = text_of(part_of(made, "CreditMemo") or made, "Id")
        lines: list[JsonValue] = [
            _applied(change.cents, "Invoice", text_of(invoice, "Id")),
            _applied(change.cents, "CreditMemo", memo_id),
        ]
        body: JsonObject = {"CustomerRef": customer, "TxnDate": PAID_ON.isoformat(), "TotalAmt": 0, "Line": lines}
        await self._quickbooks.post("/books/Payment", {"body": body})

    async def _add_line(self, number: str, cents: int) -> None:
        invoice = await self._invoice(number)
        line = _sold(cents, await self._item("Expedited handling"))
        await self._update_invoice(invoice, {"add_lines": [line]})

    async def _update_invoice(self, invoice: JsonObject, order: JsonObject) -> None:
        whole: JsonObject = {"operation": "update", "id": text_of(invoice, "Id"), **order}
        await self._quickbooks.post("/books/Invoice", whole)

    async def _item(self, name: str) -> str:
        state = await self._quickbooks.get("/state?entity=Item")
        for item in rows_of(state, "Item"):
            if item.get("Name") == name:
                return text_of(item, "Id")
        raise DemoError(f"The books hold no item “{name}”.")

    async def _invoice(self, number: str) -> JsonObject:
        """The invoice with this number, as soon as it is there."""
        try:
            async with asyncio.timeout(_WAIT_SECONDS_MAX):
                while number not in self._invoices:
                    state = await self._quickbooks.get("/state?entity=Invoice")
                    self._invoices = {text_of(row, "DocNumber"): row for row in rows_of(state, "Invoice")}
                    if number not in self._invoices:
                        await asyncio.sleep(_LOOK_SECONDS)
        except TimeoutError:
            raise DemoError(f"Invoice {number} did not come into the books within three minutes.") from None
        return self._invoices[number]


def _applied(cents: int, entity: str, document_id: str) -> JsonObject:
    return {"Amount": Decimal(decimal(cents)), "LinkedTxn": [{"TxnId": document_id, "TxnType": entity}]}


def _sold(cents: int, item: str) -> JsonObject:
    amount = Decimal(decimal(cents))
    detail: JsonObject = {"ItemRef": {"value": item}, "Qty": 1, "UnitPrice": amount, "TaxCodeRef": {"value": "NON"}}
    return {"Amount": amount, "DetailType": "SalesItemLineDetail", "SalesItemLineDetail": detail}
