"""Recording what sources show: nothing in the clear that could be tried with guessed names, and nothing twice."""

import asyncio
import hashlib
import hmac
from collections.abc import AsyncIterator, Sequence
from datetime import date
from decimal import Decimal
from typing import ClassVar

import pytest
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader, NumberDataPoint
from opentelemetry.trace import NoOpTracerProvider

from counterfoil.dispatch.reading import LogEvents
from counterfoil.dispatch.sources import READ_AGAIN_MAX, SourceReader
from counterfoil.log import NewEvent
from counterfoil.postgres import Pool
from counterfoil.sources import Page, Removed, Seen, SourceAdapter, SourceChange, SourceError
from counterfoil.sources.plain import PlainSource
from counterfoil.state.rows import HintRow
from counterfoil.telemetry.ports import Instruments
from counterfoil_schema import exact_json
from counterfoil_schema.events.base import Event
from counterfoil_schema.events.receipts import Hint, SourceObserved, SourceRemoved, WebhookReceived
from counterfoil_schema.exact_json import JsonObject
from counterfoil_schema.records import Customer, Employee, Invoice, InvoiceLine, PayRun, PayRunLine, Record, record_key
from support.dispatching import COMPANY, Dispatcher
from support.postgres import Database

RAW = "id,name\n7,Søren Kierkegaard\n"
UNKEYED = hashlib.sha256(RAW.encode()).hexdigest()


@pytest.fixture
async def dispatcher(database: Database, pool: Pool) -> Dispatcher:
    made = Dispatcher(pool, database.names)
    await made.open()
    return made


def reader_of(dispatcher: Dispatcher, adapter: SourceAdapter | None = None) -> SourceReader:
    return SourceReader(
        session=dispatcher.session,
        store=dispatcher.store,
        events=LogEvents(dispatcher.log),
        hashes=dispatcher.keyring,
        adapters={"shelf": adapter or Merging()},
        clock=dispatcher.clock,
        instruments=dispatcher.instruments,
    )


