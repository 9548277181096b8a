"""Pages are made in turn, and what all of them cost the processor is bounded."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from watchpost.web.page_turns import AT_ONCE, MOST_WAITING, SAVED_SECONDS, SHARE, PageTurns


class _Site:
    """An application whose answers begin when they are let go, and end when `read` is set. Time is its own."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.go: dict[str, asyncio.Event] = {}
        self.read = asyncio.Event()
        self.read.set()
        self.cost_seconds = 0.0
        self.now = self.used = self.slept = 0.0
        self.given = 1.0
        self.turns = PageTurns(
            self._app,
            clock=lambda: self.now,
            processor=lambda: self.used,
            given=lambda: self.given,
            sleep=self._sleep,
        )

    async def _sleep(self, seconds: float) -> None:
        self.now += seconds
        self.used += seconds  # something else computes without end
        self.slept += seconds

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        name = scope["name"]
        self.begun.append(name)
        if name in self.go:
            await self.go[name].wait()
        self.used += self.cost_seconds
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await self.read.wait()

    async def ask(self, name: str, address: str = "a", path: str = "/stories", method: str = "GET") -> int:
        """The status of the answer."""
        status = 0

        async def send(message: MutableMapping[str, Any]) -> None:
            nonlocal status
            status = message.get("status", status)

        async def receive() -> MutableMapping[str, Any]:
            return {"type": "http.disconnect"}

        scope = {"type": "http", "method": method, "path": path, "client": (address, 1), "name": name}
        await self.turns(scope, receive, send)
        return status

    def begin(self, name: str, address: str = "a", **more: str) -> asyncio.Task[int]:
        """Ask for what is answered when `go` says so."""
        self.go[name] = asyncio.Event()
        return asyncio.ensure_future(self.ask(name, address, **more))


async def _until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(60):
        while not condition():
            await asyncio.sleep(0)


async def _let_go(site: _Site, *tasks: Awaitable[int]) -> list[int]:
    for event in site.go.values():
        event.set()
    return list(await asyncio.gather(*tasks))


async def test_a_few_are_made_at_once_and_the_others_wait_in_turn_by_address() -> None:
    site = _Site()
    first = [site.begin(f"first {number}", "many") for number in range(AT_ONCE)]
    await _until(lambda: len(site.begun) == AT_ONCE)
    waiting = [site.begin(f"many {number}", "many") for number in range(3)]
    for _ in range(5):
        await asyncio.sleep(0)
    waiting.append(site.begin("one", "of its own"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert len(site.begun) == AT_ONCE
    site.go["first 0"].set()
    await _until(lambda: len(site.begun) == AT_ONCE + 1)
    site.go["first 1"].set()
    await _until(lambda: len(site.begun) == AT_ONCE + 2)
    assert site.begun[AT_ONCE:] == ["many 0", "one"]
    assert await _let_go(site, *first, *waiting) == [200] * (AT_ONCE + 4)


@pytest.mark.parametrize("given", [1.0, 0.2])
async def test_what_pages_cost_is_bounded_whatever_else_computes(given: float) -> None:
    site = _Site()
    site.given = given
    site.cost_seconds = 1.0
    pages = 40
    for number in range(pages):
        assert await site.ask(str(number)) == 200
        site.now += site.cost_seconds
    assert site.slept > 0
    assert pages * site.cost_seconds <= SAVED_SECONDS + site.now * SHARE * given + site.cost_seconds


async def test_too_many_that_wait_are_refused_and_probes_and_forms_never_wait() -> None:
    site = _Site()
    held = [site.begin(f"held {number}") for number in range(AT_ONCE + MOST_WAITING)]
    await _until(lambda: len(site.begun) == AT_ONCE)
    for _ in range(5):
        await asyncio.sleep(0)
    assert await site.ask("one more") == 503
    assert await site.ask("alive", path="/healthz") == 200
    assert await site.ask("form", method="POST") == 200
    assert await _let_go(site, *held) == [200] * len(held)


async def test_who_reads_no_answer_and_who_leaves_hold_up_nobody() -> None:
    site = _Site()
    site.read.clear()
    unread = [asyncio.ensure_future(site.ask(f"unread {number}")) for number in range(2 * AT_ONCE)]
    await _until(lambda: len(site.begun) == 2 * AT_ONCE)
    held = [site.begin(f"held {number}") for number in range(AT_ONCE)]
    await _until(lambda: len(site.begun) == 3 * AT_ONCE)
    gone = [site.begin(f"gone {number}") for number in range(5)]
    for _ in range(5):
        await asyncio.sleep(0)
    for task in gone:
        task.cancel()
    await asyncio.gather(*gone, return_exceptions=True)
    last = site.begin("last")
    site.read.set()
    assert await _let_go(site, last, *held, *unread) == [200] * (3 * AT_ONCE + 1)
    assert site.begun[-1] == "last"
    assert not any(name.startswith("gone") for name in site.begun)
