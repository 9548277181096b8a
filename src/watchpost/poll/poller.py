"""The poller's loops: what is due → visit → COMMIT. No decisions of their own: record.py, due.py and sources make them.

Feeds are claimed in Redis, so that of several pollers one visits each. Folders belong to this machine and are
visited by every poller that has them; COMMIT tells what is new.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from datetime import datetime
from time import monotonic, perf_counter, time_ns

from watchpost import failpoints, redaction, tracing
from watchpost import log as tm
from watchpost.durations import short
from watchpost.errors import StoreBusy, StoreError
from watchpost.health import HEALTH
from watchpost.poll import schedule
from watchpost.poll.schedule import Visit
from watchpost.poll.source import Source
from watchpost.store.client import until_available
from watchpost.store.polling import Claim, PollStore

# how far a process is with its first round over the feeds.
#
# A large list takes minutes; whoever looks on wants to see that it goes on. The feeds of the round are those that are
# due
# when it begins. One whose host is busy has a turn of its own later; one whose turn has long come was read by another
# poller.


WORTH_TELLING = 100
"""A round over fewer feeds is soon over."""
_GRACE_SECONDS = 5.0

Progress = Callable[[int, int], None]
"""Is called with how many feeds have been visited, and of how many; with the same number twice at the end."""


def silent(done: int, total: int) -> None:
    """Nobody looks on."""


class FirstRound:
    """The first round; afterwards nothing is told any more."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._left: set[str] | None = None  # None: it has not begun
        self._total = 0
        self._turns: dict[str, float] = {}

    @property
    def begun(self) -> bool:
        """Whether the feeds of the round are known."""
        return self._left is not None

    def begin(self, due: Iterable[str]) -> None:
        """These feeds are the round."""
        self._left = set(due)
        self._total = len(self._left)
        if self._total < WORTH_TELLING:
            self._left.clear()

    def visited(self, feed: str) -> None:
        """A visit is over, whatever came of it."""
        if self._left and feed in self._left:
            self._left.discard(feed)
            self._progress(self._total - len(self._left), self._total)

    def looked(self, put_off: Mapping[str, int], now: float, *, idle: bool) -> None:
        """What is due was claimed at `now` (seconds); these feeds have their turns in so many ms.

        `idle`: nothing is under way, and nothing more is due. Then the round is over, but for feeds that wait for
        their turn.
        """
        if not self._left:
            return
        self._turns |= {feed: now + wait / 1000 for feed, wait in put_off.items() if feed in self._left}
        if idle and not any(self._turns.get(feed, 0.0) > now - _GRACE_SECONDS for feed in self._left):
            self._left.clear()
            self._progress(self._total, self._total)


# What a visit adds to metrics, traces and the log.
#
# Feeds are counted together, by outcome; folders, which are few, by name.


_BY_REASON = {
    reason: outcome
    for outcome, reasons in {
        "timeout": ("timeout",),
        "blocked": ("blocked",),
        "http_error": ("http_error", "gone", "not_found", "rate_limited", "redirect_loop"),
        "network_error": ("dns", "refused", "tls", "unreachable", "truncated"),
        "unknown": ("unknown",),
    }.items()
    for reason in reasons
}

_looked: dict[str, float] = {}


def watch(sources: Sequence[Source]) -> None:
    """These sources are visited from now on, and no others: a folder's lag counts from here."""
    tm.folder_lag.clear()
    _looked.clear()
    for what in ("new", "seen", "invalid"):  # a counter that begins at 0 shows its first event, too
        tm.feed_items.labels(what)
    for what in ("ok", "not_modified", *dict.fromkeys(_BY_REASON.values()), "parse_error"):
        tm.feed_fetches.labels(what)
    for source in sources:
        if not source.shared:
            _looked[source.name] = monotonic()
            tm.folder_lag.labels(source.name).set_function(_lag(source.name))


