"""Pure: what is kept of a feed from one visit to the next, as typed values; the store keeps each field as text.

Sources of the rules: RFC 9111 (Cache-Control, Expires, Age), RSS 2.0 (ttl, skipHours, skipDays), RFC 9110, 15.4.2 and
15.4.9 (permanent redirects), WebSub (https://www.w3.org/TR/websub/).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import ClassVar

from watchpost.documents.results import FeedHints
from watchpost.durations import in_words
from watchpost.http_headers import http_date
from watchpost.poll.schedule import LONGEST, Interval, MinimumWait
from watchpost.store.text_fields import Days, Hours, changed_fields, from_fields, read_seconds

_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)
_NO_STORE = re.compile(r"(?:^|[\s,])no-(?:store|cache)\b", re.IGNORECASE)
_FAR_SECONDS = 10**9  # an absurd wait stays countable; the schedule makes a day of it
_URL_MAX = 500
_DATE_AGE_MAX, _DATE_AHEAD_MAX = timedelta(days=3650), timedelta(days=1)
_NO_DATES = frozenset({"0", "-1", "never", "none", "null", "false"})
_BEHIND_MAX = timedelta(days=3)


@dataclass(frozen=True, slots=True)
class HubSubscription:
    """The request that a hub push the feed, and how far the hub is relied upon.

    `asked` is when we asked `hub` for `topic`, `problem` why that failed. `granted` is the topic that the hub
    confirmed, perhaps before we noted that we asked. `start` and `end` are its lease. `pushed` is when the hub last
    pushed, `polled` whether the feed was visited during the lease, and `missed` when such a visit found an entry that
    the hub had not pushed.
    """

    KEYS: ClassVar = {
        "hub": "push_hub",
        "topic": "push_topic",
        "asked": "push_asked",
        "problem": "push_said",
        "granted": "push_granted",
        "start": "push_from",
        "end": "push_until",
        "pushed": "push_heard",
        "polled": "push_polled",
        "missed": "push_missed",
    }

    hub: str = ""
    topic: str = ""
    asked: datetime | None = None
    problem: str = ""
    granted: str = ""
    start: datetime | None = None
    end: datetime | None = None
    pushed: datetime | None = None
    polled: bool = False
    missed: datetime | None = None

    def is_to_ask(self, hub: str, topic: str, now: datetime) -> bool:
        """Whether `hub` is to be asked for `topic` now."""
        same, end = (hub, topic) == (self.hub, self.topic), self._lease_end(now)
        if same and end is not None:
            if now < self._renewal(end):
                return False
            pause = self._pause_between_renewals(end)
        else:
            pause = _ASK_AGAIN if same else _SOONEST
        return self.asked is None or not timedelta(0) <= now - self.asked < pause

    def is_relied_upon(self, now: datetime) -> bool:
        """Whether the hub pushes this feed: its lease runs, and it has missed nothing since it last pushed."""
        return self._lease_end(now) is not None and self.missed is None

    def minimum_wait(self, now: datetime) -> MinimumWait | None:
        """How long a pushed feed need not be polled: a day, or until the lease has to be renewed."""
        end = self._lease_end(now)
        if end is None or self.missed is not None:
            return None
        left = self._renewal(end) - now
        pause = min(left if left > timedelta(0) else self._pause_between_renewals(end), LONGEST)
        return MinimumWait(pause, "its hub pushes what is new; polled once a day all the same")

    def after_request(self, hub: str, topic: str, problem: str, now: datetime) -> HubSubscription:
        """After the hub was asked; `problem` is why it refused, "" if it accepted the request."""
        return replace(self, hub=hub, topic=topic, asked=now, problem=problem)

    def after_confirmation(self, topic: str, lease_seconds: int, now: datetime) -> HubSubscription:
        """After the hub confirmed a lease of so many seconds (0: it did not say)."""
        lease = min(timedelta(seconds=min(lease_seconds, _FAR_SECONDS)), _LEASE_MAX) if lease_seconds else _LEASE_UNSAID
        return replace(self, granted=topic, start=now, end=now + lease, problem="", polled=False)

    def after_refusal(self, reason: str) -> HubSubscription:
        """After the hub said that it will not push."""
        return replace(self, granted="", problem=f"the hub refuses: {reason or 'no reason given'}")

    def after_push(self, now: datetime) -> HubSubscription:
        """After a push: a hub that pushes is relied upon again."""
        return replace(self, pushed=now, missed=None)

    def after_visit(self, now: datetime, *, missed: bool) -> HubSubscription:
        """After a visit. `missed`: it brought entries that the hub had not pushed.

        What came before the first visit of the lease is not the hub's fault.
        """
        if not self.is_relied_upon(now):
            return self
        return replace(self, polled=True, missed=now if missed and self.polled else self.missed)

    def _lease_end(self, now: datetime) -> datetime | None:
        runs = self.end is not None and self.end > now and self.granted == self.topic
        return self.end if runs else None

    def _renewal(self, end: datetime) -> datetime:
        return end if self.start is None else self.start + (end - self.start) * _RENEW_AFTER

    def _pause_between_renewals(self, end: datetime) -> timedelta:
        pause = (end - self.start) * _RENEW_AGAIN if self.start is not None else _SOONEST
        return min(max(pause, _SOONEST), _ASK_AGAIN)


_LEASE_MAX = timedelta(days=30)
_LEASE_UNSAID = timedelta(days=1)
_ASK_AGAIN = timedelta(hours=6)
_RENEW_AFTER, _RENEW_AGAIN = 0.8, 0.05  # parts of the lease
_SOONEST = timedelta(minutes=10)

MOVED_VISITS = 3
MOVED_FOR = timedelta(hours=24)


@dataclass(frozen=True, slots=True)
class FeedMemory:
    """What a feed's visits have learnt. `url` is the configured one: of another url nothing counts.

    `final` is where the answer came from, if from elsewhere; `etag` and `modified` are its validators, byte for byte;
    `stuck` is a Last-Modified that stayed while the feed changed, and `stuck_etag` such an ETag: they say nothing.
    `body` is its checksum,
    `read` when the feed was last read, `whole` whether all its entries were looked at then (version 0.1.0 looked at the
    first `max_items`), `gone` the url that answered 410. `pace` follows from the entries' dates. `fresh` is how long
    the answer stays fresh and `fresh_by` which header says so. `ttl` to `self_url` are FeedHints.

    A permanent redirect is followed at each visit. Only when it has led to the same place three times, with a day
    between the first and the last, and to a feed each time, is that place visited directly: a captive portal or a
    mistake of the publisher lasts less long. `moved` is the place that is being proven, `moved_since` and
    `moved_times` since when and how often it was seen, `moved_to` the proven place.

    `day` is the day, in UTC, of the last new entries, and `day_new` how many there were on it.

    `entries` are the last ones that became articles, as known_entries.py writes them.
    """

    KEYS: ClassVar = {"self_url": "self"}

    url: str = ""
    final: str = ""
    etag: str = ""
    modified: str = ""
    stuck: str = ""
    stuck_etag: str = ""
    body: str = ""
    read: datetime | None = None
    whole: bool = False
    gone: str = ""
    pace: timedelta | None = None
    fresh: timedelta | None = None
    fresh_by: str = ""
    ttl: timedelta | None = None
    update_every: timedelta | None = None
    skip_hours: Hours = ()
    skip_days: Days = ()
    hub: str = ""
    self_url: str = ""
    entries: str = ""
    day: str = ""
    day_new: int = 0
    moved: str = ""
    moved_since: datetime | None = None
    moved_times: int = 0
    moved_to: str = ""
    subscription: HubSubscription = HubSubscription()

    @classmethod
    def decode(cls, texts: Mapping[str, str]) -> FeedMemory:
        """What the store has, as a value."""
        return from_fields(cls, texts)

    def changes_since(self, before: FeedMemory) -> dict[str, str]:
        """What to write to the store. After a change of the url a confirmation that has arrived meanwhile is kept."""
        if before.url != self.url:
            before = replace(before, subscription=HubSubscription())
        return changed_fields(before, self)

    def with_answer(self, url: str, answered_by: str, headers: Mapping[str, str], *, unchanged: bool) -> FeedMemory:
        """After an answer for the configured `url`. A 304 replaces the headers that it has (RFC 9111, 3.2)."""
        before = self if unchanged else FeedMemory()
        fresh, fresh_by = _freshness(headers) or (before.fresh, before.fresh_by)
        return replace(
            self,
            url=url,
            gone="",
            final=answered_by if answered_by != url else "",
            etag=headers.get("etag", before.etag),
            modified=headers.get("last-modified", before.modified),
            fresh=fresh,
            fresh_by=fresh_by,
        )

    def new_today(self, now: datetime) -> int:
        """How many new entries were taken on the day of `now`, in UTC."""
        return self.day_new if self.day == f"{now.astimezone(UTC):%Y-%m-%d}" else 0

    def with_new(self, number: int, now: datetime) -> FeedMemory:
        """After so many new entries were taken."""
        if not number:
            return self
        return replace(self, day=f"{now.astimezone(UTC):%Y-%m-%d}", day_new=self.new_today(now) + number)

    def date_to_send(self, now: datetime) -> str:
        """The Last-Modified for a conditional request, "" if it says nothing.

        Some servers send one date for ever, of 1970, of 1980 or ahead, and "not modified" to anyone who returns it.
        """
        date = http_date(self.modified)
        if date is None:  # some servers compare, letter by letter, what they wrote in a form of their own
            return "" if self.modified.strip().lower() in _NO_DATES else self.modified
        is_absurd = not now - _DATE_AGE_MAX <= date <= now + _DATE_AHEAD_MAX
        return "" if is_absurd or self.modified == self.stuck else self.modified

    def etag_to_send(self) -> str:
        """The ETag for a conditional request, "" if it says nothing."""
        return "" if self.etag == self.stuck_etag or not self.etag.strip('W/" ') else self.etag

    def with_proof(self, before: FeedMemory, newest: datetime | None) -> FeedMemory:
        """After a whole document that is another than `before`, whose newest entry is of `newest`."""
        date = http_date(self.modified)
        same = bool(before.body) and before.modified == self.modified
        older = date is not None and newest is not None and newest - date > _BEHIND_MAX
        same_etag = bool(before.body) and before.etag == self.etag
        return replace(
            self,
            stuck=self.modified if self.modified and (same or older) else "",
            stuck_etag=self.etag if same_etag else "",
        )

    def with_hints(self, hints: FeedHints, pace: timedelta | None) -> FeedMemory:
        """After a document with these hints, and entries whose dates make this pace."""
        return replace(
            self,
            pace=pace,
            ttl=_a_second_or_more(hints.ttl),
            update_every=_a_second_or_more(hints.update_every),
            skip_hours=hints.skip_hours,
            skip_days=hints.skip_days,
            hub=hints.hub[:_URL_MAX],
            self_url=hints.self_url[:_URL_MAX],
        )

    def with_hub_links(self, links: Mapping[str, str]) -> FeedMemory:
        """After an answer with these links of WebSub in its headers; they replace those of the document."""
        if not links:
            return self
        return replace(self, hub=links.get("hub", self.hub), self_url=links.get("self", self.self_url))

    def with_redirect(self, target: str, now: datetime) -> FeedMemory:
        """After a visit that brought a feed. `target` is where permanent redirects led, "" if nowhere."""
        if not target:
            return replace(self, moved="", moved_since=None, moved_times=0) if self.moved else self
        since = (self.moved_since or now) if target == self.moved else now
        times = (self.moved_times if target == self.moved else 0) + 1
        if times >= MOVED_VISITS and now - since >= MOVED_FOR:
            return replace(self, moved="", moved_since=None, moved_times=0, moved_to=target)
        return replace(self, moved=target, moved_since=since, moved_times=times)

    def without_redirect(self) -> FeedMemory:
        """After the proven place failed: the next visit goes to the configured url."""
        return replace(self, moved="", moved_since=None, moved_times=0, moved_to="")

    @property
    def redirect_note(self) -> str:
        """For the operator: where the feed has moved, "" if nowhere."""
        if self.moved_to:
            return f"moved for good, read at {self.moved_to}"
        return f"moved for good to {self.moved}, the server says" if self.moved else ""

    def hub_to_ask(self, url: str, now: datetime) -> tuple[str, str] | None:
        """The hub to ask now and the topic to ask for; None if nothing is to be asked."""
        topic = self.self_url or self.final or url
        return (self.hub, topic) if self.hub and self.subscription.is_to_ask(self.hub, topic, now) else None

    def interval(self, age: str, *, adaptive: bool) -> Interval:
        """How often the feed may be read. `age` is the Age header of its last answer."""
        floors = []
        left = (self.fresh or timedelta(0)) - (read_seconds(age) or timedelta(0))
        if left > timedelta(0):
            floors.append(MinimumWait(left, f"the server says {self.fresh_by} {in_words(left)}"))
        if self.ttl:
            floors.append(MinimumWait(self.ttl, f"the feed says ttl {in_words(self.ttl)}"))
        if self.update_every:
            why = f"the feed says that it changes every {in_words(self.update_every)}"
            floors.append(MinimumWait(self.update_every, why))
        return Interval(
            every=(self.pace or None) if adaptive else None,
            floors=tuple(floors),
            skip_hours=self.skip_hours,
            skip_days=self.skip_days,
        )

    def interval_after_failure(self, retry_after_seconds: float | None) -> Interval:
        """As `interval`, after a failure: nothing was read that could stay fresh."""
        floors: tuple[MinimumWait, ...] = ()
        if retry_after_seconds is not None and retry_after_seconds > 0:
            pause = timedelta(seconds=min(retry_after_seconds, _FAR_SECONDS))
            floors = (MinimumWait(pause, f"the server asked for {in_words(pause)}"),)
        return Interval(floors=floors, skip_hours=self.skip_hours, skip_days=self.skip_days)


def _freshness(headers: Mapping[str, str]) -> tuple[timedelta | None, str] | None:
    """How long an answer stays fresh, and which header says so. None if no header says anything about it."""
    control = headers.get("cache-control", "")
    if _NO_STORE.search(control):
        return None, ""
    if maximum := _MAX_AGE.search(control):
        return read_seconds(maximum[1]), "max-age"
    if "expires" in headers:
        end, start = http_date(headers["expires"]), http_date(headers.get("date", ""))
        seconds = 0 if end is None or start is None else int((end - start).total_seconds())
        return timedelta(seconds=min(seconds, _FAR_SECONDS)) if seconds > 0 else None, "Expires"
    return (None, "") if control else None


def _a_second_or_more(span: timedelta | None) -> timedelta | None:
    return span if span is not None and span >= timedelta(seconds=1) else None
