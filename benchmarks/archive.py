"""The archive: what an article costs in processor time and bytes, how long searches take, and a topic over all of it.

Synthetic articles in five languages, each made of paragraphs of others. ARCHIVED=1000000 takes a million.
"""

from __future__ import annotations

import os
import random
import tempfile
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from benchmarks.newsroom import Newsroom
from benchmarks.table import Figure, at_most, publish
from watchpost.archive.packing import filed
from watchpost.archive.search import Search, Wanted
from watchpost.archive.sqlite import SqliteArchive
from watchpost.model import Article, derive_id
from watchpost.query.parser import parse

ARCHIVED = int(os.environ.get("ARCHIVED", "100000"))
PLACE = os.environ.get("ARCHIVE_IN", "")  # a directory that is kept, and used again if it is not empty
BATCH, BASE, SEARCHES, PAGE = 200, 3_000, 300, 25
_BEGIN = datetime(2026, 8, 1, tzinfo=UTC)
_MONTHS = timedelta(days=90)


def articles(world: Newsroom, count: int) -> Iterator[Article]:
    """So many articles, evenly over three months."""
    chance = random.Random(17)
    pools: dict[str, list[tuple[str, list[str]]]] = {}
    for number in range(BASE):
        made = world.article(number, 400)
        pools.setdefault(made["lang"], []).append((made["title"], made["body"].split("\n\n")))
    languages = [lang for lang, pool in pools.items() for _ in pool]
    for number in range(count):
        lang = chance.choice(languages)
        parts = [chance.choice(chance.choice(pools[lang])[1]) for _ in range(3)]
        title = f"{chance.choice(pools[lang])[0]} {number}"
        url = f"https://outlet{number % 97}.example/{lang}/{number}"
        yield Article(
            id=derive_id("article", str(number)),
            source=f"outlet{number % 97}",
            title=title,
            body="\n\n".join(parts),
            fetched=_BEGIN + _MONTHS * number / count,
            outlet=f"The Outlet {number % 97}",
            url=url,
            lang=lang,
            fingerprints=(f"url:{url}", f"text:{derive_id('text', title)}"),
        )


def run() -> None:
    """Fill an archive, and search it."""
    with tempfile.TemporaryDirectory() as scratch:
        figures = list(_figures(Path(PLACE or scratch)))
        publish("archive", f"Archive: {ARCHIVED:,} articles", figures)


def _figures(directory: Path) -> Iterator[Figure]:
    world = Newsroom()
    archive = SqliteArchive(directory)
    count = archive.state().articles
    if not count:
        cpu = texts = 0.0
        batch: list[Article] = []
        for one in articles(world, ARCHIVED):
            batch.append(one)
            texts += len(one.title.encode()) + len(one.body.encode())
            if len(batch) == BATCH:
                begun = time.process_time()
                archive.add([filed(each) for each in batch])
                cpu += time.process_time() - begun
                batch.clear()
        count = archive.state().articles
        yield Figure("text of an article", texts / count, "bytes")
        yield at_most("processor time of an article", cpu / count * 1e6, 300, "µs", note=f"{BATCH} at once")
    yield Figure("articles", count, "")
    yield at_most("on the disk, an article", archive.state().size_bytes / count, 2500, "bytes")
    yield from _searches(world, archive)


def _searches(world: Newsroom, archive: SqliteArchive) -> Iterator[Figure]:
    queries = [parse(text) for text in world.queries(SEARCHES).values()]
    walls, cpus, found = [], [], 0
    for query in queries:
        begun, cpu = time.perf_counter(), time.process_time()
        found += len(Search(Wanted(query), now=_BEGIN).page(archive, PAGE).found)
        walls.append(time.perf_counter() - begun)
        cpus.append(time.process_time() - cpu)
    note = f"{SEARCHES} queries, pages of {PAGE}, {found} articles found"
    yield Figure("search, median", sorted(cpus)[len(cpus) // 2] * 1e3, "ms", note=note)
    yield at_most("search, 99 of 100", sorted(cpus)[len(cpus) * 99 // 100] * 1e3, 50, "ms", note="processor time")
    yield Figure("search, 99 of 100, by the clock", sorted(walls)[len(walls) * 99 // 100] * 1e3, "ms")
    small = [words[0] for words in (world.words["en"][20:25], world.words["fr"][20:25], world.words["ru"][20:25])]
    topic = parse(" OR ".join(small))
    begun, number = time.process_time(), 0
    for _ in Search(Wanted(topic), now=_BEGIN).all(archive):
        number += 1
    whole = time.process_time() - begun
    share = number / archive.state().articles
    yield at_most("a topic over all articles", whole, 60, "s", note=f"{number} match, {share:.1%}")


if __name__ == "__main__":
    run()
