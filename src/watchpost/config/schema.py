"""The blocks of the configuration file as pydantic models: every key that no source or receiver kind defines.

The docstrings of the models are the descriptions in the JSON Schema, which editors show.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import UTC, datetime, time, timedelta
from typing import Annotated, Any, Literal, Self, TypeVar
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo, available_timezones

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetJsonSchemaHandler,
    StringConstraints,
    TypeAdapter,
    WithJsonSchema,
    model_validator,
)
from pydantic.json_schema import models_json_schema
from pydantic_core import core_schema

from watchpost import durations
from watchpost.config import fields, passwords
from watchpost.config.errors import suggest
from watchpost.config.fields import ADVANCED, SECRET_SCHEMAS, Duration, Network, Options, Secret, Size, checked_secret
from watchpost.config.format import RENAMED
from watchpost.config.opml import NAME, PREFIX_MAX
from watchpost.config.proxy import Proxy
from watchpost.config.yaml_reader import shown
from watchpost.model import WINDOW, Publisher, Severity, derive_id
from watchpost.names.library import countries
from watchpost.query.inflection import LANGUAGES
from watchpost.schedules import GROUP_INTERVAL, REPEAT_INTERVAL, QuietHours, Silence

T = TypeVar("T")


def listed(value: Any) -> Any:
    """The value if it is a list, else a list of it alone."""
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


def _like(pattern: re.Pattern[str], problem: str) -> AfterValidator:
    """Refuses a text that the pattern does not match; `problem` says what to write."""

    def check(value: str) -> str:
        if not pattern.fullmatch(value):
            raise ValueError(f"{fields.quoted(value)} {problem}")
        return value

    return AfterValidator(check)


def _pattern(pattern: re.Pattern[str]) -> Any:
    """Tells editors the pattern."""
    return Field(json_schema_extra={"pattern": f"^{pattern.pattern}$"})


# Pages and API


SHORTEST_TOKEN = 20
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}")
_HEADER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,63}")
_TOKEN = re.compile(rf"[A-Za-z0-9._~+/-]{{{SHORTEST_TOKEN},512}}={{0,2}}")  # RFC 6750, section 2.1: b64token


def _listen(value: str) -> str:
    fields.listen_address(value)
    return value


def _password_hash(value: Secret) -> Secret:
    if not passwords.is_hash(value.reveal()):
        raise ValueError("this is not a hash of a password; `watchpost secret hash` makes one")
    return value


def _token(value: Secret) -> Secret:
    if not _TOKEN.fullmatch(value.reveal()):
        raise ValueError(
            f"this is not an API token: it needs {SHORTEST_TOKEN} characters or more of A-Z a-z 0-9 - . _ ~ + /; "
            "`watchpost secret token` makes one"
        )
    return value


Listen = Annotated[str, AfterValidator(_listen)]
HostName = Annotated[
    str, _like(_HOST, "is not a host name; write it like watch.example.org, without a port"), _pattern(_HOST)
]
HeaderName = Annotated[str, _like(_HEADER, "is not the name of a header; write it like X-User"), _pattern(_HEADER)]


class TrustedProxy(Options):
    """A proxy that logs users in and names them in `header`. Only requests `from` its addresses count.

    `operate`: the users who may act; all others may only look.
    """

    header: HeaderName
    trusted: Annotated[tuple[Network, ...], Field(alias="from", min_length=1), BeforeValidator(listed)]
    operate: Several[str] = ()


class ApiToken(Options):
    """The token of a program (`Authorization: Bearer`), and whether the program may act or only look."""

    token: Annotated[Secret, checked_secret(_token)]
    role: Literal["view", "operate"] = "view"


def is_login_name(name: str) -> bool:
    """Whether somebody can log in under this name: HTTP separates it from the password with a colon (RFC 7617)."""
    return name.isprintable() and ":" not in name and 1 <= len(name) <= 64


class Auth(Options):
    """Who may use the pages and the API.

    `users`: names and hashes of passwords. `view`: the users who may look, but not act. `tokens`: programs, by the
    name that logs show. `proxy`: a proxy that logs users in.
    """

    users: dict[str, Annotated[Secret, checked_secret(_password_hash)]] = Field(default_factory=dict)
    view: Several[str] = ()
    tokens: dict[str, ApiToken] = Field(default_factory=dict)
    proxy: TrustedProxy | None = None

    @property
    def required(self) -> bool:
        """Whether anybody has to log in."""
        return bool(self.users or self.tokens or self.proxy is not None)

    @model_validator(mode="after")
    def _check_names(self) -> Self:
        for section, names in (("users", self.users), ("tokens", self.tokens)):
            for name in names:
                if not is_login_name(name):
                    raise ValueError(
                        f"{section}: {name[:64]!r} cannot be a login name; use up to 64 characters, and no colon"
                    )
        names_by_token: dict[str, str] = {}
        for name, token in self.tokens.items():
            if token.token.is_absent:
                continue
            other = names_by_token.setdefault(token.token.reveal(), name)
            if other != name:
                raise ValueError(
                    f"tokens: {other} and {name} have the same token; give each its own, or logs cannot name it"
                )
        for name in self.view:
            if name not in self.users:
                raise ValueError(f"view: there is no user {name!r}; add it to users")
        return self


class Http(Options):
    """The pages and the API. `names`: further host names of the pages. `metrics`: whether /metrics exists.

    `probes`: an address at which only /healthz and /readyz are answered, also while the pages are overrun.
    """

    listen: Listen = "127.0.0.1:8080"
    names: Annotated[Several[HostName], ADVANCED] = ()
    metrics: Annotated[bool, ADVANCED] = True
    probes: Annotated[Listen | None, ADVANCED] = None
    auth: Auth = Auth()

    @model_validator(mode="after")
    def _check_auth(self) -> Self:
        if not fields.is_loopback(self.listen) and not self.auth.required:
            raise ValueError("other machines can reach this address; add auth: {users: {NAME: {env: …}}}")
        return self


# Quiet hours and silences


def moment(text: object) -> datetime:
    """A moment from `2026-12-01T08:00:00+01:00`, `2026-12-01 08:00` or `2026-12-01`; without an offset it is naive.

    Raises ValueError with a sentence that says what to write.
    """
    if isinstance(text, datetime):
        return text
    try:
        return datetime.fromisoformat(text.strip() if isinstance(text, str) else "")
    except ValueError:
        raise ValueError(
            f"{fields.quoted(text)} is not a date; write it like 2026-12-01 or 2026-12-01T08:00:00+01:00"
        ) from None


Time = Annotated[time, BeforeValidator(fields.time_of_day, json_schema_input_type=str)]
Moment = Annotated[datetime, BeforeValidator(moment, json_schema_input_type=str)]
Text = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=200)]
Days = Annotated[tuple[int, ...], BeforeValidator(fields.days_of_week, json_schema_input_type=str | list[str])]


class Exceptions(Options):
    """The alerts that are sent during quiet hours."""

    severity: Several[Severity]


class QuietOptions(Options):
    """Times of day at which `receivers` are sent nothing. If `to` is earlier than `from`, they end the next day.

    `days`: the days on which they begin. `except`: alerts that are sent all the same.
    """

    receivers: Several[str]
    begin: Time = Field(alias="from")
    end: Time = Field(alias="to")
    days: Days = tuple(range(7))
    except_for: Exceptions | None = Field(default=None, alias="except")

    @model_validator(mode="after")
    def _check_times(self) -> Self:
        if self.begin == self.end:
            raise ValueError("from and to are the same time; quiet hours need a beginning and an end")
        return self


class Matching(Options):
    """Which hits a silence holds back: all conditions must be true."""

    topic: str = ""
    source: str = ""
    severity: Severity | None = None
    text: str = ""

    @model_validator(mode="after")
    def _check_conditions(self) -> Self:
        if not (self.topic or self.source or self.severity or self.text.strip()):
            raise ValueError("this would silence everything; write at least one of topic, source, severity and text")
        return self


class SilenceOptions(Options):
    """Hits that are not sent until a date. `reason` and `by` say why, and who wants it."""

    match: Matching
    until: Moment
    reason: Text
    by: Text


def quiet_hours(options: QuietOptions, timezone: str) -> QuietHours:
    """The quiet hours as a value."""
    spared = () if options.except_for is None else options.except_for.severity
    return QuietHours(options.receivers, options.begin, options.end, options.days, timezone, spared)


def silence(options: SilenceOptions, timezone: str) -> Silence:
    """The silence as a value, with an id made of what it says; a moment without an offset is local."""
    until = options.until
    until = (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    match = options.match
    conditions = match.topic, match.source, match.severity or "", match.text.strip()
    silence_id = derive_id("silence", *conditions, until.isoformat(), options.reason)[:8]
    return Silence(silence_id, until, options.reason, options.by, *conditions)


# Topics and routes


_LANGUAGE = re.compile(r"[a-z]{2,3}")


def _times(value: Any) -> tuple[time, ...]:
    return fields.times_of_day(listed(value))


def _digest(value: Any) -> Any:
    if isinstance(value, str) and re.fullmatch(r"[0-9]+(s|m|h|d)", value):
        raise ValueError(f"a digest every {value} is written {{every: {value}}}")
    if isinstance(value, str) and fields.is_crontab(value):
        return {"cron": value}
    return {"at": value} if isinstance(value, str | list | int | float) else value


Span = Annotated[Duration, Field(ge=timedelta(seconds=1))]
Language = Annotated[
    str, _like(_LANGUAGE, "is not a language; write two or three small letters, like fr, en or ru"), _pattern(_LANGUAGE)
]
Times = Annotated[tuple[time, ...], BeforeValidator(_times, json_schema_input_type=str | list[str])]
Cron = Annotated[str, BeforeValidator(fields.crontab, json_schema_input_type=str)]


class Examples(Options):
    """Texts that the topic must match, and texts that it must not match; `watchpost check` tries them."""

    match: Several[str] = ()
    no_match: Several[str] = ()


class EntityOptions(Options):
    """Something with a name, for `entity:NAME` in queries.

    `names` mean it wherever they stand, `aliases` only in a text with one of the names, or near a word of `near`. Both
    take the forms of the languages in `forms`. `unless`: names of other things that an alias is a part of.
    """

    kind: Literal["organisation", "person", "operation", "place", "thing"] = "organisation"
    names: Several[str]
    aliases: Several[str] = ()
    forms: Several[Literal[tuple(LANGUAGES)]] = ()  # type: ignore[valid-type]  # the codes are those of a table
    near: Several[str] = ()
    unless: Several[str] = ()


class TopicOptions(Options):
    """A topic: a query, and how severe its hits are.

    `exclude`: a query; articles that match it are left out. `window`: how long after a text its copies belong to the
    same story.
    """

    query: str
    title: str = ""
    severity: Severity = "normal"
    exclude: str | None = None
    languages: Several[Language] = ()
    window: Annotated[Span, Field(ge=timedelta(hours=1), le=timedelta(days=14)), ADVANCED] = WINDOW
    examples: Examples = Examples()


def _country(code: str) -> str:
    if not code.isalpha() or code.upper() not in countries():
        raise ValueError(f"'{shown(code)}' is not a country; write its two letters of ISO 3166, like ML")
    return code.upper()


OWNER_MAX = 100


def _owner(value: str) -> str:
    if not value.strip() or len(value) > OWNER_MAX or not value.isprintable():
        raise ValueError(f"an owner is a name of up to {OWNER_MAX} characters on one line")
    return value.strip()


CountryCode = Annotated[str, AfterValidator(_country)]


def _voices(value: str) -> str:
    number = value.removeprefix(">=").strip()
    if not value.startswith(">=") or len(number) != 1 or number not in "123456789":
        raise ValueError('write how many voices a story waits for, from 1 to 9, like ">=2"')
    return f">={number}"


Voices = Annotated[str, AfterValidator(_voices), Field(json_schema_extra={"pattern": "^>= ?[1-9]$"})]


class Published(Options):
    """Who is behind a source: its `owner`, whose sources are one voice, its `country`, and whether it is a state's."""

    owner: Annotated[str, AfterValidator(_owner)] = ""
    country: CountryCode = ""
    state_media: bool = False

    @property
    def publisher(self) -> Publisher:
        """The same as a value."""
        return Publisher(self.owner, self.country, self.state_media)


