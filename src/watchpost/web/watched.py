"""Still: what the pages and probes are told of the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from watchpost.model import Group, Topic
from watchpost.timetable import Silence


@dataclass(frozen=True, slots=True)
class Watched:
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
