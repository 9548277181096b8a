"""The frame of the configuration file: every key that is not an option of a source or receiver kind."""

from __future__ import annotations

import re
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import (
    AfterValidator,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    WithJsonSchema,
    model_validator,
)
from pydantic_core import PydanticCustomError, core_schema

from watchpost.config import fields, passwords
from watchpost.config.config import Bearer, Heartbeat, HttpAccess, Limits, Retention
from watchpost.config.fields import Duration, Network, Options, Secret, Size
from watchpost.config.opml import NAME, PREFIX_MAX
from watchpost.model import WINDOW, Severity, derive_id
from watchpost.schedules import GROUP_INTERVAL, REPEAT_INTERVAL, QuietHours, Silence

# One value where a list may stand.


T = TypeVar("T")


def listed(value: Any) -> Any:
    """The list; of one value a list of one."""
    return value if isinstance(value, list | tuple) else [value]


class _OrOne:
    """Tells editors that a list of one may be written without its brackets."""

    def __get_pydantic_json_schema__(
        self, schema: core_schema.CoreSchema, handler: GetJsonSchemaHandler
    ) -> dict[str, Any]:
        items = handler(schema)
        return {"anyOf": [items["items"], items]}


Several = Annotated[tuple[T, ...], Field(min_length=1), BeforeValidator(listed), _OrOne()]
"""One value, or a list of them."""


# What an operator writes about the pages: where they are served, and who may see them.


def _listen(value: str) -> str:
    fields.listen_address(value)
    return value


def _hashed(value: Secret) -> Secret:
    if not passwords.is_hash(value.reveal()):
        raise ValueError("no hash of a password: `watchpost secret hash` makes one")
    return value


def _bearable(value: Secret) -> Secret:
    if not _TOKEN.fullmatch(value.reveal()):
        raise ValueError(
            f"no API token: at least {SHORTEST_TOKEN} of A-Z a-z 0-9 - . _ ~ + /; `watchpost secret token` makes one"
        )
    return value


SHORTEST_TOKEN = 20
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{SHORTEST_TOKEN},512}}={{0,2}}")  # what RFC 6750 lets stand behind "Bearer"
Listen = Annotated[str, AfterValidator(_listen)]
HostName = Annotated[str, StringConstraints(pattern=r"^[A-Za-z0-9.-]{1,253}$")]


class TrustedProxy(Options):
    """A proxy that says in a header who asks: only what comes `from` it is believed. `operate`: who may act."""

    header: Annotated[str, StringConstraints(pattern=r"^[A-Za-z][A-Za-z0-9-]{0,63}$")]
    trusted: Annotated[tuple[Network, ...], Field(alias="from", min_length=1), BeforeValidator(listed)]
    operate: Several[str] = ()


class ApiToken(Options):
    """A program that asks with `Authorization: Bearer`, and whether it may act or only look."""

    token: Annotated[Secret, AfterValidator(_bearable)]
    role: Literal["view", "operate"] = "view"


class Auth(Options):
    """Who may see the pages. `users`: hashes of their passwords; `view`: those who may look, but not act.

    `tokens`: programs, by a name that stands in the log.
    """

    users: dict[str, Annotated[Secret, AfterValidator(_hashed)]] = Field(default_factory=dict)
    view: Several[str] = ()
    tokens: dict[str, ApiToken] = Field(default_factory=dict)
    proxy: TrustedProxy | None = None

    @property
    def asks(self) -> bool:
        """Whether anybody is asked who they are."""
        return bool(self.users or self.tokens or self.proxy is not None)

    @model_validator(mode="after")
    def _known(self) -> Self:
        for what, names in (("users", self.users), ("tokens", self.tokens)):
            for name in names:
                if not name.isprintable() or ":" in name or not 1 <= len(name) <= 64:
                    raise ValueError(
                        f"{what}: {name[:64]!r} is no name to log in with: up to 64 characters, without a colon"
                    )
        known: dict[str, str] = {}
        for name, one in self.tokens.items():
            other = known.setdefault(one.token.reveal(), name)
            if other != name:
                raise ValueError(f"tokens: {other} and {name} have the same token: the log could not tell them apart")
        for name in self.view:
            if name not in self.users:
                raise ValueError(f"view: there is no user {name!r}")
        return self


