"""What pages and the API read: from the store and the configuration to the values of a page. Changes nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Literal
from urllib.parse import urlencode
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost.errors import FormError, NotFound, StoreError
from watchpost.model import Message, Topic
from watchpost.moments import with_zone
from watchpost.notify.owners import with_owners
from watchpost.notify.rules import covers, silence_of
from watchpost.operations.archive_search import FIELDS, SearchForm
from watchpost.operations.config_diff import Comparison, compare_with_disk
from watchpost.operations.events import events_of_stories
from watchpost.operations.previews import Preview, next_due
from watchpost.operations.saved_searches import find_search, list_searches
from watchpost.operations.service_state import Seen
from watchpost.operations.source_profile import SharedText, SourceProfile, hits_of, profile
from watchpost.operations.stories import StoryView, by_importance, id_from, view_of, views_of
from watchpost.operations.story_search import StorySearch, search_of
from watchpost.operations.suggestions import proposals
from watchpost.operations.tuning import changed, recent_articles, tune
from watchpost.operations.voices import EventView
from watchpost.query.lexer import LONGEST
from watchpost.schedules import Silence
from watchpost.store.dead_letters import DeadLetters
from watchpost.store.deliveries import DeliveryAdmin
from watchpost.store.events import EventStore
from watchpost.store.handling import Handlings
from watchpost.store.history import History
from watchpost.store.hit_records import HitRecords
from watchpost.store.ledger import Ledger, by_name
from watchpost.store.overview import Overview
from watchpost.store.silences import Silences
from watchpost.store.sources import SourceStatus
from watchpost.store.stories import Stories
from watchpost.store.verdicts import Verdicts
from watchpost.trend import trend_of
from watchpost.web import visits
from watchpost.web.context import WebContext, summary_of
from watchpost.web.formatting import Chart, page_of, schedule_words
from watchpost.web.health import look_at, problems_of, report
from watchpost.web.pages import configuration, deliveries, digests, feeds, news, places, search, status, stories, topics
from watchpost.web.pages.digests import MessageForm
from watchpost.web.pages.news import News, TopicRow

DAYS = 14
_WAITING_SHOWN = 50
_SENT_SHOWN = 50
_NEWS_HITS = 10_000  # that the first page looks at
_RANKED_KEPT = 8
_TRENDS = 40  # topics whose hits are compared with what is usual

if TYPE_CHECKING:
    from watchpost.archive.search import FoundPage


@dataclass(frozen=True, slots=True)
class Page:
    """A page to be: its template, and the values in it."""

    template: str
    values: Mapping[str, Any]


class Queries:
    """Everything that pages and the API read. All methods raise StoreError."""

    def __init__(self, context: WebContext) -> None:
        self.context = context
        self.config = context.config
        self.store = context.store
        self.summary = summary_of(context.config)
        self.overview = Overview(context.store)
        self.delivery_admin = DeliveryAdmin(context.store)
        self.dead_letters = DeadLetters(context.store)
        self.history = History(context.store)
        self.silences = Silences(context.store)
        self.searches = StorySearch(context.config, context.store)
        self._stories = Stories(context.store)
        self.handlings = Handlings(context.store, context.config.retention.hits)
        self._ledger = Ledger(context.store)
        self.archive_search = None if context.archive is None else search.ArchiveSearch(context.archive, context.config)
        self._weights = {part.name: getattr(part.options, "weight", 1.0) for part in context.config.sources}
        # By the begin, the newest hit and the newest decision on events: stories with the others of their events.
        self._ranked: dict[tuple[datetime, str, str], tuple[dict[str, tuple[str, ...]], bool]] = {}
        self._publishers = context.config.publishers

    async def news(self, query: Mapping[str, str], visit: visits.Visit, moment: datetime) -> Page:
        """The first page, for the reader of this visit."""
        found, asked = await self._news(query, visit, moment)
        number, count = page_of(query, len(found.stories), news.PAGE)
        ids = found.stories[(number - 1) * news.PAGE : number * news.PAGE]
        others = {id_: found.others[id_][: news.VOICES] for id_ in ids if id_ in found.others}
        whole = await self._stories.whole([*ids, *(id_ for each in others.values() for id_ in each)])
        earlier = () if ids else (await self._stories.page(lambda hit: True, count=news.EARLIER)).stories
        shown = views_of((whole[id_] for id_ in ids if id_ in whole), self._publishers)
        values = news.page_of_news(
            found,
            shown,
            views_of(earlier, self._publishers),
            voices={id_: views_of(whole[one] for one in each if one in whole) for id_, each in others.items()},
            topics=await self._topic_rows(found.begin, moment),
            upcoming=await self.upcoming(moment),
            document=await self.document(moment),
            muted=await self._muted(shown, moment),
            handlings=await self.handlings.of(story.id for story in (*shown, *views_of(earlier, self._publishers))),
            page=number,
            pages=count,
            asked=asked,
        )
        return Page("news", values)

    async def _news(self, query: Mapping[str, str], visit: visits.Visit, moment: datetime) -> tuple[News, str]:
        """The stories that are new, and the span that the address asks for, "" for none that can be read."""
        zone, asked = ZoneInfo(self.config.timezone), query.get("since", "")[:40].strip()
        begin = visits.begin_of_news(visit, moment, zone)
        why: Literal["visit", "evening", "asked"] = "evening" if visit.since is None else "visit"
        mistake = ""
        if asked:
            try:
                minute = moment.replace(second=0, microsecond=0)
                begin, why = durations.since(asked, minute, zone).astimezone(UTC), "asked"
            except ValueError as error:
                asked, mistake = "", f"Since: {error}"
        # Sorting thousands of hits takes a while; they are read again when there is another one, or another event.
        events = EventStore(self.store) if self.config.events else None
        key = begin, (await self.history.newest())[0], await events.newest() if events else ""
        if key not in self._ranked:
            hits, more = await self.history.since(begin, _NEWS_HITS)
            voiced = with_owners(hits, self._publishers)
            stories = await asyncio.to_thread(by_importance, voiced, self._weights, moment)
            self._ranked[key] = news.by_event(stories, await events.ids_of(stories) if events else {}), more
            while len(self._ranked) > _RANKED_KEPT:
                self._ranked.pop(next(iter(self._ranked)))
        whole, more = self._ranked[key]
        voices = {first: others for first, others in whole.items() if others}
        return News(begin, why, tuple(whole), more, voices, mistake), asked

    async def _topic_rows(self, begin: datetime, moment: datetime) -> list[TopicRow]:
        days, pages = await self._fortnight(moment)
        charts = {topic.name: topics.fortnight(topic, days, pages) for topic in self.summary.topics}
        recent = [page.get(name, {}).get("hits", 0) for name in charts for page in pages[-2:]]
        lively = sorted(charts, key=lambda name: -sum(page.get(name, {}).get("hits", 0) for page in pages[-2:]))
        lively = lively[:_TRENDS] if any(recent) else []
        counts = await self.overview.counts(lively, moment)
        window, zone = news.window_of_trend(begin, moment), ZoneInfo(self.config.timezone)
        trends = {name: trend_of(hours, *window, zone) for name, hours in counts.items()}
        return [TopicRow(topic, charts[topic.name], trends.get(topic.name)) for topic in self.summary.topics]

    async def _muted(self, shown: Sequence[StoryView], moment: datetime) -> dict[str, datetime]:
        """Until when these stories are muted, by story; only those all of whose topics are."""
        silences = (*self.summary.silences, *await self.silences.all())
        muted = {}
        for story in shown:
            found = [silence_of(silences, hit, moment) for hit in story.topics]
            ends = [silence.until for silence in found if silence is not None]
            if len(ends) == len(found):
                muted[story.id] = min(ends)
        return muted

    async def status(self, moment: datetime) -> Page:
        """The page Status."""
        seen = await look_at(self.overview, self.summary)
        up = not seen.problem
        failing = [one.name for one in seen.sources if one.failures][: status.SHOWN]
        values = status.page_of_status(
            self._report(seen, moment),
            seen,
            upcoming=await self.upcoming(moment) if up else (),
            day=await self._ledger.page(moment.astimezone(UTC).date()) if up else {},
            due=await self.overview.due(failing) if up and failing else {},
            now=moment,
            problems=problems_of(self.context.health, self.context.reloader.last, seen, moment),
        )
        return Page("status", values)

    async def document(self, moment: datetime) -> dict[str, Any]:
        """The document of /status.json."""
        return self._report(await look_at(self.overview, self.summary), moment)

    async def statuses(self) -> list[SourceStatus]:
        """The state of every source."""
        found: list[SourceStatus] = []
        for at in range(0, len(self.summary.sources), 500):
            found += await self.overview.sources(self.summary.sources[at : at + 500])
        return found

    async def charts(self, moment: datetime) -> list[tuple[Topic, Chart]]:
        """Each topic with its hits of the last 14 days."""
        days, pages = await self._fortnight(moment)
        return [(topic, topics.fortnight(topic, days, pages)) for topic in self.summary.topics]

    async def latest_stories(
        self, name: str, count: int = 50
    ) -> tuple[Topic, tuple[StoryView, ...], Mapping[str, EventView]]:
        """A topic, its latest stories, and their events by story. Raises NotFound."""
        topic = self._topic(name)
        found = views_of(
            (await self._stories.page(lambda hit: True, topic=name, count=count)).stories, self._publishers
        )
        return topic, found, await self.events(found)

    async def upcoming(self, moment: datetime, only: str = "") -> tuple[digests.Upcoming, ...]:
        """What every group is sent next; with `only`, an id, one group and the hits that wait for it."""
        groups = [group for group in self.summary.groups if only in ("", group.id)]
        waiting = await self.overview.waiting([group.key for group in groups], _WAITING_SHOWN if only else 1)
        return tuple(
            digests.Upcoming(
                group.id,
                group.receiver,
                schedule_words(group.schedule),
                next_due(group, waiting[group.key].opened, moment),
                waiting[group.key].count,
                waiting[group.key].hits,
            )
            for group in groups
        )

    async def story(self, id_: str) -> StoryView:
        """One story, whole. Raises NotFound."""
        found = await self._stories.story(id_from(id_))
        if found is None:
            raise NotFound(f"no story {id_}")
        return view_of(found, self._publishers)

    async def events(self, stories: Sequence[StoryView]) -> dict[str, EventView]:
        """The events of those of these stories that are not alone in theirs, by story."""
        return (
            await events_of_stories(self.store, (story.id for story in stories), self._publishers)
            if self.config.events
            else {}
        )

    async def story_page(self, id_: str, query: Mapping[str, str]) -> Page:
        """The page of one story. Raises NotFound."""
        story, now = await self.story(id_), datetime.now(UTC)
        handling = (await self.handlings.of([story.id]))[story.id]
        silences = (*self.summary.silences, *await self.silences.all())
        covering = [one for one in silences if one.until > now and any(covers(one, hit) for hit in story.topics)]
        ended = [one.id for one in covering if one not in self.summary.silences]
        event = (await self.events([story])).get(story.id)
        values = stories.page_of_story(story, query, handling, covering, ended, event, joinable=self.config.events)
        return Page("story", values)

    async def search_page(self, query: Mapping[str, str], moment: datetime, name: str = "") -> Page:
        """The page Search, or that of the saved search `name`.

        Raises ArchiveError; NotFound without an archive or such a search.
        """
        wanted = await self._of_saved(name, query)
        form, found = await self.searched(wanted, moment)
        try:
            saved = await list_searches(self.store)
        except StoreError:  # the archive can be searched all the same
            saved = ()
        return Page("search", search.page_of_search(form, found, self.config, saved, name))

    async def search_feed(self, query: Mapping[str, str], address: str, moment: datetime, name: str = "") -> bytes:
        """A search as an Atom feed. Raises FormError, ArchiveError; NotFound without an archive or such a search."""
        form, found = await self.searched(await self._of_saved(name, query), moment)
        if form.mistakes:
            raise FormError(form.mistakes)
        return search.atom_of_search(form.asked, found.found if found is not None else (), address, moment, name)

    async def _of_saved(self, name: str, query: Mapping[str, str]) -> Mapping[str, str]:
        """The fields of the saved search of this name, and where to continue; without a name those of the query."""
        if not name:
            return query
        return {**(await find_search(self.store, name)).asked, "before": query.get("before", "")}

    def search_form(self, query: Mapping[str, str], moment: datetime) -> SearchForm:
        """What a form asks of the archive. Raises NotFound without an archive."""
        if self.archive_search is None:
            raise NotFound("there is no archive")
        return self.archive_search.form(query, moment)

    async def searched(self, query: Mapping[str, str], moment: datetime) -> tuple[SearchForm, FoundPage | None]:
        """The form, and what is found; None before anything is asked, and if it has mistakes."""
        if self.archive_search is None:
            raise NotFound("there is no archive")
        form = self.archive_search.form(query, moment)
        if form.wanted is None or not any(name in query for name in FIELDS):
            return form, None
        try:
            silences = (*self.summary.silences, *await self.silences.all())
        except StoreError:
            silences = self.summary.silences
        return form, await self.archive_search.page(form.wanted, query.get("before", ""), silences, moment)

    async def stories(self, query: Mapping[str, str]) -> Page:
        """The page Stories."""
        search, mistakes = search_of(query), dict[str, str]()
        try:
            found, older = await self.searches.stories(search, stories.PAGE)
        except FormError as error:
            found, older, mistakes = (), "", error.fields
        asked = search.asked()
        values = stories.page_of_stories(
            found,
            await self.handlings.of(story.id for story in found),
            search,
            topics=[(topic.name, topic.title) for topic in self.summary.topics],
            sources=self.summary.sources[:100],
            more=f"/stories?{urlencode(asked | {'before': older})}" if older else "",
            asked=urlencode(asked),
            mistakes=mistakes,
        )
        return Page("stories", values)

    async def places(self, moment: datetime) -> Page:
        """The page Places."""
        return Page("places", await self.counts_of_places(moment))

    async def counts_of_places(self, moment: datetime) -> dict[str, Any]:
        """Where the events of the last days happened: what the page Places shows."""
        zone = ZoneInfo(self.config.timezone)
        today = moment.astimezone(zone).date()
        begin = datetime.combine(today - timedelta(days=places.DAYS - 1), time(), zone).astimezone(UTC)
        hits, more = await self.history.since(begin, _NEWS_HITS)
        return await asyncio.to_thread(places.page_of_places, hits, today, zone, more=more)

    async def feeds(self, query: Mapping[str, str], moment: datetime) -> Page:
        """The page Feeds."""
        statuses = await self.statuses()
        due = await self.overview.due(self.summary.feeds)
        today = by_name(await self._ledger.page(moment.astimezone(UTC).date()), "source")
        return Page("feeds", feeds.page_of_feeds(self.summary, statuses, due, today, query))

    async def feed(self, name: str, moment: datetime) -> Page:
        """The page of one source. Raises NotFound."""
        source, found, more = await self.profile_of(name, moment)
        return Page("feed", feeds.page_of_feed(self.summary, source, found, more=more))

    async def profile_of(self, name: str, moment: datetime) -> tuple[SourceStatus, SourceProfile, bool]:
        """A source, what its reports of the last days say of it, and whether there were too many hits to read them all.

        Raises NotFound.
        """
        source = next((one for one in await self.statuses() if one.name == name), None)
        if source is None:
            raise NotFound(f"there is no source '{name[:100]}'")
        hits, more = await self.history.since(moment - timedelta(days=feeds.DAYS), _NEWS_HITS)
        stories = dict.fromkeys(hit.story for hit in hits)
        events = await EventStore(self.store).ids_of(stories) if self.config.events else {}
        shares = await HitRecords(self.store).shares(hits_of(name, hits))
        texts = {id_: SharedText(share, article) for id_, (share, article) in shares.items()}
        return source, await asyncio.to_thread(profile, name, hits, events, texts), more

    async def topics(self, query: Mapping[str, str], moment: datetime) -> Page:
        """The page Topics."""
        days, pages = await self._fortnight(moment)
        return Page(
            "topics", topics.page_of_topics(self.summary.topics, query, lambda one: topics.fortnight(one, days, pages))
        )

    async def topic(self, name: str, moment: datetime, tried: tuple[str, str] | None = None) -> Page:
        """The page of one topic, with the headline and text that a person `tried` on it. Raises NotFound."""
        topic = self._topic(name)
        title, body = tried or ("", "")
        mistakes = topics.mistakes(title, body) if tried is not None else {}
        title, body = title[: topics.TITLE], body[: topics.BODY]
        days, pages = await self._fortnight(moment)
        trial = await asyncio.to_thread(topics.try_text, topic, title, body) if tried and not mistakes else None
        latest = await self.history.search(lambda hit: True, topic=name, count=topics.JUDGED)
        verdicts = await Verdicts(self.store).of(name)
        values = topics.page_of_topic(topic, topics.fortnight(topic, days, pages), title, body, trial)
        values |= {"judged": topics.judged([past.hit for past in latest.hits], verdicts)}
        return Page("topic", values | {"mistakes": mistakes})

    async def tuned_topic(self, name: str, moment: datetime, query: str, exclude: str) -> Page:
        """The page of a topic with the effect of another query on recent articles. Raises NotFound and StoreError."""
        topic = self._topic(name)
        page = await self.topic(name, moment)
        mistakes: dict[str, str] = {}
        values = topics.tuned(query[:LONGEST], exclude[:LONGEST])
        try:
            after = changed(self.config, topic, query, exclude)
        except FormError as error:
            mistakes = error.fields
        else:
            articles = await recent_articles(self.store)
            effect = await tune(topic, after, articles)
            values = topics.tuned(query, exclude, len(articles), effect)
        return Page("topic", {**page.values, "mistakes": mistakes, "tuning": values})

    async def suggested_topic(self, name: str, moment: datetime) -> Page:
        """The page of a topic with what its verdicts propose. Raises NotFound and StoreError."""
        topic = self._topic(name)
        found, _ = await proposals(self.config, self.store, topic)
        return Page("topic", {**(await self.topic(name, moment)).values, "proposals": topics.proposed(found)})

    def _topic(self, name: str) -> Topic:
        topic = next((topic for topic in self.summary.topics if topic.name == name), None)
        if topic is None:
            raise NotFound(f"no topic '{name}'")
        return topic

    async def _fortnight(self, moment: datetime) -> tuple[list[date], list[Mapping[str, Mapping[str, int]]]]:
        last = moment.astimezone(UTC).date()
        days = [last - timedelta(days=back) for back in range(DAYS - 1, -1, -1)]
        return days, [by_name(await self._ledger.page(day), "topic") for day in days]

    async def digests(self, moment: datetime) -> Page:
        """The page Digests."""
        sent = await self.history.sent(_SENT_SHOWN)
        return Page("digests", digests.page_of_digests(await self.upcoming(moment), sent))

    async def message(self, id_: str, *, may_act: bool) -> Page:
        """One message, delivered or in progress, as such a user may see it. Raises NotFound."""
        message, facts = await self._message(id_)
        title = message.subject if message is not None else id_
        shown = digests.shown([digests.visible(message, may_act=may_act)] if message is not None else [], f"/e/{id_}")
        return Page("message", {"active": "digests", "title": title, "facts": facts, "messages": shown})

    async def _message(self, id_: str) -> tuple[Message | None, list[tuple[str, str]]]:
        """A message, None if it was not kept, and what is known of its delivery. Raises NotFound."""
        sent = await self.history.sent_message(id_)
        if sent is not None:
            facts = [
                ("Receiver", sent.receiver),
                ("Delivered", with_zone(sent.sent, ZoneInfo(self.config.timezone), seconds=True)),
            ]
            facts += [("Attempts", str(sent.attempts)), ("Delivery", sent.id), ("Digest", sent.digest)]
            return sent.message, facts
        case = await self.delivery_admin.record(id_)
        if case is None or not case.receiver:
            raise NotFound(f"no message {id_}")
        facts = [("Receiver", case.receiver), ("State", case.state), ("Attempts", str(case.attempts))]
        facts += [("Delivery", case.id), ("Digest", case.digest)] + ([("Error", case.error)] if case.error else [])
        return case.message, facts

    async def previews(self, id_: str) -> tuple[Preview, ...]:
        """What the group with this id would be sent now. Raises NotFound."""
        return await self.context.previews.preview(id_)

    async def upcoming_digest(self, id_: str, moment: datetime, *, may_act: bool) -> Page:
        """The next digest of a group as it would be sent now. Raises NotFound."""
        previews = await self.previews(id_)
        (upcoming,) = await self.upcoming(moment, id_)
        return Page("upcoming", digests.page_of_upcoming(upcoming, previews, moment, may_act=may_act))

    async def message_form(self, id_: str, number: int, key: str, *, upcoming: bool, may_act: bool) -> MessageForm:
        """One form of message `number` (from 1) of the next digest, or of a delivered one. Raises NotFound."""
        if upcoming:
            messages = [message for preview in await self.previews(id_) for message in preview.messages]
        else:
            message = (await self._message(id_))[0]
            messages = [message] if message is not None else []
        found = digests.visible(messages[number - 1], may_act=may_act) if 1 <= number <= len(messages) else None
        form = digests.form_of(found, key) if found is not None else None
        if form is None:
            raise NotFound(f"message {id_} has no form '{key}'")
        return form

    async def deliveries(self, moment: datetime) -> Page:
        """The page Deliveries."""
        names = self.summary.receivers
        states, depths = await self.overview.receivers(names), await self.overview.depths(names)
        values = deliveries.page_of_deliveries(
            receivers=[
                (name, self.summary.kinds.get(name, ""), state, state.status(moment), depths.outbox.get(name, 0))
                for name, state in states.items()
            ],
            cases=await self.delivery_admin.records(),
            dead_letters=await self.dead_letters.all(),
            sent=await self.history.sent(_SENT_SHOWN),
        )
        return Page("deliveries", values)

    async def configuration(
        self, moment: datetime, typed: Mapping[str, str] | None = None, mistakes: Mapping[str, str] | None = None
    ) -> Page:
        """The page Configuration, with what was `typed` into the form for a silence and its `mistakes`.

        It works without the store: a person may be looking for the mistake that keeps the store away.
        """
        try:
            silences: tuple[Silence, ...] | None = await self.silences.all()
        except StoreError:
            silences = None
        values = configuration.page_of_configuration(
            self.summary, self.context.reloader.last, await self.compare(), silences, moment
        )
        return Page("config", values | configuration.form(typed or {}, mistakes or {}))

    async def compare(self) -> Comparison:
        """What a reload would change."""
        return await compare_with_disk(self.context.reloader, self.context.role, self.store)

    async def fingerprint(self) -> str:
        """Changes whenever something changed that pages show."""
        depths = await self.overview.depths(self.summary.receivers)
        newest = await self.history.newest()
        states = await self.overview.receivers(self.summary.receivers)
        return repr((depths, newest, [state.version for state in states.values()], self.context.reloader.last.at))

    def _report(self, seen: Seen, moment: datetime) -> dict[str, Any]:
        return report(self.summary, self.context.health, self.context.reloader.last, seen, now=moment)
