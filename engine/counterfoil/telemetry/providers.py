"""Where spans and metrics go: the host's providers, our own OTLP exporters, or nowhere. Never the global ones.

Spans are made even where nobody collects them: their context is kept in the events, so that a trace switched on
later leads back to where the work began.
"""

from dataclasses import dataclass

from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.metrics import MeterProvider, NoOpMeterProvider
from opentelemetry.sdk.metrics import MeterProvider as SdkMeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider as SdkTracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor
from opentelemetry.trace import TracerProvider

from counterfoil.settings import TelemetrySettings

FLUSH_MILLISECONDS = 3_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Providers:
    """A tracer provider and a meter provider; `own_*` are those that are ours to shut down."""

    tracers: TracerProvider
    meters: MeterProvider
    own_tracers: SdkTracerProvider | None = None
    own_meters: SdkMeterProvider | None = None

    def shut_down(self) -> None:
        """Flush and end what is ours; blocks for a few seconds at most, so call it off the loop."""
        if self.own_tracers is not None:
            self.own_tracers.force_flush(FLUSH_MILLISECONDS)
            self.own_tracers.shutdown()
        if self.own_meters is not None:
            self.own_meters.shutdown(FLUSH_MILLISECONDS)


def make_providers(
    settings: TelemetrySettings, tracers: TracerProvider | None = None, meters: MeterProvider | None = None
) -> Providers:
    """The host's providers where it gives some; OTLP over HTTP where an endpoint is set; else spans go nowhere."""
    if settings.otlp_endpoint is None:
        return Providers(tracers=tracers or _unheard(), meters=meters or NoOpMeterProvider())
    endpoint = settings.otlp_endpoint.rstrip("/")
    resource = Resource.create({"service.name": settings.service_name})
    own_tracers = own_meters = None
    if tracers is None:
        own_tracers = SdkTracerProvider(resource=resource, meter_provider=NoOpMeterProvider())
        own_tracers.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(f"{endpoint}/v1/traces")))
    if meters is None:
        exporter = OTLPMetricExporter(f"{endpoint}/v1/metrics")
        own_meters = SdkMeterProvider(resource=resource, metric_readers=[PeriodicExportingMetricReader(exporter)])
    return Providers(
        tracers=tracers or own_tracers or _unheard(),
        meters=meters or own_meters or NoOpMeterProvider(),
        own_tracers=own_tracers,
        own_meters=own_meters,
    )


def _unheard() -> SdkTracerProvider:
    """Makes spans that nobody collects; without a meter of its own it would ask for the global one."""
    return SdkTracerProvider(shutdown_on_exit=False, meter_provider=NoOpMeterProvider())
