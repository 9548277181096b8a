"""The frame of the configuration file: every key that is not an option of a source or receiver kind."""

from __future__ import annotations

import re
from datetime import time, timedelta
from typing import Annotated, Any, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError

from watchpost.model import Severity
from watchpost.plan import crontab, schedule_text
from watchpost.plan.door import Http
from watchpost.plan.fields import Duration, Options, Size
from watchpost.plan.heartbeat import Heartbeat
from watchpost.plan.hush import QuietOptions, SilenceOptions
from watchpost.plan.lists import NAME, PREFIX_MAX
from watchpost.plan.plan import Limits, Retention
from watchpost.plan.several import Several, listed
from watchpost.signature import WINDOW
from watchpost.timetable import GROUP_INTERVAL, REPEAT_INTERVAL

TAG_MAX = 64

_LANGUAGE = re.compile(r"^[a-z]{2,3}$")


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # not a key, a directory of zones, no such zone
        # The wording is finished in complaints.py, which knows how to suggest.
        raise PydanticCustomError("timezone", "no such time zone") from None
    return value


def _language(value: str) -> str:
    if not _LANGUAGE.fullmatch(value):
        raise ValueError("a language is two or three small letters: fr, en, ru")
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("a public address is written like https://watch.example.org")
    return value.rstrip("/")


def _tag(value: str) -> str:
    if not value.strip() or len(value) > TAG_MAX or "," in value or not value.isprintable():
        raise ValueError(f"a tag is up to {TAG_MAX} characters on one line, without a comma")
    return value.strip()


def _prefix(value: str) -> str:
    if value and not (NAME.fullmatch(value) and len(value) <= PREFIX_MAX):
        raise ValueError(f"a prefix is up to {PREFIX_MAX} characters and begins as a name does")
    return value


def _at_least_a_second(value: timedelta) -> timedelta:
    if value < timedelta(seconds=1):
        raise ValueError("must be at least 1s")
    return value


def _at_most_an_hour(value: timedelta) -> timedelta:
    if value > timedelta(hours=1):
        raise ValueError("must be at most 1h")
    return value


def _times(value: Any) -> tuple[time, ...]:
    return schedule_text.times_of_day(listed(value))


def _digest(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(s|m|h|d)", value):
        raise ValueError(f"a digest every {value} is written {{every: {value}}}")
    if isinstance(value, str) and crontab.is_crontab(value):
        return {"cron": value}
    return {"at": value} if isinstance(value, str | list | int | float) else value


Tag = Annotated[str, AfterValidator(_tag)]
"""A word under which feeds are gathered, as folders do in feed readers."""

Span = Annotated[Duration, AfterValidator(_at_least_a_second)]
Language = Annotated[str, AfterValidator(_language), Field(json_schema_extra={"pattern": _LANGUAGE.pattern})]
LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Times = Annotated[tuple[time, ...], BeforeValidator(_times, json_schema_input_type=str | list[str])]
Cron = Annotated[crontab.Crontab, BeforeValidator(crontab.read_crontab, json_schema_input_type=str)]
Days = Annotated[tuple[int, ...], BeforeValidator(schedule_text.days_of_week, json_schema_input_type=str | list[str])]


class Examples(Options):
    """Texts that prove a topic: `watchpost check` runs them."""

    match: Several[str] = ()
    no_match: Several[str] = ()


class TopicOptions(Options):
    """What an analyst watches."""

    query: str
    title: str = ""
    severity: Severity = "normal"
    exclude: str | None = None
    languages: Several[Language] = ()
    window: Annotated[Span, Field(ge=timedelta(hours=1), le=timedelta(days=14))] = WINDOW
    examples: Examples = Examples()


class When(Options):
    """Which hits a route takes; a key that is not written means "any"."""

    topics: Several[str] = ()
    topic: Several[str] = ()
    severity: Several[Severity] = ()
    sources: Several[str] = ()
    feeds: Several[str] = ()


class DigestOptions(Options):
    """At which moments a digest is closed."""

    at: Times | None = None
    days: Days = tuple(range(7))
    every: Span | None = None
    cron: Cron | None = None
    empty: Literal["always", "weekly", "never"] = "weekly"

    @model_validator(mode="after")
    def _one_way(self) -> Self:
        if sum(way is not None for way in (self.at, self.every, self.cron)) != 1:
            raise ValueError('write either at, e.g. "08:00", or every, e.g. 15m, or cron, e.g. "0 8 * * 1-5"')
        if self.at is None and "days" in self.model_fields_set:
            raise ValueError("days goes with at, not with every or cron")
        return self


class RouteOptions(Options):
    """Which hits go where, and when."""

    to: Several[str]
    when: When = When()
    mode: Literal["immediate"] | None = None
    group_wait: Duration = timedelta(seconds=30)
    group_interval: Duration = GROUP_INTERVAL
    repeat_interval: Duration = REPEAT_INTERVAL
    digest: Annotated[
        DigestOptions | None, BeforeValidator(_digest, json_schema_input_type=str | list[str] | DigestOptions)
    ] = None
    go_on: bool = Field(default=False, alias="continue")

    @model_validator(mode="after")
    def _one_schedule(self) -> Self:
        if (self.mode is None) == (self.digest is None):
            raise ValueError('write either mode: immediate or a digest, e.g. digest: "08:00"')
        for key in ("group_wait", "group_interval", "repeat_interval"):
            if self.mode is None and key in self.model_fields_set:
                raise ValueError(f"{key} goes with mode: immediate")
        return self


class RedisOptions(Options):
    """How watchpost names its keys. Where the server is, only the environment says."""

    prefix: Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9_-]{1,32}:?$")] = "wp"


