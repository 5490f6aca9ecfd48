"""One trace from a won deal to the values written back to it, on the host's providers, and nothing secret in it.

HubSpot and QuickBooks are emulators; a person pays the invoice in QuickBooks.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web
from opentelemetry import metrics, trace
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import InMemoryMetricReader
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from counterfoil import Engine, RecordedEvent
from counterfoil.settings import TelemetrySettings
from counterfoil.telemetry.providers import make_providers
from support import hubspot
from support.between import at_work, pay, source_settings
from support.postgres import Database
from support.quickbooks_emulator import EmulatorProcess, emulator_process

BOUND_SECONDS = 90.0
CUSTOMER = "Käthe Unmistakable & Daughters"
MAPPING = """
[connection]
source = "hubspot"
zone = "America/New_York"
currency = "USD"

[customer]
from = ["company"]

[invoice]
from = ["deal"]

[write_back]
status = "qbo_invoice_status"
balance = "qbo_balance"
"""


class Listener:
    """A host's own telemetry."""

    def __init__(self) -> None:
        self.exporter = InMemorySpanExporter()
        self.reader = InMemoryMetricReader()
        self.tracers = TracerProvider()
        self.tracers.add_span_processor(SimpleSpanProcessor(self.exporter))
        self.meters = MeterProvider(metric_readers=[self.reader])

    def spans(self, name: str) -> list[ReadableSpan]:
        """Finished spans of a name."""
        return [span for span in self.exporter.get_finished_spans() if span.name == name]

    def metric_names(self) -> set[str]:
        """Metrics that have a value."""
        data = self.reader.get_metrics_data()
        scopes = [scope for resource in data.resource_metrics for scope in resource.scope_metrics] if data else []
        return {metric.name for scope in scopes for metric in scope.metrics}


def trace_id(traceparent: str | None) -> str:
    """The trace's id in a `traceparent`."""
    assert traceparent is not None
    return traceparent.split("-")[1]


def ids_of(spans: Iterable[ReadableSpan]) -> set[str]:
    """The ids of spans' own traces and of those that they are linked to."""
    contexts = [context for span in spans for context in (span.context, *(link.context for link in span.links))]
    return {f"{context.trace_id:032x}" for context in contexts if context is not None}


@pytest.fixture
def emulator() -> Iterator[EmulatorProcess]:
    with emulator_process("--limits", "off") as running:
        yield running


async def the_event(engine: Engine, fits: Callable[[RecordedEvent], bool]) -> RecordedEvent:
    """The first event that fits, waited for."""
    async with asyncio.timeout(BOUND_SECONDS):
        async for recorded in engine.events():
            if fits(recorded):
                return recorded
    raise AssertionError("the log has ended")


def accepted(record_key: str) -> Callable[[RecordedEvent], bool]:
    """Whether an event says that something about a record was accepted."""

    def fits(recorded: RecordedEvent) -> bool:
        return (recorded.event_type, recorded.record_key) == ("intent.accepted", record_key)

    return fits


async def test_one_trace_leads_from_the_deal_to_the_value_written_back(
    database: Database, tmp_path: Path, emulator: EmulatorProcess
) -> None:
    listener = Listener()
    async with hubspot.account() as account:
        await account.load(
            companies=[hubspot.company(7, CUSTOMER)],
            products=[hubspot.product(3, "50.00")],
            deals=[hubspot.deal(512, amount="100.00")],
            line_items=[hubspot.line_item(9, "50.00", quantity="2", hs_product_id="3")],
            associations=[
                hubspot.link("deals", 512, "companies", 7),
                hubspot.link("deals", 512, "line_items", 9),
            ],
        )
        async with at_work(
            database,
            tmp_path,
            emulator,
            source_settings("hubspot", MAPPING, account.settings(timeout_seconds=30)),
            tracer_provider=listener.tracers,
            meter_provider=listener.meters,
        ) as engine:
            invoiced = await the_event(engine, accepted("hubspot:deal:512"))
            body = invoiced.light()
            await pay(emulator, str(body["document_id"]))
            written = await the_event(
                engine, lambda one: accepted("hubspot:deal:512")(one) and one.position > invoiced.position
            )
            events = [recorded async for recorded in engine.reader.stream(1)]
            await has_the_metrics(listener)
        state = await account.control("GET", "/objects/deals")
    assert '"qbo_balance"' in str(state).replace("'", '"')
    observed = next(
        one for one in events if (one.event_type, one.record_key) == ("source.observed", "hubspot:deal:512")
    )
    whole = trace_id(observed.trace)
    assert whole == trace_id(invoiced.trace)
    assert whole in ids_of(listener.spans("counterfoil.plan"))
    assert whole in ids_of(listener.spans("counterfoil.send"))
    assert whole == trace_id(written.trace)
    assert whole in ids_of(listener.spans("counterfoil.write_back"))
    has_the_call(listener, whole, body)
    has_no_secret(listener, emulator, account)


