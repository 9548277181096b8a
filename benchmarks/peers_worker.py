"""One task queue, one measurement, in the peers' own venv: prints a rate per second as JSON.

    peers_worker.py LIBRARY enqueue|process URL JOBS AT_ONCE PAYLOAD

`enqueue` times JOBS enqueues, AT_ONCE coroutines of one process; with streaq AT_ONCE is the number of jobs in one call
of `enqueue_many`. `process` fills the queue, starts one worker in burst mode with AT_ONCE jobs at a time, and times
from the start of its first job to the end of its last. Every job does one INCR on the library's own connection. Run it
with -I: this directory holds a queue.py.
"""

# mypy: disable-error-code="import-not-found,import-untyped,untyped-decorator,misc"
# These libraries live in another venv, where mypy does not look; everything they give is Any.

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections.abc import Awaitable, Callable
from typing import Any

DONE = "done"
FILL = 16  # coroutines that fill the queue before it is processed


class Span:
    """From the start of the first job to the end of the last one."""

    def __init__(self) -> None:
        self.first = 0.0
        self.last = 0.0
        self.jobs = 0
        self._lock = threading.Lock()

    def begin(self) -> None:
        with self._lock:
            self.first = self.first or time.perf_counter()

    def end(self) -> None:
        with self._lock:
            self.last = time.perf_counter()
            self.jobs += 1

    def rate(self, jobs: int) -> float:
        if self.jobs != jobs:
            raise SystemExit(f"{self.jobs} of {jobs} jobs were done")
        return jobs / (self.last - self.first)


async def side_by_side(jobs: int, at_once: int, enqueue: Callable[[], Awaitable[Any]]) -> float:
    """Enqueues a second, `at_once` at a time, after `at_once` more that connect."""
    await asyncio.gather(*(enqueue() for _ in range(at_once)))
    left = iter(range(jobs))

    async def some() -> None:
        for _ in left:
            await enqueue()

    begun = time.perf_counter()
    await asyncio.gather(*(some() for _ in range(at_once)))
    return jobs / (time.perf_counter() - begun)


async def arq(what: str, url: str, jobs: int, at_once: int, payload: str) -> float:
    from arq import create_pool
    from arq.connections import RedisSettings
    from arq.worker import Worker

    span = Span()

    async def job(context: dict[str, Any], text: str) -> None:
        span.begin()
        await context["redis"].incr(DONE)
        span.end()

    settings = RedisSettings(unix_socket_path=url.removeprefix("unix://"))
    pool = await create_pool(settings)
    side = at_once if what == "enqueue" else FILL
    rate = await side_by_side(jobs - side, side, lambda: pool.enqueue_job(job.__qualname__, payload))
    await pool.aclose()
    if what == "enqueue":
        return rate
    worker = Worker(
        [job],
        redis_settings=settings,
        burst=True,
        max_jobs=at_once,
        poll_delay=0.01,
        keep_result=0,
        handle_signals=False,
        log_results=False,
    )
    await worker.async_run()
    await worker.close()
    return span.rate(jobs)


async def saq(what: str, url: str, jobs: int, at_once: int, payload: str) -> float:
    from redis import asyncio as redis
    from saq import Worker
    from saq.queue.redis import RedisQueue

    span = Span()
    queue = RedisQueue(redis.Redis.from_url(url))

    async def job(context: dict[str, Any], *, text: str) -> None:
        span.begin()
        await queue.redis.incr(DONE)
        span.end()

    await queue.connect()
    side = at_once if what == "enqueue" else FILL
    rate = await side_by_side(jobs - side, side, lambda: queue.enqueue("job", text=payload, ttl=-1))
    if what == "process":
        worker = Worker(queue, [("job", job)], concurrency=at_once, burst=True, dequeue_timeout=1)
        await worker.start()
        rate = span.rate(jobs)
    await queue.disconnect()
    return rate


def dramatiq(what: str, url: str, jobs: int, at_once: int, payload: str) -> float:
    import dramatiq
    from dramatiq.brokers.redis import RedisBroker

    span = Span()
    broker = RedisBroker(url=url)
    dramatiq.set_broker(broker)

    @dramatiq.actor
    def job(text: str) -> None:
        span.begin()
        broker.client.incr(DONE)
        span.end()

    job.send(payload)
    begun = time.perf_counter()
    for _ in range(jobs - 1):
        job.send(payload)
    rate = (jobs - 1) / (time.perf_counter() - begun)
    if what == "enqueue":
        return rate
    worker = dramatiq.Worker(broker, worker_threads=at_once)
    worker.start()
    broker.join("default")
    worker.join()
    worker.stop()
    return span.rate(jobs)


async def streaq(what: str, url: str, jobs: int, per_call: int, payload: str) -> float:
    from streaq import Worker

    worker: Any = Worker(redis_url=url, handle_signals=False)

    @worker.task()
    async def job(text: str) -> None:
        raise NotImplementedError  # it is only queued

    async with worker:
        await worker.enqueue_many([job.enqueue(payload) for _ in range(per_call)])
        begun = time.perf_counter()
        for left in range(jobs, 0, -per_call):
            await worker.enqueue_many([job.enqueue(payload) for _ in range(min(left, per_call))])
        return jobs / (time.perf_counter() - begun)


def main() -> None:
    library, what, url, jobs, at_once, payload = sys.argv[1:]
    arguments = (what, url, int(jobs), int(at_once), payload)
    kinds = {"arq": arq, "saq": saq, "streaq": streaq}
    rate = asyncio.run(kinds[library](*arguments)) if library in kinds else dramatiq(*arguments)
    print(json.dumps({"rate": rate}))


if __name__ == "__main__":
    main()
