"""What the web server is built from, and the part of the configuration that its pages may show."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from watchpost import redaction
from watchpost.config.config import Config, SourceConfig
from watchpost.config.diff import effective
from watchpost.config.schema import SourceKind
from watchpost.durations import in_words
from watchpost.health import Health
from watchpost.match.routing import all_groups
from watchpost.model import Group, Topic
from watchpost.operations.previews import DigestPreviews
from watchpost.operations.reloading import Reloader
from watchpost.schedules import Silence
from watchpost.store.client import Store

if TYPE_CHECKING:
    from watchpost.archive.archive import Archive

_LISTED = 30_000  # characters of the configuration on its page


@dataclass(frozen=True, slots=True)
class WebContext:
    """Everything that the pages, the API and the probes read or act on. `role` is what this process runs.

    `archive` is None if it is switched off.
    """

    config: Config
    store: Store
    health: Health
    reloader: Reloader
    previews: DigestPreviews
    stop: asyncio.Event
    role: str = "web"
    archive: Archive | None = None


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    """What pages and probes may show of the configuration: no secrets.

    `feeds` are all sources that are visited when they are due: mailboxes, too. By name: `places` has the address or
    path of each source, `paces` how often it is read, `source_kinds` its kind, `kinds` each receiver's kind. `listing`
    is the configuration line by line.
    """

    feeds: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    topics: tuple[Topic, ...] = ()
    fingerprint: str = ""
    groups: tuple[Group, ...] = ()
    places: Mapping[str, str] = field(default_factory=dict, hash=False)
    paces: Mapping[str, str] = field(default_factory=dict, hash=False)
    kinds: Mapping[str, str] = field(default_factory=dict, hash=False)
    source_kinds: Mapping[str, SourceKind] = field(default_factory=dict, hash=False)
    listing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    silences: tuple[Silence, ...] = ()

    @property
    def sources(self) -> tuple[str, ...]:
        """Every source."""
        return self.feeds + self.folders


def summary_of(config: Config) -> ConfigSummary:
    """What may be shown of this configuration."""
    every = {part.name: getattr(part.options, "every", None) for part in config.sources}
    return ConfigSummary(
        feeds=tuple(part.name for part in config.sources if part.kind != "folder"),
        folders=tuple(part.name for part in config.sources if part.kind == "folder"),
        receivers=tuple(part.name for part in config.receivers),
        topics=config.topics,
        fingerprint=config.fingerprint,
        groups=all_groups(config.routes),
        places={part.name: _place(part) for part in config.sources},
        paces={name: f"every {in_words(span)}" for name, span in every.items() if isinstance(span, timedelta)},
        kinds={part.name: part.kind for part in config.receivers},
        source_kinds={part.name: part.kind for part in config.sources},
        listing=tuple(_listing(config)),
        warnings=tuple(str(warning) for warning in config.warnings),
        silences=config.silences,
    )


def _place(part: SourceConfig) -> str:
    """The URL without user and password, the address of a mailbox, or the path."""
    url = getattr(part.options, "url", None)
    if isinstance(url, str):
        parts = urlsplit(url)
        return redaction.clean(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    path = getattr(part.options, "path", "") or getattr(part.options, "place", "")
    return str(path) if isinstance(path, Path | str) else ""


def _listing(config: Config) -> Iterator[str]:
    """The output of `watchpost config show` without tokens, cut to what a page can hold."""
    text = redaction.clean(json.dumps(effective(config), ensure_ascii=False, indent=2))
    shown = text if len(text) <= _LISTED else text[:_LISTED].rpartition("\n")[0]
    yield from shown.splitlines()
    if len(shown) < len(text):
        yield f"… and {text[len(shown) :].count(chr(10))} more lines: watchpost config show"
