"""When feeds are due: 100,000 of them claimed and put off, against one APScheduler job each; and a day of politeness.

Both sides go through as many turns as 100,000 feeds of one interval a minute have in a third of it. Ours claims in the
server, 32 feeds a call as the poller does, and commits each; the server's CPU counts. APScheduler keeps its jobs in
memory and runs an empty coroutine. It remembers nothing: ours does, and several processes may claim.
"""

from __future__ import annotations

import asyncio
import time
from datetime import UTC, datetime, timedelta

from tests.poll.day import live, sites
from tests.servers import ValkeyServer, valkey_server

from benchmarks.polling_systems import cpu_of
from benchmarks.table import Figure, at_least, at_most, publish
from watchpost.store.client import Store
from watchpost.store.polling import Claim, PollStore

FEEDS = 100_000
_PERIOD_SECONDS, _WINDOW_SECONDS = 60, 20
_DAY_FEEDS = 10_000
_LEASE_MS, _HOUR_MS, _DAY_MS = 30_000, 3_600_000, 86_400_000


def run() -> None:
    """Measure, print, and write results/schedule.json."""
    runs = FEEDS * _WINDOW_SECONDS // _PERIOD_SECONDS
    theirs, ran = asyncio.run(_apscheduler())
    with valkey_server() as server:
        claiming, own, store = asyncio.run(_ours(server, runs))
    per_run = 1e6 * theirs / max(ran, 1)
    begun = time.process_time()
    lived = sites(_DAY_FEEDS)
    for site in lived:
        live(site)
    spent = time.process_time() - begun
    asked = sum(site.asked for site in lived)
    figures = [
        Figure("APScheduler, a job each", per_run, "µs", note=f"CPU a turn, {ran:,} turns in {_WINDOW_SECONDS} s"),
        Figure("watchpost, claims alone", 1e6 * claiming / runs, "µs", note=f"CPU a turn, {runs:,} turns"),
        Figure(
            "watchpost, claim and COMMIT",
            1e6 * (own + store) / runs,
            "µs",
            note=f"of it {store / (own + store):.0%} the server",
        ),
        at_least("APScheduler : watchpost, claims", theirs / max(ran, 1) / (claiming / runs), 5),
        Figure("APScheduler : watchpost, claim and COMMIT", theirs / max(ran, 1) / ((own + store) / runs), "×"),
        at_most(f"early requests in a day of {_DAY_FEEDS:,} feeds", sum(site.rude for site in lived), 0, ""),
        Figure(
            "requests a feed and hour",
            asked / _DAY_FEEDS / 24,
            "",
            note=f"{asked:,} decisions, {1e6 * spent / asked:.0f} µs each",
        ),
    ]
    publish("schedule", f"{FEEDS:,} feeds that are due, and a simulated day", figures)


async def _ours(server: ValkeyServer, runs: int) -> tuple[float, float, float]:
    """CPU seconds of (claiming, this process for both, the server for both)."""
    store = Store(server.url)
    poll_store = PollStore(store, seen_ttl_ms=30 * _DAY_MS, queue_max=FEEDS, lease_ms=_LEASE_MS, host_gap_ms=1000)
    names = [f"f{n}" for n in range(FEEDS)]
    await poll_store.sync(names, {name: f"{name}.example" for name in names})
    own, other = time.process_time(), cpu_of([server.pid])
    claims: list[Claim] = []
    while len(claims) < runs:
        claims += (await poll_store.claim(32)).feeds
    claiming = time.process_time() - own + cpu_of([server.pid]) - other
    for claim in claims:
        await poll_store.commit(claim, (), memory={}, status={"outcome": "unchanged"}, delay_ms=_HOUR_MS)
    spent = time.process_time() - own, cpu_of([server.pid]) - other
    await store.close()
    return claiming, *spent


async def _apscheduler() -> tuple[float, int]:
    """(CPU seconds of the window, how many jobs ran in it), above what an empty scheduler needs."""
    from apscheduler.schedulers.asyncio import AsyncIOScheduler

    ran = 0

    async def job() -> None:
        nonlocal ran
        ran += 1

    defaults = {"coalesce": True, "max_instances": 1, "misfire_grace_time": None}
    scheduler = AsyncIOScheduler(timezone="UTC", job_defaults=defaults)
    scheduler.start(paused=True)
    start = datetime.now(UTC) + timedelta(seconds=_PERIOD_SECONDS)
    for n in range(FEEDS):
        at = start + timedelta(seconds=_PERIOD_SECONDS * n / FEEDS)
        scheduler.add_job(job, "interval", seconds=_PERIOD_SECONDS, next_run_time=at)
    await asyncio.sleep(max(0.0, (start - datetime.now(UTC)).total_seconds()))
    begun = time.process_time()
    scheduler.resume()
    await asyncio.sleep(_WINDOW_SECONDS)
    spent = time.process_time() - begun
    scheduler.shutdown(wait=False)
    return spent, ran
