"""The door to one child process: a socket on which messages go out, and their replies come back in the same order.

The child works on one message at a time. So the first that is out is the one it is at: to that one the wall limit
applies, and that one is to blame if the child ends.
"""

from __future__ import annotations

import asyncio
import os
import pickle
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

from watchpost.errors import FetchError
from watchpost.poll.parsing.parser_child import LENGTH_BYTES, Answer, Said, Work

_PASSED_ON = ("PATH", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # no secrets: it reads strangers

_MAIN = "from watchpost.poll.parsing.parser_child import main; main()"


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

    async def exchange(self, message: Work | Answer, seconds: float) -> tuple[Said, float]:
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
