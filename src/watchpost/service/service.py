"""The loops of one process, built from a plan over a store. Builds and hands over; lifecycle.py runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack
from datetime import datetime, timedelta
from time import monotonic
from typing import Any, Literal

from watchpost import log as tm
from watchpost import redaction
from watchpost.config.config import Config, ReceiverConfig
from watchpost.config.schema import Heartbeat
from watchpost.config.settings import Settings
from watchpost.documents.parser_process import ParserProcess
from watchpost.errors import StoreError
from watchpost.health import HEALTH, Health
from watchpost.match.matcher import Topics
from watchpost.match.routing import all_groups
from watchpost.match.worker import Matcher
from watchpost.model import Delivery
from watchpost.notify.digest import Installation, deliveries_of
from watchpost.notify.dispatcher import Dispatcher
from watchpost.notify.notices import disabled_notice
from watchpost.notify.receiver import Receiver
from watchpost.notify.sender import Journal, Notices, Sender
from watchpost.operations import factory
from watchpost.operations.reloading import Reloader
from watchpost.poll.poller import Poller, Progress, silent
from watchpost.poll.push import PushReader
from watchpost.poll.sources.feed import Feed
from watchpost.scheduler import Scheduler, utc_now
from watchpost.service.housekeeping import Housekeeping
from watchpost.store.client import Store, until_available
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.matching import MatchStore
from watchpost.store.overview import Overview
from watchpost.store.polling import PollStore
from watchpost.store.receivers import ReceiverState
from watchpost.store.websub import PushStore

# The door to a dead man's switch: it hears from us while we work, and somebody else notices when it does not.
#
# Nothing on a machine can tell that the machine is gone. So an address elsewhere is asked each few minutes, but only
# while every role works, here or on another machine of this service: silence is the alarm.


ROLES = frozenset({"poll", "match", "notify"})
_DEADLINE_SECONDS = 10.0


async def missing(overview: Overview, health: Health) -> str:
    """Why the service as a whole does not work, in a sentence; "" if it does."""
    trouble = health.trouble() or health.refused
    if trouble:
        return trouble
    try:
        workers = await overview.workers()
    except StoreError as error:
        return str(error)
    there = {role for worker in workers for role in (ROLES if worker.role == "all" else {worker.role})}
    return f"nobody runs {', '.join(sorted(ROLES - there))}" if ROLES - there else ""


async def run(
    options: Heartbeat,
    user_agent: str,
    why_not: Callable[[], Awaitable[str]],
    tick: Callable[[], Awaitable[None]],
    stop: asyncio.Event,
) -> None:
    """Ask the address `every` so often while `why_not` answers "". `tick` returns each second or so.

    What goes wrong is said once, and again when it has been well in between; it stops nobody.
    """
    from watchpost.guarded_http import guarded_client

    shown, said, last = redaction.short_url(options.url.reveal()), "", -options.every.total_seconds()
    client = guarded_client(user_agent=user_agent, allow_private=options.allow_private)
    async with client:
        while not stop.is_set():
            await tick()
            if stop.is_set() or monotonic() - last < options.every.total_seconds():
                continue
            trouble = await why_not()
            event, facts = "heartbeat.withheld", {"detail": trouble}
            if not trouble:
                last = monotonic()
                trouble = await _ask(client, options.url.reveal())
                event, facts = "heartbeat.failed", {"to": shown, "detail": trouble}
            if trouble and event != said:
                tm.log().warning(event, **facts)
            said = event if trouble else ""
            if trouble:
                await until_available(1.0, stop)


async def _ask(client: object, url: str) -> str:
    """One GET; "" if the answer is a success, else what went wrong, without the address."""
    import httpx

    assert isinstance(client, httpx.AsyncClient)  # noqa: S101 - httpx is imported when it is needed, not before
    try:
        async with asyncio.timeout(_DEADLINE_SECONDS), client.stream("GET", url) as answer:
            return "" if answer.status_code < 300 else f"HTTP {answer.status_code}"
    except TimeoutError:
        return f"no answer within {_DEADLINE_SECONDS:.0f} s"
    except Exception as error:  # the other side, the resolver, the guard: whatever it is, it must not stop the service
        return type(error).__name__


_REFINE_SECONDS = 30  # between two looks at whether the sample of words has grown

Role = Literal["poll", "match", "notify", "web", "all"]


class Service:
    """Builds the loops of one process over one store. `roles` says which of them this process runs."""

    def __init__(
        self,
        config: Config,
        settings: Settings,
        backend: factory.Backend,
        install: str,
        stack: AsyncExitStack,
        topics: Topics | None = None,
        reloader: Reloader | None = None,
        progress: Progress = silent,
    ) -> None:
        """`topics` are those that a round before this one compiled: only what changed since is compiled anew.

        `reloads` knows since when the plan runs, and whether a newer one was refused. `progress` hears how many of how
        many feeds the first round has read.
        """
        self.config, self.settings = config, settings
        self.store: Store = backend.store
        self.server, self.secret = backend.server, backend.secret
        self.install = install
        self.stop = asyncio.Event()
        self.over = asyncio.Event()  # every loop has ended
        self.clock = Scheduler()
        self.overview = Overview(self.store)
        self.groups = all_groups(config.routes)
        self.lease_ms = int(config.limits.lease.total_seconds() * 1000)
        self.outbox = DeliveryStore(self.store, kept_ms=_ms(config.retention.deliveries))
        self._topics = topics or Topics([])
        self._stack = stack
        self._journal: Journal | None = None
        self._reloader = reloader
        self._progress = progress

    def poller(self) -> Poller:
        """The poll role's loops without hubs: whoever reads once cannot be pushed to."""
        return self._polling(None)[0]

    def poller_and_pushed(self) -> tuple[Poller, PushReader]:
        """The poll role's loops: one that visits, and one that reads what hubs push."""
        pushes = PushStore(self.store)
        poller, feeds, poll_store = self._polling(pushes)
        pushed = PushReader(
            feeds,
            poll_store,
            pushes,
            pushes.claims(factory.consumer_name("poll"), self.lease_ms),
            tick=self.clock.ticker(self._look_seconds()),
            tick_renew=self.clock.ticker(self._look_seconds()),
            stop=self.stop,
            clock=utc_now,
            hold=self._hold,
        )
        return poller, pushed

    def _polling(self, pushes: PushStore | None) -> tuple[Poller, Sequence[Feed], PollStore]:
        parser = ParserProcess()
        self._stack.push_async_callback(parser.close)
        poll_store = factory.build_intake(self.config, self.store)
        sources = factory.build_sources(self.config, parser, poll_store, pushes)
        for source in sources:
            self._stack.push_async_callback(source.close)
        tick, told = self.clock.ticker(1), self._progress
        poller = Poller(sources, poll_store, tick=tick, stop=self.stop, clock=utc_now, hold=self._hold, progress=told)
        return poller, [source for source in sources if isinstance(source, Feed)], poll_store

    def matcher(self) -> Matcher:
        """The match role's loops."""
        self._topics.update(self.config.topics)
        for topic in self.config.topics:
            tm.hits.labels(topic.name, topic.severity)  # from 0: the first hit shows, too
        articles = MatchStore(
            self.store,
            factory.consumer_name("match"),
            lease_ms=self.lease_ms,
            hits_ttl_ms=_ms(self.config.retention.dedup),
            history_ms=_ms(self.config.retention.hits),
            retained=self.config.retention.articles,
            per_hour=self.config.limits.hits_per_topic_per_hour,
            window_ms=_ms(self.config.story_window),
        )
        return Matcher(
            self._topics,
            self.config.routes,
            articles,
            tick=self.clock.ticker(self._look_seconds()),
            tick_renew=self.clock.ticker(self._look_seconds()),
            tick_refine=self.clock.ticker(_REFINE_SECONDS),
            stop=self.stop,
            clock=utc_now,
        )

    def notifier(self) -> tuple[Dispatcher, tuple[Sender, ...]]:
        """The notify role's loops: one that closes windows, one per receiver that sends."""
        receivers = factory.build_receivers(self.config, self.install, factory.terminal(), self.secret)
        for receiver in receivers.values():
            self._stack.push_async_callback(receiver.close)
        installation = factory.installation_of(self.config, self.install)
        dispatcher = Dispatcher(
            self.groups,
            receivers,
            self.outbox,
            factory.build_composer(self.config, installation, receivers, self.store),
            tick=self.clock.ticker(1),
            stop=self.stop,
            clock=utc_now,
        )
        self.settings.data.mkdir(parents=True, exist_ok=True)
        self._journal = Journal(self.settings.data)
        senders = tuple(
            Sender(
                receivers[part.name],
                self.outbox,
                self.outbox.claims(part.name, factory.consumer_name("notify"), self.lease_ms),
                factory.build_breaker(self.store, part),
                self._journal,
                tick=self.clock.ticker(self._look_seconds()),
                tick_renew=self.clock.ticker(self._look_seconds()),
                stop=self.stop,
                clock=utc_now,
                retry=factory.tries_of(part),
                notices=self._notices(part, receivers, installation),
                kind=part.kind,
            )
            for part in self.config.receivers
        )
        return dispatcher, senders

    def _notices(self, part: ReceiverConfig, receivers: Mapping[str, Receiver], installation: Installation) -> Notices:
        ops = factory.ops_for(self.config, part)

        def notices(state: ReceiverState, now: datetime) -> tuple[Delivery, ...]:
            if not ops:
                return ()
            digest = disabled_notice(ops, part.name, state.why, now, installation)
            return deliveries_of(digest, receivers[ops].render(digest))

        return notices

    def loops(self, role: Role) -> list[Coroutine[Any, Any, None]]:
        """Everything that this process runs as `role`, not yet started."""
        HEALTH.expect(("poll", "match", "notify") if role == "all" else () if role == "web" else (role,))
        loops: list[Coroutine[Any, Any, None]] = []
        if role in ("poll", "all"):
            poller, pushed = self.poller_and_pushed()
            loops += [poller.run(), pushed.run()]
        if role in ("match", "all"):
            loops.append(self.matcher().run())
        if role in ("notify", "all"):
            dispatcher, senders = self.notifier()
            loops += [dispatcher.run(), self.wake_retries(), *(sender.run() for sender in senders)]
            if self.config.heartbeat is not None:
                loops.append(self.keep_heart(self.config.heartbeat))
        return loops

    def housekeeping(self, role: Role) -> Housekeeping:
        """What goes on until the last of the loops has ended; asked for after them."""
        return Housekeeping(
            role,
            self.config,
            self.store,
            self.outbox,
            self.clock,
            self.stop,
            self.over,
            reloader=self._reloader,
            journal=self._journal,
        )

    async def keep_heart(self, options: Heartbeat) -> None:
        """Let a dead man's switch hear from us while everything works."""
        tick = self.clock.ticker(1)
        await run(options, factory.USER_AGENT, lambda: missing(self.overview, HEALTH), tick, self.stop)

    async def wake_retries(self) -> None:
        """Each second: deliveries whose wait is over go back into their outbox."""
        tick = self.clock.ticker(1)
        while not self.stop.is_set():
            try:
                await self.outbox.queue_due_retries()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
            await tick()

    def _hold(self) -> str:
        short = self.server is not None and self.server.disk_short
        tm.disk_short.set(short)
        return "disk" if short else ""

    def _look_seconds(self) -> float:
        """How often to renew and to look for abandoned work: three times a lease."""
        return max(0.2, min(5.0, self.lease_ms / 3000))


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
