"""Spans sent to the operator's own OpenTelemetry collector (OTLP over HTTP); an optional extra."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import SERVICE_NAME, Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ParentBased, TraceIdRatioBased
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from broker.measuring.tracing import ATTRIBUTES, Span

_PARENT = "traceparent"
_FAILED = 500


class Collector:
    """A tracer whose spans go to the operator's collector, in batches and by another thread."""

    is_on = True

    def __init__(self, exporter: SpanExporter, share: float) -> None:
        """`share` of the traces that nobody in front has decided about are kept."""
        provider = TracerProvider(
            # No Resource.create(): it would tell of the machine and of OTEL_* variables.
            resource=Resource({SERVICE_NAME: "miftah"}),
            sampler=ParentBased(TraceIdRatioBased(share)),
            shutdown_on_exit=True,
        )
        self._provider = provider
        provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = provider.get_tracer("miftah")
        self._context = TraceContextTextMapPropagator()

    @contextmanager
    def incoming(self, parent: str = "") -> Iterator[Span]:
        """As the protocol says. What is raised inside is not looked at: it may quote a value."""
        context = self._context.extract({_PARENT: parent}) if parent else None
        with self._tracer.start_as_current_span(
            "request",
            context=context,
            kind=trace.SpanKind.SERVER,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _Told(span)

    @contextmanager
    def outgoing(self) -> Iterator[Span]:
        """As the protocol says."""
        with self._tracer.start_as_current_span(
            "call",
            kind=trace.SpanKind.CLIENT,
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            yield _Told(span)

    def flush(self) -> None:
        """Send what waits."""
        self._provider.force_flush()

    def stop(self) -> None:
        """Send what waits, and end the thread."""
        self._provider.shutdown()


class _Told:
    """A span of the library, which is told nothing but ATTRIBUTES."""

    def __init__(self, span: Any) -> None:
        self._span = span

    def tell(self, name: str, facts: Mapping[str, str | int]) -> None:
        if strangers := facts.keys() - ATTRIBUTES:
            raise ValueError(f"a span does not tell {', '.join(sorted(strangers))}")
        self._span.update_name(name)
        self._span.set_attributes(facts)
        status = facts.get("http.response.status_code", 0)
        if "error.type" in facts or (isinstance(status, int) and status >= _FAILED):
            self._span.set_status(trace.StatusCode.ERROR)


def to_collector(endpoint: str, share: float) -> Collector:
    """A tracer whose spans go to the collector at `endpoint`, a whole URL with its path."""
    return Collector(OTLPSpanExporter(endpoint=endpoint), share)