class When(Options):
    """Which hits a route takes. All conditions must be true; a key that is left out means any."""

    topics: Several[str] = ()
    severity: Several[Severity] = ()
    sources: Several[str] = ()
    country: Several[CountryCode] = ()
    voices: Voices = ">=1"


class DigestOptions(Options):
    """When a digest is sent: `at` times of day, `every` so often, or by a `cron` rule.

    `empty`: whether a digest without a story is sent.
    """

    at: Times | None = None
    days: Days = tuple(range(7))
    every: Span | None = None
    cron: Cron | None = None
    empty: Literal["always", "weekly", "never"] = "weekly"

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        if sum(schedule is not None for schedule in (self.at, self.every, self.cron)) != 1:
            raise ValueError('write one of at, e.g. "08:00", every, e.g. 15m, and cron, e.g. "0 8 * * 1-5"')
        if self.at is None and "days" in self.model_fields_set:
            raise ValueError("days goes with at, not with every or cron")
        return self


LONGEST_ESCALATION = timedelta(days=1)


class EscalateOptions(Options):
    """Send an alert to another receiver (`to`), `after` a while, unless the story was acknowledged or claimed then."""

    after: Duration
    to: str
    unless: Literal["acknowledged", "claimed"] = "acknowledged"

    @model_validator(mode="after")
    def _check_after(self) -> Self:
        if not timedelta(0) < self.after <= LONGEST_ESCALATION:
            raise ValueError("after: an escalation waits for more than 0s and at most 1d")
        return self