class Http(Options):
    """The pages and the API. `names`: host names by which they are asked for, besides that of public_url.

    `metrics`: whether there is a /metrics.
    """

    listen: Listen = "127.0.0.1:8080"
    names: Several[HostName] = ()
    metrics: bool = True
    auth: Auth = Auth()

    @model_validator(mode="after")
    def _guarded(self) -> Self:
        if not fields.is_loopback(self.listen) and not self.auth.asks:
            raise ValueError("listening on anything but loopback needs auth: {users: {NAME: {env: …}}}")
        return self


def access_of(http: Http, public_url: str) -> HttpAccess:
    """Who may come in, and by which names this host is asked for."""
    auth, proxy, public = http.auth, http.auth.proxy, urlsplit(public_url).hostname or ""
    told = (proxy.header, proxy.trusted, proxy.operate) if proxy is not None else ("", (), ())
    names = tuple(dict.fromkeys(name.lower() for name in (public, *http.names) if name))
    tokens = {name: Bearer(one.token, one.role) for name, one in auth.tokens.items()}
    return HttpAccess(auth.users, auth.view, *told, names, http.metrics, tokens)


# Quiet hours and silences: what an operator writes of them, and what they become.


def moment(text: object) -> datetime:
    """A moment from `2026-12-01T08:00:00+01:00`, `2026-12-01 08:00` or `2026-12-01`; without an offset it is naive.

    Raises ValueError with a sentence that says what to write.
    """
    if isinstance(text, datetime):
        return text
    try:
        return datetime.fromisoformat(text.strip() if isinstance(text, str) else "")
    except ValueError:
        raise ValueError("a moment is written like 2026-12-01T08:00:00+01:00 or 2026-12-01") from None


Time = Annotated[time, BeforeValidator(fields.time_of_day, json_schema_input_type=str)]
Moment = Annotated[datetime, BeforeValidator(moment, json_schema_input_type=str)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]


class Exceptions(Options):
    """Which alerts quiet hours let through."""

    severity: Several[Severity]


class QuietOptions(Options):
    """When receivers are not told; over midnight if `to` is the earlier one. On `days` it begins."""

    receivers: Several[str]
    begin: Time = Field(alias="from")
    end: Time = Field(alias="to")
    days: Days = tuple(range(7))
    except_for: Exceptions | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _some_time(self) -> Self:
        if self.begin == self.end:
            raise ValueError("from and to are the same time")
        return self


class Matching(Options):
    """Of which hits nobody is told: all that is written must hold."""

    topic: str = ""
    feed: str = ""
    source: str = ""
    severity: Severity | None = None
    text: str = ""

    @model_validator(mode="after")
    def _something(self) -> Self:
        if not (self.topic or self.feed or self.source or self.severity or self.text.strip()):
            raise ValueError("at least one of topic, feed, severity, text is needed: else everything would be silenced")
        if self.feed and self.source:
            raise ValueError("feed and source are the same: write one of them")
        return self


class SilenceOptions(Options):
    """What nobody is told of, until when, why, and who wanted it."""

    match: Matching
    until: Moment
    reason: Text
    by: Text


def quiet_of(options: QuietOptions, timezone: str) -> QuietHours:
    """The quiet hours as a value."""
    spared = () if options.except_for is None else options.except_for.severity
    return QuietHours(options.receivers, options.begin, options.end, options.days, timezone, spared)


def silence_of(options: SilenceOptions, timezone: str) -> Silence:
    """The silence as a value, its id derived; a moment without an offset is local."""
    until = options.until
    until = (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    match = options.match
    conditions = match.topic, match.feed or match.source, match.severity or "", match.text.strip()
    id_ = derive_id("silence", *conditions, until.isoformat(), options.reason)[:8]
    return Silence(id_, until, options.reason, options.by, *conditions)


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
    return fields.times_of_day(listed(value))


def _digest(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(s|m|h|d)", value):
        raise ValueError(f"a digest every {value} is written {{every: {value}}}")
    if isinstance(value, str) and fields.is_crontab(value):
        return {"cron": value}
    return {"at": value} if isinstance(value, str | list | int | float) else value


Tag = Annotated[str, AfterValidator(_tag)]
"""A word under which feeds are gathered, as folders do in feed readers."""

Span = Annotated[Duration, AfterValidator(_at_least_a_second)]
Language = Annotated[str, AfterValidator(_language), Field(json_schema_extra={"pattern": _LANGUAGE.pattern})]
LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]
Times = Annotated[tuple[time, ...], BeforeValidator(_times, json_schema_input_type=str | list[str])]
Cron = Annotated[str, BeforeValidator(fields.crontab, json_schema_input_type=str)]
Days = Annotated[tuple[int, ...], BeforeValidator(fields.days_of_week, json_schema_input_type=str | list[str])]


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