async def test_a_version_that_is_a_hash_of_the_content_is_keyed_before_it_is_recorded(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    record = Customer(name="Søren Kierkegaard", currency="USD")
    seen = Seen(kind="customer", source_id="7", version=UNKEYED, record=record, raw=RAW)
    assert await reader.record("shelf", [seen], "sync") == 1
    (event,) = await dispatcher.events()
    assert isinstance(event, SourceObserved)
    assert event.version == await dispatcher.keyring.keyed_hash(COMPANY, UNKEYED.encode())
    assert event.version != hmac.new(b"", UNKEYED.encode(), hashlib.sha256).hexdigest()
    recorded = await dispatcher.log.read(COMPANY)
    assert not [one for one in recorded if UNKEYED.encode() in one.body or b"Kierkegaard" in one.body]


def customer(name: str) -> Seen:
    return Seen(kind="customer", source_id="7", version=name, record=Customer(name=name, currency="USD"), raw=name)


async def test_what_comes_again_before_the_rows_show_it_is_recorded_once(dispatcher: Dispatcher) -> None:
    """A poll and what a webhook hinted at may show the same edit, and the fold may be behind both."""
    reader = reader_of(dispatcher)
    assert await reader.record("shelf", [customer("Ann")], "sync") == 1
    assert await reader.record("shelf", [customer("Ann"), customer("Ann")], "poll") == 0
    both = await asyncio.gather(*(reader.record("shelf", [customer("Bea")], how) for how in ("poll", "webhook")))
    assert sorted(both) == [0, 1]
    assert await reader.record("shelf", [customer("Ann"), customer("Bea"), customer("Ann")], "poll") == 3
    events = [event for event in await dispatcher.events() if isinstance(event, SourceObserved)]
    assert [event.version for event in events] == [
        await dispatcher.keyring.keyed_hash(COMPANY, name.encode()) for name in ("Ann", "Bea", "Ann", "Bea", "Ann")
    ]


async def test_what_could_not_be_recorded_is_recorded_when_it_comes_again(
    dispatcher: Dispatcher, monkeypatch: pytest.MonkeyPatch
) -> None:
    reader = reader_of(dispatcher)

    async def refuse(events: object) -> None:
        raise ConnectionError("The log cannot be reached.")

    with monkeypatch.context() as away:
        away.setattr(dispatcher.session, "receive", refuse)
        with pytest.raises(ConnectionError):
            await reader.record("shelf", [customer("Ann")], "sync")
    assert await reader.record("shelf", [customer("Ann")], "sync") == 1


class Forgetful(PlainSource):
    """Says with a first page that its cursor led nowhere any more."""

    def kinds(self) -> Sequence[str]:
        return ("customer",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        yield Page(changes=(), cursor="1", afresh="" if cursor is None else f"Events of {kind} are gone.")
        yield Page(changes=(), cursor="2", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        del kind, source_id
        return ()


async def test_a_reading_that_begins_anew_is_counted(dispatcher: Dispatcher) -> None:
    metrics = InMemoryMetricReader()
    meter = MeterProvider([metrics]).get_meter("tests")
    dispatcher.instruments = Instruments(NoOpTracerProvider().get_tracer("tests"), meter)
    reader = reader_of(dispatcher, Forgetful())
    for _ in range(3):
        await reader.poll("shelf", "poll")
    told = metrics.get_metrics_data()
    assert told is not None
    points = [
        (point.value, dict(point.attributes or {}))
        for resource in told.resource_metrics
        for scope in resource.scope_metrics
        for metric in scope.metrics
        if metric.name == "counterfoil.source.read_afresh"
        for point in metric.data.data_points
        if isinstance(point, NumberDataPoint)
    ]
    assert points == [(2, {"source": "shelf", "kind": "customer"})]


class Merging(PlainSource):
    """Shows that a record is gone, and not into which it was merged."""

    def kinds(self) -> Sequence[str]:
        return ("customer",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del kind, cursor
        yield Page(changes=(), cursor="0", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        return [Removed(kind=kind, source_id=source_id, evidence="It is shown as deleted.")]


async def test_what_only_a_webhook_says_of_a_merge_is_recorded_with_the_removal(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    known = [
        Seen(kind="customer", source_id=one, version="1", record=Customer(name=one), raw=RAW) for one in ("7", "8")
    ]
    await reader.record("shelf", known, "sync")
    hints = (
        Hint(kind="customer", source_id="7", operation="merge", other_id="2"),
        Hint(kind="customer", source_id="8", operation="delete"),
    )
    at = await dispatcher.write(WebhookReceived(connection="shelf", delivery_id="d-1", hints=hints, raw="{}"))
    rows = [
        HintRow(
            company=COMPANY,
            connection="shelf",
            kind=hint.kind,
            source_id=hint.source_id,
            operation=hint.operation,
            received=at,
        )
        for hint in hints
    ]
    assert await reader.follow("shelf", rows) == []
    removed = [event for event in await dispatcher.events() if isinstance(event, SourceRemoved)]
    assert [(one.source_id, one.merged_into) for one in removed] == [("7", "2"), ("8", None)]
    assert "merged into 2" in removed[0].evidence


class OlderObserved(Event):
    """`source.observed` as the first releases wrote it: records without the fields that came later."""

    event_type: ClassVar[str] = "source.observed"
    when: ClassVar[str] = "Then."

    connection: str
    source_kind: str
    source_id: str
    version: str
    content_hash: str
    how: str
    record: dict[str, object]
    raw: None = None


PAY_DAY = date(2026, 3, 13)
OLDER: dict[tuple[str, str], JsonObject] = {
    ("payroll", "p1"): {
        "kind": "pay_run",
        "status": "processed",
        "processed": True,
        "check_date": "2026-03-13",
        "period_start": "2026-03-01",
        "period_end": "2026-03-13",
        "currency": "USD",
        "off_cycle": False,
        "stated_debit": None,
        "lines": [{"department": "Design", "part": "wages", "amount": "4711.08", "people": 3}],
    },
    ("employee", "e1"): {
        "kind": "employee",
        "given_name": "Zoë",
        "family_name": "Ødegård",
        "email": None,
        "department": "Design",
        "hired": None,
        "active": True,
    },
    ("deal", "5"): {
        "kind": "invoice",
        "customer": "shelf:customer:7",
        "number": None,
        "status": "won",
        "won": True,
        "happened_at": None,
        "dated": "2026-03-13",
        "due": None,
        "currency": "USD",
        "stated_total": None,
        "memo": None,
        "lines": [
            {
                "line_id": "1",
                "product": None,
                "description": None,
                "quantity": "1",
                "unit_price": "19.99",
                "discount": "0",
                "amount": None,
                "role": "goods",
            }
        ],
    },
}
"""Records as they lie in logs of the first releases: without `includes`, a person's job, or tax."""
NOW: dict[tuple[str, str], Record] = {
    ("payroll", "p1"): PayRun(
        status="processed",
        processed=True,
        check_date=PAY_DAY,
        period_start=date(2026, 3, 1),
        period_end=PAY_DAY,
        currency="USD",
        lines=(PayRunLine(department="Design", part="wages", amount=Decimal("4711.08"), people=3),),
    ),
    ("employee", "e1"): Employee(given_name="Zoë", family_name="Ødegård", department="Design"),
    ("deal", "5"): Invoice(
        customer="shelf:customer:7",
        status="won",
        won=True,
        dated=PAY_DAY,
        currency="USD",
        lines=(InvoiceLine(line_id="1", unit_price=Decimal("19.99")),),
    ),
}
"""The same, as adapters of this release show them."""


async def write_older(dispatcher: Dispatcher) -> None:
    """What a first release wrote, with the hashes that it made: over all fields that there were."""
    for (kind, source_id), record in OLDER.items():
        digest = await dispatcher.keyring.keyed_hash(COMPANY, exact_json.canonical(record))
        event = OlderObserved(
            connection="shelf",
            source_kind=kind,
            source_id=source_id,
            version="v",
            content_hash=digest,
            how="sync",
            record={**record},
        )
        key = record_key("shelf", kind, source_id)
        await dispatcher.session.receive([NewEvent(event=event, record_key=key)])
    await dispatcher.folder.to_head()


def shown(records: dict[tuple[str, str], Record]) -> list[SourceChange]:
    return [
        Seen(kind=kind, source_id=source_id, version="w", record=record, raw="{}")
        for (kind, source_id), record in records.items()
    ]


async def test_what_an_older_release_recorded_is_not_observed_again(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    await write_older(dispatcher)
    assert await reader.record("shelf", [*shown(NOW), *shown(NOW)], "poll") == 0
    assert len(await dispatcher.events()) == len(OLDER)


async def test_what_has_changed_since_an_older_release_is_observed_once(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    await write_older(dispatcher)
    promoted = NOW["employee", "e1"].model_copy(update={"job": "Lead"})
    assert await reader.record("shelf", shown({**NOW, ("employee", "e1"): promoted}), "poll") == 1
    await dispatcher.folder.to_head()
    assert await reader.record("shelf", shown({**NOW, ("employee", "e1"): promoted}), "poll") == 0
    # There and back within one page: both are told.
    back = [
        *shown({("deal", "5"): NOW["deal", "5"].model_copy(update={"status": "lost"})}),
        *shown({("deal", "5"): NOW["deal", "5"]}),
    ]
    assert await reader.record("shelf", back, "poll") == 2


async def test_a_record_that_was_gone_is_observed_again_whatever_release_recorded_it(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    await write_older(dispatcher)
    gone = Removed(kind="deal", source_id="5", evidence="It is shown as deleted.")
    assert await reader.record("shelf", [gone], "poll") == 1
    await dispatcher.folder.to_head()
    assert await reader.record("shelf", shown({("deal", "5"): NOW["deal", "5"]}), "poll") == 1


async def test_the_same_content_is_told_by_its_hash_alone(dispatcher: Dispatcher) -> None:
    reader = reader_of(dispatcher)
    assert await reader.record("shelf", shown(NOW), "sync") == len(NOW)
    await dispatcher.folder.to_head()
    await dispatcher.keyring.destroy(COMPANY, "shelf:employee:e1")
    assert await reader.record("shelf", shown(NOW), "sync") == 0


def deal(source_id: str, stated: str, *prices: str) -> Seen:
    lines = tuple(InvoiceLine(line_id=str(place), unit_price=Decimal(price)) for place, price in enumerate(prices))
    record = Invoice(
        customer="shelf:customer:7",
        status="won",
        won=True,
        currency="USD",
        stated_total=Decimal(stated),
        lines=lines,
    )
    return Seen(kind="deal", source_id=source_id, version=stated, record=record, raw="{}")


class Edited(PlainSource):
    """Deals as they are after an edit that fell between a page and its lines; `read` counts."""

    def __init__(self, *after: SourceChange, at_one_instant: bool = False) -> None:
        self.after = {change.source_id: change for change in after}
        self.reads: list[str] = []
        self.at_one_instant = at_one_instant

    def kinds(self) -> Sequence[str]:
        return ("deal",)

    async def changes(self, kind: str, cursor: str | None) -> AsyncIterator[Page]:
        del kind, cursor
        yield Page(changes=(), cursor="0", done=True)

    async def read(self, kind: str, source_id: str) -> Sequence[SourceChange]:
        self.reads.append(source_id)
        if source_id not in self.after:
            raise SourceError(f"{kind} {source_id} cannot be read now.")
        customer = Seen(kind="customer", source_id="7", version="1", record=Customer(name="Ann"), raw=RAW)
        return [customer, self.after[source_id]]


async def observed_deals(dispatcher: Dispatcher) -> dict[str, Decimal | None]:
    return {
        event.source_id: event.record.stated_total
        for event in await dispatcher.events()
        if isinstance(event, SourceObserved) and isinstance(event.record, Invoice)
    }


async def test_a_sale_that_was_edited_while_it_was_read_is_read_once_more_before_it_is_recorded(
    dispatcher: Dispatcher,
) -> None:
    source = Edited(deal("1", "30", "10", "20"), deal("3", "9", "8"))
    reader = reader_of(dispatcher, source)
    page = [deal("1", "10", "10", "20"), deal("2", "5", "5"), deal("3", "9", "8"), deal("4", "1", "2")]
    # The page's four, and the customer whom the second reading of a deal shows beside it.
    assert await reader.record("shelf", page, "poll") == 4
    assert source.reads == ["1", "3", "4"]
    assert await observed_deals(dispatcher) == {
        "1": Decimal(30),
        "2": Decimal(5),
        "3": Decimal(9),
        "4": Decimal(1),
    }
    observed = [one for one in await dispatcher.events() if isinstance(one, SourceObserved)]
    assert [one.source_id for one in observed if one.source_kind == "customer"] == ["7"]
    await dispatcher.folder.to_head()
    # What is known not to add up is not asked for again with each page that shows it.
    assert await reader.record("shelf", [deal("3", "9", "8"), deal("4", "1", "2")], "poll") == 0
    assert source.reads == ["1", "3", "4"]


async def test_where_many_do_not_add_up_only_a_few_are_read_again_and_none_where_nothing_can_be_torn(
    dispatcher: Dispatcher,
) -> None:
    page = [deal(str(number), "1", "2") for number in range(READ_AGAIN_MAX + 3)]
    source = Edited(*page)
    assert await reader_of(dispatcher, source).record("shelf", page, "sync") == len(page)
    assert source.reads == [str(number) for number in range(READ_AGAIN_MAX)]
    whole = Edited(at_one_instant=True)
    other = [deal(f"w{number}", "1", "2") for number in range(3)]
    assert await reader_of(dispatcher, whole).record("shelf", other, "sync") == len(other)
    assert whole.reads == []
