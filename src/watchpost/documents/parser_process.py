"""Parses what strangers wrote in a child process that can be killed.

A thread or a signal handler cannot interrupt a parser in native code; a process can be killed. The parent never
imports lxml, feedparser or pdfium.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
import time
from abc import ABC, abstractmethod
from collections.abc import Awaitable, Callable, Generator, Mapping
from dataclasses import dataclass
from datetime import timedelta
from itertools import count
from pathlib import Path
from typing import Any, ParamSpec, TypeVar, cast

from watchpost import log as tm
from watchpost.documents.parser_child import LENGTH_BYTES, ParserAnswer, ParserJob, Reply, attempt
from watchpost.errors import FetchError

LIMIT = timedelta(seconds=5)
MEMORY_BYTES = 128 << 20  # above what a child holds that has its libraries
JOBS_PER_CHILD = 1000  # parsers leak a little: a fresh child now and then

LARGE_BYTES = 100_000  # a document of this length takes about a tenth of a second

PATIENCE = 6  # times the limit, by the clock: a machine that is busy with other things is not the document's fault
BESIDE = 10
"""The niceness (nice(2)) of a child whose work may take seconds: where cores are short, the rest goes first."""

PATIENCE_BESIDE = 30  # times the limit, by the clock, of such a child
_LEAST_WAIT_SECONDS = 0.01
_CPU_CLOCK = 2  # clock_getcpuclockid(3) of Linux: ~pid << 3 | CPUCLOCK_SCHED
_AT_ONCE = 3  # jobs that are begun: while some wait for an answer, the child is not idle
_ENVIRONMENT = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # no secrets
_MAIN = "from watchpost.documents.parser_child import main; main()"

P = ParamSpec("P")
T = TypeVar("T")
Q = TypeVar("Q")
A = TypeVar("A")
Work = Callable[..., object]


class Parser(ABC):
    """Runs module-level functions that parse untrusted bytes."""

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns. Raises FetchError: its own, "timeout", "too_large" (memory), "crashed" (the rest)."""
        return cast("T", await self._do(work, args, kwargs, _no_answer))

    async def ask(
        self,
        work: Callable[P, Generator[Q, A, T]],
        answer: Callable[[Q], Awaitable[A]],
        *args: P.args,
        **kwargs: P.kwargs,
    ) -> T:
        """What the generator `work` returns; `answer` gets each question that it yields. Raises as `run` does.

        What `answer` raises ends the job and is raised here.
        """
        return cast("T", await self._do(work, args, kwargs, answer))

    @abstractmethod
    async def _do(
        self,
        work: Work,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> object: ...


class ParserProcess(Parser):
    """Works in a child process within a limit of time and a limit of memory, on one job at a time.

    Arguments and results are pickled. The limit counts the processor's time, so that a busy machine fails no document,
    and by the clock `patience` times as much, for what waits without computing; it does not count the time of an
    answer. A job that exceeds it is killed with its child; the next job gets a fresh one. While a job waits for an
    answer others go on. If one of them ends the child, the others begin again in the next, so that their questions may
    come again.
    `memory_bytes` is what one job may take beside its arguments. `niceness` is added to that of this process. The
    first job starts the child (about 0.1 s).
    """

    def __init__(
        self,
        *,
        limit: timedelta = LIMIT,
        memory_bytes: int = MEMORY_BYTES,
        jobs_per_child: int = JOBS_PER_CHILD,
        patience: int = PATIENCE,
        niceness: int = 0,
    ) -> None:
        self._limit_seconds = limit.total_seconds()
        self._memory_bytes = memory_bytes
        self._jobs_per_child = jobs_per_child
        self._patience = patience
        self._niceness = niceness
        self._numbers = count()
        self._turn = asyncio.Lock()
        self._places = asyncio.Semaphore(_AT_ONCE)
        self._child: Child | None = None
        self._closed = False

    async def close(self) -> None:
        """Kill the child; running jobs fail."""
        self._closed = True
        if self._child is not None:
            self._child.kill()
            await self._child.ended()

    async def _do(
        self,
        work: Work,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> object:
        async with self._places:
            while True:
                child = await self._ready_child()
                try:
                    kind, value = await self._talk(child, work, args, kwargs, answer)
                except ChildLost:
                    continue  # another job ended the child: this one begins again in the next
                finally:
                    child.end_job()
                if kind == "failed":
                    raise FetchError(*value)
                return value

    async def _talk(
        self,
        child: Child,
        work: Work,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> Reply:
        number, problem = next(self._numbers), None
        try:
            (kind, value), left = await child.exchange(
                ParserJob(number, self._memory_bytes, work, args, kwargs), self._limit_seconds
            )
            while kind == "asks":
                try:
                    reply = ParserAnswer(number, self._memory_bytes, True, await answer(value))
                except Exception as error:  # not the child's fault
                    reply, problem = ParserAnswer(number, self._memory_bytes, False), error
                (kind, value), left = await child.exchange(reply, left)
        except FetchError:
            tm.restarts.labels("parser").inc()
            raise
        except asyncio.CancelledError:  # a job that nobody waits for any more must not hold up the others
            child.kill()
            raise
        if problem is not None:
            raise problem
        return kind, value

    async def _ready_child(self) -> Child:
        async with self._turn:
            if self._child is not None and self._child.jobs == self._jobs_per_child:
                await self._child.idle.wait()
                self._child.kill()
            if (self._child is None or self._child.killed) and not self._closed:
                if self._child is not None:
                    await self._child.ended()
                try:
                    self._child = await Child.start(self._patience, self._niceness)
                except OSError as error:
                    raise FetchError("crashed", f"the parser cannot be started: {error.strerror}") from None
            if self._child is None or self._closed:
                if self._child is not None:
                    self._child.kill()  # the parser was closed while this child started
                raise FetchError("crashed", "the parser was closed")
            self._child.begin_job()
            return self._child


class ParserProcesses(Parser):
    """Works in two child processes: small documents in one, large ones in another, so that no small one waits for them.

    The cost of a document grows with its length. The second child starts with the first large document; where cores are
    short, it gets what the rest leaves.
    """

    def __init__(self, *, limit: timedelta = LIMIT) -> None:
        self._small = ParserProcess(limit=limit)
        self._large = ParserProcess(limit=limit, patience=PATIENCE_BESIDE, niceness=BESIDE)

    async def close(self) -> None:
        """Kill the children; running jobs fail."""
        await self._small.close()
        await self._large.close()

    async def _do(
        self,
        work: Work,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> object:
        is_large = any(len(each) > LARGE_BYTES for each in args if isinstance(each, bytes | str))
        child = self._large if is_large else self._small
        return await child._do(work, args, kwargs, answer)  # noqa: SLF001 - a parser of the same kind


class InlineParser(Parser):
    """Works in this process: for commands that read the user's own files, and for tests. It stops nothing."""

    async def _do(
        self,
        work: Work,
        args: tuple[object, ...],
        kwargs: Mapping[str, object],
        answer: Callable[[Any], Awaitable[object]],
    ) -> object:
        steps = attempt(work, args, kwargs)
        kind, value = next(steps)
        while kind == "asks":
            kind, value = steps.send(await answer(value))
        if kind == "failed":
            raise FetchError(*value)
        return value

    async def close(self) -> None:
        """There is nothing to release."""


async def _no_answer(question: object) -> object:
    raise TypeError(f"work that was to be run asks: {question!r}")


class ChildLost(Exception):
    """The child ended, and this message was not the cause."""


@dataclass(slots=True)
class _Sent:
    """A message without its reply yet. `seconds` is what it may take; after the reply, what is left of that."""

    seconds: float
    reply: asyncio.Future[Reply]


class Child:
    """One child process. `jobs` is how many were begun; `idle` is set while none is running.

    Messages go out on a socket, and their replies come back in the same order, because the child works on one message
    at a time. So the limit of time applies to the oldest message without a reply, which is also the cause if the child
    ends.
    """

    def __init__(
        self,
        process: subprocess.Popen[bytes],
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        patience: int,
    ) -> None:
        self.jobs = 0
        self.idle = asyncio.Event()
        self.killed = False
        self._running = 0
        self._process = process
        self._patience = patience
        self._reader = reader
        self._writer = writer
        self._sent: asyncio.Queue[_Sent] = asyncio.Queue()
        self._listener = asyncio.create_task(self._listen())

    @classmethod
    async def start(cls, patience: int = PATIENCE, niceness: int = 0) -> Child:
        """Start a child process."""
        process, channel = await asyncio.to_thread(_spawn, niceness)  # a busy disk may hold up the start of a program
        try:
            return cls(process, *await asyncio.open_connection(sock=channel), patience)
        except BaseException:
            channel.close()  # which ends the child
            raise

    def begin_job(self) -> None:
        """Count a job that begins."""
        self.jobs += 1
        self._running += 1
        self.idle.clear()

    def end_job(self) -> None:
        """Count a job that is over, whatever its result."""
        self._running -= 1
        if not self._running:
            self.idle.set()

    async def exchange(self, message: ParserJob | ParserAnswer, seconds: float) -> tuple[Reply, float]:
        """Send a message; returns the reply, and how many of the `seconds` that it may take are left.

        Raises FetchError ("timeout", "crashed") if this message ended the child, ChildLost if another did.
        """
        if self.killed:
            raise ChildLost
        sent = _Sent(seconds, asyncio.get_running_loop().create_future())
        data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
        self._writer.writelines([len(data).to_bytes(LENGTH_BYTES, "big"), data])
        self._sent.put_nowait(sent)
        return await sent.reply, sent.seconds

    def kill(self) -> None:
        """Kill the process at once; messages without a reply raise ChildLost."""
        self.killed = True
        self._process.kill()
        self._writer.transport.abort()
        self._listener.cancel()

    async def ended(self) -> int:
        """Wait until the process has ended; returns its exit code."""
        return await asyncio.to_thread(self._process.wait)

    async def _listen(self) -> None:
        oldest: _Sent | None = None
        failure: FetchError | None = None
        try:
            await self._receive()  # that the child is ready: the limit is for jobs
            while True:
                oldest = await self._sent.get()
                reply, used_seconds = await self._within(oldest.seconds)
                oldest.seconds -= used_seconds
                if not oldest.reply.done():
                    oldest.reply.set_result(reply)
        except TimeoutError:
            failure = FetchError("timeout", "reading it took too long and was stopped")
        except (EOFError, OSError):
            oldest = oldest or await self._sent.get()  # a child that cannot begin must not be started for ever
            failure = FetchError("crashed", f"reading it ended the parser with code {await self.ended()}")
        finally:
            self.killed = True
            self._process.kill()
            self._writer.transport.abort()
            if oldest is not None:
                self._sent.put_nowait(oldest)
            while not self._sent.empty():
                sent = self._sent.get_nowait()
                if not sent.reply.done():
                    sent.reply.set_exception(failure if sent is oldest and failure is not None else ChildLost())

    async def _within(self, limit_seconds: float) -> tuple[Reply, float]:
        """The next reply, and the seconds of the processor that it took. Raises TimeoutError beyond the limit."""
        loop = asyncio.get_running_loop()
        begun, end = self._cpu_seconds(), loop.time() + limit_seconds * self._patience
        late = False
        next_look: asyncio.TimerHandle | None = None

        def look() -> None:
            nonlocal late, next_look
            left = min(limit_seconds - (self._cpu_seconds() - begun), end - loop.time())
            if left > 0:
                next_look = loop.call_later(max(left, _LEAST_WAIT_SECONDS), look)
            else:
                late = True
                self._writer.transport.abort()  # which ends the stream

        try:
            look()
            reply = await self._receive()
        except (EOFError, OSError):
            if late:
                raise TimeoutError from None
            raise
        finally:
            if next_look is not None:
                next_look.cancel()
        return reply, self._cpu_seconds() - begun

    def _cpu_seconds(self) -> float:
        """The processor's time that the child has used. Where the system has no such clock: the time that passed."""
        if not sys.platform.startswith("linux"):
            return time.monotonic()
        try:
            return time.clock_gettime(~self._process.pid << 3 | _CPU_CLOCK)
        except OSError:  # it has ended, and the end of its stream comes next
            return 0.0

    async def _receive(self) -> Reply:
        length = int.from_bytes(await self._reader.readexactly(LENGTH_BYTES), "big")
        kind, value = pickle.loads(await self._reader.readexactly(length))  # noqa: S301 - made by our own code
        return kind, value


def _spawn(niceness: int) -> tuple[subprocess.Popen[bytes], socket.socket]:
    """A child and our end of its socket. Not a fork: that of a process with threads may inherit held locks."""
    ours, theirs = socket.socketpair()
    env = {name: os.environ[name] for name in _ENVIRONMENT if name in os.environ}
    env["PYTHONPATH"] = os.pathsep.join(place or str(Path.cwd()) for place in sys.path)
    with theirs:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            [sys.executable, "-P", "-c", _MAIN, str(theirs.fileno()), str(niceness)],
            env=env,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            pass_fds=[theirs.fileno()],
        )
    return process, ours
