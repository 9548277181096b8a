"""Pure: times in which nothing was read, and why."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime


@dataclass(frozen=True, slots=True)
class Pause:
    """A time in which nothing was read: "disk", "backlog" or "store", since when, until when. None: it goes on."""

    reason: str
    since: datetime
    until: datetime | None = None

    def covers(self, moment: datetime) -> bool:
        """Whether nothing was read at that moment."""
        return self.since <= moment and (self.until is None or moment <= self.until)


class Pauses:
    """The last pause of something that is noted again and again, whether it pauses or goes on."""

    def __init__(self) -> None:
        self.last: Pause | None = None
        self._went_on: datetime | None = None

    @property
    def reason(self) -> str:
        """Why it pauses now; "" if it goes on."""
        return self.last.reason if self.last is not None and self.last.until is None else ""

    def note(self, reason: str, now: datetime) -> None:
        """It pauses for this reason, since it was last noted to go on; with "" it goes on."""
        if reason:
            since = self.last.since if self.last is not None and self.reason else self._went_on or now
            self.last = Pause(reason, since)
            return
        if self.last is not None and self.reason:
            self.last = replace(self.last, until=now)
        self._went_on = now
