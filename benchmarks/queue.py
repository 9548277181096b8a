"""The queue against task queues: enqueue with dedupe, and process one hit, on one server with AOF everysec.

Everybody talks to the same server over the same Unix socket, with hiredis, from one process, with the same payload
of about 400 bytes; every job does one INCR. Rounds are interleaved, medians count.
"""

from __future__ import annotations

import asyncio
import random
import statistics
import tempfile
import time
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import count
from pathlib import Path

from tests.making import article, hit
from tests.servers import ValkeyServer, valkey_server

from benchmarks import peers
from benchmarks.table import Figure, at_least, median_of, publish
from watchpost import log
from watchpost.model import Article, Delivered, Delivery, Digest, Message, Outcome
from watchpost.notify.sender import Journal, Sender
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import Match, Matched, MatchStore, RoutedHit
from watchpost.store.polling import Claim, PollStore
from watchpost.store.receivers import CircuitBreaker

ROUNDS = 7
JOBS = 2000
BATCHED = 20_000  # at 100 a call the smaller number would be over in 30 ms
PAYLOAD_BYTES = 400
DONE = "done"
_DAY_MS = 86_400_000
_LEASE_MS = 60_000
_NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
_GROUP, _TEAM = "team|now", "team"
_MEMORY = {"url": "https://example.org/feed.xml", "etag": '"5f3c-61a"', "modified": "", "body": "0" * 64}
_STATUS = {"failures": "0", "reason": "", "detail": "", "last_read": _NOW.isoformat(), "last_visit": _NOW.isoformat()}


def articles(number: int, run: str) -> tuple[Article, ...]:
    """Different articles, each of PAYLOAD_BYTES on the wire."""
    bare = article(f"{run} 00000", body="")
    body = "Sanctions were lifted, said the ministry. " * 20
    body = body[: PAYLOAD_BYTES - len(ARTICLE.encode(bare))]
    return tuple(article(f"{run} {n:05}", body=body) for n in range(number))


async def commit(store: Store, run: str, number: int, per_call: int, at_once: int = 1) -> float:
    """Articles a second through COMMIT: dedupe, queue, cursor and next visit of a leased feed in each call.

    `at_once` feeds of one process commit side by side, as the poller's visits do.
    """
    poll_store = PollStore(store, seen_ttl_ms=30 * _DAY_MS, queue_max=10 * BATCHED, lease_ms=_LEASE_MS)
    await poll_store.sync([f"bench{n}" for n in range(at_once)])
    claims = (await poll_store.claim(at_once)).feeds
    warm_up = at_once * per_call
    found = articles(warm_up + number, run)
    parts = iter([found[at : at + per_call] for at in range(0, len(found), per_call)])
    await asyncio.gather(*(_commit(poll_store, claim, next(parts)) for claim in claims))  # connects, loads the script

    async def some(claim: Claim) -> None:
        for part in parts:
            await _commit(poll_store, claim, part)

    begun = time.perf_counter()
    await asyncio.gather(*(some(claim) for claim in claims))
    seconds = time.perf_counter() - begun
    assert await store.redis.xlen(store.keys.articles) == len(found)
    return number / seconds


async def _commit(poll_store: PollStore, claim: Claim, part: Sequence[Article]) -> None:
    done = await poll_store.commit(claim, part, memory=_MEMORY, status=_STATUS, delay_ms=600_000)
    assert (done.answer, done.new) == ("ok", len(part))


async def match_hop(store: Store, run: str) -> float:
    """Hits a second, as the matcher does it: claim 32 → decode and INCR each → MATCHED with one hit each."""
    await commit(store, run, JOBS - 1, 1)
    end = MatchStore(store, "bench", lease_ms=_LEASE_MS, hits_ttl_ms=_DAY_MS)
    begun, done = time.perf_counter(), 0
    while done < JOBS:
        matches = []
        for entry in await end.claims.take(32):
            read = end.read(entry)
            await store.redis.incr(DONE)
            matches.append(Match(entry, read, (RoutedHit(hit(read.title, article=read), (_GROUP,)),)))
        assert set(await end.matched(matches)) == {Matched(("",))}
        done += len(matches)
    seconds = time.perf_counter() - begun
    assert await store.redis.xlen(store.keys.articles) == 0
    return JOBS / seconds


