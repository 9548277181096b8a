"""Still: what the pages and probes are told of the configuration."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Watched:
    """The names that the configuration gives to what it watches and tells; `topics` are titles for people.

    `fingerprint` is the configuration's.
    """

    feeds: tuple[str, ...] = ()
    folders: tuple[str, ...] = ()
    receivers: tuple[str, ...] = ()
    topics: tuple[str, ...] = ()
    fingerprint: str = ""

    @property
    def sources(self) -> tuple[str, ...]:
        """Feeds and folders."""
        return self.feeds + self.folders