async def has_the_metrics(listener: Listener) -> None:
    """All of them have a value; gauges are set once a second, which a fast machine does not need for the journey."""
    names = ("outcomes", "decisions", "events", "lag", "projection.lag", "limiter.use", "token.expires_in")
    wanted = {f"counterfoil.{name}" for name in names}
    with suppress(TimeoutError):
        async with asyncio.timeout(BOUND_SECONDS):
            while not listener.metric_names() >= wanted:
                await asyncio.sleep(0.05)
    assert listener.metric_names() >= wanted


def has_the_call(listener: Listener, whole: str, body: Mapping[str, Any]) -> None:
    """The call to QuickBooks is in the trace, with Intuit's own id and our request id."""
    attributes = [
        dict(span.attributes or {})
        for span in listener.exporter.get_finished_spans()
        if whole in ids_of([span]) and any(name.endswith("intuit_tid") for name in span.attributes or {})
    ]
    values = [set(map(str, one.values())) for one in attributes]
    assert any({str(body["intuit_tid"]), str(body["request_id"])} <= found for found in values)


def has_no_secret(listener: Listener, emulator: EmulatorProcess, account: hubspot.Account) -> None:
    """No token, no name of a customer: not in names, attributes, events or states of spans, and not in metrics."""
    metered = listener.reader.get_metrics_data()
    assert metered is not None
    said = "\n".join([*(span.to_json() for span in listener.exporter.get_finished_spans()), metered.to_json()])
    assert "counterfoil.observe" in said
    assert "counterfoil.lag" in said
    credentials = account.emulator.credentials
    secrets = [emulator[name] for name in ("client_secret", "refresh_token", "verifier_token", "access_token")]
    for secret in (*secrets, credentials.access_token, credentials.client_secret, "Unmistakable", "Bearer"):
        assert secret not in said


def test_nobody_listens_unless_asked_and_no_global_provider_is_taken(monkeypatch: pytest.MonkeyPatch) -> None:
    def forbidden(*_: object, **__: object) -> None:
        raise AssertionError("the host's global provider was asked for")

    monkeypatch.setattr(trace, "get_tracer_provider", forbidden)
    monkeypatch.setattr(metrics, "get_meter_provider", forbidden)
    providers = make_providers(TelemetrySettings())
    with providers.tracers.get_tracer("counterfoil").start_as_current_span("unheard") as span:
        assert span.get_span_context().is_valid, "its context is kept in events, whoever listens later"
    assert providers.own_tracers is None
    assert providers.own_meters is None


async def test_with_an_endpoint_spans_and_metrics_go_there() -> None:
    posted: set[str] = set()

    async def take(request: web.Request) -> web.Response:
        assert await request.read()
        posted.add(f"{request.path} {request.content_type}")
        return web.Response()

    collector = web.Application()
    collector.router.add_post("/{tail:.*}", take)
    runner = web.AppRunner(collector)
    await runner.setup()
    try:
        await web.TCPSite(runner, "127.0.0.1", 0).start()
        endpoint = f"http://127.0.0.1:{runner.addresses[0][1]}/"
        providers = make_providers(TelemetrySettings(otlp_endpoint=endpoint))
        with providers.tracers.get_tracer("counterfoil").start_as_current_span("heard"):
            providers.meters.get_meter("counterfoil").create_counter("counterfoil.heard").add(1)
        await asyncio.to_thread(providers.shut_down)
    finally:
        await runner.cleanup()
    assert {f"/v1/{kind} application/x-protobuf" for kind in ("traces", "metrics")} == posted
