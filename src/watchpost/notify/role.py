"""The notifier's loops: windows that are due → frozen digests → send → DONE, RETRY or DEAD.

One loop closes windows; one loop per receiver sends, so that a slow receiver holds up nobody else. The
decisions are schedule.py's (when), digest.py's (what) and retry.py's (what next).
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from watchpost import crash, tracing
from watchpost import telemetry as tm
from watchpost.errors import StoreError
from watchpost.model import SEVERITIES, Accounts, Delivery, Digest, Group, Message, Severity, Unread
from watchpost.notify import telling
from watchpost.notify.digest import after, compose
from watchpost.notify.edition import compose_or_plain
from watchpost.notify.receiver import Receiver
from watchpost.notify.schedule import Window, due, next_look, tell_empty
from watchpost.vitals import VITALS
from watchpost.wire.board import Board
from watchpost.wire.outbox import Outbox, Parked, Standing
from watchpost.wire.store import patiently

_WAIT_SECONDS = 1.0
_LINKS = 100  # hits of an edition whose traces it is joined to


@dataclass(frozen=True, slots=True)
class Imprint:
    """What every edition of this installation says of itself. `seed` keeps its ids apart from everybody else's."""

    timezone: str
    language: str
    install: str
    public_url: str
    seed: str


def deliveries_of(digest: Digest, messages: Sequence[Message]) -> tuple[Delivery, ...]:
    """A digest's messages on their way, each with its own id."""
    severities = (story.severity for story in digest.stories)
    severity: Severity = max(severities, key=SEVERITIES.index, default="normal")
    oldest = min((story.lead.first_seen for story in digest.stories), default=None)
    return tuple(
        Delivery(
            id=f"{digest.id}.{message.part}" if message.part else digest.id,
            digest=digest.id,
            receiver=digest.receiver,
            message=replace(message, severity=severity, oldest=oldest),
            attempt=1,
            created=digest.created,
        )
        for message in messages
    )


