"""The door to one killable child process, in which everything that strangers wrote is parsed.

A parser in native code cannot be interrupted by a thread or a signal handler; a process can be killed. The parent
never imports lxml, feedparser or pdfium.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import timedelta
from itertools import count
from typing import Any, ParamSpec, TypeVar, cast

from watchpost import telemetry as tm
from watchpost.errors import FetchError
from watchpost.poll.parsing.parser_child import Answer, Said, Work, attempt
from watchpost.poll.parsing.parser_link import Child, Lost

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

WALL = timedelta(seconds=5)
MEMORY_BYTES = 128 << 20  # above what a child holds that has its libraries
JOBS_PER_CHILD = 1000  # parsers leak a little: a fresh child now and then
_AT_ONCE = 3  # jobs that are begun: while some wait for an answer, the child is not idle


class ParserProcess:
    """Runs module-level functions in a child process with a wall limit and a memory limit, one at a time.

    A job that overruns the first is killed with its child; the next job gets a fresh one. While a job waits for an
    answer others go on. If one of them ends the child, the others begin again in the next, unnoticed by whoever waits
    for them. `memory_bytes` is what one job may take beside what it was given. The first job starts the child (about
    0.1 s). A child is replaced after `jobs_per_child`.
    """

    def __init__(
        self, *, wall: timedelta = WALL, memory_bytes: int = MEMORY_BYTES, jobs_per_child: int = JOBS_PER_CHILD
    ) -> None:
        self._wall_seconds = wall.total_seconds()
        self._memory_bytes = memory_bytes
        self._jobs_per_child = jobs_per_child
        self._numbers = count()
        self._turn = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._child: Child | None = None
        self._closed = False

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns. Arguments and result are pickled; the wall limit starts when the job does.

        Raises FetchError: what `work` itself raised, "timeout", "too_large" (memory), "crashed" (anything else).
        """
        return cast("T", await self._do(work, args, kwargs, _nobody))

    async def ask(
        self,
        work: Callable[P, Generator[Q, A, T]],
        answer: Callable[[Q], Awaitable[A]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What the generator `work` returns, whose questions `answer` answers meanwhile. Raises as `run` does.

        The wall limit does not count the time of an answer. What `answer` raises ends the job and comes out here. It
        may be asked again from the beginning: see the class.
        """
        return cast("T", await self._do(work, args, kwargs, answer))

    async def close(self) -> None:
        """Kill the child, running jobs included; they fail."""
        self._closed = True
        if self._child is not None:
            self._child.kill()
            await self._child.ended()

    async def _do(
        self,
        work: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> object:
        async with self._places:
            while True:
                child = await self._ready()
                try:
                    kind, value = await self._talk(child, work, args, kwargs, answer)
                except Lost:
                    continue  # another job ended the child: this one begins again in the next
                finally:
                    child.over()
                if kind == "failed":
                    raise FetchError(*value)
                return value

    async def _talk(
        self,
        child: Child,
        work: Callable[..., object],
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> Said:
        number, trouble = next(self._numbers), None
        try:
            (kind, value), left = await child.exchange(
                Work(number, self._memory_bytes, work, args, kwargs), self._wall_seconds
            )
            while kind == "asks":
                try:
                    reply = Answer(number, self._memory_bytes, True, await answer(value))
                except Exception as error:  # which is not the child's fault
                    reply, trouble = Answer(number, self._memory_bytes, False), error
                (kind, value), left = await child.exchange(reply, left)
        except FetchError:
            tm.restarts.labels("parser").inc()
            raise
        except asyncio.CancelledError:  # a job that nobody waits for any more must not hold up the others
            child.kill()
            raise
        if trouble is not None:
            raise trouble
        return kind, value

    async def _ready(self) -> Child:
        async with self._turn:
            if self._child is not None and self._child.jobs == self._jobs_per_child:
                await self._child.idle.wait()
                self._child.kill()
            if (self._child is None or self._child.killed) and not self._closed:
                if self._child is not None:
                    await self._child.ended()
                try:
                    self._child = await Child.start()
                except OSError as error:
                    raise FetchError("crashed", f"the parser cannot be started: {error.strerror}") from None
            if self._child is None or self._closed:
                if self._child is not None:
                    self._child.kill()  # it was closed while this one started
                raise FetchError("crashed", "the parser was closed")
            self._child.begin()
            return self._child


class InlineParser:
    """The same promise without a process: for the command line, which reads the user's own files once, and for tests.

    It cannot stop what takes too long.
    """

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, or FetchError as ParserProcess.run raises it."""
        return cast("T", await _inline(attempt(work, args, kwargs), _nobody))

    async def ask(
        self,
        work: Callable[P, Generator[Q, A, T]],
        answer: Callable[[Q], Awaitable[A]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """See ParserProcess.ask."""
        return cast("T", await _inline(attempt(work, args, kwargs), answer))

    async def close(self) -> None:
        """Nothing to let go of."""


async def _inline(steps: Generator[tuple[str, Any], Any, None], answer: Callable[[Any], Awaitable[object]]) -> object:
    kind, value = next(steps)
    while kind == "asks":
        kind, value = steps.send(await answer(value))
    if kind == "failed":
        raise FetchError(*value)
    return value


async def _nobody(question: object) -> object:
    raise TypeError(f"work that was to be run asks: {question!r}")
