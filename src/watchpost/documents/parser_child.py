"""The parser's child process: it works on messages from a socket, in order and within limits, and replies to each.

A message is its length in eight bytes, big-endian, then a pickle. The parent sends a ParserJob or a ParserAnswer; the
reply is ("done", value), ("failed", (reason, detail)), or, if the function is a generator, ("asks", question). While a
job waits for its answer others may go on: jobs have numbers.
"""

from __future__ import annotations

import contextlib
import logging
import os
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
_TOO_MUCH = "it needs more memory than a document may take"

_ADDRESSES_MAX = 1 << 30

Reply = tuple[str, Any]


@dataclass(frozen=True, slots=True)
class ParserJob:
    """A job. Each part between two questions may take so much memory beside what is held when it begins."""

    number: int
    memory_bytes: int
    function: Callable[..., Any]
    args: tuple[Any, ...]
    kwargs: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class ParserAnswer:
    """The answer to a question of job `number`. Without `given` there is none, and the job is over."""

    number: int
    memory_bytes: int
    given: bool
    value: Any = None


def main() -> None:
    """Work until the parent closes the socket; the arguments are its descriptor, and the niceness."""
    channel = socket.socket(fileno=int(sys.argv[1]))
    os.nice(int(sys.argv[2]))
    _set_limits(channel)
    waiting: dict[int, Generator[Reply, Any, None]] = {}
    with channel.makefile("rwb") as stream:
        _send(stream, ("ready", None))
        while (message := _receive(stream)) is not None:
            with _memory_limit(message.memory_bytes):
                reply = _reply(message, waiting)
            _send(stream, reply)
            del message, reply  # the next one needs the memory


def _reply(message: ParserJob | ParserAnswer, waiting: dict[int, Generator[Reply, Any, None]]) -> Reply:
    if isinstance(message, ParserJob):
        steps = attempt(message.function, message.args, message.kwargs)
        reply = next(steps)
    else:
        steps = waiting.pop(message.number)
        reply = steps.send(message.value) if message.given else ("failed", ("crashed", "it got no answer"))
    if reply[0] == "asks":
        waiting[message.number] = steps
    return reply


def attempt(work: Callable[..., Any], args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Generator[Reply, Any, None]:
    """Run `work`: yields ("asks", question) for each of its questions, then ("done", …) or ("failed", …).

    Of other exceptions than FetchError only the name is kept: those of foreign libraries may not survive pickling.
    """
    try:
        value = work(*args, **kwargs)
        if isinstance(value, Generator):
            value = yield from _questions(value)
        yield "done", value
    except FetchError as error:
        yield "failed", (error.reason, error.detail)
    except MemoryError:
        yield "failed", ("too_large", _TOO_MUCH)
    except Exception as error:  # hostile bytes make libraries raise anything
        yield "failed", ("crashed", f"the parser failed: {type(error).__name__}")


def _questions(work: Generator[Any, Any, Any]) -> Generator[Reply, Any, Any]:
    answer = None
    while True:
        try:
            question = work.send(answer)
        except StopIteration as end:
            return end.value
        answer = yield "asks", question


def _send(stream: BufferedRWPair, message: object) -> None:
    data = pickle.dumps(message, pickle.HIGHEST_PROTOCOL)
    stream.write(len(data).to_bytes(LENGTH_BYTES, "big"))
    stream.write(data)
    stream.flush()


def _receive(stream: BufferedRWPair) -> Any:
    """The next message; None when the parent has closed the socket."""
    length = stream.read(LENGTH_BYTES)
    return pickle.loads(stream.read(int.from_bytes(length, "big"))) if len(length) == LENGTH_BYTES else None  # noqa: S301 - our parent's


@contextlib.contextmanager
def _memory_limit(memory_bytes: int) -> Iterator[None]:
    """Allow so much more memory than is held now."""
    try:
        import resource

        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except (ImportError, OSError):  # not on every system: there only the limit on addresses holds
        yield
        return
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + memory_bytes, hard))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _set_limits(channel: socket.socket) -> None:
    """Limit the address space, ignore the terminal's signals, end with the parent, log nothing."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can limit memory
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_ADDRESSES_MAX, _ADDRESSES_MAX))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then ends this process
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler in Python would wait for native code to return
    threading.Thread(target=_end_with_parent, args=[channel.fileno()], daemon=True).start()
    logging.disable(logging.CRITICAL)


def _end_with_parent(channel: int) -> None:
    """End this process when the parent is gone, even if native code is running."""
    watch = select.poll()
    watch.register(channel, 0)  # reports only that the other side is closed
    watch.poll()
    signal.raise_signal(signal.SIGKILL)
