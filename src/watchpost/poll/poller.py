"""The poll role: claim the sources that are due, visit them, COMMIT what they brought.

Feeds and mailboxes are claimed in Redis, so that one of several pollers visits each. Folders belong to this machine and
are visited by every poller that has them; COMMIT says what is new.
"""

from __future__ import annotations

import asyncio
import math
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import datetime
from time import monotonic, perf_counter, time_ns

from watchpost import failpoints, redaction, tracing
from watchpost import log as tm
from watchpost.durations import short
from watchpost.errors import StoreBusy, StoreError
from watchpost.health import HEALTH
from watchpost.poll.source import Source
from watchpost.poll.visit import Visit, VisitRecord, changes_nothing, is_abandoned, merged, record_visit
from watchpost.store.client import pause
from watchpost.store.polling import Claim, Committed, PollStore
from watchpost.store.sources import SourceStatus

# What a visit adds to metrics, traces and the log. Feeds are counted together by outcome, folders by name.


_OUTCOMES = {
    "timeout": ("timeout",),
    "blocked": ("blocked",),
    "http_error": ("http_error", "gone", "not_found", "rate_limited", "redirect_loop"),
    "server_error": ("auth", "no_mailbox", "server_error"),  # of a mailbox
    "network_error": ("dns", "refused", "tls", "unreachable", "truncated"),
    "unknown": ("unknown",),
}
_OUTCOME_OF_REASON = {reason: outcome for outcome, reasons in _OUTCOMES.items() for reason in reasons}

_folders_read_at: dict[str, float] = {}


def watch(sources: Sequence[Source]) -> None:
    """Start the series of these sources: from now on they are visited, and no others."""
    tm.folder_lag.clear()
    _folders_read_at.clear()
    for what in ("new", "seen", "invalid"):  # a counter that begins at 0 shows its first event, too
        tm.feed_items.labels(what)
    for label in ("ok", "not_modified", *_OUTCOMES, "parse_error"):
        tm.feed_fetches.labels(label)
    for source in sources:
        if not source.shared:
            _folders_read_at[source.name] = monotonic()
            tm.folder_lag.labels(source.name).set_function(_lag(source.name))


def count_visit(source: Source, visit: Visit, seconds: float) -> None:
    """Count a visit that took so long, whatever it brought."""
    if not source.shared:
        if visit.outcome != "failed" and source.name in _folders_read_at:
            _folders_read_at[source.name] = monotonic()
        return
    tm.feed_fetches.labels(outcome(visit)).inc()
    tm.feed_seconds.observe(seconds)
    tm.feed_bytes.inc(visit.size)


def outcome(visit: Visit) -> str:
    """The metric's label: ok, not_modified, parse_error, or a key of _OUTCOMES."""
    if visit.outcome == "failed":
        return _OUTCOME_OF_REASON.get(visit.reason, "parse_error")
    return "ok" if visit.outcome == "read" else "not_modified"


def traced(source: Source, visit: Visit, since_ns: int) -> Visit:
    """The visit that began at `since_ns`; its articles carry its trace on if there is one."""
    if not visit.articles:
        return visit
    with tracing.span("poll.visit", since_ns=since_ns, source=source.name) as trace:
        if not trace:
            return visit
        return replace(visit, articles=tuple(replace(article, trace=trace) for article in visit.articles))


def count_entries(source: Source, visit: Visit, new: int, known: int) -> None:
    """Count what a committed visit brought: so many articles are new, so many were known."""
    pages = sum(failure.reason == "fulltext_failed" for failure in visit.failures)
    counts = {"new": new, "seen": known, "invalid": len(visit.failures) - pages}
    if visit.waiting:
        counts["waiting"] = visit.waiting
        tm.log().info("source.entries_wait", source=source.name, waiting=visit.waiting)
    if pages:  # the articles of these pages are sent nonetheless
        counts["fulltext_failed"] = pages
    for what, count in counts.items():
        counter = tm.feed_items.labels(what) if source.shared else tm.folder_files.labels(source.name, what)
        counter.inc(count)


def log_visit(source: Source, visit: Visit, record: VisitRecord, new: int) -> None:
    """Log a committed visit, of whose articles so many are new."""
    status = record.status
    facts = {"outcome": visit.outcome, "new": new, "next": status.next_at, "why": status.next_why}
    tm.log().debug("source.visited", source=source.name, **facts)
    for failure in visit.failures:
        tm.log().warning(
            "source.page_failed" if failure.reason == "fulltext_failed" else "source.item_failed",
            source=source.name,
            item=failure.item,
            reason=failure.reason,
            detail=failure.detail,
        )
    if visit.outcome == "failed":
        facts = {"source": source.name, "reason": visit.reason, "detail": visit.detail}
        if record.event:
            tm.log().error(f"source.{record.event}", **facts)
        elif not record.status.ended:  # that a feed is gone or dead was logged once
            tm.log().warning("source.failed", **facts, next=f"in {short(record.delay)}")
        return
    if visit.passed_over:
        tm.log().info("source.passed_over", source=source.name, endings=visit.passed_over)
    if record.event == "recovered":
        tm.log().info("source.recovered", source=source.name)
    if visit.known:
        tm.log().info("source.first_read", source=source.name, new=new, known=len(visit.known))
    elif new:
        tm.log().info("source.read", source=source.name, new=new)