class Defaults(Options):
    """What every feed gets unless it says otherwise."""

    feed: dict[str, Any] = Field(default_factory=dict)


class FeedsFrom(Options):
    """A list of feeds kept in a file of its own, and what all feeds of it get. Their folders become tags.

    `opml` counts from the configuration file and may hold `*`; `prefix` begins the name of each feed.
    """

    opml: Annotated[str, StringConstraints(min_length=1)]
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    tags: Several[Tag] = ()
    every: Annotated[Duration, Field(gt=timedelta(0))] | None = None


class LimitsOptions(Options):
    """Bounds of the whole service."""

    queue_max: Annotated[int, Field(ge=1000)] = Limits().queue_max
    lease: Span = Limits().lease
    host_gap: Annotated[Duration, AfterValidator(_at_most_an_hour)] = Limits().host_gap
    hits_per_topic_per_hour: Annotated[int, Field(ge=1)] = Limits().hits_per_topic_per_hour
    digests_per_receiver_per_hour: Annotated[int, Field(ge=1)] = Limits().digests_per_receiver_per_hour
    body_bytes: Annotated[Size, Field(ge=1024)] = Limits().body_bytes


class RetentionOptions(Options):
    """How long Redis remembers."""

    dedup: Annotated[Span, Field(ge=timedelta(days=7))] = Retention().dedup
    deliveries: Span = Retention().deliveries
    hits: Span = Retention().hits
    articles: Annotated[int, Field(ge=0, le=100_000)] = Retention().articles


class Log(Options):
    """What watchpost tells about itself."""

    format: LogFormat = "auto"
    level: LogLevel = "info"


class ReloadOptions(Options):
    """When the running service reads its configuration again, beside SIGHUP and `POST /-/reload`."""

    watch: bool = False


class Frame(Options):
    """The whole file. The six sections typed Any are read block by block (load.py)."""

    version: Literal[1]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    language: Literal["en", "fr"] = "en"
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    include: Several[str] = ()
    ops: str = ""  # the receiver that hears of trouble with the others
    redis: RedisOptions = RedisOptions()
    defaults: Defaults = Defaults()
    feeds_from: Several[FeedsFrom] = ()
    feeds: Annotated[Any, WithJsonSchema({})] = None
    folders: Annotated[Any, WithJsonSchema({})] = None
    queries: Annotated[Any, WithJsonSchema({})] = None
    topics: Annotated[Any, WithJsonSchema({})] = None
    receivers: Annotated[Any, WithJsonSchema({})] = None
    routes: Annotated[Any, WithJsonSchema({})] = None
    quiet_hours: tuple[QuietOptions, ...] = ()
    silences: tuple[SilenceOptions, ...] = ()
    limits: LimitsOptions = LimitsOptions()
    retention: RetentionOptions = RetentionOptions()
    http: Http = Http()
    log: Log = Log()
    heartbeat: Heartbeat | None = None
    reload: ReloadOptions = ReloadOptions()


SECTIONS = ("feeds", "folders", "queries", "topics", "receivers", "routes")
