"""A company of the QuickBooks emulator: its books in this process, or its API over a real socket."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from decimal import Decimal

import aiohttp
import pytest

from counterfoil.quickbooks.emulator import EmulatorOptions, QuickBooksEmulator
from counterfoil.quickbooks.emulator.books import Books, Write, WriteOperation
from counterfoil.quickbooks.emulator.faults import QuickBooksFaultError
from counterfoil.quickbooks.emulator.journal import Origin
from counterfoil.quickbooks.emulator.snapshot import restore, saved
from counterfoil.quickbooks.emulator.values import as_object, as_text
from counterfoil_schema.exact_json import JsonObject, JsonValue, dumps, loads, loads_object


def line(item: str, amount: str, **detail: str) -> JsonObject:
    """A sales line; further parts of its detail are numbers."""
    numbers: JsonObject = {name: Decimal(value) for name, value in detail.items()}
    return {
        "Amount": Decimal(amount),
        "DetailType": "SalesItemLineDetail",
        "SalesItemLineDetail": {"ItemRef": {"value": item}, **numbers},
    }


def posting(side: str, account: str, amount: str, entity: JsonObject | None = None) -> JsonObject:
    """A line of a journal entry."""
    detail: JsonObject = {"PostingType": side, "AccountRef": {"value": account}}
    if entity is not None:
        detail["Entity"] = entity
    return {"Amount": Decimal(amount), "DetailType": "JournalEntryLineDetail", "JournalEntryLineDetail": detail}


def applied(kind: str, identifier: str, amount: str) -> JsonObject:
    """A line of a payment."""
    link: JsonObject = {"TxnId": identifier, "TxnType": kind}
    return {"Amount": Decimal(amount), "LinkedTxn": [link]}


@contextmanager
def allowed_to_refuse(*codes: str) -> Iterator[None]:
    """Whatever happens inside may be refused, but only with these codes."""
    try:
        yield
    except QuickBooksFaultError as fault:
        if fault.code not in codes:
            raise


@dataclass
class Company:
    """The books without HTTP, with the shortest way to each kind of record."""

    emulator: QuickBooksEmulator = field(
        default_factory=lambda: QuickBooksEmulator(EmulatorOptions(seed=1, manual_clock=True))
    )

    @property
    def books(self) -> Books:
        return self.emulator.books

    def write(
        self, entity: str, body: JsonObject, operation: WriteOperation = "create", include: str = ""
    ) -> JsonObject:
        return self.books.write(Write(entity, operation, body, frozenset({include})), Origin())

    def refused(
        self, entity: str, body: JsonObject, operation: WriteOperation = "create", include: str = ""
    ) -> QuickBooksFaultError:
        """The fault that the write gets; the books and the journal must be as before."""
        before = (dumps(self.state()), len(self.books.journal))
        with pytest.raises(QuickBooksFaultError) as caught:
            self.write(entity, body, operation, include)
        assert before == (dumps(self.state()), len(self.books.journal))
        return caught.value

    def state(self) -> JsonObject:
        shown: JsonObject = {}
        for entity in ("Customer", "Item", "Invoice", "CreditMemo", "Payment", "JournalEntry", "Account"):
            rows: list[JsonValue] = [
                self.books.show(entity, row) for row in self.books.tables.table(entity).rows.values()
            ]
            shown[entity] = rows
        return shown

    def customer(self, name: str = "Ann Lee", **more: JsonValue) -> str:
        return as_text(self.write("Customer", {"DisplayName": name, **more})["Id"])

    def item(self, name: str = "Hours", account: str = "1") -> str:
        body: JsonObject = {"Name": name, "Type": "Service", "IncomeAccountRef": {"value": account}}
        return as_text(self.write("Item", body)["Id"])

    def invoice(self, customer: str, lines: list[JsonObject], **more: JsonValue) -> JsonObject:
        return self.write("Invoice", {"CustomerRef": {"value": customer}, "Line": [*lines], **more})

    def payment(self, customer: str, amount: str, lines: list[JsonObject]) -> JsonObject:
        body: JsonObject = {"CustomerRef": {"value": customer}, "TotalAmt": Decimal(amount), "Line": [*lines]}
        return self.write("Payment", body)

    def shown(self, entity: str, identifier: str) -> JsonObject:
        return self.books.show(entity, self.books.tables.find(entity, identifier))

    def restored(self) -> None:
        """The same company out of its saved state, as a later run has it."""
        state = loads(dumps(saved(self.books)))
        self.emulator = QuickBooksEmulator(EmulatorOptions(seed=1, manual_clock=True))
        restore(self.emulator.books, state)

    def handle(self, entity: str, identifier: str) -> JsonObject:
        """Id and SyncToken as they are now."""
        now = self.shown(entity, identifier)
        return {"Id": now["Id"], "SyncToken": now["SyncToken"]}


@dataclass
class Api:
    """A client of a running emulator, as plain as can be."""

    emulator: QuickBooksEmulator
    session: aiohttp.ClientSession
    token: str

    async def call(
        self,
        method: str,
        tail: str,
        body: JsonValue = None,
        *,
        raw: bytes | None = None,
        patience: float = 20.0,
        parameters: Mapping[str, str] | None = None,
    ) -> tuple[int, JsonObject]:
        """Status and body of one call to the accounting API."""
        data = raw if raw is not None else (dumps(body) if body is not None else None)
        url = f"{self.emulator.base_url}/v3/company/{self.emulator.realm_id}/{tail}"
        async with self.session.request(
            method,
            url,
            data=data,
            params=parameters,
            headers={"Authorization": f"Bearer {self.token}", "Content-Type": "application/json"},
            timeout=aiohttp.ClientTimeout(total=patience),
        ) as answer:
            return answer.status, loads_object(await answer.read())

    async def post(self, tail: str, body: JsonValue, **parameters: str) -> tuple[int, JsonObject]:
        return await self.call("POST", tail, body, parameters=parameters)

    async def get(self, tail: str, **parameters: str) -> tuple[int, JsonObject]:
        return await self.call("GET", tail, parameters=parameters)

    async def query(self, text: str) -> JsonObject:
        status, body = await self.get("query", query=text)
        assert status == 200, body
        return as_object(body["QueryResponse"])

    async def control(self, path: str, body: JsonValue = None, method: str = "") -> JsonObject:
        """The control address; GET without a body, POST with one."""
        chosen = method or ("GET" if body is None else "POST")
        url = self.emulator.control_url + path
        async with self.session.request(chosen, url, data=dumps(body) if body is not None else None) as answer:
            value = loads(await answer.read())
            assert answer.status == 200, value
            return as_object(value)

    async def fault(self, **rule: JsonValue) -> None:
        await self.control("/faults", {**rule})

    async def customer(self, name: str) -> str:
        status, body = await self.post("customer", {"DisplayName": name})
        assert status == 200, body
        return as_text(as_object(body["Customer"])["Id"])


@asynccontextmanager
async def running(options: EmulatorOptions) -> AsyncIterator[Api]:
    """A running emulator and a client of it."""
    async with QuickBooksEmulator(options) as emulator, aiohttp.ClientSession() as session:
        yield Api(emulator, session, emulator.office.issue_access())


def code_of(body: Mapping[str, JsonValue]) -> str:
    """The code of the fault in an answer or a batch item; empty without one."""
    errors = as_object(body.get("Fault")).get("Error")
    return as_text(as_object(errors[0])["code"]) if isinstance(errors, list) else ""