def _lag(name: str) -> Callable[[], float]:
    return lambda: monotonic() - _folders_read_at.get(name, monotonic())


AT_ONCE = 32  # visits under way in one process
_BUSY_WAIT_SECONDS = 1.0
_SYNC_EVERY_SECONDS = 60.0
_GATHER_SECONDS = 0.02  # so that one claim fills the places of several visits
_ONCE_WAITS_MAX = 30
_ONCE_GRACE_SECONDS = 5.0  # a feed of a busy host whose turn was so long ago is read by another poller

Progress = Callable[[int, int], None]
"""Is called with how many feeds have been visited, and of how many; with the same number twice at the end."""


def silent(done: int, total: int) -> None:
    """Progress that nobody watches."""


class Poller:
    """Visits sources until `stop` is set.

    `tick` returns at the next tick of the clock, or at once when stopping. `hold` says why nothing may be read now, ""
    if nothing speaks against it. `progress` is called in the first round.
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
        self._unshared = [source for source in sources if not source.shared]
        self._poll_store = poll_store
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._hold = hold
        self._next_look = 0.0
        self._first_round = FirstRound(progress)
        self._under_way: set[asyncio.Task[None]] = set()
        self._waits_max = 0  # for room in a full queue; 0: as long as it takes
        self._gave_up = False
        self._interruptions = poll_store.interruptions
        self._unshared_claims: dict[str, Claim] = {}  # the memory of an unshared source is written by nobody else

    async def run(self) -> None:
        """The daemon: feeds when they are due, each folder when something happens in it."""
        watch([*self._shared.values(), *self._unshared])
        try:
            async with asyncio.TaskGroup() as tasks:
                tasks.create_task(self._visit_feeds())
                for source in self._unshared:
                    tasks.create_task(self._visit_folder(source))
        finally:
            for task in self._under_way:
                task.cancel()
            await asyncio.gather(*self._under_way, return_exceptions=True)

    async def once(self) -> bool:
        """Read every source once; False if the queue stayed full and something was not read.

        Feeds that another poller is reading right now are left to it.
        """
        self._waits_max = _ONCE_WAITS_MAX
        await self._poll_store.sync(list(self._shared), self._hosts)
        await self._poll_store.make_due(list(self._shared))
        self._first_round.begin(self._shared)
        await self._read_feeds_once()
        for source in self._unshared:
            await self._read_up(source)
            with suppress(TimeoutError):  # what was being written a moment ago has settled now
                async with asyncio.timeout(source.every.total_seconds()):
                    await source.rest()
            await self._read_up(source)
        return not self._gave_up

    async def _visit_feeds(self) -> None:
        synced, interruptions = -_SYNC_EVERY_SECONDS, self._poll_store.interruptions
        loop = asyncio.get_running_loop()
        while not self._stop.is_set():
            HEALTH.beat("poll")
            more = False
            try:
                known = self._poll_store.interruptions
                if loop.time() - synced >= _SYNC_EVERY_SECONDS or known != interruptions:  # it may have come back empty
                    await self._poll_store.sync(list(self._shared), self._hosts)
                    synced, interruptions = loop.time(), known
                    if not self._first_round.begun:
                        self._first_round.begin(await self._poll_store.due())
                look = await self._poll_store.look()
                self._plan(look.next_ms)
                if self._may_read(look.backlog):
                    if look.due:
                        more = await self._claim_and_visit()
                    else:
                        self._first_round.claimed({}, loop.time(), idle=not self._under_way)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                self._pause("store")
                synced = -_SYNC_EVERY_SECONDS
                await pause(_BUSY_WAIT_SECONDS, self._stop)
            await self._tick_or_room(more)

    def _plan(self, next_ms: int | None) -> None:
        """Look again when the next feed is due, if not at a tick before."""
        self._next_look = math.inf if next_ms is None else asyncio.get_running_loop().time() + next_ms / 1000

    def _may_read(self, backlog: float) -> bool:
        """Back-pressure: near the limit of the queue no feed is claimed; it keeps its entries for us."""
        reason = self._hold() or ("backlog" if backlog > 0.8 else "")
        self._pause(reason)
        if reason:
            tm.limits_applied.labels("disk" if reason == "disk" else "queue_max").inc()
        return not reason

    def _pause(self, reason: str) -> None:
        HEALTH.polling.note(reason, self._clock())
        tm.paused.clear()
        if reason:
            tm.paused.labels(reason).set(1)

    async def _claim_and_visit(self) -> bool:
        """Claim what is due as far as there is room; returns whether more may be due."""
        room = AT_ONCE - len(self._under_way)
        if room <= 0 or not self._shared:
            return bool(self._shared)
        claimed = await self._poll_store.claim(room)
        self._plan(claimed.next_ms)
        idle = not claimed.feeds and not claimed.more and not self._under_way
        self._first_round.claimed(claimed.put_off, asyncio.get_running_loop().time(), idle=idle)
        for claim in claimed.feeds:
            source = self._shared.get(claim.name)
            if source is None:  # another process has a newer configuration: the lease ends, then that one claims it
                await self._poll_store.release(claim)
                if is_abandoned(SourceStatus.decode(claim.name, claim.status), self._clock()):
                    await self._poll_store.forget(claim)
                continue
            task = asyncio.create_task(self._visit_feed(source, claim))
            self._under_way.add(task)
            task.add_done_callback(self._under_way.discard)
            await asyncio.sleep(0)  # not all of them in one turn of the loop
        return claimed.more

    async def _tick_or_room(self, more: bool) -> None:
        """Return at the next tick or when the next feed is due; if more are due, already when there is room for one."""
        if more and len(self._under_way) < AT_ONCE:
            await asyncio.sleep(0)
            return
        tick = asyncio.ensure_future(self._tick())
        left = self._next_look - asyncio.get_running_loop().time()  # in the past while nothing may be read
        try:
            waits = {tick, *(self._under_way if more else ())}
            timeout = None if math.isinf(left) else left if left > 0 else _BUSY_WAIT_SECONDS
            await asyncio.wait(waits, timeout=timeout, return_when=asyncio.FIRST_COMPLETED)
            if more:
                await asyncio.sleep(_GATHER_SECONDS)
        finally:
            tick.cancel()

    async def _visit_feed(self, source: Source, claim: Claim) -> None:
        try:
            await self._visit(source, claim)
        except StoreError as error:  # the lease ends, and the feed is read again
            tm.store_errors.labels(type(error).__name__).inc()

    async def _visit_folder(self, source: Source) -> None:
        while not self._stop.is_set():
            try:
                if not self._hold():
                    await self._read_up(source)
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
                await pause(_BUSY_WAIT_SECONDS, self._stop)
            rest = asyncio.ensure_future(source.rest())
            halt = asyncio.ensure_future(self._stop.wait())
            await asyncio.wait({rest, halt}, return_when=asyncio.FIRST_COMPLETED)
            rest.cancel()
            halt.cancel()

    async def _read_up(self, source: Source) -> None:
        """Visit an unshared source until it has no more for now."""
        more = True
        while more and not self._stop.is_set():
            if self._interruptions != self._poll_store.interruptions:
                self._interruptions = self._poll_store.interruptions
                self._unshared_claims.clear()  # after a failover the store may be a moment older than these are
            claim = self._unshared_claims.pop(source.name, None) or await self._poll_store.unshared(source.name)
            more = await self._visit(source, claim)

    async def _read_feeds_once(self) -> None:
        """Each feed once, as fast as the hosts allow; one whose turn was long ago is read by another poller."""
        loop = asyncio.get_running_loop()
        visited: set[str] = set()
        turns: dict[str, float] = {}
        due_again: set[str] = set()
        while not self._stop.is_set():
            claimed = await self._poll_store.claim(AT_ONCE)
            now = loop.time()
            self._first_round.claimed(claimed.put_off, now, idle=not claimed.feeds and not claimed.more)
            turns |= {name: now + wait / 1000 for name, wait in claimed.put_off.items()}
            ours = [(source, claim) for claim in claimed.feeds if (source := self._shared.get(claim.name))]
            to_visit = [(source, claim) for source, claim in ours if claim.name not in visited]
            for claim in claimed.feeds:  # one that is not visited now must not keep its host for a lease
                if claim.name not in self._shared or claim.name in visited:
                    await self._poll_store.release(claim)
                    due_again |= {claim.name} & visited
            visited.update(claim.name for claim in claimed.feeds)
            more = await asyncio.gather(*(self._visit(source, claim) for source, claim in to_visit))
            again = [claim.name for (_, claim), has_more in zip(to_visit, more, strict=True) if has_more]
            await self._poll_store.make_due(again)
            visited.difference_update(again)
            waiting = [
                turn
                for name, turn in turns.items()
                if name in self._shared and name not in visited and turn > now - _ONCE_GRACE_SECONDS
            ]
            if not to_visit and not claimed.more:
                if not waiting:
                    break
                await pause(max(0.05, min(min(waiting) - now, 1.0)), self._stop)
        await self._poll_store.make_due(sorted(due_again))

    async def _visit(self, source: Source, claim: Claim) -> bool:
        """One visit, whole: read, then COMMIT. Returns whether the source has more right now."""
        failpoints.point("poll.claimed")
        visit = await self._read(source, claim)
        failpoints.point("poll.fetched")
        now, before = self._clock(), SourceStatus.decode(claim.name, claim.status)
        if not source.shared and before.last_visit is not None and changes_nothing(visit, before):
            self._unshared_claims[source.name] = claim  # it is visited each second: only changes are written and logged
            return visit.more
        record = record_visit(before, source.every, visit, now)
        status = record.status.changes_since(before)
        done = await self._commit(claim, visit, record, status, now)
        if done is None:
            return False
        failpoints.point("poll.committed")
        if done.answer == "stale":  # what it left out as known is known no more: nothing was written, read it again
            await self._poll_store.release(claim)
            await self._poll_store.make_due([claim.name])
            return True
        if done.answer == "ok":
            if not source.shared:
                memory, fields = merged(claim.memory, visit.memory), merged(claim.status, status)
                self._unshared_claims[source.name] = replace(claim, memory=memory, status=fields)
            count_entries(source, visit, done.new, done.known + len(visit.known))
            log_visit(source, visit, record, done.new)
        return visit.more and done.answer == "ok"

    async def _read(self, source: Source, claim: Claim) -> Visit:
        begun, since_ns = perf_counter(), time_ns()
        try:
            visit = await source.visit(claim.memory, self._clock())
        except StoreError:
            raise
        except Exception as error:  # no source should raise; if one does, it must not stop the others
            tm.log().exception("source.raised", source=source.name)
            visit = Visit("failed", reason="unknown", detail=f"{type(error).__name__} in watchpost itself")
        count_visit(source, visit, perf_counter() - begun)
        self._first_round.visited(source.name)
        visit = replace(visit, detail=redaction.clean(visit.detail))  # it goes into the store, pages and digests
        return traced(source, visit, since_ns)

    async def _commit(
        self, claim: Claim, visit: Visit, record: VisitRecord, status: Mapping[str, str], now: datetime
    ) -> Committed | None:
        """Write the visit, once the queue has room for it; None if we stop, or it has had none for too long.

        The visit waits in memory meanwhile. If the lease of a feed ends before, it is read again, because its cursor
        did not move.
        """
        waits = 0
        while True:
            try:
                done = await self._poll_store.commit(
                    claim,
                    visit.articles,
                    memory=visit.memory,
                    status=status,
                    delay_ms=int(record.delay.total_seconds() * 1000),
                    known=visit.known,
                    seen=visit.seen,
                    marks=visit.marks,
                    limited=visit.reason == "rate_limited",
                    stamp=now.isoformat(timespec="seconds"),
                )
                if done.answer != "busy":
                    return done
            except StoreBusy:
                pass
            await pause(_BUSY_WAIT_SECONDS, self._stop)
            waits += 1
            if self._stop.is_set() or (self._waits_max and waits >= self._waits_max):
                self._gave_up = True
                return None


FIRST_ROUND_MIN = 100
"""The progress of a round over fewer feeds is not reported: it is soon over."""
_GRACE_SECONDS = 5.0


class FirstRound:
    """How far a process is with its first round over the feeds; with a large list it takes minutes.

    The feeds of the round are those that are due when it begins. A feed whose host is busy has its turn later; one
    whose turn was long ago was read by another poller. After the round nothing is reported.
    """

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
        """Begin the round over these feeds."""
        self._left = set(due)
        self._total = len(self._left)
        if self._total < FIRST_ROUND_MIN:
            self._left.clear()

    def visited(self, feed: str) -> None:
        """Count a visit, whatever came of it."""
        if self._left and feed in self._left:
            self._left.discard(feed)
            self._progress(self._total - len(self._left), self._total)

    def claimed(self, put_off: Mapping[str, int], now: float, *, idle: bool) -> None:
        """After a claim at `now` (seconds): these feeds have their turns in so many ms.

        `idle`: nothing is under way, and nothing more is due. Then the round is over, except for feeds that wait for
        their turn.
        """
        if not self._left:
            return
        self._turns |= {feed: now + wait / 1000 for feed, wait in put_off.items() if feed in self._left}
        if idle and not any(self._turns.get(feed, 0.0) > now - _GRACE_SECONDS for feed in self._left):
            self._left.clear()
            self._progress(self._total, self._total)
