"""Still: which files have come to rest, from looks at their size, time and inode; and what is remembered of a file."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

_FLAWED = "flawed"


@dataclass(frozen=True, slots=True)
class Look:
    """A regular file as one scan saw it. `path` is relative to the folder, with `/`; times are in ns of the epoch."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def shown(self) -> str:
        """Its path as it may be stored and shown."""
        return shown(self.path)

    @property
    def stamp(self) -> str:
        """Equal stamps: nobody wrote to the file in between."""
        return f"{self.size}:{self.mtime_ns}:{self.inode}"


@dataclass(frozen=True, slots=True)
class Record:
    """What is remembered of a file: its stamp, a digest, and an offset while it is not read to its end.

    For JSON Lines the digest is of the last bytes before the offset, and the offset counts bytes; for other files
    it is of the whole, and the offset counts articles already handed on (None: all). `flawed` says that something
    in a file read to its end was cut, replaced or skipped.
    """

    stamp: str
    digest: str
    offset: int | None = None
    flawed: bool = False

    def encode(self) -> str:
        """`size:mtime:inode:digest[:offset]`, or `…:flawed` in the place of the offset."""
        return ":".join([self.stamp, self.digest, *self._end()])

    def _end(self) -> list[str]:
        if self.offset is not None:
            return [str(self.offset)]
        return [_FLAWED] if self.flawed else []


def shown(path: str) -> str:
    """A file name as it may be stored and shown: what is no letter, mark or space is escaped."""
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in path)


def recall(text: str) -> Record | None:
    """The record in `text`; None for "" and for what no version of ours wrote."""
    parts = text.split(":")
    flawed = parts[4:] == [_FLAWED]
    numbers = parts[:3] if flawed else [*parts[:3], *parts[4:]]
    if len(parts) not in (4, 5) or not all(number.isdecimal() for number in numbers):
        return None
    return Record(":".join(parts[:3]), parts[3], int(parts[4]) if len(numbers) == 4 else None, flawed)


class Settling:
    """Tells files that are complete from files that somebody still writes.

    A file is ready if two looks at least `settle` apart saw the same, if at the first look nobody had written to
    it for twice that long, or if it was renamed into place. It stays ready until somebody writes to it.
    """

    def __init__(self, settle: timedelta) -> None:
        self._settle = settle
        self._first: dict[str, tuple[str, datetime, bool]] = {}  # stamp, since when, ready

    def ready(
        self, looks: Iterable[Look], arrived: Collection[str], now: datetime
    ) -> tuple[list[Look], timedelta | None]:
        """The files that are ready, and how long until the next of the others can be (None: there are none)."""
        ready: list[Look] = []
        seen: dict[str, tuple[str, datetime, bool]] = {}
        soonest: timedelta | None = None
        for look in looks:
            stamp, since, settled = self._first.get(look.path, ("", now, False))
            if stamp != look.stamp:
                age = timedelta(seconds=now.timestamp() - look.mtime_ns / 1e9)
                since, settled = now, age >= 2 * self._settle
            settled = settled or look.path in arrived or (stamp == look.stamp and now - since >= self._settle)
            seen[look.path] = (look.stamp, since, settled)
            if settled:
                ready.append(look)
            else:
                left = self._settle - (now - since)
                soonest = left if soonest is None else min(soonest, left)
        self._first = seen  # files that were not among the looks are forgotten
        return ready, soonest
