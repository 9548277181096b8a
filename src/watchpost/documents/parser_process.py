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
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from watchpost import log as tm
from watchpost.documents.parser_child import LENGTH_BYTES, ParserAnswer, ParserJob, Said, attempt
from watchpost.errors import FetchError

# The door to one child process: a socket on which messages go out, and their replies come back in the same order.
#
# The child works on one message at a time. So the first that is out is the one it is at: to that one the wall limit
# applies, and that one is to blame if the child ends.


_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # no secrets: it reads strangers

_MAIN = "from watchpost.documents.parser_child import main; main()"


class Lost(Exception):
    """The child ended, and this message was not to blame."""


@dataclass(slots=True)
class _Out:
    """A message that is out. `seconds` is what it may take; from its reply on, what is left of that."""

    seconds: float
    reply: asyncio.Future[Said]


class Child:
    """One child process. `jobs` is how many were begun; `idle` is set while all of them are over."""

    def __init__(
        self, process: subprocess.Popen[bytes], reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.jobs = 0
        self.idle = asyncio.Event()
        self.killed = False
        self._busy = 0
        self._process = process
        self._reader = reader
        self._writer = writer
        self._out: asyncio.Queue[_Out] = asyncio.Queue()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls) -> Child:
        """A new one."""
        process, channel = await asyncio.to_thread(_spawn)  # a busy disk may hold up the start of a program
        try:
            return cls(process, *await asyncio.open_connection(sock=channel))
        except BaseException:
            channel.close()  # which ends it
            raise

    def begin(self) -> None:
        """A job begins."""
        self.jobs += 1
        self._busy += 1
        self.idle.clear()

    def over(self) -> None:
        """A job is over, whatever came of it."""
        self._busy -= 1
        if not self._busy:
            self.idle.set()

    async def exchange(self, message: ParserJob | ParserAnswer, seconds: float) -> tuple[Said, float]:
        """Its reply, and how many of the `seconds` of work that it may cost are left.

        Raises FetchError ("timeout", "crashed") if this message ended the child, Lost if anything else did.
        """
        if self.killed:
            raise Lost
        out = _Out(seconds, asyncio.get_running_loop().create_future())
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._writer.writelines([len(data).to_bytes(LENGTH_BYTES, "big"), data])
        self._out.put_nowait(out)
        return await out.reply, out.seconds

    def kill(self) -> None:
        """At once, whatever it does; whoever waits for it hears Lost."""
        self.killed = True
        self._process.kill()
        self._writer.transport.abort()
        self._listener.cancel()

    async def ended(self) -> int:
        """Its exit code, when it has ended."""
        return await asyncio.to_thread(self._process.wait)

    async def _listen(self) -> None:
        out: _Out | None = None
        verdict: FetchError | None = None
        try:
            await self._hear()  # that it is ready: the limit is for jobs
            while True:
                out = await self._out.get()
                begun = asyncio.get_running_loop().time()
                async with asyncio.timeout(out.seconds):
                    said = await self._hear()
                out.seconds -= asyncio.get_running_loop().time() - begun
                if not out.reply.done():
                    out.reply.set_result(said)
        except TimeoutError:
            verdict = FetchError("timeout", "reading it took too long and was stopped")
        except (EOFError, OSError):
            out = out or await self._out.get()  # it did not even begin: that must not go on for ever
            verdict = FetchError("crashed", f"reading it ended the parser with code {await self.ended()}")
        finally:
            self.killed = True
            self._process.kill()
            self._writer.transport.abort()
            if out is not None:
                self._out.put_nowait(out)
            while not self._out.empty():
                one = self._out.get_nowait()
                if not one.reply.done():
                    one.reply.set_exception(verdict if one is out and verdict is not None else Lost())

    async def _hear(self) -> Said:
        length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES), "big")
        kind, value = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - what our own code made of it
        return kind, value


def _spawn() -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A child and our end of its socket. No fork: one of a process with a loop and threads may inherit held locks."""
    ours, theirs = socket.socketpair()
    env = {name: os.environ[name] for name in _PASSED_ON if name in os.environ}
    env["PYTHONPATH"] = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - ourselves
            [sys.executable, "-P", "-c", _MAIN, str(theirs.fileno())],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return process, ours


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
                ParserJob(number, self._memory_bytes, work, args, kwargs), self._wall_seconds
            )
            while kind == "asks":
                try:
                    reply = ParserAnswer(number, self._memory_bytes, True, await answer(value))
                except Exception as error:  # which is not the child's fault
                    reply, trouble = ParserAnswer(number, self._memory_bytes, False), error
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
