"""An article is one trace, from the visit that found it to its delivery; without configuration there is none."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from watchpost import tracing
from watchpost.config.settings import read_settings
from watchpost.errors import WatchpostError
from watchpost.operations import factory
from watchpost.service import lifecycle

CONFIG = """
version: 1
folders: {drop: {path: drop, settle: 0ms}}
topics: {mali: mali}
receivers: {box: {type: file, path: box}}
routes: [{to: box, digest: "08:00"}]
"""


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    tracing.use(provider)
    yield exporter
    tracing.use(None)


async def _run_once(root: Path, url: str, *titles: str) -> None:
    (root / "drop").mkdir()
    for title in titles:
        (root / "drop" / f"{title}.txt").write_text(f"{title}\n\n{title} speaks of Mali, and of nothing else at all.\n")
    (root / "watchpost.yaml").write_text(CONFIG)
    settings = read_settings(config=root / "watchpost.yaml", data=root / "data", redis_url=url)
    assert await lifecycle.run(factory.read_config(settings.config, {}), settings, {}, "all") == 0
    assert list((root / "box").glob("*.json"))


def _trace(span: ReadableSpan) -> int:
    assert span.context is not None
    return int(span.context.trace_id)


async def test_an_article_is_one_trace_and_a_digest_links_to_all_of_its_articles(
    spans: InMemorySpanExporter, tmp_path: Path, empty_valkey_url: str
) -> None:
    await _run_once(tmp_path, empty_valkey_url, "one", "two")
    found = {name: [span for span in spans.get_finished_spans() if span.name == name] for name in
             ("poll.visit", "match.article", "notify.close", "notify.send")}  # fmt: skip
    (visit,), (close,), (send,) = found["poll.visit"], found["notify.close"], found["notify.send"]
    assert len(found["match.article"]) == 2
    for span in (*found["match.article"], close, send):
        assert _trace(span) == _trace(visit)
    assert send.parent is not None
    assert close.context is not None
    assert send.parent.span_id == close.context.span_id
    assert len(close.links) == 1
    for span in spans.get_finished_spans():
        assert set((span.attributes or {}).values()) <= {"drop", "box", "file"}, "names of the configuration only"


async def test_without_the_variable_nothing_is_traced_and_no_exporter_is_loaded(
    tmp_path: Path, empty_valkey_url: str
) -> None:
    tracing.start({})
    with tracing.span("x") as trace:
        assert trace == ""
    await _run_once(tmp_path, empty_valkey_url, "one")
    code = (
        "import sys, watchpost.cli.run, watchpost.service.lifecycle; sys.exit('opentelemetry.exporter' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_tracing_without_the_extra_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "opentelemetry.exporter.otlp.proto.http.trace_exporter", None)
    with pytest.raises(WatchpostError, match=r"watchpost-news\[otel\]"):
        tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})


def test_a_missing_collector_does_not_delay_the_end() -> None:
    tracing.start({"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:1"})
    with tracing.span("x") as trace:
        assert trace.startswith("00-")
    tracing.stop()
