"""Whose page is made next: a few at once, in turn by address, with a bound for what all pages cost the processor.

A page of stories may take a quarter of a second of the processor. Without a bound, a hundred requests that come again
and again take all of it, and what the pages show is no longer found and sent.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from time import monotonic, process_time

from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from watchpost.web.core_share import CoreShare

SHARE = 0.5
"""So much of what the process is given of one core pages may take for as long as you like: half a core on an idle
machine, less on a busy one. All that the process computes meanwhile counts."""

SAVED_SECONDS = 10.0
"""So much of the processor's time they may take at once."""

AT_ONCE = 3
MOST_WAITING = 100
LONGEST_SECONDS = 20.0
"""So long a request waits for its turn."""

_LEAST_SECONDS = 0.001
_FREE = ("/healthz", "/readyz", "/status.json", "/metrics", "/static/", "/live", "/u/", "/websub/")


class PageTurns:
    """A layer of the application. A request that cannot have its turn is answered with status 503."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        clock: Callable[[], float] = monotonic,
        processor: Callable[[], float] = process_time,
        given: Callable[[], float] | None = None,
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """`clock` and `processor` return seconds: by the clock, and that this process has computed.

        `given` returns how much of one core the process gets while it wants one, above 0 and up to 1.
        """
        self._app = app
        self._clock = clock
        self._processor = processor
        self._given = given or CoreShare()
        self._share = SHARE
        self._sleep = sleep
        self._saved, self._saved_at = SAVED_SECONDS, clock()
        self._used = 0.0  # `processor` when the running ones were last charged
        self._running = self._made = 0  # requests that have their turn, and those of them that are answered
        self._waiting: dict[str, deque[asyncio.Future[None]]] = {}  # by address; the first one is next

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass the request on when it is its turn. The turn is over when the answer begins, not when it was read."""
        if scope["type"] != "http" or scope["method"] not in ("GET", "HEAD") or scope["path"].startswith(_FREE):
            await self._app(scope, receive, send)
            return
        if not await self._turn((scope.get("client") or ("",))[0]):
            await PlainTextResponse("too many requests wait\n", 503, {"retry-after": "10"})(scope, receive, send)
            return
        made, ended = 0, False

        def end() -> None:
            nonlocal ended
            if not ended:
                ended = True
                self._charge()
                self._made -= made
                self._pass_on()

        async def noting(message: Message) -> None:
            end()
            await send(message)

        try:
            while (wait_seconds := self._owed_seconds()) > 0:
                await self._sleep(max(wait_seconds, _LEAST_SECONDS))
            self._made += (made := 1)
            await self._app(scope, receive, noting)
        finally:
            end()

    def _charge(self) -> None:
        """Take off what the process has computed while pages were made."""
        now, used = self._clock(), self._processor()
        self._share = SHARE * self._given()
        self._saved = min(SAVED_SECONDS, self._saved + (now - self._saved_at) * self._share)
        if self._made:
            self._saved -= used - self._used
        self._saved_at, self._used = now, used

    def _owed_seconds(self) -> float:
        """How long until pages may cost something again."""
        self._charge()
        return -self._saved / self._share

    async def _turn(self, address: str) -> bool:
        """Wait for the turn; False if it does not come."""
        if self._running < AT_ONCE:
            self._running += 1
            return True
        if sum(map(len, self._waiting.values())) >= MOST_WAITING:
            return False
        turn = asyncio.get_running_loop().create_future()
        self._waiting.setdefault(address, deque()).append(turn)
        try:
            await asyncio.wait_for(asyncio.shield(turn), LONGEST_SECONDS)
        except BaseException as error:
            if turn.done():
                self._pass_on()  # it came at this very moment
            turn.cancel()
            if isinstance(error, TimeoutError):
                return False
            raise
        return True

    def _pass_on(self) -> None:
        """Give the turn to the next address that waits."""
        while self._waiting:
            address, turns = next(iter(self._waiting.items()))
            del self._waiting[address]
            turn = turns.popleft()
            if turns:
                self._waiting[address] = turns  # at the end
            if not turn.done():
                turn.set_result(None)
                return
        self._running -= 1
