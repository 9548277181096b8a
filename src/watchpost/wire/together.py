"""Calls of one script by many tasks: those that come while others are under way go out next, in one round trip."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Any

from watchpost.wire.store import Argument, Call, Store


class Together:
    """Runs one script. Each call is a step of its own, and what is refused to one no other hears."""

    def __init__(self, store: Store, name: str) -> None:
        self._store = store
        self._name = name
        self._waiting: list[tuple[Call, asyncio.Future[Any]]] = []
        self._sender: asyncio.Task[None] | None = None

    async def run(self, keys: Sequence[str], args: Sequence[Argument]) -> Any:
        """As Store.run. Whoever is cancelled meanwhile does not know whether the step was taken."""
        answer = asyncio.get_running_loop().create_future()
        self._waiting.append(((keys, args), answer))
        if self._sender is None or self._sender.done():
            self._sender = asyncio.create_task(self._send())
        async with self._store.errors():
            return await answer

    async def _send(self) -> None:
        while self._waiting:
            waiting, self._waiting = self._waiting, []
            answers: Sequence[object]
            try:
                answers = await self._store.run_each(self._name, [call for call, _ in waiting])
            except Exception as error:
                answers = [error] * len(waiting)
            for (_, future), answer in zip(waiting, answers, strict=True):
                if future.done():  # nobody waits any more
                    continue
                if isinstance(answer, Exception):
                    future.set_exception(answer)
                else:
                    future.set_result(answer)
