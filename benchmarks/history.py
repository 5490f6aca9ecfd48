"""A company's log as the engine writes it: customers, then invoices, from the source into the books and back."""

import hashlib
import random
from collections.abc import Iterator
from datetime import date, timedelta
from decimal import Decimal
from itertools import islice

from counterfoil.log import NewEvent
from counterfoil_schema import exact_json
from counterfoil_schema.documents import Document
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.decisions import (
    CallItem,
    CallSent,
    ChangeUnchanged,
    Figures,
    Inputs,
    IntentAccepted,
    IntentPlanned,
    LineLink,
    TieOut,
)
from counterfoil_schema.events.receipts import BooksObserved, CompanyRegistered, SourceObserved
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Invoice, InvoiceLine, Record, record_key

CUSTOMERS = 1_000
PRODUCTS = 200
BATCH = 30
"""Invoices to a call, as the dispatcher sends them."""

EVENTS_PER_INVOICE = 5
FIRST_WRITE = "0"
FIRST_DAY = date(2026, 1, 1)
INPUTS = Inputs(record="r" * 64, mapping="m" * 64, planner="p" * 64, preferences="f" * 64)


def history(chance: random.Random, events: int) -> Iterator[NewEvent]:
    """So many events, positions counted from 1; every one can be folded."""
    return islice(_all_of_it(chance), events)


