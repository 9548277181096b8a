"""Fakes that pass the same contract suites as the real things."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from watchpost.model import Delivered, Delivery, Digest, Message, Outcome
from watchpost.notify.render import payload, sentences


class RecordingReceiver:
    """A receiver that keeps what it is sent; its outcomes come from a list, then all is Delivered."""

    def __init__(self, name: str = "fake", outcomes: Iterable[Outcome] = ()) -> None:
        self.name = name
        self.deliveries: list[Delivery] = []
        self._outcomes = list(outcomes)
        self._news = asyncio.Condition()

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message: the JSON of webhooks."""
        return (
            Message("", sentences.subject(digest), {"json": payload.payload(digest, 1 << 24)}, omitted=digest.omitted),
        )

    async def send(self, delivery: Delivery) -> Outcome:
        """Keep it, and say what the test wants to be said."""
        async with self._news:
            self.deliveries.append(delivery)
            self._news.notify_all()
        return self._outcomes.pop(0) if self._outcomes else Delivered("kept")

    async def received(self, number: int) -> None:
        """Return when so many deliveries have come."""
        async with self._news:
            await self._news.wait_for(lambda: len(self.deliveries) >= number)
