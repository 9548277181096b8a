"""The contract of whoever reads a stream: nothing is lost, nothing is done by two, nobody else pays for poison."""

from __future__ import annotations

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from pathlib import Path

import pytest
from redis import exceptions

from tests.store.embedding import make
from watchpost import log as tm
from watchpost.errors import StoreBusy
from watchpost.store import keys
from watchpost.store.client import Store, ensure_group, pause
from watchpost.store.streams import Consumer, StreamClaims, StreamEntry

LEASE_MS = 150

Deal = Callable[[StreamEntry], Awaitable[None]]


class Desk:
    """A consumer of the stream `pushed` that notes what it deals with; `deal` may take its time, or fail."""

    def __init__(
        self,
        store: Store,
        name: str = "one",
        *,
        deal: Deal | None = None,
        lease_ms: int = LEASE_MS,
        tick_seconds: float = 0,
    ) -> None:
        self.store, self.stop = store, asyncio.Event()
        self.dealt: list[str] = []
        self.given_up: list[str] = []
        self.began = asyncio.Event()
        self.beats = self.takes = 0
        self.claims = StreamClaims(store, store.keys.pushed, keys.POLL, name, lease_ms)
        self._work = deal
        self._tick_seconds = tick_seconds or lease_ms / 3000
        self.consumer = Consumer(
            self.claims,
            "pushed",
            take=self._take,
            process=self._deal,
            dead_letter=self._give_up,
            beat=self._beat,
            tick=self._tick,
            tick_renew=self._tick,
            stop=self.stop,
        )

    def _beat(self) -> None:
        self.beats += 1

    async def _take(self) -> Sequence[StreamEntry]:
        self.takes += 1
        return await self.claims.take(8)

    async def _deal(self, entries: Sequence[StreamEntry]) -> None:
        for entry in entries:
            self.began.set()
            if self._work is not None:
                await self._work(entry)
            if await done(self.store, entry):
                self.dealt.append(name_of(entry))

    async def _give_up(self, entry: StreamEntry) -> None:
        self.given_up.append(name_of(entry))
        await done(self.store, entry)

    async def _tick(self) -> None:
        await pause(self._tick_seconds, self.stop)

    async def until(self, condition: Callable[[], bool], seconds: float = 20) -> None:
        """Run until this is true, then end as a role ends."""
        running = asyncio.ensure_future(self.consumer.run())
        async with asyncio.timeout(seconds):
            while not condition() and not running.done():
                await asyncio.sleep(0.01)
        self.stop.set()
        await running


def name_of(entry: StreamEntry) -> str:
    return entry.fields[b"n"].decode()


async def done(store: Store, entry: StreamEntry) -> bool:
    return bool(await store.run("push_done", [store.keys.pushed], [keys.POLL, entry.id]))


async def add(store: Store, *names: str) -> None:
    for name in names:
        await store.redis.xadd(store.keys.pushed, {"n": name})


async def waiting(store: Store) -> tuple[int, int]:
    """(entries in the stream, entries that somebody has)"""
    pending = await store.redis.xpending(store.keys.pushed, keys.POLL)
    return int(await store.redis.xlen(store.keys.pushed)), int(pending["pending"])


@pytest.fixture
async def real(empty_valkey_url: str) -> AsyncIterator[Store]:
    store = Store(empty_valkey_url)
    await ensure_group(store.redis, store.keys.pushed, keys.POLL)
    yield store
    await store.close()


async def test_what_is_new_is_dealt_with_in_order_and_the_name_leaves_the_group(real: Store) -> None:
    await add(real, "a", "b")
    desk = Desk(real)
    await desk.until(lambda: len(desk.dealt) == 2)
    assert desk.dealt == ["a", "b"]
    assert await waiting(real) == (0, 0)
    assert await real.redis.xinfo_consumers(real.keys.pushed, keys.POLL) == []


async def test_more_consumers_wait_at_the_same_time_than_redis_py_has_connections_by_itself(real: Store) -> None:
    streams = [f"{{wp}}:many:{n}" for n in range(150)]
    for stream in streams:
        await ensure_group(real.redis, stream, keys.NOTIFY)
    claims = [StreamClaims(real, stream, keys.NOTIFY, "c", 600_000) for stream in streams]
    waits = [asyncio.ensure_future(each.take(1)) for each in claims]
    async with asyncio.timeout(60):
        while (await real.redis.info("clients"))["blocked_clients"] < len(streams):
            await asyncio.sleep(0.01)
            for number, wait in enumerate(waits):
                if wait.done():  # it waited for four seconds while others connected
                    assert wait.result() == ()
                    waits[number] = asyncio.ensure_future(claims[number].take(1))
    for stream in streams:
        await real.redis.xadd(stream, {"d": "1"})
    async with asyncio.timeout(60):
        for number, wait in enumerate(waits):
            found = await wait
            assert [entry.fields for entry in found or await claims[number].take(1)] == [{b"d": b"1"}]


