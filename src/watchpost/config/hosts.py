"""The hosts that cannot keep what is asked of them: more visits are due than the gap between requests allows."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta

from watchpost.config.config import SourceConfig
from watchpost.config.schema import HostOptions
from watchpost.durations import short
from watchpost.net import host_of
from watchpost.plurals import count

_AUTOMATIC = timedelta(hours=6)
"""A feed without `every` is read at least so often: the interval gives way where a host is busy."""

_MILLISECOND = timedelta(milliseconds=1)


@dataclass(frozen=True, slots=True)
class BusyHost:
    """A host whose `feeds` (by name) ask for a request each `asked` on average, more often than its `gap` allows."""

    host: str
    feeds: tuple[str, ...]
    gap: timedelta
    asked: timedelta

    @property
    def problem(self) -> str:
        """What is wrong, in words."""
        feeds, times = count(len(self.feeds), "feed"), self.gap / self.asked
        return (
            f"{self.host} cannot be asked so often: the gap between its requests is {short(self.gap)}, "
            f"and its {feeds} are due {times:.1f} times as often"
        )

    @property
    def cure(self) -> str:
        """What to write instead."""
        fitting = max(self.asked // _MILLISECOND, 1)
        return f"lengthen every, or if the host allows it write hosts: {{{self.host}: {{gap: {fitting}ms}}}}"


def busy_hosts(
    sources: Iterable[SourceConfig], gap: timedelta, hosts: Mapping[str, HostOptions]
) -> tuple[BusyHost, ...]:
    """The hosts that are asked too much, by name. `gap` is for those without one of their own in `hosts`."""
    feeds: dict[str, list[str]] = {}
    per_second: dict[str, float] = {}
    for source in sources:
        url, every = getattr(source.options, "url", None), getattr(source.options, "every", None)
        if source.kind != "feed" or not isinstance(url, str) or not isinstance(every, timedelta):
            continue
        host = host_of(url)
        every = every if getattr(source.options, "paced", True) else _AUTOMATIC
        feeds.setdefault(host, []).append(source.name)
        per_second[host] = per_second.get(host, 0.0) + 1 / every.total_seconds()
    found = []
    for host, names in sorted(feeds.items()):
        own = hosts.get(host, HostOptions()).gap
        limit = gap if own is None else own
        if limit.total_seconds() * per_second[host] > 1.001:
            found.append(BusyHost(host, tuple(names), limit, timedelta(seconds=1 / per_second[host])))
    return tuple(found)
