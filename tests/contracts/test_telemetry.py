"""One trace from a change at the source to the books and back, across a restart; and no secret in anything we say."""

import asyncio
import json
import logging
import re
from collections.abc import AsyncIterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
import requests
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from counterfoil.clock import SystemClock, SystemEntropy
from counterfoil.keys import master_key
from counterfoil.log import EventCodec, MasterKey, PostgresKeyring, PostgresLogReader, RecordedEvent
from counterfoil.postgres import Pool
from support.postgres import Database
from support.running import Shop, open_shop

TRACEPARENT = re.compile(r"00-([0-9a-f]{32})-[0-9a-f]{16}-[0-9a-f]{2}")


@pytest.fixture
async def shop(database: Database, pool: Pool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Shop]:
    async with open_shop(database, pool, tmp_path, monkeypatch) as opened:
        opened.sales.open(customers=2, products=1, orders=0)
        yield opened


def provider(exporter: InMemorySpanExporter) -> TracerProvider:
    made = TracerProvider()
    made.add_span_processor(SimpleSpanProcessor(exporter))
    return made


async def recorded(shop: Shop) -> list[RecordedEvent]:
    clock, entropy = SystemClock(), SystemEntropy()
    master = MasterKey(master_key(None, shop.folder, entropy), entropy)
    keyring = PostgresKeyring(shop.pool, shop.database.names, master, clock=clock, entropy=entropy)
    codec = EventCodec(keyring, clock=clock, entropy=entropy)
    reader = PostgresLogReader(shop.pool, shop.database.names, codec, clock=clock)
    return [event async for event in reader.stream(1)]


def traces_of(events: list[RecordedEvent], kind: str, record: str) -> set[str]:
    """Trace ids of the events of one kind about one record."""
    found = [event.trace for event in events if (event.event_type, event.record_key) == (kind, record)]
    return {match[1] for trace in found if trace and (match := TRACEPARENT.fullmatch(trace))}


def trace_id(span: ReadableSpan) -> str:
    context = span.get_span_context()
    assert context is not None
    return f"{context.trace_id:032x}"


async def assert_one_trace(shop: Shop, number: str) -> str:
    """All that became of an order, on both sides, belongs to the trace in which it was observed."""
    order = f"shelf:order:{number}"
    events = await recorded(shop)
    (origin,) = traces_of(events, "source.observed", order)
    assert traces_of(events, "intent.planned", order) == {origin}
    assert traces_of(events, "intent.accepted", order) == {origin}
    invoice = await shop.invoice(number)
    assert traces_of(events, "books.observed", f"quickbooks:Invoice:{invoice['Id']}") == {origin}
    return origin


async def test_one_trace_from_the_source_to_the_books_and_back(shop: Shop) -> None:
    exporter = InMemorySpanExporter()
    async with shop.engine(tracers=provider(exporter)):
        await shop.until_done()
        number = shop.sales.add_order()
        await shop.until_done()
    origin = await assert_one_trace(shop, number)
    spans = [span for span in exporter.get_finished_spans() if trace_id(span) == origin]
    names = {span.name for span in spans}
    assert names >= {"counterfoil.observe", "counterfoil.plan", "counterfoil.send", "counterfoil.write_back"}
    tids = {str(call["intuit_tid"]) for call in (await shop.control("/calls"))["calls"] if call["kind"] != "read"}
    texts = [json.loads(span.to_json()) for span in spans]
    assert [text for text in texts if tids & {str(value) for value in text["attributes"].values()}] != []
    sent = {event.light()["request_id"] for event in await recorded(shop) if event.event_type == "call.sent"}
    assert [text for text in texts if sent & {str(value) for value in text["attributes"].values()}] != []


async def test_an_invoice_that_is_seen_before_its_answer_is_recorded_stays_in_its_trace(shop: Shop) -> None:
    """The books keep us waiting after the effect, and the answer is lost; sweeps show the invoice meanwhile."""
    async with shop.engine():
        await shop.until_done()
        fault = {"kind": "lost_answer", "entity": "Invoice", "operation": "create", "hold_seconds": Decimal("1.5")}
        await shop.control("/faults", fault)
        number = shop.sales.add_order()
        await shop.until_done()
    await assert_one_trace(shop, number)


