"""Deeds that are only written down, for tests of who may ask for them."""

from __future__ import annotations

from collections.abc import Mapping

from tests.making import WHEN
from watchpost.errors import FormError
from watchpost.operations.actions import Backlog
from watchpost.store.dead_letters import DeadLetter

LETTER = DeadLetter("1-0", "delivery", "client_error", "404", WHEN, "team", "d1")


class Recorder:
    """Deeds that are only written down."""

    def __init__(self) -> None:
        self.done: list[tuple[str, ...]] = []

    async def enable(self, receiver: str, by: str) -> int | None:
        self.done.append(("enable", receiver, by))
        return 3 if receiver == "team" else None

    async def hurry(self, receiver: str, by: str) -> int:
        self.done.append(("hurry", receiver, by))
        return 2

    async def resend(self, dead_letter: str, by: str) -> bool:
        self.done.append(("resend", dead_letter, by))
        return dead_letter == "1-0"

    async def read_now(self, feed: str, by: str) -> str:
        self.done.append(("read", feed, by))
        return "NOW" if feed == "rfi" else "NONE"

    async def backlog(self, wanted: Mapping[str, str]) -> Backlog:
        if wanted["since"] == "6":
            raise FormError({"since": "6: write it like 90m, 12h or 7d"})
        return Backlog((LETTER,))

    async def replay(self, wanted: Mapping[str, str], by: str) -> int:
        found = await self.backlog(wanted)
        self.done.append(("replay", wanted["receiver"], by))
        return found.count

    async def holding_rules(self, wanted: Mapping[str, str], by: str) -> None:
        if not wanted["reason"]:
            raise FormError({"reason": "a reason is needed"})
        self.done.append(("hush", wanted["topic"], by))

    async def unhush(self, silence: str, by: str) -> bool:
        self.done.append(("unhush", silence, by))
        return silence == "abc"
