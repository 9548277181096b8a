"""Store → what the pages show. Looks, and changes nothing; the shapes are made by pages/*."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any
from urllib.parse import urlencode

from watchpost import __version__
from watchpost.errors import StoreError
from watchpost.health import Health
from watchpost.model import Hit, Message, Topic
from watchpost.operations import previews as operations_previews
from watchpost.operations.config_diff import Comparison
from watchpost.operations.previews import Preview
from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.deliveries import DeliveryAdmin
from watchpost.store.history import History, HitPage, is_mark
from watchpost.store.ledger import Ledger, by_name
from watchpost.store.overview import Overview
from watchpost.store.silences import Silences
from watchpost.store.sources import SourceStatus
from watchpost.web.context import Coming, ConfigSummary, Disk, NextDigest
from watchpost.web.health import look, report
from watchpost.web.pages import configuration, deliveries, digests, feeds, now, stories, topics
from watchpost.web.pages.digests import MessageForm
from watchpost.web.schemas import Chart, schedule_words

DAYS = 14
_PARKED_SHOWN = 50
_SENT_SHOWN = 50
"""When a group is told next: the group, its first parked hit, now. None: nothing is due."""


@dataclass(frozen=True, slots=True)
class Page:
    """What a page is made of: its template, and the values in it."""

    template: str
    values: Mapping[str, Any]


class Queries:
    """Everything that pages read. All methods raise StoreError."""

    def __init__(
        self,
        store: Store,
        summary: ConfigSummary,
        health: Health,
        next_edition: NextDigest,
        coming: Coming | None = None,
        disk: Disk | None = None,
    ) -> None:
        self.overview = Overview(store)
        self.ledger = Ledger(store)
        self.desk = DeliveryAdmin(store)
        self.dead_letters = DeadLetters(store)
        self.history = History(store)
        self.silences = Silences(store)
        self.summary = summary
        self._health = health
        self._next = next_edition
        self._coming = coming
        self._disk = disk

    async def now(self, moment: datetime) -> Page:
        """The page Now."""
        seen = await look(self.overview, self.summary)
        document = report(self.summary, self._health, seen, moment, __version__)
        up = not seen.problem
        coming = await self.upcoming(moment) if up else ()
        day = await self.ledger.page(moment.astimezone(UTC).date()) if up else {}
        failing = [status.name for status in seen.sources if status.failures][: now.SHOWN]
        due = await self.overview.due(failing) if up and failing else {}
        receivers = seen.receivers or {}
        values = now.page_of_now(
            document, seen.depths, seen.ages or {}, seen.sources, receivers, coming, day, due, moment
        )
        return Page("now", values)

    async def document(self, moment: datetime) -> Mapping[str, Any]:
        """What /status.json says."""
        return report(self.summary, self._health, await look(self.overview, self.summary), moment, __version__)

    async def search(self, search: stories.Search, count: int = 50) -> HitPage:
        """Hits that somebody looks for, up to so many."""
        before = search.before if is_mark(search.before) else ""
        return await self.history.search(stories.wanted_by(search), topic=search.topic, before=before, count=count)

    async def statuses(self) -> list[SourceStatus]:
        """How every source fares."""
        found: list[SourceStatus] = []
        for at in range(0, len(self.summary.sources), 500):
            found += await self.overview.sources(self.summary.sources[at : at + 500])
        return found

    async def charts(self, moment: datetime) -> list[tuple[Topic, Chart]]:
        """A fortnight of each topic."""
        days, pages = await self._fortnight(moment)
        return [(topic, topics.fortnight(topic, days, pages)) for topic in self.summary.topics]

    async def syndicated(self, name: str, count: int = 50) -> tuple[Topic, tuple[Hit, ...]] | None:
        """A topic and its latest hits; None if there is no such topic."""
        topic = self._topic(name)
        if topic is None:
            return None
        found = await self.history.search(lambda hit: True, topic=name, count=count)
        return topic, tuple(past.hit for past in found.hits)

    async def upcoming(self, moment: datetime, only: str = "") -> tuple[digests.Upcoming, ...]:
        """What every group is told next; the one of the id `only`: with the hits that wait for it."""
        groups = [group for group in self.summary.groups if only in ("", operations_previews.id_of(group))]
        parked = await self.overview.waiting([group.key for group in groups], _PARKED_SHOWN if only else 1)
        return tuple(
            digests.Upcoming(
                operations_previews.id_of(group),
                group.receiver,
                schedule_words(group.schedule),
                self._next(group, parked[group.key].opened, moment),
                parked[group.key].count,
                parked[group.key].hits,
            )
            for group in groups
        )

    async def stories(self, query: Mapping[str, str]) -> Page:
        """The page Stories."""
        search = stories.search_of(query)
        found = await self.search(search, stories.PAGE)
        asked = {"q": search.text, "topic": search.topic, "source": search.source, "lang": search.lang}
        more = urlencode({name: value for name, value in asked.items() if value} | {"before": found.more})
        names = [(topic.name, topic.title) for topic in self.summary.topics]
        return Page(
            "stories",
            stories.page_of_stories(
                found, search, names, self.summary.sources[:100], f"/stories?{more}" if found.more else ""
            ),
        )

    async def feeds(self, query: Mapping[str, str], moment: datetime) -> Page:
        """The page Feeds."""
        statuses = await self.statuses()
        due = await self.overview.due(self.summary.feeds)
        today = by_name(await self.ledger.page(moment.astimezone(UTC).date()), "source")
        summary = self.summary
        return Page(
            "feeds", feeds.page_of_feeds(statuses, due, summary.places, summary.paces, summary.folders, today, query)
        )

    async def topics(self, query: Mapping[str, str], moment: datetime) -> Page:
        """The page Topics."""
        days, pages = await self._fortnight(moment)
        return Page(
            "topics", topics.page_of_topics(self.summary.topics, query, lambda one: topics.fortnight(one, days, pages))
        )

    async def topic(self, name: str, moment: datetime) -> Page | None:
        """The page of one topic; None if there is no such topic."""
        return await self._topic_page(name, moment)

    async def tried(self, name: str, moment: datetime, title: str, body: str) -> Page | None:
        """The page of one topic with a text that was put to it, or why that cannot be done."""
        wrong = topics.mistakes(title, body)
        return await self._topic_page(name, moment, title[: topics.TITLE], body[: topics.BODY], wrong, put=not wrong)

    async def _topic_page(
        self,
        name: str,
        moment: datetime,
        title: str = "",
        body: str = "",
        wrong: Mapping[str, str] | None = None,
        *,
        put: bool = False,
    ) -> Page | None:
        found = self._topic(name)
        if found is None:
            return None
        days, pages = await self._fortnight(moment)
        trial = await asyncio.to_thread(topics.put_to, found, title, body) if put else None
        values = topics.page_of_topic(found, topics.fortnight(found, days, pages), title, body, trial)
        return Page("topic", values | {"mistakes": wrong or {}})

    def _topic(self, name: str) -> Topic | None:
        return next((topic for topic in self.summary.topics if topic.name == name), None)

    async def _fortnight(self, moment: datetime) -> tuple[list[date], list[Mapping[str, Mapping[str, int]]]]:
        last = moment.astimezone(UTC).date()
        days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        return days, [by_name(await self.ledger.page(day), "topic") for day in days]

    async def editions(self, moment: datetime) -> Page:
        """The page Editions."""
        return Page(
            "editions", digests.page_of_digests(await self.upcoming(moment), await self.history.sent(_SENT_SHOWN))
        )

    async def edition(self, id_: str) -> Page | None:
        """One message, sent or on its way; None if nothing is known of it (any more)."""
        found = await self._dead_letter(id_)
        if found is None:
            return None
        message, facts = found
        title = message.subject if message is not None else id_
        shown = digests.shown([message] if message is not None else [], f"/e/{id_}")
        return Page("edition", {"active": "editions", "title": title, "facts": facts, "messages": shown})

    async def _dead_letter(self, id_: str) -> tuple[Message | None, list[tuple[str, str]]] | None:
        sent = await self.history.sent_message(id_)
        if sent is not None:
            facts = [("receiver", sent.receiver), ("arrived", f"{sent.sent:%Y-%m-%d %H:%M:%S} UTC")]
            facts += [("attempts", str(sent.attempts)), ("delivery", sent.id), ("digest", sent.digest)]
            return sent.message, facts
        case = await self.desk.record(id_)
        if case is None or not case.receiver:
            return None
        facts = [("receiver", case.receiver), ("state", case.state), ("attempts", str(case.attempts))]
        facts += [("delivery", case.id), ("digest", case.digest)] + ([("error", case.error)] if case.error else [])
        return case.message, facts

    async def previews(self, id_: str) -> tuple[Preview, ...] | None:
        """What the group of that id would be sent now; None if there is no such group."""
        known = self._coming is not None and any(
            operations_previews.id_of(group) == id_ for group in self.summary.groups
        )
        return await self._coming.preview(id_) if known and self._coming is not None else None

    async def coming(self, id_: str, moment: datetime) -> Page | None:
        """A coming edition as it would be sent now; None if there is no such group."""
        made = await self.previews(id_)
        found = next(iter(await self.upcoming(moment, id_)), None)
        return (
            Page("coming", digests.page_of_coming_digest(found, made, moment)) if found and made is not None else None
        )

    async def face(self, id_: str, number: int, key: str, *, coming: bool) -> MessageForm | None:
        """One text of the message of that number (from 1) of a coming edition, or of one that is sent or on its way."""
        if coming:
            messages = [message for preview in await self.previews(id_) or () for message in preview.messages]
        else:
            dead_letter = await self._dead_letter(id_)
            messages = [dead_letter[0]] if dead_letter is not None and dead_letter[0] is not None else []
        return digests.form_of(messages[number - 1], key) if 1 <= number <= len(messages) else None

    async def deliveries(self, moment: datetime) -> Page:
        """The page Deliveries."""
        names = self.summary.receivers
        states, depths = await self.overview.receivers(names), await self.overview.depths(names)
        cases, dead_letters = await self.desk.records(), await self.dead_letters.all()
        sent = await self.history.sent(_SENT_SHOWN)
        values = deliveries.page_of_deliveries(
            states, self.summary.kinds, depths.outbox, cases, dead_letters, sent, moment
        )
        return Page("deliveries", values)

    async def configuration(
        self, moment: datetime, typed: Mapping[str, str] | None = None, mistakes: Mapping[str, str] | None = None
    ) -> Page:
        """The page Configuration, `typed` in the form for a silence with its `mistakes`.

        It is there without the store, too: somebody may look for the mistake in it."""
        last = self._health.reload
        try:
            silences: tuple[Silence, ...] | None = await self.silences.all()
        except StoreError:
            silences = None
        disk = await self.compare()
        values = configuration.page_of_configuration(
            self.summary, last.good, last.when, last.problem, silences, moment, disk
        )
        return Page("config", values | configuration.form(typed or {}, mistakes or {}))

    async def compare(self) -> Comparison | None:
        """What lies on the disk; None if nobody can look."""
        return await self._disk.compare() if self._disk is not None else None

    async def mark(self) -> str:
        """Changes when something moved that pages show."""
        depths = await self.overview.depths(self.summary.receivers)
        newest = await self.history.newest()
        states = await self.overview.receivers(self.summary.receivers)
        versions = [state.version for state in states.values()]
        return repr((depths, newest, versions, self._health.reload.when, self._health.reload.good))