async def notify_hop(store: Store, run: str) -> float:
    """Deliveries a second, one after the other, as the sender does it: frozen message → INCR → DONE and the next."""
    outbox = await _filled(store, run)
    claims = outbox.claims(_TEAM, "bench", _LEASE_MS)
    begun = time.perf_counter()
    for _ in range(JOBS):
        (entry,) = claims.accepted() or await claims.take(1)
        assert await outbox.delivery(entry) is not None
        await store.redis.incr(DONE)
        await outbox.done(_TEAM, entry, then=claims)
        claims.forget(entry)
    seconds = time.perf_counter() - begun
    assert await outbox.unsent([_TEAM]) == (0, 0)
    return JOBS / seconds


async def sender(store: Store, run: str) -> float:
    """The same as the service does it: notify.sender, with metrics, a log, and a journal flushed to disk each time."""
    outbox = await _filled(store, run)
    claims, stop = outbox.claims(_TEAM, "bench", _LEASE_MS), asyncio.Event()

    async def tick() -> None:
        await stop.wait()

    with tempfile.TemporaryDirectory(prefix="wp-") as folder:
        loop = Sender(
            _Counter(store),
            outbox,
            claims,
            CircuitBreaker(store, _TEAM),
            Journal(Path(folder)),
            tick=tick,
            tick_renew=tick,
            stop=stop,
            clock=lambda: _NOW,
        )
        begun = time.perf_counter()
        done = 0
        while done < JOBS:
            done += await loop.once()
        seconds = time.perf_counter() - begun
    assert await outbox.unsent([_TEAM]) == (0, 0)
    return JOBS / seconds


class _Counter:
    """A receiver that does what the peers' jobs do."""

    name = _TEAM

    def __init__(self, store: Store) -> None:
        self._store = store

    def render(self, digest: Digest) -> tuple[Message, ...]:
        return ()

    async def send(self, delivery: Delivery) -> Outcome:
        await self._store.redis.incr(DONE)
        return Delivered()


async def _filled(store: Store, run: str) -> DeliveryStore:
    outbox = DeliveryStore(store, kept_ms=14 * _DAY_MS)
    await outbox.create_outbox(_TEAM)
    message = Message("", "1 story: Mali", {"json": "x" * (PAYLOAD_BYTES - 80)})
    numbers = count()
    for _ in range(0, JOBS, 500):
        ids = [f"{run}-{next(numbers):05}" for _ in range(500)]
        deliveries = [Delivery(id_, id_, _TEAM, message, 1, _NOW) for id_ in ids]
        assert await outbox.close(await outbox.peek(_GROUP), _NOW, deliveries)
    return outbox


_BATCH = "watchpost, COMMIT, 100 articles a call"
_BATCH_16 = "watchpost, COMMIT, 100 articles a call, 16 feeds at once"
_MATCH = "watchpost, matcher's hop: claim → INCR → MATCHED"
_NOTIFY = "watchpost, notifier's hop: claim 1 → INCR → DONE"

Rates = dict[str, list[float]]
Measure = Callable[[Store, str], Awaitable[float]]
_ENQUEUE: dict[str, Measure] = {
    _BATCH: lambda store, run: commit(store, run, BATCHED, 100),
    _BATCH_16: lambda store, run: commit(store, run, BATCHED, 100, 16),
    "watchpost, COMMIT, 1 article a call": lambda store, run: commit(store, run, JOBS, 1),
}
_PROCESS: dict[str, Measure] = {
    _MATCH: match_hop,
    _NOTIFY: notify_hop,
    "watchpost, notifier whole, journal on disk": sender,
}