class Closer:
    """Closes windows until `stop` is set. `tick` returns each second; a parked hit wakes it earlier."""

    def __init__(
        self,
        groups: Sequence[Group],
        receivers: Mapping[str, Receiver],
        sources: Sequence[str],
        outbox: Outbox,
        board: Board,
        imprint: Imprint,
        *,
        tick: Callable[[], Awaitable[None]],
        stop: asyncio.Event,
        clock: Callable[[], datetime],
    ) -> None:
        self._groups = {group.key: group for group in groups}
        self._receivers = receivers
        self._sources = sources
        self._outbox = outbox
        self._board = board
        self._imprint = imprint
        self._tick = tick
        self._stop = stop
        self._clock = clock
        self._wake = asyncio.Event()
        self._stranded: set[str] = set()
        self._failed: set[str] = set()

    async def run(self) -> None:
        """The daemon."""
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(self._close())
            tasks.create_task(self._hear())
            tasks.create_task(self._pulse())

    async def close_due(self, *, everything: bool = False) -> datetime | None:
        """Close each window that is due (`everything`: each that holds hits). Returns when the next one may be."""
        now = await self._outbox.now()  # hits were parked by the store's clock: windows close by it, too
        soonest: datetime | None = None
        for key, standing in (await self._outbox.standing(list(self._groups))).items():
            group = self._groups.get(key) or self._orphan(key)
            if group is None:
                continue
            window = self._window(group, standing, now, everything or key not in self._groups)
            if window is not None:
                await self._close_safely(group, standing, window, now)
            look = next_look(group.schedule, standing.opened, now) if window is None else None
            soonest = min(filter(None, (soonest, look)), default=None)
        return soonest

    def _window(self, group: Group, standing: Standing, now: datetime, at_once: bool) -> Window | None:
        if at_once:
            return Window(standing.closed or standing.opened or now, now) if standing.opened else None
        return due(group.schedule, standing.opened, standing.closed, now)

    async def _close_safely(self, group: Group, standing: Standing, window: Window, now: datetime) -> None:
        try:
            await self._close_one(group, standing, window, now)
        except StoreError:
            raise
        except Exception as error:  # one edition that cannot be laid out must not hold up the others
            if group.key not in self._failed:
                self._failed.add(group.key)
                tm.log().exception("group.failed", group=group.key, error=type(error).__name__)
            tm.digests.labels(group.receiver, "failed").inc()

    async def _close_one(self, group: Group, standing: Standing, window: Window, now: datetime) -> None:
        parked = await self._outbox.peek(group.key)
        parents = [hit.article.trace for hit in parked.hits][:_LINKS]
        with tracing.span("notify.close", parents, receiver=group.receiver) as trace:
            await self._tell(group, standing, parked, window, now, trace)

    async def _tell(
        self, group: Group, standing: Standing, parked: Parked, window: Window, now: datetime, trace: str
    ) -> None:
        told = bool(parked.hits) or tell_empty(group.schedule, standing.told, standing.closed, window)
        deliveries, notes = await self._compose(group, parked, window, now) if told else ((), {})
        if trace:
            deliveries = tuple(replace(one, message=replace(one.message, trace=trace)) for one in deliveries)
        if await self._outbox.close(parked, window.end, deliveries, notes):
            outcome = "empty" if not deliveries else "sent" if parked.hits else "heartbeat"
            tm.digests.labels(group.receiver, outcome).inc()
            if told:
                tm.digest_stories.labels(group.receiver).observe(len({hit.story for hit in parked.hits}))
            tm.digest_lateness.observe(max(0.0, (now - window.end).total_seconds()))
            crash.point("notify.closed")

    async def _compose(
        self, group: Group, parked: Parked, window: Window, now: datetime
    ) -> tuple[tuple[Delivery, ...], dict[str, str]]:
        """The window's deliveries, and what to note of the stories that they tell."""
        known = {story: told for story, note in parked.notes.items() if (told := telling.read(note))}
        digest = compose(
            group,
            window,
            parked.hits,
            turn=f"{self._imprint.seed} {parked.turn}",
            now=now,
            timezone=getattr(group.schedule, "timezone", self._imprint.timezone),
            language=self._imprint.language,
            install=self._imprint.install,
            public_url=self._imprint.public_url,
            unread=await self._unread(),
            sources_total=len(self._sources),
            told=known,
        )
        if digest.kind == "alert" and not digest.stories:
            return (), {}  # nothing but further copies of what the group knows
        notes = {story: telling.write(told) for story, told in after(digest, parked.hits, known).items()}
        digest = replace(digest, accounts=await self._accounts(digest.timezone, parked.told, now))
        # A long or hostile edition takes a second to lay out: not in the loop.
        messages = await asyncio.to_thread(compose_or_plain, self._receivers[group.receiver], digest)
        return deliveries_of(digest, messages), notes

    async def _accounts(self, timezone: str, told: datetime | None, now: datetime) -> Accounts | None:
        """For the first edition of a local day; and for every edition while the sums of the ledger do not meet."""
        today = now.astimezone(ZoneInfo(timezone)).date()
        found = await self._board.accounts(today - timedelta(days=1), len(self._sources))
        first = told is None or told.astimezone(ZoneInfo(timezone)).date() < today
        return found if first or found.gaps else None

    async def _unread(self) -> tuple[Unread, ...]:
        """A silent failure must never look like a quiet day: what could not be read stands in the edition."""
        return tuple(
            Unread(status.name, status.detail, status.last_read)
            for status in await self._board.sources(self._sources)
            if status.failures
        )

    def _orphan(self, key: str) -> Group | None:
        """Hits parked under a schedule that is no longer configured: they go out at once, if anybody is there."""
        receiver, _, _ = key.partition("|")
        if receiver in self._receivers:
            tm.log().warning("group.orphaned", group=key)
            schedule = next(iter(self._groups.values())).schedule if self._groups else None
            return None if schedule is None else Group(key, receiver, schedule)
        if key not in self._stranded:
            self._stranded.add(key)
            tm.log().warning("group.stranded", receiver=receiver, count="some")
        return None

    async def _close(self) -> None:
        enrolled = False
        while not self._stop.is_set():
            VITALS.beat("notify")
            self._wake.clear()
            soonest = None
            try:
                if not enrolled:
                    await self._outbox.enrol(list(self._groups), self._clock())
                    enrolled = True
                soonest = await self.close_due()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
            wait = (soonest - self._clock()).total_seconds() if soonest else 60.0
            await patiently(max(0.0, wait), self._wake)

    async def _pulse(self) -> None:
        while not self._stop.is_set():
            await self._tick()
            self._wake.set()
        self._wake.set()

    async def _hear(self) -> None:
        while not self._stop.is_set():
            try:
                async for _ in self._outbox.hints(self._stop):
                    self._wake.set()
            except StoreError:
                await patiently(_WAIT_SECONDS, self._stop)


async def run_once(closer: Closer, outbox: Outbox, groups: Sequence[Group], now: datetime) -> None:
    """Close every window that holds anything, now (`run --once`): as often as it takes to empty the buckets."""
    await outbox.enrol([group.key for group in groups], now - timedelta(seconds=1))
    left = -1
    while (parked := await outbox.parked()) and parked != left:
        await closer.close_due(everything=True)
        left = -1 if parked > await outbox.parked() else parked