async def test_what_a_stopped_process_holds_is_taken_over_and_it_does_nothing_more_when_it_wakes(real: Store) -> None:
    url = real.redis.connection_pool.connection_kwargs["path"]
    stopped = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "tests.store.worker", f"unix://{url}", "stopped", str(LEASE_MS)),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        cwd=Path(__file__).parents[2],
    )
    assert stopped.stdin is not None
    assert stopped.stdout is not None
    try:
        await add(real, "a")
        assert (await asyncio.wait_for(stopped.stdout.readline(), 20)).startswith(b"took ")
        awake = Desk(real, "awake")
        before = tm.taken_over.labels("pushed")._value.get()
        running = asyncio.ensure_future(awake.consumer.run())
        await asyncio.sleep(1.5)  # many leases, and longer than the wait for something new
        assert awake.dealt == [], "who lives keeps what it has, however long it takes"
        os.kill(stopped.pid, signal.SIGSTOP)
        async with asyncio.timeout(20):
            while not awake.dealt:
                await asyncio.sleep(0.01)
        awake.stop.set()
        await running
        assert tm.taken_over.labels("pushed")._value.get() == before + 1
        os.kill(stopped.pid, signal.SIGCONT)
        stopped.stdin.write(b"\n")
        assert await asyncio.wait_for(stopped.stdout.readline(), 20) == b"done 0\n", "it was too late, and is told so"
        await add(real, "b")
        assert (await asyncio.wait_for(stopped.stdout.readline(), 20)).startswith(b"took "), "it goes on"
    finally:
        stopped.kill()
        await stopped.wait()
    assert awake.dealt == ["a"]


async def blocked(store: Store, count: int) -> None:
    """Until so many consumers wait for something new."""
    async with asyncio.timeout(60):
        while (await store.redis.info("clients"))["blocked_clients"] != count:
            await asyncio.sleep(0.01)


async def test_what_is_abandoned_while_a_read_waits_is_taken_over_at_the_next_tick(real: Store) -> None:
    real.block_ms = 600_000  # a read ends for an entry, or when it is interrupted
    await add(real, "left")
    other = StreamClaims(real, real.keys.pushed, keys.POLL, "other", 600_000)
    (left,) = await other.take(1, block=False)
    desk = Desk(real, lease_ms=600_000, tick_seconds=0.05)
    running = asyncio.ensure_future(desk.until(lambda: len(desk.dealt) == 2, 60))
    await blocked(real, 1)
    assert desk.dealt == [], "it is not abandoned yet"
    await other.offer(left)
    async with asyncio.timeout(60):
        while not desk.dealt:
            await asyncio.sleep(0.01)
    await add(real, "new")
    await running
    assert desk.dealt == ["left", "new"]
    assert await waiting(real) == (0, 0)


async def test_reads_that_are_interrupted_lose_nothing(real: Store) -> None:
    names = [f"n{n}" for n in range(200)]
    desk = Desk(real, lease_ms=600_000, tick_seconds=0.02)
    running = asyncio.ensure_future(desk.until(lambda: len(desk.dealt) >= len(names), 120))
    for number, name in enumerate(names):
        if number % 3:
            desk.claims.interrupt()
        await asyncio.gather(add(real, name), *(asyncio.sleep(0) for _ in range(number % 5)))
        if number % 7 == 0:
            desk.claims.interrupt()
            await asyncio.sleep(0.005)
    await running
    assert sorted(desk.dealt) == sorted(names)
    assert desk.given_up == []
    assert await waiting(real) == (0, 0)


async def test_a_role_that_waits_for_something_new_gives_signs_of_life(real: Store) -> None:
    real.block_ms = 600_000
    desk = Desk(real, lease_ms=600_000, tick_seconds=0.02)
    await desk.until(lambda: desk.beats >= 5, 60)
    assert desk.takes == 1


async def test_what_is_asked_at_one_moment_goes_out_together_and_fails_alone(real: Store) -> None:
    await real.redis.set("a", "1")
    await real.redis.hset("h", "f", "2")

    async def reads() -> int:
        return int((await real.redis.info("stats"))["total_reads_processed"])

    before = await reads()
    answers = await asyncio.gather(
        real.ask(lambda pipe: pipe.get("a").hgetall("h")),
        real.ask(lambda pipe: pipe.llen("a")),
        real.ask(lambda pipe: pipe.get("h").get("a")),
        real.ask(lambda pipe: pipe.exists("a")),
        return_exceptions=True,
    )
    assert await reads() - before == 2, "one for the questions, one for this one"
    assert answers[0] == [b"1", {b"f": b"2"}]
    assert all(isinstance(answer, exceptions.ResponseError) for answer in answers[1:3])
    assert answers[3] == [1]


async def test_what_is_asked_of_a_store_that_is_away_fails_for_each() -> None:
    away = Store("redis://127.0.0.1:1/0")
    answers = await asyncio.gather(*(away.ask(lambda pipe: pipe.get("a")) for _ in range(3)), return_exceptions=True)
    assert [type(answer) for answer in answers] == [exceptions.ConnectionError] * 3
    await away.close()


