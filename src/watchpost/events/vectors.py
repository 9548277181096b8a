"""The vectors of texts, each made in a thread of its own: an embedding that fails or hangs costs the vector alone."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future
from threading import Thread, get_native_id

from watchpost import log as tm
from watchpost.events.embedding import Embedding

LIMIT_SECONDS = 30.0
"""So long a story waits for its vector. One takes 0.1 s; before the first one, 32 MB are read."""

_NICENESS = 10
"""Added to that of the process: where cores are short, the rest goes first. The encoder holds no lock for long."""


class Vectors:
    """Makes the vectors of a process. `load` returns the embedding, None if there is none; the first text calls it.

    `without` says why the last text has no vector: "missing", "broken" or "slow"; "" if it has one.
    """

    def __init__(self, load: Callable[[], Embedding | None], *, limit_seconds: float = LIMIT_SECONDS) -> None:
        self.without = ""
        self._load = load
        self._limit = limit_seconds
        self._embedding: Embedding | None = None
        self._absent = "broken"  # why there is no embedding: so it is if `load` fails
        self._loaded = False
        self._making = False

    async def of(self, text: str) -> bytes:
        """The vector of a text; empty without an embedding, and where it fails: then the other witnesses decide.

        After one that takes too long there are none until that one is made, so that one thread at most hangs.
        """
        vector, without, detail = b"", "slow", ""
        if not self._making:
            limit = asyncio.timeout(self._limit)
            try:
                async with limit:
                    vector = await asyncio.wrap_future(self._begun(text))
                without = self._absent
            except Exception as error:  # whatever a model or a stranger's text does, it costs this vector alone
                without = "slow" if limit.expired() else "broken"
                detail = f"no vector after {self._limit:g} s" if limit.expired() else f"{type(error).__name__}: {error}"
        if detail and without != self.without:
            tm.log().error("events.embedding", detail=detail)
        self.without = without
        tm.events_embedding.set(not without)
        return vector

    def _begun(self, text: str) -> Future[bytes]:
        """A vector that is being made, in no thread of a pool: the end of the process waits for those."""
        found: Future[bytes] = Future()
        found.set_running_or_notify_cancel()  # so that nobody cancels what a thread sets
        self._making = True
        Thread(target=self._make, args=(text, found), name="embedding", daemon=True).start()
        return found

    def _make(self, text: str, found: Future[bytes]) -> None:
        vector, failure = b"", None
        try:
            if not self._loaded:
                self._loaded = True
                self._embedding = self._load()
                self._absent = "" if self._embedding is not None else "missing"
            if sys.platform == "linux":  # where a thread has a niceness of its own
                os.setpriority(os.PRIO_PROCESS, get_native_id(), os.getpriority(os.PRIO_PROCESS, 0) + _NICENESS)
            vector = self._embedding.vector(text) if self._embedding is not None else b""
        except BaseException as error:  # it is raised where the vector is awaited
            failure = error
        self._making = False
        if failure is not None:
            found.set_exception(failure)
        else:
            found.set_result(vector)
