"""The parser's child process: it does what a socket says, in order, within limits, and answers each message with one.

A message is its length in eight bytes, big-endian, then a pickle. The parent sends Work, or an Answer; it gets
("done", value), ("failed", (reason, detail)), or, where the function is a generator, ("asks", question). While a job
waits for its answer others may go on: jobs have numbers.
"""

from __future__ import annotations

import contextlib
import logging
import pickle
import select
import signal
import socket
import sys
import threading
from collections.abc import Callable, Generator, Iterator, Mapping
from dataclasses import dataclass
from io import BufferedRWPair
from pathlib import Path
from typing import Any

from watchpost.errors import FetchError

LENGTH_BYTES = 8
TOO_MUCH = "reading it needs more memory than it may have"

_MOST_ADDRESSES = 1 << 30

Said = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class ParserJob:
    """A job: each of its halves may take so much memory beside what is held when it begins."""

    number: int
    memory_bytes: int
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParserAnswer:
    """What job `number` asked for; without `given` there is no answer, and the job is over."""

    number: int
    memory_bytes: int
    given: bool
    value: Any = None


def main() -> None:
    """Work until the parent hangs up. The one argument is the socket's descriptor."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    _settle_in(channel)
    asking: dict[int, Generator[Said, Any, None]] = {}
    with channel.makefile("rwb") as stream:
        _say(stream, ("ready", None))
        while (message := _hear(stream)) is not None:
            with _within(message.memory_bytes):
                said = _go_on(message, asking)
            _say(stream, said)
            del message, said  # the next one needs the room


def _go_on(message: ParserJob | ParserAnswer, asking: dict[int, Generator[Said, Any, None]]) -> Said:
    if isinstance(message, ParserJob):
        steps = attempt(message.function, message.args, message.kwargs)
        said = next(steps)
    else:
        steps = asking.pop(message.number)
        said = steps.send(message.value) if message.given else ("failed", ("crashed", "it got no answer"))
    if said[0] == "asks":
        asking[message.number] = steps
    return said


def attempt(work: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Generator[Said, Any, None]:
    """Run `work`, whatever it does: ("asks", question) as often as it asks, then ("done", …) or ("failed", …).

    Exceptions of foreign libraries may not survive pickling; they are told by name.
    """
    try:
        value = work(*args, **kwargs)
        if isinstance(value, Generator):
            value = yield from _asking(value)
        yield "done", value
    except FetchError as error:
        yield "failed", (error.reason, error.detail)
    except MemoryError:
        yield "failed", ("too_large", TOO_MUCH)
    except Exception as error:  # hostile bytes make libraries raise anything
        yield "failed", ("crashed", f"the parser gave up: {type(error).__name__}")


def _asking(work: Generator[Any, Any, Any]) -> Generator[Said, Any, Any]:
    answer = None
    while True:
        try:
            question = work.send(answer)
        except StopIteration as end:
            return end.value
        answer = yield "asks", question


def _say(stream: BufferedRWPair, message: object) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    stream.write(data)
    stream.flush()


def _hear(stream: BufferedRWPair) -> Any:
    """The next message; None when the parent has hung up."""
    length = stream.read(LENGTH_BYTES)
    return pickle.loads(stream.read(int.from_bytes(length, "big"))) if len(length) == LENGTH_BYTES else None  # noqa: S301 - our parent's


@contextlib.contextmanager
def _within(memory_bytes: int) -> Iterator[None]:
    """So much more memory than is held by now."""
    try:
        import resource

        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except (ImportError, OSError):  # not every system can say it: there the limit on addresses stands alone
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + memory_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _settle_in(channel: socket.socket) -> None:
    """Limits, no signals of the terminal, no orphan, quiet libraries."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can limit memory
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler in Python would wait for native code to return
    threading.Thread(target=_end_with_parent, args=[channel.fileno()], daemon=True).start()
    logging.disable(logging.CRITICAL)


def _end_with_parent(channel: int) -> None:
    """A parent that was killed cannot say goodbye: its child must not stay behind, whatever it is busy with."""
    watch = select.poll()
    watch.register(channel, 0)  # nothing but that the other side hangs up
    watch.poll()
    signal.raise_signal(signal.SIGKILL)
