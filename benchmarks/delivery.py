"""Delivery: messages a second to a local receiver, and an edition of 5,000 hits laid out and split.

The receiver is a signed webhook on loopback that answers 200 at once; the sender is the service's own, with its
gate, journal (flushed each time), metrics and log. The edition is composed as the notifier does it.
"""

from __future__ import annotations

import asyncio
import io
import tempfile
import time
import tracemalloc
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from tests.http_server import Answer, HttpServer
from tests.making import article, hit
from tests.servers import valkey_server

from benchmarks.table import Figure, at_least, at_most, median_of, publish
from watchpost import log
from watchpost.model import Delivery, Group
from watchpost.notify.digest_builder import Installation, build_digest, deliveries_of
from watchpost.notify.receiver import Receiver, ReceiverContext
from watchpost.notify.receivers import kinds
from watchpost.notify.schedule import Window
from watchpost.notify.sender import Journal, Sender
from watchpost.schedules import Every
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.receivers import CircuitBreaker

ROUNDS, MESSAGES, HITS = 5, 300, 5000
_NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_WINDOW = Window(_NOW, _NOW)
_GROUP = Group("hook|1h", "hook", Every(timedelta(hours=1), "UTC"))


def run() -> None:
    """Measure, and publish the table."""
    log.set_up_log("json", "error")
    rate = asyncio.run(_rates())
    figures = [rate, at_least("the same, against the goal", rate.value, 100, "/s")]
    for name in ("webhook", "slack", "email", "file"):
        figures += _edition(name)
    publish("delivery", f"Delivery: {MESSAGES} messages a round, an edition of {HITS} hits", figures)


async def _rates() -> Figure:
    with valkey_server() as server, tempfile.TemporaryDirectory(prefix="wp-") as folder:
        async with HttpServer() as http:
            http.on("/hook", Answer(200))
            rounds = [await _round(server.url, http.url("/hook"), Path(folder), n) for n in range(ROUNDS)]
    return median_of("webhook on loopback, one sender", rounds, "/s")


async def _round(url: str, hook: str, folder: Path, number: int) -> float:
    store, stop = Store(url), asyncio.Event()
    outbox, receiver = (
        DeliveryStore(store, kept_ms=3_600_000),
        _receiver("webhook", url=hook, allow_private=["127.0.0.0/8"]),
    )
    digest = build_digest(_GROUP, _WINDOW, [hit("Mali")], Installation(), turn=str(number), now=_NOW, records={})
    (message,) = receiver.render(digest)
    waiting = [Delivery(f"b{number}-{n}", digest.id, "hook", message, 1, _NOW) for n in range(MESSAGES)]
    await outbox.create_outbox("hook")
    await outbox.close(await outbox.peek(f"g{number}"), _NOW, waiting)

    async def tick() -> None:
        await stop.wait()

    sender = Sender(
        receiver,
        outbox,
        outbox.claims("hook", "bench", 60_000),
        CircuitBreaker(store, "hook"),
        Journal(folder),
        tick=tick,
        tick_renew=tick,
        stop=stop,
        clock=lambda: _NOW,
    )
    begun, done = time.perf_counter(), 0
    while done < MESSAGES:
        done += await sender.once()
    seconds = time.perf_counter() - begun
    assert await outbox.unsent(["hook"]) == (0, 0)
    await store.close()
    return MESSAGES / seconds


_OPTIONS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook"},
    "slack": {"url": {"env": "URL"}},
    "email": {"to": ["desk@example.org"], "from": "watch@example.org", "smtp": {"host": "smtp.example.org"}},
    "file": {"path": "out"},
}


def _receiver(kind: str, **options: object) -> Receiver:
    made = kinds()[kind]
    context = {"env": {"URL": "https://hooks.example.org/services/x"}, "base": Path()}
    checked = made.options.model_validate(_OPTIONS[kind] | options, context=context)
    return made.build("hook", checked, ReceiverContext("bench", "bench", io.StringIO()))


def _edition(kind: str) -> list[Figure]:
    """Time and memory to lay out and split an edition of 5,000 hits, each a story of its own."""
    text = "Talks in Bamako went on for a second day, the ministry said in this sample text. " * 4
    hits = [hit(f"Story {n}", article=article(f"Mali, report {n}", body=text)) for n in range(HITS)]
    hits = [replace(one, story=one.id) for one in hits]
    receiver = _receiver(kind)

    def lay_out() -> int:
        digest = build_digest(_GROUP, _WINDOW, hits, Installation(), turn="0", now=_NOW, records={})
        return len(deliveries_of(digest, receiver.render(digest)))

    seconds = min(_timed(lay_out) for _ in range(3))
    tracemalloc.start()
    parts = lay_out()
    peak = tracemalloc.get_traced_memory()[1] / 1e6
    tracemalloc.stop()
    return [
        at_most(f"{kind}: laid out and split", seconds, 5, "s", f"{parts} messages"),
        at_most(f"{kind}: memory above the hits", peak, 100, "MB"),
    ]


def _timed(work: Callable[[], object]) -> float:
    begun = time.perf_counter()
    work()
    return time.perf_counter() - begun
