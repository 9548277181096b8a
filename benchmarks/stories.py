"""Stories against datasketch's MinHashLSH: signatures and decisions a second, who is found, and memory in the store.

Synthetic reports, each with edited copies (paragraphs cut and swapped, furniture added, one letter in a hundred wrong)
and a text of another hand that quotes one of its paragraphs. Nobody's thresholds were fitted to them.
"""

from __future__ import annotations

import asyncio
import json
import random
import subprocess
import time
from collections.abc import Sequence
from itertools import combinations

from tests.making import article, hit
from tests.servers import valkey_server

from benchmarks.newsroom import Newsroom
from benchmarks.peers import PYTHON
from benchmarks.table import Figure, at_least, median_of, publish
from watchpost.match.signatures import signature
from watchpost.match.stories import Shelf
from watchpost.model import Article
from watchpost.store.client import Store
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit
from watchpost.store.polling import Claim, PollStore

REPORTS, COPIES, ROUNDS = 400, 4, 3
STORED = 20_000
_DAY_MS = 86_400_000


def texts(seed: int = 11) -> tuple[list[Article], list[int]]:
    """The articles in the order of their coming, and the true story of each."""
    chance, world = random.Random(seed), Newsroom()
    furniture: dict[str, list[str]] = {}  # a dozen in each language
    for number in range(50_000, 50_200):
        made = world.article(number, 60)
        if len(kept := furniture.setdefault(made["lang"], [])) < 12:
            kept.append(made["body"])
    found: list[tuple[int, str]] = []
    for number in range(REPORTS):
        report, other = world.article(number, 400), world.article(100_000 + number, 350)
        paragraphs = report["body"].split("\n\n")
        found.append((number, "\n\n".join(paragraphs)))
        found += [(number, _edited(paragraphs, copy / 8, furniture[report["lang"]], chance)) for copy in range(COPIES)]
        quoting = [*other["body"].split("\n\n"), paragraphs[-1], chance.choice(furniture[other["lang"]])]
        found.append((REPORTS + number, "\n\n".join(quoting)))
    chance.shuffle(found)
    articles = [
        article(f"Report {place}", body=text, outlet=f"Paper {place % 97}") for place, (_, text) in enumerate(found)
    ]
    return articles, [story for story, _ in found]


def _edited(paragraphs: Sequence[str], cut: float, furniture: Sequence[str], chance: random.Random) -> str:
    kept = [part for part in paragraphs if chance.random() > cut] or list(paragraphs[:2])
    if len(kept) > 2:
        one, two = chance.sample(range(len(kept)), 2)
        kept[one], kept[two] = kept[two], kept[one]
    wrong = ["".join("e" if char.isalpha() and chance.random() < 0.01 else char for char in part) for part in kept]
    return "\n\n".join([*wrong, chance.choice(furniture)])


def pairs(found: Sequence[object], truth: Sequence[int]) -> tuple[float, float]:
    """Precision and recall over all pairs of articles."""
    right = wrong = missed = 0
    for one, two in combinations(range(len(truth)), 2):
        together, should = found[one] == found[two], truth[one] == truth[two]
        right += together and should
        wrong += together and not should
        missed += should and not together
    return right / max(1, right + wrong), right / max(1, right + missed)


async def stored(store: Store, articles: Sequence[Article]) -> tuple[float, float]:
    """Articles a second through MATCHED with the decision, and bytes of an article's share in index and stories."""
    end = MatchStore(store, "bench", lease_ms=600_000, hits_ttl_ms=_DAY_MS)
    poll_store = PollStore(store, seen_ttl_ms=_DAY_MS, queue_max=10**6, lease_ms=600_000)
    await store.prepare("bench")
    spent = done = 0.0
    for at in range(0, len(articles), 100):
        part = articles[at : at + 100]
        await poll_store.commit(Claim("bench", "", {}, {}), part, memory={}, status={}, delay_ms=0)
        matches = [
            Match(entry, one, (RoutedHit(hit(one.title, article=one), ()),), signature(one))
            for entry, one in ((entry, end.read(entry)) for entry in await end.claims.take(100, block=False))
        ]
        begun = time.perf_counter()
        results = await end.matched(matches)
        spent += time.perf_counter() - begun
        done += len(results)
        assert all(isinstance(result, Matched) for result in results)
    held = 0
    async for key in store.redis.scan_iter("*", count=1000):
        if b":index:" in key or b":story:" in key:
            held += await store.redis.memory_usage(key, samples=0)
    return done / spent, held / done


def many(number: int) -> list[Article]:
    """Different texts of 300 words, quickly made."""
    chance = random.Random(5)
    words = [f"w{n}" for n in range(20_000)]
    return [article(f"n{n}", body=" ".join(chance.choices(words, k=300))) for n in range(number)]


def run() -> None:
    """Measure and publish."""
    articles, truth = texts()
    signing, deciding = [], []
    found: list[str] = []
    for _ in range(ROUNDS):
        begun = time.perf_counter()
        signed = [signature(one) for one in articles]
        signing.append(len(articles) / (time.perf_counter() - begun))
        shelf, begun = Shelf(), time.perf_counter()
        found = [shelf.decide(one, articles[0].fetched).story for one in signed]
        deciding.append(len(articles) / (time.perf_counter() - begun))
    precision, recall = pairs(found, truth)
    with valkey_server() as server:
        rate, size = asyncio.run(_measure(server.url))
    figures = [
        median_of("signatures", signing, "/s"),
        median_of("decisions in memory", deciding, "/s"),
        Figure("decisions in the store, within MATCHED", rate, "/s", note=f"{STORED:,} different texts in the window"),
        Figure("pairs: precision", precision, ""),
        Figure("pairs: recall", recall, ""),
        Figure("memory of a million signatures", size * 1e6 / 2**20, "MiB", note=f"from {STORED:,}, extrapolated"),
    ]
    if PYTHON.exists():
        peer = json.loads(
            subprocess.run(
                [PYTHON, "-I", "benchmarks/stories_peer.py"],
                input=json.dumps([one.body for one in articles]),
                capture_output=True,
                text=True,
                check=True,
            ).stdout
        )
        their_precision, their_recall = pairs(peer["stories"], truth)
        figures += [
            Figure(f"datasketch {peer['version']}: signatures", peer["sign"], "/s"),
            Figure("datasketch: decisions in memory", peer["decide"], "/s"),
            Figure("datasketch: precision", their_precision, ""),
            Figure("datasketch: recall", their_recall, ""),
            at_least("signatures, against datasketch", figures[0].value / peer["sign"], 1),
        ]
    publish("stories", f"Stories: {len(articles):,} articles, {len(set(truth))} stories", figures)


async def _measure(url: str) -> tuple[float, float]:
    store = Store(url)
    try:
        return await stored(store, many(STORED))
    finally:
        await store.close()
