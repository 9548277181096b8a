"""The operator's YAML as values: what the loader hands to app, which hands out slices."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import Literal

from watchpost.errors import Complaint
from watchpost.model import Route, Topic
from watchpost.plan.fields import Network, Options, Secret
from watchpost.plan.heartbeat import Heartbeat
from watchpost.signature import WINDOW
from watchpost.timetable import QuietHours, Silence


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
class Access:
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
class Written:
    """The blocks as they were checked, for those who show or compare configurations. Nobody else needs them.

    `files` are all files that were read, and the directories in which others may turn up.
    """

    frame: Options
    queries: Mapping[str, str]
    topics: Mapping[str, Options]
    routes: tuple[Options, ...]
    files: tuple[Path, ...] = ()


@dataclass(frozen=True, slots=True)
class Plan:
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
    written: Written
    warnings: tuple[Complaint, ...] = ()
    ops: str = ""
    watch: bool = False  # a change of the files is a wish to reload
    quiet_hours: tuple[QuietHours, ...] = ()
    silences: tuple[Silence, ...] = ()
    access: Access = Access()
    heartbeat: Heartbeat | None = None

    @property
    def story_window(self) -> timedelta:
        """For so long a text finds its copies: a story is one for all topics, so the longest of theirs counts."""
        return max((topic.window for topic in self.topics), default=WINDOW)