class RouteOptions(Options):
    """Which hits go to which receivers, and when: as alerts (`mode: immediate`) or in a `digest`."""

    to: Several[str]
    when: When = When()
    mode: Literal["immediate"] | None = None
    group_wait: Duration = timedelta(seconds=30)
    group_interval: Duration = GROUP_INTERVAL
    repeat_interval: Duration = REPEAT_INTERVAL
    digest: Annotated[
        DigestOptions | None, BeforeValidator(_digest, json_schema_input_type=str | list[str] | DigestOptions)
    ] = None
    escalate: EscalateOptions | None = None
    go_on: bool = Field(default=False, alias="continue")

    @model_validator(mode="after")
    def _check_schedule(self) -> Self:
        if (self.mode is None) == (self.digest is None):
            raise ValueError('write either mode: immediate, or a digest, e.g. digest: "08:00"')
        for key in ("group_wait", "group_interval", "repeat_interval", "escalate"):
            if self.mode is None and key in self.model_fields_set:
                raise ValueError(f"{key} goes with mode: immediate")
        return self


# The service


TAG_MAX = 64
_KEY_PREFIX = re.compile(r"[A-Za-z0-9_-]{1,32}:?")


def _timezone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (ValueError, OSError, KeyError):  # not a key, a directory of zones, no such zone
        raise ValueError(f"there is no time zone '{shown(value)}'{suggest(value, available_timezones())}") from None
    return value


