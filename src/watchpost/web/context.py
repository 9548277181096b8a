"""Plan → what the pages get of it. Builds and hands over, nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any, Protocol
from urllib.parse import urlsplit

from watchpost import redaction
from watchpost.config.config import Config, HttpAccess, SourceConfig
from watchpost.config.diff import effective
from watchpost.durations import in_words
from watchpost.health import HEALTH, Health
from watchpost.match.routing import all_groups
from watchpost.model import Group, Topic
from watchpost.notify.schedule import next_slot
from watchpost.operations.actions import Actions, Backlog
from watchpost.operations.config_diff import Comparison, ConfigOnDisk
from watchpost.operations.previews import DigestPreviews, Preview
from watchpost.operations.unsubscribe import MailUnsubscriber
from watchpost.schedules import Immediate, Silence
from watchpost.store.client import Store
from watchpost.web.reload import ReloadEndpoint
from watchpost.web.unsubscribe import Leaving

# what the pages and probes are told of the configuration.


@dataclass(frozen=True, slots=True)
class ConfigSummary:
    """What the configuration watches and whom it tells.

    `places`: the URL or path of each source, `paces` how often it is read, `kinds` each receiver's kind; all by
    name. `listing` is the configuration as it may be shown, line by line; `warnings` what is doubtful in it.
    `fingerprint` is the configuration's.
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
    listing: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()
    silences: tuple[Silence, ...] = ()
    timezone: str = "UTC"
    public_url: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Feeds and folders."""
        return self.feeds + self.folders


# What people may do from the pages; who does it is the business of app, the same for pages and commands.


class Deeds(Protocol):
    """Each deed leaves a line in the log that says who did it: `by`. All raise StoreError."""

    async def enable(self, receiver: str, by: str) -> int | None:
        """Let a receiver be tried again; how many messages that waited for it go now. None: no such receiver."""

    async def hurry(self, receiver: str, by: str) -> int:
        """Messages that wait for a later attempt go now ("" for every receiver's); how many."""

    async def resend(self, dead_letter: str, by: str) -> bool:
        """Take a dead letter up again; False if nothing is left of it."""

    async def read_now(self, feed: str, by: str) -> str:
        """Read a feed at its host's next turn: "NOW"; "SOON" if that is so anyway; "NONE" for no such feed."""

    async def backlog(self, wanted: Mapping[str, str]) -> Backlog:
        """What `replay` would send again now. Raises FormError."""

    async def replay(self, wanted: Mapping[str, str], by: str) -> int:
        """Send again what has not arrived: receiver ("" for all), since ("6h"), what ("failed" or "all"); how many.

        Raises FormError.
        """

    async def holding_rules(self, wanted: Mapping[str, str], by: str) -> None:
        """Tell nobody of some hits for a while: topic, source, severity, text, story; lasting or until; reason.

        Raises FormError.
        """

    async def unhush(self, silence: str, by: str) -> bool:
        """End a silence now; False if there is none that could be ended."""


# What app lets the pages see besides the store: it is the same that the commands see.


class Coming(Protocol):
    """The coming editions, by the id of their group. All raise StoreError."""

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        """What would be sent now; nothing for a group that there is not. Changes nothing."""

    async def send(self, id_: str, saw: str | None, by: str) -> int | None:
        """Send it now; how many messages. None: there is no such group, or it is not what somebody `saw`
        (previews.seen; None: nobody looked), because somebody closed its window since.

        Leaves a line in the log that says who did it.
        """


class Disk(Protocol):
    """The files of the configuration."""

    async def compare(self) -> Comparison:
        """What a reload would change. Never raises; takes nothing over."""


NextDigest = Callable[[Group, datetime | None, datetime], datetime | None]


@dataclass(frozen=True, slots=True)
class WebContext:
    """What the application is built from. `access` says who may see it; `next_edition` when a group is told next.
    `door` is where a new configuration is asked for, `deeds` what may be done, `leaving` how readers
    of mail leave, `coming` what is sent next, `disk` what the configuration says there; None: nothing.
    """

    store: Store
    summary: ConfigSummary
    health: Health
    access: HttpAccess = field(default_factory=HttpAccess)
    listen: str = "127.0.0.1:8080"
    next_edition: NextDigest = lambda group, opened, now: None
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    door: ReloadEndpoint | None = None
    actions: Deeds | None = None
    leaving: Leaving | None = None
    coming: Coming | None = None
    disk: Disk | None = None


_LISTED = 30_000  # characters of the configuration on its page


def web_context(
    config: Config,
    store: Store,
    stop: asyncio.Event,
    door: ReloadEndpoint | None = None,
    disk: ConfigOnDisk | None = None,
) -> WebContext:
    """Everything that the web role is built from."""
    return WebContext(
        store=store,
        summary=summary_of(config),
        health=HEALTH,
        access=config.access,
        listen=config.listen,
        next_edition=next_edition,
        stop=stop,
        door=door,
        actions=Actions(config, store),
        leaving=MailUnsubscriber(config, store),
        coming=DigestPreviews(config, store),
        disk=disk,
    )


def summary_of(config: Config) -> ConfigSummary:
    """The slice of the plan that the pages and probes get."""
    return ConfigSummary(
        feeds=tuple(part.name for part in config.sources if part.kind == "feed"),
        folders=tuple(part.name for part in config.sources if part.kind != "feed"),
        receivers=tuple(part.name for part in config.receivers),
        topics=config.topics,
        fingerprint=config.fingerprint,
        groups=all_groups(config.routes),
        places={part.name: _place(part) for part in config.sources},
        paces={part.name: f"every {in_words(every)}" for part in config.sources if (every := _every(part)) is not None},
        kinds={part.name: part.kind for part in config.receivers},
        listing=tuple(_listing(config)),
        warnings=tuple(str(warning) for warning in config.warnings),
        silences=config.silences,
        timezone=config.timezone,
        public_url=config.public_url,
    )


def next_edition(group: Group, opened: datetime | None, now: datetime) -> datetime | None:
    """When a group is told next; None for an alert for which nothing is parked."""
    if isinstance(group.schedule, Immediate):
        return None if opened is None else max(now, opened + group.schedule.group_wait)
    return next_slot(group.schedule, now)


def _every(part: SourceConfig) -> Any:
    return getattr(part.options, "every", None)


def _place(part: SourceConfig) -> str:
    """The URL without user and password, or the path."""
    url = getattr(part.options, "url", None)
    if isinstance(url, str):
        parts = urlsplit(url)
        return redaction.clean(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    path = getattr(part.options, "path", "")
    return str(path) if isinstance(path, Path | str) else ""


def _listing(config: Config) -> Iterator[str]:
    """The configuration as `watchpost config show` has it, without tokens, cut where a page would be too long."""
    text = redaction.clean(json.dumps(effective(config), ensure_ascii=False, indent=2))
    shown = text if len(text) <= _LISTED else text[:_LISTED].rpartition("\n")[0]
    yield from shown.splitlines()
    if len(shown) < len(text):
        yield f"… and {text[len(shown) :].count(chr(10))} lines more: watchpost config show"


# what a page says after a deed.


NOTICES = {
    "enabled": "The receiver is enabled: what waits for it goes now.",
    "hurried": "What waited for a later attempt goes now.",
    "resent": "It is sent again.",
    "replayed": "They are sent again: the same messages, each once, in order.",
    "gone": "Nothing is left of it: somebody was faster, or it was kept too long ago.",
    "now": "The feed is read at its host's next turn.",
    "soon": "The feed is being read, or will be in a moment.",
    "none": "There is nothing of that name.",
    "read": "The configuration was read and is what runs.",
    "hushed": "Nobody is told of that for a while.",
    "unhushed": "The silence has ended.",
    "told": "The edition goes now. What it tells is not told again.",
    "empty": "There is nothing to send.",
    "moved": "Nothing was sent: the edition that you saw went out by itself a moment ago, or was changed. "
    "This is how it stands now.",
    "refused": "The configuration on the disk has mistakes and is not used.",
}
"""What a page may say after a deed; nothing else that stands in an address is ever shown."""
