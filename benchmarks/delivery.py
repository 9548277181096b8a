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
SENDERS = (1, 4, 16)  # receivers of one process
_NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_WINDOW = Window(_NOW, _NOW)
_GROUP = Group("hook|1h", "hook", Every(timedelta(hours=1), "UTC"))


def run() -> None:
    """Measure, and publish the table."""
    log.set_up_log("json", "error")
    figures = asyncio.run(_rates())
    figures.append(at_least("one sender, against the goal", figures[0].value, 100, "/s"))
    for name in ("webhook", "slack", "email", "file"):
        figures += _edition(name)
    publish("delivery", f"Delivery: {MESSAGES} messages a round, an edition of {HITS} hits", figures)


async def _rates() -> list[Figure]:
    with valkey_server() as server, tempfile.TemporaryDirectory(prefix="wp-") as folder:
        async with HttpServer() as http:
            http.on("/hook", Answer(200))
            rounds = {
                senders: [await _round(server.url, http.url("/hook"), Path(folder), n, senders) for n in range(ROUNDS)]
                for senders in SENDERS
            }
    return [median_of(f"webhook on loopback, receivers: {count}", rates, "/s") for count, rates in rounds.items()]


async def _round(url: str, hook: str, folder: Path, number: int, senders: int) -> float:
    """Deliveries a second to so many receivers, each with a sender of its own, by one process with one journal."""
    store, journal = Store(url), Journal(folder)
    working = [await _sender(store, journal, hook, f"hook{n}", number, MESSAGES // senders) for n in range(senders)]
    begun = time.perf_counter()
    await asyncio.gather(*(_send(sender, MESSAGES // senders) for sender in working))
    seconds = time.perf_counter() - begun
    outbox = DeliveryStore(store, kept_ms=3_600_000)
    assert await outbox.unsent([sender.name for sender in working]) == (0, 0)
    await store.close()
    return MESSAGES // senders * senders / seconds


async def _send(sender: Sender, count: int) -> None:
    done = 0
    while done < count:
        done += await sender.once()


async def _sender(store: Store, journal: Journal, hook: str, name: str, number: int, count: int) -> Sender:
    """A sender for whose receiver so many deliveries wait."""
    stop = asyncio.Event()
    outbox, receiver = (
        DeliveryStore(store, kept_ms=3_600_000),
        _receiver("webhook", name, url=hook, allow_private=["127.0.0.0/8"]),
    )
    digest = build_digest(_GROUP, _WINDOW, [hit("Mali")], Installation(), turn=str(number), now=_NOW, records={})
    (message,) = receiver.render(digest)
    waiting = [Delivery(f"{name}-{number}-{count}-{n}", digest.id, name, message, 1, _NOW) for n in range(count)]
    await outbox.create_outbox(name)
    await outbox.close(await outbox.peek(f"{name}-{number}-{count}"), _NOW, waiting)

    async def tick() -> None:
        await stop.wait()

    return Sender(
        receiver,
        outbox,
        outbox.claims(name, "bench", 60_000),
        CircuitBreaker(store, name),
        journal,
        tick=tick,
        tick_renew=tick,
        stop=stop,
        clock=lambda: _NOW,
    )


_OPTIONS: dict[str, dict[str, Any]] = {
    "webhook": {"url": "https://example.org/hook"},
    "slack": {"url": {"env": "URL"}},
    "email": {"to": ["desk@example.org"], "from": "watch@example.org", "smtp": {"host": "smtp.example.org"}},
    "file": {"path": "out"},
}


def _receiver(kind: str, name: str = "hook", **options: object) -> Receiver:
    made = kinds()[kind]
    context = {"env": {"URL": "https://hooks.example.org/services/x"}, "base": Path()}
    checked = made.options.model_validate(_OPTIONS[kind] | options, context=context)
    return made.build(name, checked, ReceiverContext("bench", "bench", io.StringIO()))


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
