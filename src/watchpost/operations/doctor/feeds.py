"""The configured feeds, each tried once, as the poller reads a feed for the first time.

A running service is not affected: its validators and cursors stay, and no article is sent.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable, Collection, Mapping
from datetime import UTC, timedelta, tzinfo
from urllib.parse import urlsplit

from watchpost import log as tm
from watchpost import redaction
from watchpost.documents.parser_process import ParserProcess
from watchpost.errors import SecretAbsent
from watchpost.moments import with_zone
from watchpost.net import host_of
from watchpost.operations.doctor import finding as doctor_finding
from watchpost.operations.doctor.finding import FeedTrouble, Finding
from watchpost.operations.feeds.cures import CURES
from watchpost.operations.feeds.discovery import try_feed
from watchpost.operations.feeds.status import FeedStatus
from watchpost.poll.feed_options import WebOptions
from watchpost.scheduler import utc_now

AT_ONCE = 10
EACH = timedelta(seconds=10)
SAMPLE_SECONDS = 45.0
_NO_NAME = "the host name cannot be resolved"

Progress = Callable[[int, int], None]


async def try_feeds(
    feeds: Mapping[str, WebOptions],
    known: Collection[FeedStatus],
    unresolved: Collection[str],
    gap: timedelta,
    *,
    everything: bool,
    progress: Progress,
    zone: tzinfo = UTC,
) -> AsyncIterator[Finding]:
    """What is wrong with the feeds, and the cures. Of a long list a sample is tried, unless `everything` is wanted.

    `known` is their state in a running service, empty without one. Feeds of `unresolved` hosts are not tried, nor those
    whose server has asked for a pause. `gap` is the time between two requests to one host. Times are shown in `zone`.
    """
    hosts = {name: host_of(one.url) for name, one in feeds.items()}
    failing = [one.name for one in known if one.state in ("failing", "gone", "dead")]
    chosen = list(feeds) if everything else doctor_finding.sample(hosts, failing)
    resting = {one.name: one for one in known if one.reason == "rate_limited" and one.due and one.due > utc_now()}
    trials = _Trials({name: feeds[name] for name in chosen}, unresolved, resting, gap, zone)
    await trials.run(None if everything else SAMPLE_SECONDS, progress)
    yield doctor_finding.summary(hosts, len(chosen), len(trials.good), trials.bad)
    for finding in doctor_finding.findings([*trials.bad, *trials.moved]):
        yield finding


class _Trials:
    """One trial of each feed; feeds of one host one after the other."""

    def __init__(
        self,
        feeds: Mapping[str, WebOptions],
        unresolved: Collection[str],
        resting: Mapping[str, FeedStatus],
        gap: timedelta,
        zone: tzinfo,
    ) -> None:
        self.good: list[str] = []
        self.bad: list[FeedTrouble] = []
        self.moved: list[FeedTrouble] = []  # can be read
        self._feeds = feeds
        self._unresolved = unresolved
        self._resting = resting
        self._zone = zone
        self._gap = gap.total_seconds()
        self._slots = asyncio.Semaphore(AT_ONCE)
        self._parser = ParserProcess()
        self._progress: Progress = lambda done, total: None

    async def run(self, seconds: float | None, progress: Progress) -> None:
        """Try all feeds, until the time is over."""
        self._progress = progress
        rows: dict[str, list[str]] = {}
        for name, options in self._feeds.items():
            rows.setdefault(host_of(options.url), []).append(name)
        try:
            tasks = [asyncio.ensure_future(self._host(row)) for row in rows.values()]
            _, late = await asyncio.wait(tasks, timeout=seconds)
            for task in late:
                task.cancel()
            await asyncio.gather(*late, return_exceptions=True)
        finally:
            await self._parser.close()

    async def _host(self, row: list[str]) -> None:
        asked = False
        for name in row:
            if (known := self._before(name)) is not None:
                self._note(known)
                continue
            if asked:
                await asyncio.sleep(self._gap)
            async with self._slots:
                if self._lost():
                    return
                self._note(await self._ask(name))
            asked = True

    def _before(self, name: str) -> FeedTrouble | None:
        """What is known without a request."""
        options = self._feeds[name]
        if options.proxy is None and urlsplit(options.url).hostname in self._unresolved:  # proxies resolve names
            return FeedTrouble(name, "dns", _NO_NAME, CURES["dns"])
        if (status := self._resting.get(name)) is not None:
            until = with_zone(status.due, self._zone) or "later"
            return FeedTrouble(
                name, "rate_limited", f"its server has asked for a pause until {until}", CURES["rate_limited"]
            )
        return None

    async def _ask(self, name: str) -> FeedTrouble | str:
        options = self._feeds[name]
        options = options.model_copy(update={"timeout": min(EACH, options.timeout)})
        try:
            tried = await try_feed(name, options, utc_now(), parser=self._parser)
        except SecretAbsent as error:
            return FeedTrouble(name, "auth", f"not tried: {error}", "run doctor where the secret can be read")
        except Exception as error:  # one feed must not stop the others
            tm.log().exception("source.raised", source=name)
            return FeedTrouble(
                name, "unknown", f"an error in watchpost itself: {type(error).__name__}", "report it to the developers"
            )
        if not tried.ok:
            return FeedTrouble(name, tried.reason, redaction.clean(tried.detail), tried.cure)
        if tried.moved_to:
            place = redaction.clean(tried.moved_to)
            self.moved.append(FeedTrouble(name, "moved", f"has moved permanently to {place}", f"set url: {place}"))
        return name

    def _note(self, answer: FeedTrouble | str) -> None:
        if isinstance(answer, str):
            self.good.append(answer)
        else:
            self.bad.append(answer)
        self._progress(len(self.good) + len(self.bad), len(self._feeds))

    def _lost(self) -> bool:
        """Nothing answers: the fault is this machine's network, and more requests show nothing more."""
        asked = [one for one in self.bad if one.detail != _NO_NAME]
        return not self.good and len(asked) >= 2 * AT_ONCE and doctor_finding.hopeless(asked)
