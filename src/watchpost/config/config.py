"""The checked configuration as values: what the loader returns, and the rest of watchpost works from."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from watchpost.config.fields import Options
from watchpost.config.schema import (
    Auth,
    EntityOptions,
    Heartbeat,
    HostOptions,
    Limits,
    MainFile,
    Published,
    Retention,
    RouteOptions,
    SourceKind,
    TopicOptions,
)
from watchpost.errors import Complaint
from watchpost.model import WINDOW, Publisher, Route, Topic
from watchpost.schedules import QuietHours, Silence


@dataclass(frozen=True, slots=True)
class SourceConfig:
    """A configured source: its name, its kind, and its options, which that kind's model checked."""

    name: str
    kind: SourceKind
    options: Options


@dataclass(frozen=True, slots=True)
class ReceiverConfig:
    """A configured receiver: its name, its kind, and its options, which that kind's model checked."""

    name: str
    kind: str
    options: Options


@dataclass(frozen=True, slots=True)
class HttpAccess:
    """Who may use the pages (`auth`), under which host names, whether /metrics exists, and where only probes are."""

    auth: Auth = field(default_factory=Auth)
    names: tuple[str, ...] = ()
    metrics: bool = True
    probes: str = ""


@dataclass(frozen=True, slots=True)
class ConfigBlocks:
    """The blocks as they were written and checked, for showing and comparing configurations.

    `files` are all files that were read, and the directories in which a pattern may find more.
    """

    main: MainFile
    queries: Mapping[str, str]
    topics: Mapping[str, TopicOptions]
    routes: tuple[RouteOptions, ...]
    files: tuple[Path, ...] = ()
    entities: Mapping[str, EntityOptions] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Config:
    """Everything that the configuration says. Equal configurations have equal fingerprints.

    `warnings` are complaints that do not stop the service; `absent_secrets` are warnings about secrets that this
    process has not got, which stop it where they are needed. `install` names this installation in messages. `ops` is
    the receiver of notices about trouble, "" for none. `watch`: a change of the files causes a reload. `archive_keep`
    is how long the archive keeps articles; 0: there is none. `events`: stories of one event are joined.
    """

    timezone: str
    language: str
    public_url: str
    install: str
    sources: tuple[SourceConfig, ...]
    topics: tuple[Topic, ...]
    receivers: tuple[ReceiverConfig, ...]
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
    absent_secrets: tuple[Complaint, ...] = ()
    ops: str = ""
    watch: bool = False
    quiet_hours: tuple[QuietHours, ...] = ()
    silences: tuple[Silence, ...] = ()
    access: HttpAccess = HttpAccess()
    heartbeat: Heartbeat | None = None
    hosts: Mapping[str, HostOptions] = field(default_factory=dict)
    archive_keep: timedelta = timedelta(0)
    events: bool = True

    @property
    def publishers(self) -> dict[str, Publisher]:
        """Who is behind the sources of which that is known, by source."""
        found = {part.name: part.options.publisher for part in self.sources if isinstance(part.options, Published)}
        return {name: one for name, one in found.items() if one != Publisher()}

    @property
    def story_window(self) -> timedelta:
        """How long a text finds its copies: a story is one for all topics, so the longest of their windows counts."""
        return max((topic.window for topic in self.topics), default=WINDOW)


@dataclass(frozen=True, slots=True)
class Reload:
    """The outcome of a reload that `by` asked for. `ok`: the running configuration is the one in the files.

    `complaints` say why it is not, one line each. `changes` counts the values that changed; `restart` has the paths
    of those that need a restart of the service.
    """

    at: datetime
    by: str
    ok: bool
    complaints: tuple[str, ...] = ()
    changes: int = 0
    restart: tuple[str, ...] = ()


def fingerprint(
    main: MainFile,
    sources: Iterable[SourceConfig],
    receivers: Iterable[ReceiverConfig],
    topics: Iterable[Topic],
    routes: Iterable[Route],
    entities: Mapping[str, EntityOptions],
) -> str:
    """128 bits in hex over everything that the configuration means. A secret counts by its origin, not its value."""
    canonical = {
        "frame": main.model_dump(mode="json", exclude={"include", "defaults", "feeds_from"}, fallback=str),
        "sources": _options(sources),
        "receivers": _options(receivers),
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
        **({"entities": {name: one.model_dump(mode="json") for name, one in entities.items()}} if entities else {}),
        "routes": [[type(route.schedule).__name__, _route(route)] for route in routes],
    }
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"plan").hexdigest()


def _route(route: Route) -> dict[str, object]:
    """A key that came later counts only where it is used: an upgrade is no new configuration."""
    values = asdict(route)
    return values if route.escalation is not None else {key: values[key] for key in values if key != "escalation"}


def _options(configured: Iterable[SourceConfig | ReceiverConfig]) -> dict[str, object]:
    return {one.name: [one.kind, one.options.model_dump(mode="json", fallback=str)] for one in configured}