def _all_of_it(chance: random.Random) -> Iterator[NewEvent]:
    writer = _Writer(chance)
    yield writer.new(CompanyRegistered(name="Bench & Sons", zone="UTC", home_currency="USD"), None)
    yield from writer.batches("customer", CUSTOMERS // BATCH)
    while True:
        yield from writer.batches("invoice", 1)


class _Writer:
    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        self._position = 0
        self._numbers = {"customer": 0, "invoice": 0}
        self._documents = 0

    def new(self, event: Event, key: str | None, cause: int | None = None) -> NewEvent:
        self._position += 1
        return NewEvent(event, record_key=key, cause=cause)

    def batches(self, kind: str, count: int) -> Iterator[NewEvent]:
        """Observed, planned, sent in one call, accepted, seen in the books, found unchanged."""
        for _ in range(count):
            numbers = range(self._numbers[kind], self._numbers[kind] + BATCH)
            self._numbers[kind] += BATCH
            yield from self._batch(kind, numbers)

    def _batch(self, kind: str, numbers: range) -> Iterator[NewEvent]:
        entity = {"customer": "Customer", "invoice": "Invoice"}[kind]
        keys = [record_key("shop", kind, str(number)) for number in numbers]
        records = [self._record(kind, number) for number in numbers]
        changes: list[int] = []
        for number, key, record in zip(numbers, keys, records, strict=True):
            yield self.new(_observed(kind, number, key, record), key)
            changes.append(self._position)
        bodies = [_body(number, record) for number, record in zip(numbers, records, strict=True)]
        people = [record.customer if isinstance(record, Invoice) else None for record in records]
        intents = [_digest("intent", key)[:32] for key in keys]
        for index, key in enumerate(keys):
            planned = _planned(entity, key, changes[index], intents[index], bodies[index], people[index])
            yield self.new(planned, key, changes[index])
        request = _digest("request", str(self._position))[:32]
        items = tuple(
            CallItem(
                intent_id=intents[index],
                change=changes[index],
                record_key=key,
                person=people[index],
                batch_id=str(index),
                entity=entity,
                operation="create",
                body=Document.of(entity, bodies[index]),
            )
            for index, key in enumerate(keys)
        )
        sent = CallSent(
            request_id=request,
            target="quickbooks",
            attempt=1,
            deadline_seconds=Decimal(60),
            items=items,
            body_hash=_digest("body", request),
        )
        yield self.new(sent, None)
        shown: list[tuple[str, JsonObject]] = []
        for index, key in enumerate(keys):
            self._documents += 1
            answer = {**bodies[index], "Id": str(self._documents), "SyncToken": FIRST_WRITE, "MetaData": _METADATA}
            shown.append((str(self._documents), answer))
            accepted = _accepted(entity, key, changes[index], intents[index], request, shown[-1], people[index])
            yield self.new(accepted, key, changes[index])
        for document_id, answer in shown:
            key = f"quickbooks:{entity}:{document_id}"
            yield self.new(
                BooksObserved(
                    entity=entity,
                    document_id=document_id,
                    sync_token=FIRST_WRITE,
                    status="live",
                    content_hash=_digest("seen", document_id),
                    how="sweep",
                    document=Document.of(entity, answer),
                ),
                key,
            )
            echo = ChangeUnchanged(
                change=self._position, record_key=key, proof=_digest("echo", document_id), reason="Our own write."
            )
            yield self.new(echo, key, self._position)

    def _record(self, kind: str, number: int) -> Record:
        chance = self._chance
        if kind == "customer":
            return Customer(name=f"Person {number}", email=f"person{number}@shop.example", currency="USD")
        lines = tuple(
            InvoiceLine(
                line_id=f"shop:line:{number}-{index}",
                product=f"shop:product:{chance.randrange(PRODUCTS)}",
                description=chance.choice(("Delivery", "Consulting, one day", "Widget, large", "Support")),
                quantity=Decimal(chance.randrange(1, 20)),
                unit_price=Decimal(chance.randrange(100, 99_999)) / 100,
            )
            for index in range(4)
        )
        return Invoice(
            customer=record_key("shop", "customer", str(number % CUSTOMERS)),
            number=f"INV-{number:06}",
            status="won",
            won=True,
            dated=FIRST_DAY + timedelta(days=number % 300),
            currency="USD",
            lines=lines,
        )


_METADATA: JsonObject = {"CreateTime": "2026-05-04T10:11:12-07:00", "LastUpdatedTime": "2026-05-04T10:11:12-07:00"}


def _observed(kind: str, number: int, key: str, record: Record) -> SourceObserved:
    return SourceObserved(
        connection="shop",
        source_kind=kind,
        source_id=str(number),
        version=_digest("version", key),
        content_hash=_digest("content", key),
        how="poll",
        record=record,
        raw=exact_json.dumps({"id": number, "record": record.model_dump_json()}).decode(),
    )


def _body(number: int, record: Record) -> JsonObject:
    if isinstance(record, Invoice):
        return {
            "DocNumber": record.number,
            "TxnDate": f"{record.dated:%Y-%m-%d}",
            "CustomerRef": {"value": str(number % CUSTOMERS + 1), "name": f"Person {number % CUSTOMERS}"},
            "PrivateNote": "Counterfoil " + _digest("marker", str(number))[:24],
            "Line": [
                {
                    "Description": line.description,
                    "Amount": line.quantity * line.unit_price,
                    "DetailType": "SalesItemLineDetail",
                    "SalesItemLineDetail": {
                        "ItemRef": {"value": str(index)},
                        "Qty": line.quantity,
                        "UnitPrice": line.unit_price,
                    },
                }
                for index, line in enumerate(record.lines)
            ],
            "TotalAmt": _total(record),
        }
    return {"DisplayName": f"Person {number}", "PrimaryEmailAddr": {"Address": f"person{number}@shop.example"}}


def _total(record: Record) -> Decimal:
    lines = record.lines if isinstance(record, Invoice) else ()
    return sum((line.quantity * line.unit_price for line in lines), Decimal(0))


def _planned(entity: str, key: str, change: int, intent_id: str, body: JsonObject, person: str | None) -> IntentPlanned:
    total = body.get("TotalAmt")
    amount = total if isinstance(total, Decimal) else None
    number = body.get("DocNumber")
    return IntentPlanned(
        change=change,
        record_key=key,
        person=person,
        intent_id=intent_id,
        target="quickbooks",
        entity=entity,
        operation="create",
        body=Document.of(entity, body),
        needs=(person,) if person is not None else (),
        content_hash=_digest("content", key),
        lane="live",
        doc_number=number if isinstance(number, str) else None,
        name_key=_digest("name", key) if person is None else None,
        amount=amount,
        currency="USD" if amount is not None else None,
        figures=Figures(currency="USD", home="USD", net=amount) if amount is not None else None,
        inputs=INPUTS,
    )


def _accepted(
    entity: str,
    key: str,
    change: int,
    intent_id: str,
    request: str,
    shown: tuple[str, JsonObject],
    person: str | None,
) -> IntentAccepted:
    document_id, answer = shown
    total = answer.get("TotalAmt")
    lines = tuple(LineLink(line_key=f"{key}-{index}", line_id=str(index + 1)) for index in range(4))
    return IntentAccepted(
        change=change,
        record_key=key,
        person=person,
        intent_id=intent_id,
        request_id=request,
        entity=entity,
        document_id=document_id,
        sync_token=FIRST_WRITE,
        document=Document.of(entity, answer),
        lines=lines if person is not None else (),
        how="answered",
        intuit_tid="1-5f3c0a2e-0c8d6f0a1b2c3d4e5f60718",
        tie_out=TieOut(currency="USD", total=total, tax=Decimal(0)) if isinstance(total, Decimal) else None,
    )


def _digest(kind: str, value: str) -> str:
    return hashlib.sha256(f"{kind} {value}".encode()).hexdigest()