async def test_an_entry_that_always_fails_is_given_up_after_three_and_its_neighbours_are_dealt_with(
    real: Store,
) -> None:
    async def fail(entry: StreamEntry) -> None:
        if name_of(entry) == "bad":
            raise StoreBusy("not now")

    await add(real, "before", "bad", "after")
    desk = Desk(real, deal=fail)
    await desk.until(lambda: bool(desk.given_up) and len(desk.dealt) == 2)
    assert (sorted(desk.dealt), desk.given_up) == (["after", "before"], ["bad"])
    assert await waiting(real) == (0, 0)


async def test_an_entry_that_kills_is_given_up_and_its_neighbours_are_not_counted_as_killers(real: Store) -> None:
    async def die(entry: StreamEntry) -> None:
        if name_of(entry) == "killer":
            raise KeyError("a defect")  # it ends the process, as SIGKILL would: nothing is given back

    await add(real, "killer", *(f"n{n}" for n in range(5)))
    given_up, dealt = [], []
    for life in range(4):
        desk = Desk(real, f"life{life}", deal=die)
        try:
            await desk.until(lambda: desk.given_up != [], 20)  # noqa: B023 - used at once
        except* KeyError:
            await asyncio.sleep(LEASE_MS / 1000)
        given_up += desk.given_up
        dealt += desk.dealt
    last = Desk(real, "last")
    await last.until(lambda: len(dealt) + len(last.dealt) == 5)
    assert given_up == ["killer"]
    assert sorted(dealt + last.dealt) == [f"n{n}" for n in range(5)]
    assert await waiting(real) == (0, 0)


async def test_a_stop_finishes_what_was_begun_and_what_was_handed_out_and_takes_nothing_more(real: Store) -> None:
    await add(real, "a", "b")
    desk: Desk

    async def slow(entry: StreamEntry) -> None:
        desk.stop.set()
        await asyncio.sleep(0.05)
        if name_of(entry) == "b":
            await add(real, "late", "handed")
            late, handed = await StreamClaims(real, real.keys.pushed, keys.POLL, "one", LEASE_MS).take(2, block=False)
            await desk.claims.release(late)
            desk.claims.accept(handed)

    desk = Desk(real, deal=slow)
    await desk.consumer.run()
    assert desk.dealt == ["a", "b", "handed"]
    assert await waiting(real) == (1, 0)


async def test_what_a_cancellation_cuts_short_is_given_back_as_if_it_had_never_been_taken(real: Store) -> None:
    async def hang(entry: StreamEntry) -> None:
        if name_of(entry) != "quick":
            await asyncio.Event().wait()

    await add(real, "quick", "slow", "behind")
    for _ in range(5):
        desk = Desk(real, deal=hang, lease_ms=60_000)
        running = asyncio.ensure_future(desk.consumer.run())
        await asyncio.wait_for(desk.began.wait(), 20)
        await asyncio.sleep(0.05)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        assert await waiting(real) == (2, 0)
        assert await real.redis.xinfo_consumers(real.keys.pushed, keys.POLL) == []
    after = Desk(real, "after", lease_ms=60_000)
    await after.until(lambda: len(after.dealt) == 2)
    assert after.given_up == []


async def test_what_was_handed_out_and_not_begun_is_given_back_too(real: Store) -> None:
    await add(real, "a")
    desk: Desk

    async def hang(_: StreamEntry) -> None:
        await add(real, "handed")
        (handed,) = await StreamClaims(real, real.keys.pushed, keys.POLL, "one", LEASE_MS).take(1, block=False)
        desk.claims.accept(handed)
        await asyncio.Event().wait()

    desk = Desk(real, deal=hang, lease_ms=60_000)
    running = asyncio.ensure_future(desk.consumer.run())
    await asyncio.wait_for(desk.began.wait(), 20)
    await asyncio.sleep(0.1)
    running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running
    assert await waiting(real) == (2, 0)


async def test_a_store_that_is_gone_for_a_while_ends_nothing(data: Path) -> None:
    server = make(data)
    await server.start()
    supervising = asyncio.ensure_future(server.supervise())
    store = Store(server.url)
    await ensure_group(store.redis, store.keys.pushed, keys.POLL)
    desk: Desk

    async def lose_it(entry: StreamEntry) -> None:
        if name_of(entry) == "a" and entry.taken_before == 0:
            os.kill(server.pid, signal.SIGKILL)

    before = tm.store_errors.labels("StoreUnreachable")._value.get()
    try:
        await add(store, "a", "b")
        desk = Desk(store, deal=lose_it)
        await desk.until(lambda: len(desk.dealt) == 2, 30)
        assert sorted(desk.dealt) == ["a", "b"]
        assert await waiting(store) == (0, 0)
        assert 0 < tm.store_errors.labels("StoreUnreachable")._value.get() - before < 100, "it waits between attempts"
    finally:
        supervising.cancel()
        await asyncio.gather(supervising, return_exceptions=True)
        await store.close()
        await server.stop()


async def test_who_cannot_reach_the_store_lives_all_the_same_and_says_so() -> None:
    away = Store("redis://127.0.0.1:1/0")
    desk = Desk(away, lease_ms=60_000)
    await desk.until(lambda: desk.beats >= 3 and desk.takes >= 2, 15)
    assert desk.dealt == []
    await away.close()