def _public_url(value: str) -> str:
    parts = urlsplit(value)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment:
        raise ValueError("the address of the pages is written like https://watch.example.org")
    if parts.path.strip("/"):
        root = f"{parts.scheme}://{parts.netloc}"
        shown_root = f": write {root}" if "@" not in root else ""
        raise ValueError(
            f"the pages are at the root of a host, and cannot be below a path; give them a host{shown_root}"
        )
    return value.rstrip("/")


def _tag(value: str) -> str:
    if not value.strip() or len(value) > TAG_MAX or "," in value or not value.isprintable():
        raise ValueError(f"a tag is up to {TAG_MAX} characters on one line, without a comma")
    return value.strip()


def _prefix(value: str) -> str:
    if value and not (NAME.fullmatch(value) and len(value) <= PREFIX_MAX):
        raise ValueError(
            f"a prefix is up to {PREFIX_MAX} letters, digits, '-', '_' or '.', and begins with a letter or digit"
        )
    return value


def _marked_literal(value: Any) -> Any:
    """An address in the file gets a mark that changes with it, so that the configuration's fingerprint does, too."""
    return Secret(value, f"literal {derive_id('url', value)[:8]}") if isinstance(value, str) else value


def _web_address(secret: Secret) -> Secret:
    text = secret.reveal()
    try:
        parts = urlsplit(text)
        good = parts.scheme in ("http", "https") and parts.hostname and "@" not in parts.netloc and parts.port != 0
    except ValueError:
        good = False
    if not good or not text.isprintable() or " " in text:
        raise ValueError("the URL must begin with http:// or https:// and name a host, without a user name")
    return secret


