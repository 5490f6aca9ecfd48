"""What the engine says about itself while it works; who listens is decided outside."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Protocol

from opentelemetry import trace
from opentelemetry.metrics import Meter
from opentelemetry.trace import Link, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

_PROPAGATOR = TraceContextTextMapPropagator()

Attributes = Mapping[str, str | int | float | bool]


def _link_to(traceparent: str) -> Link:
    context = _PROPAGATOR.extract({"traceparent": traceparent})
    return Link(trace.get_current_span(context).get_span_context())


class OpenSpan(Protocol):
    """A span that is open; `trace` is its context as text, fit to be kept in an event."""

    @property
    def trace(self) -> str | None: ...

    def set(self, name: str, value: str | float | bool) -> None:
        """Add an attribute; never a secret, a name or an amount of pay."""
        ...


class _Open:
    def __init__(self, span: Span) -> None:
        self._span = span

    @property
    def trace(self) -> str | None:
        return trace_of(self._span)

    def set(self, name: str, value: str | float | bool) -> None:
        self._span.set_attribute(name, value)


def trace_of(span: Span) -> str | None:
    """A span's context as a `traceparent`, or None where nothing is traced."""
    carrier: dict[str, str] = {}
    _PROPAGATOR.inject(carrier, trace.set_span_in_context(span))
    return carrier.get("traceparent")


def current_trace() -> str | None:
    """The context of the span that is open here, as a `traceparent`."""
    return trace_of(trace.get_current_span())


class Instruments:
    """Spans and metrics of the engine, on a tracer and a meter that were passed in.

    One span for a batch of work, never one for each event; work taken up after a restart continues the trace that
    its event carries.
    """

    def __init__(self, tracer: Tracer, meter: Meter) -> None:
        self._tracer = tracer
        self._outcomes = meter.create_counter("counterfoil.outcomes", description="Calls by how they ended.")
        self._decisions = meter.create_counter("counterfoil.decisions", description="Decisions by kind.")
        self._events = meter.create_counter("counterfoil.events", description="Events observed, by source.")
        self._afresh = meter.create_counter(
            "counterfoil.source.read_afresh", description="Readings of a whole kind because its cursor led nowhere."
        )
        self._deliveries = meter.create_counter(
            "counterfoil.deliveries", description="Webhook deliveries by how they ended."
        )
        self._lag = meter.create_histogram(
            "counterfoil.lag", unit="s", description="From the observation of a change to its acceptance."
        )
        self._behind = meter.create_gauge(
            "counterfoil.projection.lag", unit="{event}", description="Events not folded yet."
        )
        self._limiter = meter.create_gauge(
            "counterfoil.limiter.use", unit="{request}", description="Requests of the last minute."
        )
        self._reads = meter.create_gauge(
            "counterfoil.reads", unit="{read}", description="Metered reads of the month, by figure."
        )
        self._stopped = meter.create_gauge(
            "counterfoil.reads.stopped_for", unit="s", description="Until a lane may read again; 0 where it may now."
        )
        self._token = meter.create_gauge(
            "counterfoil.token.expires_in", unit="s", description="Until the refresh token expires."
        )
        self._connected = meter.create_gauge(
            "counterfoil.connection.up", description="1 while QuickBooks is connected, 0 while it waits for a person."
        )
        self._end = meter.create_gauge(
            "counterfoil.connection.ends_in",
            unit="s",
            description="Until the connection ends, however much it is used.",
        )

        self._recovering = meter.create_gauge(
            "counterfoil.log.recovering",
            description="1 while a company's log does not hold what was anchored, so that nothing is sent.",
        )

    @contextmanager
    def span(
        self,
        name: str,
        parent: str | None,
        attributes: Attributes | None = None,
        links: Iterable[str | None] = (),
    ) -> Iterator[OpenSpan]:
        """A span under the context that an event carries (or the one open here), linked to others' contexts.

        Of what is raised in it only the type is told: foreign texts may hold what was written or sent.
        """
        context = _PROPAGATOR.extract({"traceparent": parent}) if parent else None
        with self._tracer.start_as_current_span(
            name,
            context=context,
            kind=SpanKind.INTERNAL,
            attributes=dict(attributes or {}),
            links=[_link_to(one) for one in dict.fromkeys(links) if one and one != parent],
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                yield _Open(span)
            except Exception as error:
                span.set_attribute("error.type", type(error).__qualname__)
                span.set_status(StatusCode.ERROR)
                raise

    def outcome(self, kind: str) -> None:
        """A call ended."""
        self._outcomes.add(1, {"outcome": kind})

    def decided(self, kind: str, count: int = 1) -> None:
        """Decisions were appended."""
        self._decisions.add(count, {"kind": kind})

    def observed(self, source: str, count: int) -> None:
        """Events were observed."""
        self._events.add(count, {"source": source})

    def read_afresh(self, source: str, kind: str) -> None:
        """A source's cursor led nowhere any more, and everything of a kind is read again."""
        self._afresh.add(1, {"source": source, "kind": kind})

    def delivery(self, ending: str) -> None:
        """A delivery was answered."""
        self._deliveries.add(1, {"ending": ending})

    def lag(self, seconds: float, direction: str) -> None:
        """A change reached the other side."""
        self._lag.record(seconds, {"direction": direction})

    def behind(self, company: int, events: int) -> None:
        """How far the projection is behind the log."""
        self._behind.set(events, {"company": company})

    def limiter(self, company: int, used: int) -> None:
        """Requests that count against the realm's minute."""
        self._limiter.set(used, {"company": company})

    def reads(self, company: int, figures: Mapping[str, int]) -> None:
        """What the company has used and comes to; the budget that binds it first, and what is spent of it by all."""
        for name, reads in figures.items():
            self._reads.set(reads, {"company": company, "figure": name})

    def stopped(self, company: int, lane: str, seconds: float) -> None:
        """For how long a lane reads nothing, for want of budget."""
        self._stopped.set(seconds, {"company": company, "lane": lane})

    def token(self, company: int, seconds: float) -> None:
        """Life left in the refresh token."""
        self._token.set(seconds, {"company": company})

    def connection(self, company: int, *, connected: bool) -> None:
        """Whether the connection to the books stands."""
        self._connected.set(int(connected), {"company": company})

    def recovering(self, company: int, *, yes: bool) -> None:
        """Whether the company's log has forgotten something, and waits for `counterfoil recover`."""
        self._recovering.set(int(yes), {"company": company})

    def connection_end(self, company: int, seconds: float) -> None:
        """Until a new consent is needed in any case."""
        self._end.set(seconds, {"company": company})
