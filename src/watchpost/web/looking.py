"""What app lets the pages see besides the store: it is the same that the commands see."""

from __future__ import annotations

from typing import Protocol

from watchpost.web.pages.configuration import Comparison
from watchpost.web.pages.previews import Preview


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