Tag = Annotated[str, AfterValidator(_tag)]
"""A word that groups feeds, as folders do in feed readers."""

LogFormat = Literal["auto", "console", "json"]
LogLevel = Literal["debug", "info", "warning", "error"]


class RedisOptions(Options):
    """How keys in Redis are named. The server's address is in WATCHPOST_REDIS_URL."""

    prefix: Annotated[
        str,
        _like(_KEY_PREFIX, "is not a prefix; write up to 32 of A-Z a-z 0-9 - _"),
        _pattern(_KEY_PREFIX),
        ADVANCED,
    ] = "wp"


class ReceiverDefaults(Options):
    """What every receiver gets that has such a key and leaves it out."""

    timeout: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] | None = None
    allow_private: tuple[Network, ...] | None = None
    max_stories: Annotated[int, Field(ge=1, le=36)] | None = None


class Defaults(Options):
    """What feeds and receivers get unless they have a key of their own."""

    feed: dict[str, Any] = Field(default_factory=dict)
    receiver: ReceiverDefaults = ReceiverDefaults()


class FeedsFrom(Options):
    """An OPML file with feeds, or a pattern for several. Its folders become tags.

    `prefix`: begins the name of each of its feeds. `tags`, `every`: for all of its feeds.
    """

    opml: Annotated[str, StringConstraints(min_length=1)]
    prefix: Annotated[str, AfterValidator(_prefix)] = ""
    tags: Several[Tag] = ()
    every: Annotated[Duration, Field(gt=timedelta(0))] | None = None


_HOST_KEY = re.compile(r"[\w.:-]{1,253}")


class HostOptions(Options):
    """How one host may be asked; its name is that in the addresses of its feeds.

    `gap`: the pause between two requests, instead of `limits.host_gap`; `0s` does not limit them. `at_once`: how many
    requests may be under way.
    """

    gap: Annotated[Duration, Field(le=timedelta(hours=1))] | None = None
    at_once: Annotated[int, Field(ge=1, le=16)] = 1


HostKey = Annotated[
    str,
    _like(_HOST_KEY, "is not a host name; write it like api.example.org, without https:// and without a path"),
    AfterValidator(lambda name: name.lower().rstrip(".")),
]


class Limits(Options):
    """Limits of the whole service.

    `queue_max`: articles that may wait. `lease`: how long a silent worker keeps its work. `host_gap`: the pause
    between two requests to one host. `hits_per_topic_per_hour`: further hits are counted, not listed.
    `digests_per_receiver_per_hour`: beyond that, alerts wait and come as one. `body_bytes`: of one feed, unpacked.
    """

    queue_max: Annotated[int, Field(ge=1000)] = 100_000
    lease: Annotated[Span, ADVANCED] = timedelta(seconds=30)
    host_gap: Annotated[Duration, Field(le=timedelta(hours=1))] = timedelta(seconds=1)
    hits_per_topic_per_hour: Annotated[int, Field(ge=1)] = 10_000
    digests_per_receiver_per_hour: Annotated[int, Field(ge=1)] = 600
    body_bytes: Annotated[Size, Field(ge=1024), ADVANCED] = 10_000_000


class Retention(Options):
    """How long Redis keeps things.

    `dedup`: an article or hit after it was last seen. `deliveries`: sent messages and dead letters. `hits`: what the
    pages show. `articles`: how many of the last articles are kept for trying changed topics.
    """

    dedup: Annotated[Span, Field(ge=timedelta(days=7))] = timedelta(days=30)
    deliveries: Span = timedelta(days=14)
    hits: Span = timedelta(days=30)
    articles: Annotated[int, Field(ge=0, le=100_000)] = 2000


def _switched_off(value: Any) -> Any:
    return {"keep": "0s"} if value is False else value


