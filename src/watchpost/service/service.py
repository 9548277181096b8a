"""The loops of one process, built from a configuration over a store; lifecycle.py runs them."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Mapping, Sequence
from contextlib import AsyncExitStack, suppress
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Literal

from watchpost import log as tm
from watchpost.config.config import Config, ReceiverConfig
from watchpost.config.hosts import busy_hosts
from watchpost.config.settings import Settings
from watchpost.documents.parser_process import ParserProcesses
from watchpost.errors import StoreError
from watchpost.health import HEALTH
from watchpost.match.long_articles import LongArticles
from watchpost.match.matcher import Topics
from watchpost.match.routing import all_groups
from watchpost.match.worker import Matcher
from watchpost.model import Delivery
from watchpost.notify.digest_builder import Installation, deliveries_of
from watchpost.notify.digest_dispatcher import Dispatcher
from watchpost.notify.notices import disabled_notice, refuses_notice
from watchpost.notify.receiver import Receiver
from watchpost.notify.sender import Journal, Notices, Sender
from watchpost.operations import factory
from watchpost.poll.poller import Poller, Progress, silent
from watchpost.poll.push import PushReader
from watchpost.poll.sources.feed import Feed
from watchpost.scheduler import Scheduler, utc_now
from watchpost.service import heartbeat
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryStore
from watchpost.store.events import MOST_UNJOINED, EventStore, forget_unjoined
from watchpost.store.matching import MatchStore
from watchpost.store.overview import Overview
from watchpost.store.polling import PollStore
from watchpost.store.receivers import ReceiverState
from watchpost.store.unarchived import Unarchived, forget_unarchived
from watchpost.store.websub import PushStore

if TYPE_CHECKING:
    from watchpost.archive.writer import ArchiveWriter
    from watchpost.events.linker import Linker

_POLL_SECONDS = 2  # between two looks for due feeds, if none is due before
_RETRIES_SECONDS = 2
_WINDOWS_SECONDS = 2  # between two looks at the windows, if neither a hit nor the end of one comes before
_REFINE_SECONDS = 30  # between two checks whether the sample of words has grown

Role = Literal["poll", "match", "notify", "web", "all"]


class Service:
    """Builds the loops of one process. What they open is closed with `stack`."""

    def __init__(
        self,
        config: Config,
        settings: Settings,
        backend: factory.Backend,
        install: str,
        stack: AsyncExitStack,
        *,
        topics: Topics | None = None,
        progress: Progress = silent,
    ) -> None:
        """`topics` were compiled under an earlier configuration: only what changed since is compiled again.

        `progress` is called with how many of how many feeds the first round has read.
        """
        self.config, self.settings = config, settings
        self.store: Store = backend.store
        self.install = install
        self.stop = asyncio.Event()
        self.clock = Scheduler()
        self.groups = all_groups(config.routes)
        self.outbox = DeliveryStore(
            self.store, kept_ms=_ms(config.retention.deliveries), hits_ms=_ms(config.retention.hits)
        )
        self.journal: Journal | None = None  # of the notify role
        self._server, self._secret = backend.server, backend.identity.secret
        self._lease_ms = _ms(config.limits.lease)
        self._topics = topics or Topics([])
        self._stack = stack
        self._progress = progress

    def loops(self, role: Role) -> list[Coroutine[Any, Any, None]]:
        """Everything that this process runs as `role`, not yet started."""
        HEALTH.expect(("poll", "match", "notify") if role == "all" else () if role == "web" else (role,))
        loops: list[Coroutine[Any, Any, None]] = []
        if role in ("poll", "all"):
            poller, pushed = self.poller_and_push_reader()
            loops += [poller.run(), pushed.run()]
        if role in ("match", "all"):
            loops.append(self.matcher().run())
            writer = self.archive_writer()
            loops.append(writer.run() if writer is not None else self._forget_unarchived())
            linker = self.linker()
            loops.append(linker.run() if linker is not None else self._forget_unjoined())
        if role in ("notify", "all"):
            dispatcher, senders = self.notifier()
            loops += [dispatcher.run(), self._wake_retries(), *(sender.run() for sender in senders)]
            if self.config.heartbeat is not None:
                overview = Overview(self.store)
                loops.append(
                    heartbeat.run(
                        self.config.heartbeat,
                        factory.USER_AGENT,
                        lambda: heartbeat.missing(overview, HEALTH),
                        self.clock.ticker(1),
                        self.stop,
                    )
                )
        return loops

    def poller(self) -> Poller:
        """The poll role's loop without hubs: a process that reads once cannot be pushed to."""
        return self._polling(None)[0]

    def poller_and_push_reader(self) -> tuple[Poller, PushReader]:
        """The poll role's loops: one visits sources, one reads what hubs push."""
        pushes = PushStore(self.store)
        poller, feeds, poll_store = self._polling(pushes)
        pushed = PushReader(
            feeds,
            poll_store,
            pushes,
            pushes.claims(factory.consumer_name("poll"), self._lease_ms),
            tick=self._renew_ticker(),
            tick_renew=self._renew_ticker(),
            stop=self.stop,
            clock=utc_now,
            hold=self._hold,
        )
        return poller, pushed

    def _polling(self, pushes: PushStore | None) -> tuple[Poller, Sequence[Feed], PollStore]:
        parser = ParserProcesses()
        self._stack.push_async_callback(parser.close)
        poll_store = factory.build_poll_store(self.config, self.store)
        busy = busy_hosts(self.config.sources, self.config.limits.host_gap, self.config.hosts)
        tm.hosts_busy.set(len(busy))
        sources = factory.build_sources(self.config, parser, poll_store, pushes)
        for source in sources:
            self._stack.push_async_callback(source.close)
        poller = Poller(
            sources,
            poll_store,
            tick=self.clock.ticker(_POLL_SECONDS),
            stop=self.stop,
            clock=utc_now,
            hold=self._hold,
            progress=self._progress,
        )
        return poller, [source for source in sources if isinstance(source, Feed)], poll_store

    def matcher(self) -> Matcher:
        """The match role's loop."""
        self._topics.update(self.config.topics)
        for topic in self.config.topics:
            tm.hits.labels(topic.name, topic.severity)  # starts at 0, so that the first hit shows as an increase
        retention = self.config.retention
        articles = MatchStore(
            self.store,
            factory.consumer_name("match"),
            lease_ms=self._lease_ms,
            hits_ttl_ms=_ms(retention.dedup),
            history_ms=_ms(retention.hits),
            retained=retention.articles,
            per_hour=self.config.limits.hits_per_topic_per_hour,
            window_ms=_ms(self.config.story_window),
            unjoined_max=MOST_UNJOINED if self.config.events else 0,
        )
        long_articles = LongArticles(self.config.topics)
        self._stack.push_async_callback(long_articles.close)
        return Matcher(
            self._topics,
            self.config.routes,
            articles,
            tick=self._renew_ticker(),
            tick_renew=self._renew_ticker(),
            tick_refine=self.clock.ticker(_REFINE_SECONDS),
            stop=self.stop,
            clock=utc_now,
            long_articles=long_articles,
        )

    def linker(self) -> Linker | None:
        """The loop that decides events, which runs where articles are matched; None if events are switched off."""
        if not self.config.events:
            return None
        from watchpost.events import embedding  # not imported where events are switched off
        from watchpost.events.linker import Linker
        from watchpost.events.vectors import Vectors

        return Linker(
            EventStore(
                self.store,
                factory.consumer_name("match"),
                self._lease_ms,
                kept_ms=_ms(self.config.retention.hits),
            ),
            Vectors(embedding.installed),
            tick=self._renew_ticker(),
            tick_renew=self._renew_ticker(),
            stop=self.stop,
            clock=utc_now,
        )

    def archive_writer(self) -> ArchiveWriter | None:
        """The archive's loop, which runs where articles are matched; None if there is no archive."""
        archive = factory.build_archive(self.settings, self.config)
        if archive is None:
            return None
        from watchpost.archive.writer import ArchiveWriter  # not imported where there is no archive

        self._stack.callback(archive.close)
        return ArchiveWriter(
            archive,
            Unarchived(self.store, factory.consumer_name("archive"), self._lease_ms),
            self.config.archive_keep,
            tick=self._renew_ticker(),
            tick_renew=self._renew_ticker(),
            stop=self.stop,
            clock=utc_now,
        )

    def notifier(self) -> tuple[Dispatcher, tuple[Sender, ...]]:
        """The notify role's loops: one closes windows, one for each receiver sends."""
        receivers = factory.build_receivers(self.config, self.install, factory.terminal(), self._secret)
        installation = factory.installation_of(self.config, self.install)
        dispatcher = Dispatcher(
            self.groups,
            receivers,
            self.outbox,
            factory.build_composer(self.config, installation, receivers, self.store),
            tick=self.clock.ticker(_WINDOWS_SECONDS),
            stop=self.stop,
            clock=utc_now,
        )
        self.settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.journal = Journal(self.settings.data)
        senders = tuple(
            Sender(
                receivers[part.name],
                self.outbox,
                self.outbox.claims(part.name, factory.consumer_name("notify"), self._lease_ms),
                factory.build_breaker(self.store, part),
                self.journal,
                tick=self._renew_ticker(),
                tick_renew=self._renew_ticker(),
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
            notice = refuses_notice if state.disabled is None else disabled_notice
            digest = notice(ops, part.name, state.why, now, installation)
            return deliveries_of(digest, receivers[ops].render(digest))

        return notices

    async def _forget_unarchived(self) -> None:
        """Remove what was to be archived before the archive was switched off."""
        with suppress(StoreError):  # the next start tries again
            await forget_unarchived(self.store)
        await self.stop.wait()

    async def _forget_unjoined(self) -> None:
        """Remove what waits for its event from before events were switched off."""
        with suppress(StoreError):  # the next start tries again
            await forget_unjoined(self.store)
        await self.stop.wait()

    async def _wake_retries(self) -> None:
        """Move deliveries whose wait is over back into their outbox."""
        tick = self.clock.ticker(_RETRIES_SECONDS)
        while not self.stop.is_set():
            try:
                if await self.outbox.is_due():
                    await self.outbox.queue_due_retries()
                    await self.outbox.escalate_due()
            except StoreError as error:
                tm.store_errors.labels(type(error).__name__).inc()
            await tick()

    def _hold(self) -> str:
        short = self._server is not None and self._server.disk_short
        tm.disk_short.set(short)
        return "disk" if short else ""

    def _renew_ticker(self) -> Any:
        """Ticks three times a lease: to renew it, and to look for abandoned work."""
        return self.clock.ticker(max(0.2, min(5.0, self._lease_ms / 3000)))


def _ms(duration: timedelta) -> int:
    return int(duration.total_seconds() * 1000)
