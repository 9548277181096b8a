"""What people may do from the pages; who does it is the business of app, the same for pages and commands."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Protocol

from watchpost.web.pages.replay import Backlog


class Deeds(Protocol):
    """Each deed leaves a line in the log that says who did it: `by`. All raise StoreError."""

    async def enable(self, receiver: str, by: str) -> int | None:
        """Let a receiver be tried again; how many messages that waited for it go now. None: no such receiver."""

    async def hurry(self, receiver: str, by: str) -> int:
        """Messages that wait for a later attempt go now ("" for every receiver's); how many."""

    async def resend(self, letter: str, by: str) -> bool:
        """Take a dead letter up again; False if nothing is left of it."""

    async def read_now(self, feed: str, by: str) -> str:
        """Read a feed at its host's next turn: "NOW"; "SOON" if that is so anyway; "NONE" for no such feed."""

    async def backlog(self, wanted: Mapping[str, str]) -> Backlog:
        """What `replay` would send again now. Raises FormError."""

    async def replay(self, wanted: Mapping[str, str], by: str) -> int:
        """Send again what has not arrived: receiver ("" for all), since ("6h"), what ("failed" or "all"); how many.

        Raises FormError.
        """

    async def hush(self, wanted: Mapping[str, str], by: str) -> None:
        """Tell nobody of some hits for a while: topic, source, severity, text, story; lasting or until; reason.

        Raises FormError.
        """

    async def unhush(self, silence: str, by: str) -> bool:
        """End a silence now; False if there is none that could be ended."""
