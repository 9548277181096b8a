"""Which files of a folder leave it, and when: those that COMMIT keeps, whole and without a flaw."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from datetime import datetime, timedelta
from pathlib import Path
from typing import Literal

from watchpost.poll.folders.away import Fate, delete, move
from watchpost.poll.folders.haul import Haul, key
from watchpost.poll.folders.settling import Look
from watchpost.poll.source import Failure

ON_DISK = timedelta(seconds=3)
"""By default the store is on its disk a second after a COMMIT; a file must not go before the article is there."""

_AGAIN = timedelta(minutes=10)
_PER_VISIT = 1000


class Leaving:
    """Moves or deletes files of the folder `root`.

    The memory that a visit is given is what COMMIT has stored: a file that it calls read to its end may go. After
    a crash in between, the next start finds the same memory and the same file, and goes on. What was in the
    memory when this object first saw it is on the disk already.
    """

    def __init__(self, root: Path, after: Literal["keep", "move", "delete"], target: Path | None) -> None:
        self._root = root
        self._after = after
        self._target = target
        self._first_visit = True
        self._since: dict[str, tuple[str, datetime]] = {}  # path → stamp, since when the memory has it
        self._stays: dict[str, tuple[str, datetime]] = {}  # path → stamp, when to try again
        self.wait: timedelta | None = None  # until the next file may go

    @property
    def concerns_us(self) -> bool:
        """Whether any file ever leaves."""
        return self._after != "keep"

    async def see_off(self, looks: Iterable[Look], haul: Haul) -> list[str]:
        """Let go what may go, at most 1,000 files; failures go into `haul`, and what is gone out of the memory.

        Returns the paths of files that hold another text than the one that was read.
        """
        self.wait = None
        if not self.concerns_us:
            return []
        due = self._due(looks, haul)
        haul.more = haul.more or len(due) > _PER_VISIT
        fates = await asyncio.to_thread(self._go, due[:_PER_VISIT])
        changed = []
        for (look, _), fate in zip(due, fates, strict=False):
            if fate == "done":
                haul.changes[key(look)] = ""
            elif fate == "changed":
                changed.append(look.path)
            else:
                self._stay(look, fate, haul)
        return changed

    def _due(self, looks: Iterable[Look], haul: Haul) -> list[tuple[Look, str]]:
        """The files that may go, with the digest of what was read."""
        since: dict[str, tuple[str, datetime]] = {}
        stays: dict[str, tuple[str, datetime]] = {}
        due = []
        for look in looks:
            record = haul.before(look)
            if record is None or record.offset is not None or record.flawed or record.stamp != look.stamp:
                continue
            known = haul.now - ON_DISK if self._first_visit else haul.now
            stamp, moment = self._since.get(look.path, (look.stamp, known))
            since[look.path] = (look.stamp, moment if stamp == look.stamp else haul.now)
            stayed, again = self._stays.get(look.path, ("", haul.now))
            left = since[look.path][1] + ON_DISK - haul.now
            if stayed == look.stamp:
                stays[look.path] = (stayed, again)
            if stayed == look.stamp and haul.now < again:
                continue
            if left <= timedelta(0):
                due.append((look, record.digest))
            else:
                self.wait = left if self.wait is None else min(self.wait, left)
        self._first_visit, self._since, self._stays = False, since, stays
        return due

    def _go(self, due: list[tuple[Look, str]]) -> list[Fate | OSError]:
        fates: list[Fate | OSError] = []
        for look, digest in due:
            try:
                if self._after == "delete":
                    fates.append(delete(self._root, look, digest))
                else:
                    fates.append(move(self._root, look, digest, self._target))
            except OSError as error:
                fates.append(error)
        return fates

    def _stay(self, look: Look, fate: Fate | OSError, haul: Haul) -> None:
        """Say it once for each file; links stay for good, the others are tried again."""
        told = look.path in self._stays
        self._stays[look.path] = (look.stamp, haul.now + _AGAIN)
        if isinstance(fate, OSError) and not told:
            said = (fate.strerror or type(fate).__name__).lower()
            reason = "not_deleted" if self._after == "delete" else "not_moved"
            again = f"tried again every {_AGAIN.total_seconds() / 60:g} min"
            haul.failures.append(Failure(look.shown, reason, f"it was read, but stays where it is: {said}; {again}"))
