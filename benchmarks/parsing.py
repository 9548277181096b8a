"""Parsing: CPU of reading real feeds, by us and by what we are made of; entries found; the loop's lag meanwhile.

`$WATCHPOST_FEEDS` names the folder of feed documents; without it ../shared/feeds/real beside the project.
"""

from __future__ import annotations

import asyncio
import io
import os
import re
import statistics
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from benchmarks.table import Figure, at_least, at_most, median_of, publish

_NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
_ROUNDS = 3
_COLD_FEEDS = 1000
_ITEM = re.compile(rb"<(?:\w+:)?(?:item|entry)[\s>/]", re.IGNORECASE)

Reader = Callable[[bytes], int]


def run() -> None:
    """Measure, print, and write results/parsing.json."""
    beside = Path(__file__).parents[2] / "shared" / "feeds" / "real"
    folder = Path(os.environ.get("WATCHPOST_FEEDS", beside))
    documents = [path.read_bytes() for path in sorted(folder.iterdir())] if folder.is_dir() else []
    if not documents:
        print(f"parsing: no feeds in {folder}; name a folder in $WATCHPOST_FEEDS")
        return
    readers = _readers()
    times: dict[str, list[float]] = {name: [] for name in readers}
    found: dict[str, list[int]] = {}
    for _ in range(_ROUNDS):
        for name, read in readers.items():
            start = time.process_time()
            found[name] = [_count(read, document) for document in documents]
            times[name].append(time.process_time() - start)
    best = sum(max(counts) for counts in zip(*found.values(), strict=True))
    figures: list[Figure] = []
    for name, rounds in times.items():
        silent = sum(
            count == 0 and bool(_ITEM.search(body)) for count, body in zip(found[name], documents, strict=True)
        )
        figures.append(
            median_of(name, rounds, "s", note=f"{sum(found[name]):,} entries, {silent} feeds empty that have items")
        )
    middle = {name: statistics.median(rounds) for name, rounds in times.items()}
    ours = "watchpost, entries"
    figures += [
        at_least("feedparser default : watchpost, entries", middle["feedparser, default"] / middle[ours], 30),
        at_least("entries of those that any parser finds", 100 * sum(found[ours]) / best, 99.9, "%"),
        at_most(
            "longest lag of the loop", asyncio.run(_lag(documents)), 100, "ms", f"{_COLD_FEEDS:,} feeds, one child"
        ),
    ]
    size = sum(map(len, documents)) / 1e6
    publish("parsing", f"CPU of reading {len(documents)} real feeds, {size:.1f} MB, {_ROUNDS} rounds", figures)


def _readers() -> dict[str, Reader]:
    import fastfeedparser
    import feedparser

    from watchpost.documents.encoding import xml_to_utf8
    from watchpost.documents.feed import read_entries, read_feed
    from watchpost.documents.parse import read_feed_document, read_wanted

    def entries(body: bytes) -> int:
        return len(read_entries(xml_to_utf8(body), b"")[1])

    return {
        "feedparser, default": lambda body: len(feedparser.parse(io.BytesIO(body)).entries),
        "feedparser, lean": lambda body: len(
            feedparser.parse(io.BytesIO(body), sanitize_html=False, resolve_relative_uris=False).entries
        ),
        "fastfeedparser": lambda body: len(fastfeedparser.parse(body)["entries"]),
        "watchpost, entries": entries,
        "watchpost, ids": lambda body: len(next(read_wanted(body, now=_NOW, source="bench"))),
        "watchpost, drafts": lambda body: len(read_feed(body, now=_NOW).drafts),
        "watchpost, articles": lambda body: len(read_feed_document(body, now=_NOW, source="bench").articles),
    }


def _count(read: Reader, document: bytes) -> int:
    try:
        return read(document)
    except Exception:  # a parser that refuses has found nothing
        return 0


async def _lag(documents: list[bytes]) -> float:
    """The longest time, in ms, by which a sleep of 1 ms came late while a child read 1,000 feeds."""
    from watchpost.documents.parse import read_feed_document
    from watchpost.documents.parser_process import ParserProcess
    from watchpost.errors import FetchError

    parser = ParserProcess()
    await parser.run(len, b"")
    worst, done = 0.0, asyncio.Event()

    async def watch() -> None:
        nonlocal worst
        while not done.is_set():
            start = time.perf_counter()
            await asyncio.sleep(0.001)
            worst = max(worst, time.perf_counter() - start - 0.001)

    async def read(body: bytes) -> None:
        try:
            await parser.run(read_feed_document, body, now=_NOW, source="bench")
        except FetchError:
            return

    watcher = asyncio.create_task(watch())
    gate = asyncio.Semaphore(16)  # as many visits as the poller has under way

    async def visit(n: int) -> None:
        async with gate:
            await read(documents[n % len(documents)])

    await asyncio.gather(*(visit(n) for n in range(_COLD_FEEDS)))
    done.set()
    await watcher
    await parser.close()
    return worst * 1000