def run() -> None:
    """Measure, and publish the table."""
    log.set_up_log("json", "error")
    payload = ARTICLE.encode(articles(1, "r0")[0]).decode()
    assert len(payload) == PAYLOAD_BYTES
    with valkey_server() as server:
        measures = {
            what: _measures(server, what, ours, others if peers.there() else (), payload)
            for what, ours, others in (("enqueue", _ENQUEUE, peers.enqueuing()), ("process", _PROCESS, peers.PROCESS))
        }
        rates: dict[str, Rates] = {what: {name: [] for name in named} for what, named in measures.items()}
        patterns = [(what, name) for what, named in measures.items() for name in named]
        for number in range(ROUNDS):
            random.Random(number).shuffle(patterns)
            for what, name in patterns:
                server.flush()
                rates[what][name].append(measures[what][name](f"r{number}"))
    figures = [median_of(f"{what}: {name}", rounds, "/s") for what in rates for name, rounds in rates[what].items()]
    remarks = [
        f"{ROUNDS} shuffled rounds, medians (lowest - highest); {JOBS} jobs a round, {BATCHED} where 100 a call",
        "only COMMIT remembers what it has seen: the peers' jobs get random ids, and nothing is looked up or kept",
        "each job is one INCR; the notifier's hop also reads the frozen message back, the whole one flushes a journal",
    ]
    if peers.there():
        figures += _ratios(rates["enqueue"], rates["process"])
        remarks += ["ratios to a peer's fastest setting in this run", f"peers: {peers.versions()}"]
        if not peers.bullmq_there():
            remarks.append("bullmq was left out: `make bench` installs it where there is npm")
    else:
        remarks.append("no peers: `make bench` builds their venv")
    publish(
        "queue", "Queue: enqueue with dedupe, process one hit (one server, AOF everysec, Unix socket)", figures, remarks
    )


def _measures(
    server: ValkeyServer, what: str, ours: dict[str, Measure], others: Sequence[peers.Peer], payload: str
) -> dict[str, Callable[[str], float]]:
    """What there is to measure, by name; each takes the name of a round."""
    made: dict[str, Callable[[str], float]] = {name: partial(_ours, server, each) for name, each in ours.items()}
    for peer in others:
        jobs = BATCHED if peer.library in peers.BATCHED else JOBS
        made[peer.label] = lambda _, peer=peer, jobs=jobs: peers.rate(peer, what, server.url, jobs, payload)  # type: ignore[misc]
    return made


def _ours(server: ValkeyServer, measure: Measure, run: str) -> float:
    async def measured() -> float:
        store = Store(server.url)
        await store.prepare("bench")
        try:
            return await measure(store, run)
        finally:
            await store.close()

    return asyncio.run(measured())


def _ratios(enqueue: Rates, process: Rates) -> list[Figure]:
    """Like against like: one at a time against one at a time, side by side against side by side."""
    found = []
    for library in peers.LIBRARIES:
        for words, ours in (("one at a time", _BATCH), ("16 coroutines", _BATCH_16)):
            theirs = enqueue.get(f"{library}, {words}")
            if theirs:
                value = _median(enqueue, ours) / statistics.median(theirs)
                found.append(at_least(f"enqueue, 100 a call, {words}, against {library}", value, 10))
    for peer in peers.enqueuing():
        if peer.library in peers.BATCHED:
            value = _median(enqueue, _BATCH) / statistics.median(enqueue[peer.label])
            found.append(Figure(f"enqueue, 100 a call, against {peer.label}", value, "×"))
    for library in peers.LIBRARIES:
        best = max(statistics.median(rounds) for name, rounds in process.items() if name.startswith(f"{library},"))
        for name, ours in (("matcher's hop", _MATCH), ("notifier's hop", _NOTIFY)):
            row = at_least(f"process, {name}, against {library}", _median(process, ours) / best, 1.5)
            found.append(row if library != "dramatiq" else replace(row, goal="", met=None))
    return found


def _median(rates: Rates, name: str) -> float:
    return statistics.median(rates[name])
