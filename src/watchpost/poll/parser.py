"""The door to one killable child process, in which everything that strangers wrote is parsed.

A parser in native code cannot be interrupted by a thread or a signal handler; a process can be killed. The parent
never imports lxml, feedparser or pdfium.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import multiprocessing
import signal
import threading
from collections.abc import Callable
from concurrent.futures import CancelledError
from concurrent.futures import TimeoutError as JobTimeout
from datetime import timedelta
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from pebble import ProcessExpired, ProcessPool

from watchpost import telemetry as tm
from watchpost.errors import FetchError

P = ParamSpec("P")
T = TypeVar("T")

WALL = timedelta(seconds=5)
MEMORY_BYTES = 128 << 20  # above the 60 MB of a child that has its libraries
_MOST_ADDRESSES = 1 << 30
JOBS_PER_CHILD = 1000  # parsers leak a little: a fresh child now and then


class ParserProcess:
    """Runs module-level functions in a child process with a wall limit and a memory limit.

    A job that overruns the first is killed with its child; the next job gets a fresh one. `memory_bytes` is what one
    job may take beside what it was given. The first job starts the child (about 0.1 s). `workers` is how many children
    there are: two are plenty.
    A child is replaced after `jobs_per_child`.
    """

    def __init__(
        self,
        *,
        wall: timedelta = WALL,
        memory_bytes: int = MEMORY_BYTES,
        workers: int = 1,
        jobs_per_child: int = JOBS_PER_CHILD,
    ) -> None:
        self._wall = wall
        self._memory_bytes = memory_bytes
        self._workers = workers
        self._jobs_per_child = jobs_per_child
        self._pool: ProcessPool | None = None

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns. Arguments and result are pickled; the wall limit starts when the job does.

        Raises FetchError: what `work` itself raised, "timeout", "too_large" (memory), "crashed" (anything else).
        """
        future = self._ready().schedule(
            _attempt_within, args=[self._memory_bytes, work, args, kwargs], timeout=self._wall.total_seconds()
        )
        try:
            value, error = await asyncio.wrap_future(future)
        except (JobTimeout, TimeoutError):
            said = f"reading it took longer than {self._wall.total_seconds():g} s and was stopped"
            tm.restarts.labels("parser").inc()
            raise FetchError("timeout", said) from None
        except ProcessExpired as expired:
            tm.restarts.labels("parser").inc()
            raise FetchError("crashed", f"reading it ended the parser with code {expired.exitcode}") from None
        except MemoryError:
            raise FetchError("too_large", _TOO_MUCH) from None
        except CancelledError:
            raise FetchError("crashed", "the parser was closed") from None
        if error is not None:
            raise FetchError(*error)
        return cast("T", value)

    async def close(self) -> None:
        """Kill the children, running jobs included."""
        pool, self._pool = self._pool, None
        if pool is not None:
            await asyncio.to_thread(_end, pool)

    def _ready(self) -> ProcessPool:
        if self._pool is None:
            # A fork of a process with an event loop and threads may inherit held locks: spawn does not.
            self._pool = ProcessPool(
                max_workers=self._workers,
                max_tasks=self._jobs_per_child,
                initializer=_settle_in,
                context=multiprocessing.get_context("spawn"),
            )
        return self._pool


class InlineParser:
    """The same promise without a process: for the command line, which reads the user's own files once, and for tests.

    It cannot stop what takes too long.
    """

    async def run(self, work: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """What `work` returns, or FetchError as ParserProcess.run raises it."""
        value, error = _attempt(work, args, kwargs)
        if error is not None:
            raise FetchError(*error)
        return cast("T", value)

    async def close(self) -> None:
        """Nothing to let go of."""


_TOO_MUCH = "reading it needs more memory than it may have"


def _attempt(
    work: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[T | None, tuple[str, str] | None]:
    """(result, None) or (None, (reason, detail)): exceptions of foreign libraries may not survive pickling."""
    try:
        return work(*args, **kwargs), None
    except FetchError as error:
        return None, (error.reason, error.detail)
    except MemoryError:
        return None, ("too_large", _TOO_MUCH)
    except Exception as error:  # hostile bytes make libraries raise anything
        return None, ("crashed", f"the parser gave up: {type(error).__name__}")


def _attempt_within(
    memory_bytes: int, work: Callable[..., T], args: tuple[object, ...], kwargs: dict[str, object]
) -> tuple[T | None, tuple[str, str] | None]:
    """_attempt in the child, with so much memory more than it holds by now."""
    try:
        import resource

        held = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    except (ImportError, OSError):  # not every system can say it: there the limit on addresses stands alone
        return _attempt(work, args, kwargs)
    soft, hard = resource.getrlimit(resource.RLIMIT_DATA)
    resource.setrlimit(resource.RLIMIT_DATA, (held + memory_bytes, hard))
    try:
        return _attempt(work, args, kwargs)
    finally:
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))


def _settle_in() -> None:
    """In the child, before its first job: limits, no signals of the terminal, no orphan, quiet libraries."""
    with contextlib.suppress(ImportError, ValueError, OSError):  # not every system can limit memory
        import resource

        resource.setrlimit(resource.RLIMIT_AS, (_MOST_ADDRESSES, _MOST_ADDRESSES))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the parent, which then closes us
    signal.signal(signal.SIGTERM, signal.SIG_DFL)  # a handler in Python would wait for native code to return
    threading.Thread(target=_end_with_parent, daemon=True).start()
    logging.disable(logging.CRITICAL)


def _end_with_parent() -> None:
    """A parent that was killed cannot say goodbye: its child must not stay behind."""
    parent = multiprocessing.parent_process()
    if parent is not None:
        parent.join()
        signal.raise_signal(signal.SIGKILL if hasattr(signal, "SIGKILL") else signal.SIGTERM)


def _end(pool: ProcessPool) -> None:
    pool.stop()  # type: ignore[no-untyped-call]  # pebble leaves this one untyped
    pool.join()
