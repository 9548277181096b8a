"""The connections to the pages: how many there may be, and how long each may take to say what it wants.

A connection that has sent no whole request waits; when there are too many, those that have waited longest make room.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from watchpost import log as tm

PER_ADDRESS = 100
MOST = 400
"""Connections of one address, and of all; fewer where the process may open few files."""

BACKLOG = 64
"""Connections that the system accepts ahead; asyncio takes as many at once before it looks at any of them."""

_LOG_SECONDS = 60.0
_UNKNOWN = 1024  # files, where the system has no limit that can be read
_STREAM = "/live"

Phase = Literal["head", "body", "answer", "idle"]


@dataclass(frozen=True, slots=True)
class Deadlines:
    """How many seconds each part of a request may take.

    `head`: from the connection, or the end of the request before. `body`: after the head. `answer`: until it is read,
    unless it is a stream of events.
    """

    head: float = 10.0
    body: float = 60.0
    answer: float = 60.0


def open_files() -> int:
    """How many files this process may have open."""
    try:
        import resource
    except ImportError:  # not on every system
        return _UNKNOWN
    soft = resource.getrlimit(resource.RLIMIT_NOFILE)[0]
    return MOST * 4 if soft == resource.RLIM_INFINITY else soft


class Connections:
    """Counts the connections of one server.

    `descriptors`: how many files the process may open. `is_shared`: whether many people come from an address, as from
    a proxy; it has no bound of its own.
    """

    def __init__(
        self,
        descriptors: int,
        is_shared: Callable[[str], bool],
        *,
        most: int = MOST,
        per_address: int = PER_ADDRESS,
        deadlines: Deadlines = Deadlines(),
    ) -> None:
        self.deadlines = deadlines
        self._most = max(8, min(most, descriptors // 4))
        self._per_address = per_address
        self._is_shared = is_shared
        self._of: dict[str, OrderedDict[BoundedProtocol, None]] = {}
        self._count = 0
        self._refused = 0
        self._logged = float("-inf")

    def protocol(self) -> type[asyncio.Protocol]:
        """The class to give to uvicorn."""

        def make(*args: Any, **kwargs: Any) -> BoundedProtocol:
            return BoundedProtocol(self, *args, **kwargs)

        return cast("type[asyncio.Protocol]", make)

    def admit(self, new: BoundedProtocol) -> bool:
        """Whether there is room for one more; where there is none, the one that waits longest is closed for it."""
        own = self._of.get(new.address, OrderedDict())
        if len(own) >= self._per_address and not self._is_shared(new.address) and not self._make_room(own, "address"):
            return False
        # Of all addresses the one with the most connections loses one.
        if self._count >= self._most and not self._make_room(max(self._of.values(), key=len), "all"):
            return False
        self._of.setdefault(new.address, OrderedDict())[new] = None
        self._count += 1
        return True

    def forget(self, gone: BoundedProtocol) -> None:
        """The connection is closed."""
        own = self._of.get(gone.address)
        if own is not None and gone in own:
            del own[gone]
            self._count -= 1
        if not own:
            self._of.pop(gone.address, None)

    def refused(self, reason: str) -> None:
        """Count a connection that was closed by us; one line of the log a minute says how many."""
        tm.connections_refused.labels(reason).inc()
        self._refused += 1
        now = asyncio.get_running_loop().time()
        if now - self._logged >= _LOG_SECONDS:
            tm.log().warning("http.connections_refused", count=self._refused, reason=reason)
            self._logged, self._refused = now, 0

    def _make_room(self, among: OrderedDict[BoundedProtocol, None], reason: str) -> bool:
        waiting = next((each for each in among if each.waits), None)
        self.refused(reason)
        if waiting is None:
            return False
        self.forget(waiting)
        waiting.abort()
        return True


class BoundedProtocol(H11Protocol):
    """uvicorn's connection with times by which head and body must have come and the answer be read."""

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = ""
        self._connections = connections
        self._phase: Phase = "idle"
        self._deadline: asyncio.TimerHandle | None = None

    @property
    def waits(self) -> bool:
        """Whether no request of it is being answered."""
        return self._phase in ("head", "idle") or (self.cycle is not None and self.cycle.response_complete)

    def abort(self) -> None:
        """Close it at once."""
        self._stop_waiting()
        self.transport.abort()

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(transport)
        self.address = self.client[0] if self.client else ""
        if self._connections.admit(self):
            self._wait_for("head")
        else:
            transport.abort()

    def connection_lost(self, exc: Exception | None) -> None:
        self._stop_waiting()
        self._connections.forget(self)
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        state = self.conn.their_state
        if state is h11.SEND_BODY:
            self._wait_for("body")
        elif state is h11.IDLE:
            self._wait_for("head")
        elif self.cycle is None or self.cycle.response_complete:
            self._stop_waiting()
        elif self.scope["path"] == _STREAM:
            self._stop_waiting("answer")
        else:
            self._wait_for("answer")

    def on_response_complete(self) -> None:
        if not self.transport.get_write_buffer_size():  # else its reader still has to read
            self._stop_waiting()  # uvicorn limits how long an idle connection is kept
        super().on_response_complete()

    def _wait_for(self, phase: Literal["head", "body", "answer"]) -> None:
        """Close the connection if it is still in this phase at its deadline, which more bytes do not move."""
        if phase == self._phase:
            return
        self._stop_waiting(phase)
        seconds: float = getattr(self._connections.deadlines, phase)
        self._deadline = self.loop.call_later(seconds, self._late)

    def _stop_waiting(self, phase: Phase = "idle") -> None:
        self._phase = phase
        if self._deadline is not None:
            self._deadline.cancel()
            self._deadline = None

    def _late(self) -> None:
        if self._phase == "answer" and self.waits and not self.transport.get_write_buffer_size():
            self._stop_waiting()
            return
        self._connections.refused(self._phase)
        self.abort()
