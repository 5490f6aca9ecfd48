"""Spans of the engine: a failure is told by its type, never by its text; a parent and links are what events carried."""

import pytest
from opentelemetry.metrics import NoOpMeterProvider
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from counterfoil.telemetry.ports import Instruments

PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
OTHER = "00-11111111111111111111111111111111-2222222222222222-01"


@pytest.fixture
def exporter() -> InMemorySpanExporter:
    return InMemorySpanExporter()


@pytest.fixture
def instruments(exporter: InMemorySpanExporter) -> Instruments:
    tracers = TracerProvider(meter_provider=NoOpMeterProvider())
    tracers.add_span_processor(SimpleSpanProcessor(exporter))
    return Instruments(tracers.get_tracer("tests"), NoOpMeterProvider().get_meter("tests"))


def only(exporter: InMemorySpanExporter) -> ReadableSpan:
    (span,) = exporter.get_finished_spans()
    return span


def test_of_a_failure_only_its_type_is_told(instruments: Instruments, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(ValueError, match="Ann Lee"), instruments.span("counterfoil.plan", None, {"changes": 1}):
        raise ValueError("invalid input for query argument $3: 'Ann Lee, 4711.08'")
    span = only(exporter)
    assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
    assert dict(span.attributes or {}) == {"changes": 1, "error.type": "ValueError"}
    assert "Ann Lee" not in span.to_json()


def test_work_that_is_given_up_is_no_failure(instruments: Instruments, exporter: InMemorySpanExporter) -> None:
    with pytest.raises(KeyboardInterrupt), instruments.span("counterfoil.send", None):
        raise KeyboardInterrupt
    assert only(exporter).status.status_code is StatusCode.UNSET


def test_a_batch_is_one_span_linked_to_all_that_it_carries(
    instruments: Instruments, exporter: InMemorySpanExporter
) -> None:
    with instruments.span("counterfoil.send", PARENT, links=[PARENT, OTHER, None, OTHER]) as span:
        assert span.trace is not None
        assert span.trace.split("-")[1] == PARENT.split("-")[1]
    found = only(exporter)
    assert found.parent is not None
    assert f"{found.parent.span_id:016x}" == PARENT.split("-")[2]
    assert [f"{link.context.trace_id:032x}" for link in found.links] == [OTHER.split("-")[1]]
