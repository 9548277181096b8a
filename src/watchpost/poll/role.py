"""The poller's loops: what is due → visit → COMMIT. No decisions of their own: due.py and the sources make them.

Feeds are claimed in Redis, so that of several pollers one visits each. Folders belong to this machine and are
visited by every poller that has them; COMMIT tells what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime, timedelta

from watchpost import crash
from watchpost import telemetry as tm
from watchpost.errors import StoreBusy, StoreError
from watchpost.poll.due import next_visit
from watchpost.poll.source import Source, Visit
from watchpost.wire.intake import Claim, Intake
from watchpost.wire.store import patiently

AT_ONCE = 16  # visits under way in one process
_BUSY_WAIT_SECONDS = 1.0
_SYNC_EVERY_TICKS = 10
_ONCE_PATIENCE = 30
_FORGET_AFTER = timedelta(days=30)  # since the last visit of a feed that no configuration names


class Poller:
    """Visits sources until `stop` is set.

    `tick` returns at the next tick of the clock, or at once when stopping. `hold` says why nothing may be read
    now ("" if nothing speaks against it).
    """

    def __init__(
        self,
        sources: Sequence[Source],
        intake: Intake,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        hold: Callable[[], str] = lambda: "",
    ) -> None:
        self._shared = {source.name: source for source in sources if source.shared}
        self._local = [source for source in sources if not source.shared]
        self._intake = intake
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._hold = hold
        self._under_way: set[asyncio.Task[None]] = set()
        self._patience = 0  # waits for room in a full queue: 0 = as long as it takes
        self._gave_up = False
        self._recalled: dict[str, Claim] = {}  # an unshared source's memory is written by nobody else

    async def run(self) -> None:
        """The daemon: feeds when they are due, each folder when something happens in it."""
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._feeds())
                for source in self._local:
                    tasks.create_task(self._folder(source))
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def once(self) -> bool:
        """Read every source once; False if the queue stayed full and something was not read.

        Feeds that another poller is reading right now are left to it.
        """
        self._patience = _ONCE_PATIENCE
        await self._intake.sync(list(self._shared))
        await self._intake.hasten(list(self._shared))
        visited: set[str] = set()
        while claims := [claim for claim in await self._intake.claim(AT_ONCE) if claim.name not in visited]:
            visited.update(claim.name for claim in claims)
            ours = [(source, claim) for claim in claims if (source := self._shared.get(claim.name))]
            await asyncio.gather(*(self._visit(source, claim) for source, claim in ours))
        for source in self._local:
            await self._read_up(source)
            await source.rest()  # what was being written a moment ago has settled now
            await self._read_up(source)
        return not self._gave_up

    async def _feeds(self) -> None:
        ticks = 0
        while not self._stop.is_set():
            try:
                if ticks % _SYNC_EVERY_TICKS == 0:  # again and again: the store may have come back empty
                    await self._intake.sync(list(self._shared))
                if await self._may_read():
                    await self._claim_and_visit()
                ticks += 1
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                ticks = 0
                await patiently(_BUSY_WAIT_SECONDS, self._stop)
            await self._tick()

    async def _may_read(self) -> bool:
        """Back-pressure: near the limit of the queue no feed is claimed; it keeps its entries for us."""
        full = await self._intake.backlog() > 0.8
        reason = self._hold() or ("backlog" if full else "")
        tm.paused.clear()
        if reason:
            tm.paused.labels(reason).set(1)
        return not reason

    async def _claim_and_visit(self) -> None:
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or not self._shared:
            return
        for claim in await self._intake.claim(room):
            source = self._shared.get(claim.name)
            if source is None:  # another process has a newer configuration: the lease runs out, it will come for it
                if _abandoned(claim, self._clock()):
                    await self._intake.forget(claim)
                continue
            task = asyncio.create_task(self._visit_feed(source, claim))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)

    async def _visit_feed(self, source: Source, claim: Claim) -> None:
        try:
            await self._visit(source, claim)
        except StoreError as error:  # the lease runs out, and the feed is read again
            tm.store_errors.labels(type(error).__name__).inc()

    async def _folder(self, source: Source) -> None:
        while not self._stop.is_set():
            try:
                if not self._hold():
                    await self._read_up(source)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                self._recalled.clear()  # the store may come back a moment older than we remember it
                await patiently(_BUSY_WAIT_SECONDS, self._stop)
            rest = asyncio.ensure_future(source.rest())
            halt = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait({rest, halt}, return_when=asyncio.FIRST_COMPLETED)
            rest.cancel()
            halt.cancel()

    async def _read_up(self, source: Source) -> None:
        """Visit an unshared source until it has no more for now."""
        more = True
        while more and not self._stop.is_set():
            claim = self._recalled.pop(source.name, None) or await self._intake.recall(source.name)
            more = await self._visit(source, claim)

    async def _visit(self, source: Source, claim: Claim) -> bool:
        """One visit, whole: read, then COMMIT. Returns whether the source has more right now."""
        crash.point("poll.claimed")
        visit = await self._look(source, claim)
        crash.point("poll.fetched")
        now = self._clock()
        failures = int(claim.status.get("failures", "0")) + 1 if visit.outcome == "failed" else 0
        moment, why = next_visit(source.every, failures, visit.wait, source.name, now)
        delay = moment - now
        if not source.shared and claim.status and _same_as_before(claim, visit):
            self._recalled[source.name] = claim  # looked at each second: only what changes is written and said
            return visit.more
        status = _status(visit, failures, now, f"{moment:%Y-%m-%d %H:%M:%S} UTC, {why}")
        memory = {} if visit.outcome == "failed" else visit.memory
        waited = 0
        while True:
            try:
                done = await self._intake.commit(
                    claim,
                    visit.articles,
                    memory=memory,
                    status=status,
                    delay_ms=int(delay.total_seconds() * 1000),
                )
            except StoreBusy:
                done = None
            if done is not None and done.answer != "busy":
                break
            # The queue is full: the visit waits in memory. A feed's lease may run out meanwhile; then it is
            # read again, because its cursor did not move.
            await patiently(_BUSY_WAIT_SECONDS, self._stop)
            waited += 1
            if self._stop.is_set() or (self._patience and waited >= self._patience):
                self._gave_up = True
                return False
        crash.point("poll.committed")
        if done.answer == "ok":
            if not source.shared:
                self._recalled[source.name] = _after(claim, memory, status)
            tm.articles_read.labels("new").inc(done.new)
            tm.articles_read.labels("known").inc(done.known)
            self._say(source, claim, visit, done.new, delay)
        return visit.more and done.answer == "ok"

    async def _look(self, source: Source, claim: Claim) -> Visit:
        try:
            return await source.visit(claim.memory, self._clock())
        except Exception as error:  # a source promises not to raise; if it does, it must not stop the others
            tm.log().exception("source.raised", source=source.name)
            return Visit("failed", reason="unknown", detail=f"{type(error).__name__} in watchpost itself")

    def _say(self, source: Source, claim: Claim, visit: Visit, new: int, delay: timedelta) -> None:
        tm.source_visits.labels(source.name, visit.outcome).inc()
        for failure in visit.failures:
            tm.source_failures.labels(source.name, failure.reason).inc()
            tm.log().warning(
                "source.item_failed",
                source=source.name,
                item=failure.item,
                reason=failure.reason,
                detail=failure.detail,
            )
        if visit.outcome == "failed":
            tm.source_failures.labels(source.name, visit.reason).inc()
            tm.log().warning(
                "source.failed",
                source=source.name,
                reason=visit.reason,
                detail=visit.detail,
                next=f"in {_words(delay)}",
            )
            return
        tm.source_last_read.labels(source.name).set(self._clock().timestamp())
        if int(claim.status.get("failures", "0")):
            tm.log().info("source.recovered", source=source.name)
        if new:
            tm.log().info("source.read", source=source.name, new=new)


def _abandoned(claim: Claim, now: datetime) -> bool:
    """Nobody has visited it for a month, though it was due again and again: nobody has it configured."""
    last = claim.status.get("last_visit", "")
    return bool(last) and now - datetime.fromisoformat(last) > _FORGET_AFTER


def _same_as_before(claim: Claim, visit: Visit) -> bool:
    """Nothing read and nothing newly failed: there is nothing to write."""
    if visit.outcome == "failed":
        return claim.status.get("detail") == visit.detail
    return visit.outcome == "unchanged" and not visit.failures and not claim.status.get("failures")


def _after(claim: Claim, memory: Mapping[str, str], status: Mapping[str, str]) -> Claim:
    """The claim as the store has it after a COMMIT: "" took a key away."""

    def merged(old: Mapping[str, str], new: Mapping[str, str]) -> dict[str, str]:
        return {key: value for key, value in {**old, **new}.items() if value}

    return replace(claim, memory=merged(claim.memory, memory), status=merged(claim.status, status))


def _status(visit: Visit, failures: int, now: datetime, next_visit_words: str) -> dict[str, str]:
    """What people see of the source; "" takes a field away."""
    read = {} if visit.outcome == "failed" else {"last_read": now.isoformat(timespec="seconds")}
    return read | {
        "failures": str(failures) if failures else "",
        "reason": visit.reason,
        "detail": visit.detail,
        "last_visit": now.isoformat(timespec="seconds"),
        "next_visit": next_visit_words,
    }


def _words(delay: timedelta) -> str:
    seconds = int(delay.total_seconds())
    if seconds < 120:
        return f"{seconds} s"
    return f"{seconds // 60} min" if seconds < 7200 else f"{seconds // 3600} h"
