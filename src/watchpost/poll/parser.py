"""The door to one killable child process, in which everything that strangers wrote is parsed.

A parser in native code cannot be interrupted by a thread or a signal handler; a process can be killed. The parent
never imports lxml, feedparser or pdfium.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from collections.abc import Awaitable, Callable, Generator, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from watchpost import telemetry as tm
from watchpost.errors import FetchError
from watchpost.poll.parser_child import LENGTH_BYTES, attempt

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")

WALL = timedelta(seconds=5)
MEMORY_BYTES = 128 << 20  # above what a child holds that has its libraries
JOBS_PER_CHILD = 1000  # parsers leak a little: a fresh child now and then
_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # no secrets: it reads strangers


class ParserProcess:
    """Runs module-level functions in a child process with a wall limit and a memory limit, one after the other.

    A job that overruns the first is killed with its child; the next job gets a fresh one. `memory_bytes` is what one
    job may take beside what it was given. The first job starts the child (about 0.1 s). A child is replaced after
    `jobs_per_child`.
    """

    def __init__(
        self, *, wall: timedelta = WALL, memory_bytes: int = MEMORY_BYTES, jobs_per_child: int = JOBS_PER_CHILD
    ) -> None:
        self._wall_seconds = wall.total_seconds()
        self._memory_bytes = memory_bytes
        self._jobs_per_child = jobs_per_child
        self._turn = asyncio.Lock()
        self._child: _Child | None = None
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

        The child waits for the answer, and every other job for the child. What `answer` raises ends the job.
        """
        return cast("T", await self._do(work, args, kwargs, answer))

    async def close(self) -> None:
        """Kill the child, a running job included; others fail."""
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
        trouble: Exception | None = None
        async with self._turn:
            child = await self._ready()
            try:
                job = self._memory_bytes, work, args, kwargs
                kind, value, left = await self._exchange(child, job, self._wall_seconds)
                while kind == "asks":
                    try:
                        said = True, await answer(value)
                    except Exception as error:  # that is not the child's fault
                        said, trouble = (False, None), error
                    kind, value, left = await self._exchange(child, said, left)
            except BaseException:  # a job that nobody waits for any more must not hold up the next
                child.kill()
                raise
        if trouble is not None:
            raise trouble
        if kind == "failed":
            raise FetchError(*value)
        return value

    async def _exchange(self, child: _Child, message: object, seconds: float) -> tuple[str, Any, float]:
        """What the child says to that, and how many seconds are left."""
        begun = asyncio.get_running_loop().time()
        try:
            async with asyncio.timeout(seconds):
                kind, value = await child.exchange(message)
        except TimeoutError:
            tm.restarts.labels("parser").inc()
            said = f"reading it took longer than {self._wall_seconds:g} s and was stopped"
            raise FetchError("timeout", said) from None
        except (EOFError, OSError):
            raise await self._crashed(child) from None
        return kind, value, seconds - (asyncio.get_running_loop().time() - begun)

    async def _ready(self) -> _Child:
        child = self._child
        if self._closed:
            raise FetchError("crashed", _CLOSED)
        if child is None or child.killed or child.jobs == self._jobs_per_child:
            if child is not None:
                child.kill()
                await child.ended()
            child = self._child = await _Child.start()
            try:
                await child.hear()  # that it is there
            except (EOFError, OSError):
                raise await self._crashed(child) from None
        child.jobs += 1
        return child

    async def _crashed(self, child: _Child) -> FetchError:
        child.kill()
        code = await child.ended()
        if self._closed:
            return FetchError("crashed", _CLOSED)
        tm.restarts.labels("parser").inc()
        return FetchError("crashed", f"reading it ended the parser with code {code}")


class _Child:
    """One child process, and the socket to it."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.jobs = 0
        self.killed = False
        self._process = process
        self._reader = reader
        self._writer = writer

    @classmethod
    async def start(cls) -> _Child:
        """A new one. The first that is heard of it says that it is ready."""
        process, channel = _spawn()
        try:
            return cls(process, *await asyncio.open_connection(sock=channel))
        except BaseException:
            channel.close()  # which ends it
            raise

    async def exchange(self, message: object) -> tuple[str, Any]:
        """Its answer to a message. Raises EOFError or OSError if it has ended."""
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._writer.writelines([len(data).to_bytes(LENGTH_BYTES, "big"), data])
        return await self.hear()

    async def hear(self) -> tuple[str, Any]:
        """What it says next. Raises EOFError or OSError if it has ended."""
        length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES), "big")
        kind, value = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - what our own code made of it
        return kind, value

    def kill(self) -> None:
        """At once, whatever it does."""
        self.killed = True
        self._process.kill()
        self._writer.transport.abort()

    async def ended(self) -> int:
        """Its exit code, when it has ended."""
        return await asyncio.to_thread(self._process.wait)


def _spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A child and our end of its socket. No fork: one of a process with a loop and threads may inherit held locks."""
    ours, theirs = socket.socketpair()
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env["PYTHONPATH"] = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-m", "watchpost.poll.parser_child", str(theirs.fileno())],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return process, ours


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


_CLOSED = "the parser was closed"


async def _inline(steps: Generator[tuple[str, Any], Any, None], answer: Callable[[Any], Awaitable[object]]) -> object:
    kind, value = next(steps)
    while kind == "asks":
        kind, value = steps.send(await answer(value))
    if kind == "failed":
        raise FetchError(*value)
    return value


async def _nobody(question: object) -> object:
    raise TypeError(f"work that was to be run asks: {question!r}")