class ArchiveOptions(Options):
    """The archive of everything that was read: for how long articles are kept, in whole months.

    `archive: false`, or `keep: 0s`, switches it off.
    """

    keep: Duration = timedelta(days=90)

    @model_validator(mode="after")
    def _check_keep(self) -> Self:
        if timedelta(0) < self.keep < timedelta(days=1):
            raise ValueError("keep: an archive keeps articles for 1d or longer; 0s switches it off")
        return self


class Heartbeat(Options):
    """An address that is requested (GET) `every` so often while everything works, and not otherwise.

    It often holds a token, so no log or page shows it, even if it is written in the file.
    """

    url: Annotated[
        Secret,
        BeforeValidator(_marked_literal),
        checked_secret(_web_address),
        WithJsonSchema({"oneOf": [{"type": "string", "pattern": "^https?://"}, *SECRET_SCHEMAS]}),
    ]
    every: Annotated[Duration, Field(ge=timedelta(seconds=10))] = timedelta(minutes=5)
    allow_private: tuple[Network, ...] = ()
    proxy: Proxy | None = None


class Log(Options):
    """The service's own log."""

    format: LogFormat = "auto"
    level: LogLevel = "info"


class ReloadOptions(Options):
    """When the service reads its configuration again, besides SIGHUP and `POST /-/reload`."""

    watch: bool = False


class MainFile(Options):
    """The main file. The loader reads the sections of type Any block by block."""

    version: Literal[1]
    timezone: Annotated[str, AfterValidator(_timezone)] = "UTC"
    language: Literal["en", "fr", "ru", "ar"] = "en"
    public_url: Annotated[str, AfterValidator(_public_url)] = ""
    include: Several[str] = ()
    ops: str = ""
    redis: RedisOptions = RedisOptions()
    defaults: Defaults = Defaults()
    feeds_from: Several[FeedsFrom] = ()
    feeds: Annotated[Any, WithJsonSchema({})] = None
    pages: Annotated[Any, WithJsonSchema({})] = None
    mailboxes: Annotated[Any, WithJsonSchema({})] = None
    folders: Annotated[Any, WithJsonSchema({})] = None
    queries: Annotated[Any, WithJsonSchema({})] = None
    entities: Annotated[Any, WithJsonSchema({})] = None
    topics: Annotated[Any, WithJsonSchema({})] = None
    receivers: Annotated[Any, WithJsonSchema({})] = None
    routes: Annotated[Any, WithJsonSchema({})] = None
    quiet_hours: tuple[QuietOptions, ...] = ()
    silences: tuple[SilenceOptions, ...] = ()
    limits: Limits = Limits()
    hosts: Mapping[HostKey, HostOptions] = Field(default_factory=dict)
    retention: Retention = Retention()
    archive: Annotated[
        ArchiveOptions, BeforeValidator(_switched_off, json_schema_input_type=ArchiveOptions | Literal[False])
    ] = ArchiveOptions()
    events: bool = True
    http: Http = Http()
    log: Log = Log()
    heartbeat: Heartbeat | None = None
    reload: ReloadOptions = ReloadOptions()


SourceKind = Literal["feed", "page", "mailbox", "folder"]

SOURCE_SECTIONS: Mapping[SourceKind, tuple[str, str]] = {
    "feed": ("feeds", "url"),
    "page": ("pages", "url"),
    "mailbox": ("mailboxes", ""),
    "folder": ("folders", "path"),
}
"""By kind of source: its section, and the key that a text alone is the value of ("" if it takes none)."""

SECTIONS = ("feeds", "pages", "mailboxes", "folders", "queries", "entities", "topics", "receivers", "routes")
"""The keys of the main file that may also stand in an included file."""


# The JSON Schema of the configuration file, for editors, made from the models that read it.


Schema = dict[str, Any]

_NAMES = {"pattern": r"^[^\s/:._-][^\s/:]{0,63}$"}
_ISO_DURATION = TypeAdapter(timedelta)
_MODELS_BY_BLOCK: dict[tuple[str, ...], type[Options]] = {
    ("routes", "*", "when"): When,
    ("silences", "*", "match"): Matching,
}