def visited(source: Source, visit: Visit, seconds: float) -> None:
    """A visit came back, whatever it brought; it took so long."""
    if not source.shared:
        if visit.outcome != "failed" and source.name in _looked:
            _looked[source.name] = monotonic()
        return
    tm.feed_fetches.labels(outcome(visit)).inc()
    tm.feed_seconds.observe(seconds)
    tm.feed_bytes.inc(visit.size)


def traced(source: Source, visit: Visit, since_ns: int) -> Visit:
    """The visit, whose articles carry its trace on if there is one. It began at `since_ns`."""
    if not visit.articles:
        return visit
    with tracing.span("poll.visit", since_ns=since_ns, source=source.name) as trace:
        return replace(visit, articles=tuple(replace(one, trace=trace) for one in visit.articles)) if trace else visit


def committed(source: Source, visit: Visit, new: int, known: int) -> None:
    """What the visit brought is in the store: so much of it is new, so much was known."""
    pages = sum(failure.reason == "fulltext_failed" for failure in visit.failures)
    counts = {"new": new, "seen": known, "invalid": len(visit.failures) - pages}
    if pages:  # these articles are told nonetheless
        counts["fulltext_failed"] = pages
    for what, count in counts.items():
        counter = tm.feed_items.labels(what) if source.shared else tm.folder_files.labels(source.name, what)
        counter.inc(count)


def said(source: Source, visit: Visit, entry: schedule.VisitRecord, new: int) -> None:
    """The lines of a committed visit in the log; `new` of its articles are news."""
    facts = {"source": source.name, "outcome": visit.outcome, "new": new, "next": entry.status["next_visit"]}
    tm.log().debug("source.visited", **facts)
    for failure in visit.failures:
        tm.log().warning(
            "source.page_failed" if failure.reason == "fulltext_failed" else "source.item_failed",
            source=source.name,
            item=failure.item,
            reason=failure.reason,
            detail=failure.detail,
        )
    if visit.outcome == "failed":
        said = {"source": source.name, "reason": visit.reason, "detail": visit.detail}
        if entry.turn:
            tm.log().error(f"source.{entry.turn}", **said)
        elif not entry.status["state"]:  # who is gone or dead was said to be so
            tm.log().warning("source.failed", **said, next=f"in {short(entry.delay)}")
        return
    if entry.turn == "recovered":
        tm.log().info("source.recovered", source=source.name)
    if visit.known:
        tm.log().info("source.first_read", source=source.name, new=new, known=len(visit.known))
    elif new:
        tm.log().info("source.read", source=source.name, new=new)


def outcome(visit: Visit) -> str:
    """ok, not_modified, http_error, network_error, timeout, parse_error, blocked or unknown."""
    if visit.outcome == "failed":
        return _BY_REASON.get(visit.reason, "parse_error")
    return "ok" if visit.outcome == "read" else "not_modified"


def _lag(name: str) -> Callable[[], float]:
    return lambda: monotonic() - _looked.get(name, monotonic())


AT_ONCE = 32  # visits under way in one process
_BUSY_WAIT_SECONDS = 1.0
_SYNC_EVERY_SECONDS = 10.0
_GATHER_SECONDS = 0.02  # so that one claim fills the places of several visits
_ONCE_PATIENCE = 30
_ONCE_GRACE_SECONDS = 5.0  # so long after its turn a feed of a busy host is taken to be read by another poller


