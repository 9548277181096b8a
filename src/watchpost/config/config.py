"""The operator's YAML as values: what the loader hands to app, which hands out slices."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import AfterValidator, BeforeValidator, WithJsonSchema
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Duration, Network, Options, Secret
from watchpost.errors import Complaint
from watchpost.model import WINDOW, Route, Topic, derive_id
from watchpost.schedules import QuietHours, Silence

# The dead man's switch as an operator writes it: whom to tell that this service lives, and how often.


def _written_out(value: Any) -> Any:
    """An address in the file keeps a mark that changes with it, so that the configuration's fingerprint does."""
    return Secret(value, f"literal {derive_id('url', value)[:8]}") if isinstance(value, str) else value


def _seldom(value: timedelta) -> timedelta:
    if value < timedelta(seconds=10):
        raise ValueError("must be at least 10s")
    return value


def _address(secret: Secret) -> Secret:
    try:
        parts = urlsplit(secret.reveal())
        sound = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        sound = sound and parts.port != 0 and secret.reveal().isprintable() and " " not in secret.reveal()
    except ValueError:
        sound = False
    if not sound:
        raise PydanticCustomError("target", "the URL must be http:// or https:// with a host and without a user name")
    return secret


_NAMED = [
    {"type": "object", "additionalProperties": False, "properties": {how: {"type": "string"}}, "required": [how]}
    for how in ("env", "file")
]


class Heartbeat(Options):
    """An address that is asked (GET) `every` so often while everything works, and not otherwise.

    The address may be written out or be a secret; either way it has no printable form: it often holds a token.
    """

    url: Annotated[
        Secret,
        BeforeValidator(_written_out),
        AfterValidator(_address),
        WithJsonSchema({"oneOf": [{"type": "string", "pattern": "^https?://"}, *_NAMED]}),
    ]
    every: Annotated[Duration, AfterValidator(_seldom)] = timedelta(minutes=5)
    allow_private: tuple[Network, ...] = ()


@dataclass(frozen=True, slots=True)
class Part:
    """One configured source or receiver: its name, its kind, and the options that the kind's model checked."""

    name: str
    kind: str
    options: Options


@dataclass(frozen=True, slots=True)
class Limits:
    """Bounds of the whole service. `lease`: how long a silent worker keeps its work; `queue_max`: articles;
    `host_gap`: from one request to the next on one host. Of a topic so many hits are listed in an hour, the others
    counted; a receiver gets so many editions in an hour, and then the alerts of the rest of it in one. `body_bytes`: of
    one feed, unpacked.
    """

    queue_max: int = 100_000
    lease: timedelta = timedelta(seconds=30)
    host_gap: timedelta = timedelta(seconds=1)
    hits_per_topic_per_hour: int = 10_000
    digests_per_receiver_per_hour: int = 600
    body_bytes: int = 10_000_000


@dataclass(frozen=True, slots=True)
class Retention:
    """How long Redis remembers: `dedup` an article or hit after it was last seen, `deliveries` a sent message;
    `hits`: how far back the pages show them. `articles` is a number: so many of the last ones are kept for trying
    changed topics on.
    """

    dedup: timedelta = timedelta(days=30)
    deliveries: timedelta = timedelta(days=14)
    hits: timedelta = timedelta(days=30)
    articles: int = 2000


@dataclass(frozen=True, slots=True)
class Bearer:
    """A program that shows a token, and what it may do."""

    token: Secret
    role: Literal["view", "operate"]


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """Who may see the pages: `users` by their passwords (hashes), or whom a proxy `trusted` names in `header`.

    Of the users those in `view` only look; of whom the proxy names, those in `operate` act. `names`: of this host.
    `metrics`: whether there are any to see. `tokens`: programs, by name.
    """

    users: Mapping[str, Secret] = field(default_factory=dict, hash=False)
    view: tuple[str, ...] = ()
    header: str = ""
    trusted: tuple[Network, ...] = ()
    operate: tuple[str, ...] = ()
    names: tuple[str, ...] = ()
    metrics: bool = True
    tokens: Mapping[str, Bearer] = field(default_factory=dict, hash=False)

    @property
    def guarded(self) -> bool:
        """Whether anybody is asked who they are."""
        return bool(self.users or self.header or self.tokens)


@dataclass(frozen=True, slots=True)
class ConfigBlocks:
    """The blocks as they were checked, for those who show or compare configurations. Nobody else needs them.

    `files` are all files that were read, and the directories in which others may turn up.
    """

    frame: Options
    queries: Mapping[str, str]
    topics: Mapping[str, Options]
    routes: tuple[Options, ...]
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Config:
    """Everything the configuration says. `fingerprint` names it: equal configurations have equal fingerprints.

    `warnings` are complaints that do not stop the service. `install` names this installation in messages;
    `ops` is the receiver that hears of trouble with the others, "" if there is none.
    """

    timezone: str
    language: str
    public_url: str
    install: str
    sources: tuple[Part, ...]
    topics: tuple[Topic, ...]
    receivers: tuple[Part, ...]
    routes: tuple[Route, ...]
    limits: Limits
    retention: Retention
    listen: str
    redis_prefix: str
    log_format: str
    log_level: str
    fingerprint: str
    written: ConfigBlocks
    warnings: tuple[Complaint, ...] = ()
    ops: str = ""
    watch: bool = False  # a change of the files is a wish to reload
    quiet_hours: tuple[QuietHours, ...] = ()
    silences: tuple[Silence, ...] = ()
    access: HttpAccess = HttpAccess()
    heartbeat: Heartbeat | None = None

    @property
    def story_window(self) -> timedelta:
        """For so long a text finds its copies: a story is one for all topics, so the longest of theirs counts."""
        return max((topic.window for topic in self.topics), default=WINDOW)


# what became of the last wish for a new configuration.


@dataclass(frozen=True, slots=True)
class Reload:
    """`by` asked at `at`; `ok` says whether the running configuration is the newest one that was read.

    `complaints` say why not, one line each. `changes` is how many values became others, `restart` those of them that
    wait for the next start of the service, as paths.
    """

    at: datetime
    by: str
    ok: bool
    complaints: tuple[str, ...] = ()
    changes: int = 0
    restart: tuple[str, ...] = ()


# A name for a whole configuration. Equal configurations have equal names, whatever their layout.


def fingerprint(
    frame: Options,
    sources: Iterable[Part],
    receivers: Iterable[Part],
    topics: Iterable[Topic],
    routes: Iterable[Route],
) -> str:
    """128 bits in hex over everything resolved. A secret counts as where it comes from, not as its value."""
    canonical = {
        "frame": frame.model_dump(mode="json", exclude={"include", "defaults", "feeds_from"}, fallback=str),
        "sources": _parts(sources),
        "receivers": _parts(receivers),
        "topics": {
            topic.name: [
                topic.title,
                str(topic.query),  # as it is understood: a changed @name changes it
                topic.exclude and str(topic.exclude),
                topic.severity,
                topic.languages,
            ]
            for topic in topics
        },
        "routes": [[type(route.schedule).__name__, asdict(route)] for route in routes],
    }
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"plan").hexdigest()


def _parts(parts: Iterable[Part]) -> dict[str, object]:
    return {part.name: [part.kind, part.options.model_dump(mode="json", fallback=str)] for part in parts}