def json_schema(sources: Mapping[str, type[Options]], receivers: Mapping[str, type[Options]]) -> Schema:
    """JSON Schema (draft 2020-12) of the whole file, for these kinds of source and receiver.

    It describes shapes, choices and patterns. Only the loader checks what needs more than one place of the file
    (names in routes, keys that exclude each other) and what needs a parser (queries, times).
    """
    own: list[type[BaseModel]] = [MainFile, EntityOptions, TopicOptions, RouteOptions]
    models = list(dict.fromkeys([*own, *sources.values(), *receivers.values()]))
    references, made = models_json_schema([(model, "validation") for model in models])
    definitions: dict[str, Schema] = _tidied(made["$defs"])
    names = {model: references[model, "validation"]["$ref"].rsplit("/", 1)[1] for model in models}

    def reference(model: type[BaseModel]) -> Schema:
        return {"$ref": f"#/$defs/{names[model]}"}

    kinds = {kind: definitions[names[model]] for kind, model in receivers.items()}
    main = definitions.pop(names[MainFile])
    for model in set(receivers.values()):
        del definitions[names[model]]
    properties = main["properties"]
    defaults = {key: value for key, value in definitions[names[sources["feed"]]].items() if key != "required"}
    definitions["Defaults"]["properties"]["feed"] = defaults
    for renamed in RENAMED:
        keys = definitions[_MODELS_BY_BLOCK[renamed.block].__name__]["properties"]
        keys[renamed.old] = keys[renamed.new] | {"deprecated": True, "description": f"Write `{renamed.new}`."}
    feed = {"anyOf": [{"type": "string", "format": "uri"}, reference(sources["feed"])]}
    properties["feeds"] = {"anyOf": [_named(feed), {"type": "array", "items": feed}, {"type": "null"}]}
    for kind, (section, key) in SOURCE_SECTIONS.items():
        if kind != "feed" and kind in sources:
            one = reference(sources[kind])
            properties[section] = _optional(_named(_or_text(one) if key else one))
    properties["queries"] = _optional(_named({"type": "string"}))
    properties["entities"] = _optional(_named(reference(EntityOptions)))
    properties["topics"] = _optional(_named(_or_text(reference(TopicOptions))))
    typed = [_typed(kind, schema) for kind, schema in sorted(kinds.items())]
    properties["receivers"] = _optional(_named({"oneOf": typed}))
    properties["routes"] = _optional({"type": "array", "items": reference(RouteOptions)})
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        **main,
        "title": "watchpost configuration",
        "description": "What to watch, what to look for, and who gets the hits when.",
        "$defs": dict(sorted(definitions.items())),
    }


def schema_text(sources: Mapping[str, type[Options]], receivers: Mapping[str, type[Options]]) -> str:
    """json_schema() as the text of config/watchpost.schema.json; the same kinds give the same bytes."""
    return json.dumps(json_schema(sources, receivers), indent=2, ensure_ascii=False) + "\n"


def _named(schema: Schema) -> Schema:
    return {"type": "object", "propertyNames": _NAMES, "additionalProperties": schema}


def _optional(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def _or_text(schema: Schema) -> Schema:
    return {"anyOf": [{"type": "string"}, schema]}


def _typed(kind: str, schema: Schema) -> Schema:
    """The schema of a receiver kind with `type`, the key that selects it."""
    return schema | {
        "title": kind,
        "properties": {"type": {"const": kind}} | schema.get("properties", {}),
        "required": ["type", *schema.get("required", [])],
    }


def _tidied(schema: Any) -> Any:
    """Without generated titles, and with defaults only in the form in which they are written in a file."""
    if isinstance(schema, list):
        return [_tidied(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    tidy = {}
    for key, value in schema.items():
        if key == "default" and not isinstance(value, dict):
            if isinstance(value, str) and "ms|s|m|h|d|w|y" in str(schema.get("pattern", "")):
                tidy[key] = durations.written(_ISO_DURATION.validate_python(value))
            elif value not in (None, "") and not isinstance(value, list) and not str(value).startswith("Secret("):
                tidy[key] = value
        elif not (
            (key == "title" and isinstance(value, str))
            or (key == "default" and ("$ref" in schema or "anyOf" in schema))
        ):
            tidy[key] = _tidied(value)
    return tidy