class Poller:
    """Visits sources until `stop` is set.

    `tick` returns at the next tick of the clock, or at once when stopping. `hold` says why nothing may be read
    now ("" if nothing speaks against it). `progress` hears of the first round, see opening.py.
    """

    def __init__(
        self,
        sources: Sequence[Source],
        poll_store: PollStore,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
        hold: Callable[[], str] = lambda: "",
        progress: Progress = silent,
    ) -> None:
        self._shared = {source.name: source for source in sources if source.shared}
        self._hosts = {source.name: source.host for source in sources if source.shared}
        self._local = [source for source in sources if not source.shared]
        self._poll_store = poll_store
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._hold = hold
        self._opening = FirstRound(progress)
        self._under_way: set[asyncio.Task[None]] = set()
        self._patience = 0  # waits for room in a full queue: 0 = as long as it takes
        self._gave_up = False
        self._recalled: dict[str, Claim] = {}  # an unshared source's memory is written by nobody else

    async def run(self) -> None:
        """The daemon: feeds when they are due, each folder when something happens in it."""
        watch([*self._shared.values(), *self._local])
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
        await self._poll_store.sync(list(self._shared), self._hosts)
        await self._poll_store.make_due(list(self._shared))
        self._opening.begin(self._shared)
        await self._read_feeds_once()
        for source in self._local:
            await self._read_up(source)
            await source.rest()  # what was being written a moment ago has settled now
            await self._read_up(source)
        return not self._gave_up

    async def _read_feeds_once(self) -> None:
        """Each feed once, as fast as their hosts allow; one whose turn has long come is read by somebody else."""
        loop = asyncio.get_running_loop()
        visited: set[str] = set()
        turns: dict[str, float] = {}
        while not self._stop.is_set():
            claimed = await self._poll_store.claim(AT_ONCE)
            now = loop.time()
            self._opening.looked(claimed.put_off, now, idle=not claimed.feeds and not claimed.more)
            turns |= {name: now + wait / 1000 for name, wait in claimed.put_off.items()}
            ours = [(source, claim) for claim in claimed.feeds if (source := self._shared.get(claim.name))]
            mine = [(source, claim) for source, claim in ours if claim.name not in visited]
            visited.update(claim.name for claim in claimed.feeds)
            more = await asyncio.gather(*(self._visit(source, claim) for source, claim in mine))
            again = [claim.name for (_, claim), left in zip(mine, more, strict=True) if left]
            await self._poll_store.make_due(again)
            visited.difference_update(again)
            for claim in claimed.feeds:
                if claim.name not in self._shared:
                    await self._poll_store.release(claim)
            waiting = [
                turn
                for name, turn in turns.items()
                if name in self._shared and name not in visited and turn > now - _ONCE_GRACE_SECONDS
            ]
            if not mine and not claimed.more:
                if not waiting:
                    return
                await until_available(max(0.05, min(min(waiting) - now, 1.0)), self._stop)

    async def _feeds(self) -> None:
        synced = -_SYNC_EVERY_SECONDS
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            HEALTH.beat("poll")
            more = False
            try:
                if loop.time() - synced >= _SYNC_EVERY_SECONDS:  # again and again: the store may have come back empty
                    await self._poll_store.sync(list(self._shared), self._hosts)
                    synced = loop.time()
                    if not self._opening.begun:
                        self._opening.begin(await self._poll_store.due())
                if await self._may_read():
                    more = await self._claim_and_visit()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                self._pause("store")
                synced = -_SYNC_EVERY_SECONDS
                await until_available(_BUSY_WAIT_SECONDS, self._stop)
            await self._tick_or_room(more)

    async def _tick_or_room(self, more: bool) -> None:
        """Return at the next tick; if more feeds are due, already when there is room for one."""
        if more and len(self._under_way) < AT_ONCE:
            await asyncio.sleep(0)
            return
        tick = asyncio.ensure_future(self._tick())
        try:
            await asyncio.wait({tick, *(self._under_way if more else ())}, return_when=asyncio.FIRST_COMPLETED)
            if more:
                await asyncio.sleep(_GATHER_SECONDS)
        finally:
            tick.cancel()

    async def _may_read(self) -> bool:
        """Back-pressure: near the limit of the queue no feed is claimed; it keeps its entries for us."""
        full = await self._poll_store.backlog() > 0.8
        reason = self._hold() or ("backlog" if full else "")
        self._pause(reason)
        if reason:
            tm.limits_applied.labels("disk" if reason == "disk" else "queue_max").inc()
        return not reason

    def _pause(self, reason: str) -> None:
        HEALTH.paused = reason
        tm.paused.clear()
        if reason:
            tm.paused.labels(reason).set(1)

    async def _claim_and_visit(self) -> bool:
        """Claim what is due as far as there is room; whether more may be due."""
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or not self._shared:
            return bool(self._shared)
        claimed = await self._poll_store.claim(room)
        idle = not claimed.feeds and not claimed.more and not self._under_way
        self._opening.looked(claimed.put_off, asyncio.get_running_loop().time(), idle=idle)
        for claim in claimed.feeds:
            source = self._shared.get(claim.name)
            if source is None:  # another process has a newer configuration: the lease runs out, it will come for it
                await self._poll_store.release(claim)
                if schedule.abandoned(claim.status, self._clock()):
                    await self._poll_store.forget(claim)
                continue
            task = asyncio.create_task(self._visit_feed(source, claim))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(0)  # not all of them in one turn of the loop
        return claimed.more

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
                await until_available(_BUSY_WAIT_SECONDS, self._stop)
            rest = asyncio.ensure_future(source.rest())
            halt = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait({rest, halt}, return_when=asyncio.FIRST_COMPLETED)
            rest.cancel()
            halt.cancel()

    async def _read_up(self, source: Source) -> None:
        """Visit an unshared source until it has no more for now."""
        more = True
        while more and not self._stop.is_set():
            claim = self._recalled.pop(source.name, None) or await self._poll_store.unshared(source.name)
            more = await self._visit(source, claim)

    async def _visit(self, source: Source, claim: Claim) -> bool:
        """One visit, whole: read, then COMMIT. Returns whether the source has more right now."""
        failpoints.point("poll.claimed")
        visit = await self._look(source, claim)
        failpoints.point("poll.fetched")
        now = self._clock()
        entry = schedule.entry(source.name, source.every, visit, claim.status, now)
        if not source.shared and claim.status and schedule.same_as_before(visit, claim.status):
            self._recalled[source.name] = claim  # looked at each second: only what changes is written and said
            return visit.more
        waited = 0
        while True:
            try:
                done = await self._poll_store.commit(
                    claim,
                    visit.articles,
                    memory=visit.memory,
                    status=entry.status,
                    delay_ms=int(entry.delay.total_seconds() * 1000),
                    known=visit.known,
                    seen=visit.seen,
                    marks=visit.marks,
                    limited=visit.reason == "rate_limited",
                    stamp=schedule.stamp(now),
                )
            except StoreBusy:
                done = None
            if done is not None and done.answer != "busy":
                break
            # The queue is full: the visit waits in memory. A feed's lease may run out meanwhile; then it is
            # read again, because its cursor did not move.
            await until_available(_BUSY_WAIT_SECONDS, self._stop)
            waited += 1
            if self._stop.is_set() or (self._patience and waited >= self._patience):
                self._gave_up = True
                return False
        failpoints.point("poll.committed")
        if done.answer == "stale":  # what it left out as known is known no more: nothing was written, read it again
            await self._poll_store.release(claim)
            await self._poll_store.make_due([claim.name])
            return True
        if done.answer == "ok":
            if not source.shared:
                memory, status = (
                    schedule.merged(claim.memory, visit.memory),
                    schedule.merged(claim.status, entry.status),
                )
                self._recalled[source.name] = replace(claim, memory=memory, status=status)
            committed(source, visit, done.new, done.known + len(visit.known))
            said(source, visit, entry, done.new)
        return visit.more and done.answer == "ok"

    async def _look(self, source: Source, claim: Claim) -> Visit:
        begun, since = perf_counter(), time_ns()
        try:
            visit = await source.visit(claim.memory, self._clock())
        except StoreError:
            raise
        except Exception as error:  # a source promises not to raise; if it does, it must not stop the others
            tm.log().exception("source.raised", source=source.name)
            visit = Visit("failed", reason="unknown", detail=f"{type(error).__name__} in watchpost itself")
        visited(source, visit, perf_counter() - begun)
        self._opening.visited(source.name)
        visit = replace(visit, detail=redaction.clean(visit.detail))  # it goes into the store, pages and editions
        return traced(source, visit, since)
