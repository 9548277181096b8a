"""Traces for OpenTelemetry (extra `otel`): one trace from the visit that found an article to its delivery.

Off unless OTEL_EXPORTER_OTLP_ENDPOINT or OTEL_EXPORTER_OTLP_TRACES_ENDPOINT is set. Then an article carries a
traceparent (https://www.w3.org/TR/trace-context/) through the queue, and the work of each role on it is a span.
Attributes are names from the configuration, never texts or addresses.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING

from watchpost.errors import WatchpostError

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
_FLUSH_MS = 2000

_provider: TracerProvider | None = None


def start(env: Mapping[str, str]) -> None:
    """Send spans if the environment names a collector. Raises WatchpostError if the extra is not installed."""
    wanted = next((name for name in ENDPOINTS if env.get(name)), "")
    if not wanted:
        return
    try:
        from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor
    except ImportError:
        raise WatchpostError(
            f"{wanted} is set, but OpenTelemetry is not installed: pip install 'watchpost-news[otel]'"
        ) from None
    resource = Resource.create({"service.name": env.get("OTEL_SERVICE_NAME", "watchpost")})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    use(provider)


def use(provider: TracerProvider | None) -> None:
    """Send spans to this provider from now on; None turns tracing off."""
    global _provider  # noqa: PLW0603 - one for the process, like the metrics
    _provider = provider


def stop() -> None:
    """Send the remaining spans, for two seconds at most: a collector that does not answer must not delay the end."""
    if _provider is not None:
        _provider.force_flush(_FLUSH_MS)
        use(None)


@contextmanager
def span(name: str, parents: Sequence[str] = (), *, since_ns: int | None = None, **facts: str) -> Iterator[str]:
    """A span for work on what came with these traceparents: it joins the trace of the first, and links to the others.

    Yields the traceparent to pass on, "" while tracing is off. `since_ns`: when the work began, if not now.
    """
    if _provider is None:
        yield ""
        return
    from opentelemetry import trace
    from opentelemetry.context import Context
    from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

    propagator = TraceContextTextMapPropagator()
    contexts = [propagator.extract({"traceparent": parent}, context=Context()) for parent in parents if parent]
    links = [trace.Link(trace.get_current_span(context).get_span_context()) for context in contexts[1:]]
    with _provider.get_tracer("watchpost").start_as_current_span(
        name,
        context=contexts[0] if contexts else Context(),
        links=links,
        attributes={f"watchpost.{key}": value for key, value in facts.items()},
        start_time=since_ns,
        record_exception=False,  # error messages may quote texts and addresses
        set_status_on_exception=False,
    ):
        carrier: dict[str, str] = {}
        propagator.inject(carrier)
        yield carrier.get("traceparent", "")