async def test_work_taken_up_after_a_restart_goes_on_in_its_trace(shop: Shop) -> None:
    """The first engine only observes: its books cannot be reached. Another one, with other spans, does the rest."""
    first, second = InMemorySpanExporter(), InMemorySpanExporter()
    async with shop.engine(tracers=provider(first)):
        await shop.until_done()
    number = shop.sales.add_order()
    order = f"shelf:order:{number}"
    await shop.control("/faults", {"kind": "server_error", "count": None})
    async with shop.engine(tracers=provider(first)) as engine:
        while not traces_of(await recorded(shop), "source.observed", order):
            await engine.clock.sleep(0.2)
    await asyncio.to_thread(requests.delete, f"{shop.emulator['control_url']}/faults", timeout=10)
    async with shop.engine(tracers=provider(second)):
        await shop.until_done()
    events = await recorded(shop)
    (origin,) = traces_of(events, "source.observed", order)
    assert traces_of(events, "intent.accepted", order) == {origin}
    assert origin in {trace_id(span) for span in first.get_finished_spans()}
    names = {span.name for span in second.get_finished_spans() if trace_id(span) == origin}
    assert names >= {"counterfoil.send", "counterfoil.write_back"}


async def test_what_was_under_way_when_a_worker_ended_goes_on_in_its_trace(
    shop: Shop, caplog: pytest.LogCaptureFixture
) -> None:
    """The worker fails once between an answer and its recording; another takes over, and settles by evidence."""
    armed: list[str] = []

    def fail(point: str) -> None:
        if armed and point.endswith(".answered") and not point.startswith("write_back"):
            armed.clear()
            raise RuntimeError("about Ann Lee")

    async with shop.engine(step=fail):
        await shop.until_done()
        armed.append("now")
        number = shop.sales.add_order()
        await shop.until_done()
    assert not armed
    assert "company 1 is failing: RuntimeError at sender, line " in caplog.text
    assert "Ann Lee" not in caplog.text
    order = f"shelf:order:{number}"
    events = await recorded(shop)
    (origin,) = traces_of(events, "source.observed", order)
    assert traces_of(events, "intent.uncertain", order) == {origin}
    await assert_one_trace(shop, number)


async def test_no_secret_in_anything_we_say(shop: Shop, caplog: pytest.LogCaptureFixture) -> None:
    """Spans, logs, every table as text, and what the engine says of its health."""
    caplog.set_level(logging.DEBUG)
    exporter = InMemorySpanExporter()
    faults = [
        {"kind": "auth_expired", "count": 2},
        {"kind": "html_error", "operation": "create", "count": 2},
        {"kind": "xml_fault", "operation": "create", "count": 1},
    ]
    async with shop.engine(tracers=provider(exporter)) as engine:
        await shop.until_done()
        await shop.control("/faults", faults)
        await shop.control("/oauth", {"expire_access": True, "rotate": True})
        number = shop.sales.add_order()
        await shop.until_done()
        await shop.pay({number: Decimal("0.50")})
        await shop.until_done()
        health = json.dumps(await engine.health())
        tokens = engine.connected(1).access.current
        settings = repr(engine.settings)
    assert tokens is not None
    texts = {
        "spans": "\n".join(span.to_json() for span in exporter.get_finished_spans()),
        "log": caplog.text,
        "health": health,
        "settings": settings,
        "database": await dump(shop.pool),
    }
    secrets = {
        "client secret": shop.emulator["client_secret"],
        "first refresh token": shop.emulator["refresh_token"],
        "refresh token": tokens.refresh_token.get_secret_value(),
        "access token": tokens.access_token.get_secret_value(),
        "verifier token": shop.emulator["verifier_token"],
        "master key": (shop.folder / "master.key").read_text().strip(),
    }
    assert {name: text.strip() for name, text in texts.items() if not text.strip()}.keys() <= {"log"}
    assert [(name, place) for name, secret in secrets.items() for place, text in texts.items() if secret in text] == []


async def dump(pool: Pool) -> str:
    """Every row of every table of ours that the engine may read, as text; bytes both as hex and as characters."""
    tables = await pool.fetch(
        "select format('%I.%I', schemaname, tablename) as name from pg_tables"
        " where schemaname like 'counterfoil%'"
        " and has_table_privilege(format('%I.%I', schemaname, tablename), 'select')"
    )
    texts: list[str] = []
    for table in tables:
        rows: list[Any] = await pool.fetch(f"select * from {table['name']}")  # names from the catalogue
        for row in rows:
            texts += [value.decode("latin-1") if isinstance(value, bytes) else str(value) for value in row.values()]
    return "\n".join(texts)
