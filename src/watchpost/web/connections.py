"""The connections to the pages: how many there may be, and how long each may take to say what it wants.

A connection that has sent no whole request waits; when there are too many, those that have waited longest make room.
After them, those that are sending a body, and those that do not read their answer.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from email.utils import formatdate
from enum import IntEnum
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
_AT_A_TIME = 16_384  # bytes that are read in one go: what they may mean takes 20 ms
_HEAD_BYTES = 65_536  # the address of a search has its query
_MOST_HEADERS = 200
_MOST_PIECES = 100  # of a body, before their length counts
_SMALLEST_PIECE = 64  # bytes on average: the smallest packet of a network has more
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
        self.refused(reason)
        last = min(among, key=lambda each: each.need)
        if last.need > Need.HALF_A_BODY:
            return False
        self.forget(last)
        last.abort()
        return True


class Need(IntEnum):
    """How much a connection is needed: those that are needed least make room."""

    NOTHING = 0
    UNREAD_ANSWER = 1
    HALF_A_BODY = 2
    ANSWER = 3


class _Requests(h11.Connection):
    """h11's reading of requests; those that cost much more than their bytes are refused.

    A head has at most 200 lines. A body in pieces of a few bytes, each of which is one event, takes seconds.
    """

    def __init__(self) -> None:
        super().__init__(h11.SERVER, _HEAD_BYTES)
        self._pieces = self._bytes = 0

    def next_event(self) -> h11.Event | type[h11.NEED_DATA] | type[h11.PAUSED]:
        event = super().next_event()
        if isinstance(event, h11.Request):
            self._pieces = self._bytes = 0
        headers = event.headers if isinstance(event, (h11.Request, h11.EndOfMessage)) else ()
        if len(headers) > _MOST_HEADERS:
            raise h11.RemoteProtocolError("too many header lines", 431)
        if isinstance(event, h11.Data):
            self._pieces += 1
            self._bytes += len(event.data)
            if self._pieces > _MOST_PIECES and self._bytes < self._pieces * _SMALLEST_PIECE:
                raise h11.RemoteProtocolError("a body in too many pieces")
        return event


class BoundedProtocol(H11Protocol):
    """uvicorn's connection with times by which head and body must have come and the answer be read."""

    def __init__(self, connections: Connections, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.address = ""
        self._connections = connections
        self._phase: Phase = "idle"
        self._deadline: asyncio.TimerHandle | None = None
        self.conn = _Requests()

    @property
    def need(self) -> Need:
        """How much it is needed."""
        if not self._is_asked:
            return Need.NOTHING  # also where the reader of a complete answer is slow
        if self.transport.get_write_buffer_size():
            return Need.UNREAD_ANSWER
        return Need.HALF_A_BODY if self._phase == "body" else Need.ANSWER

    @property
    def _is_asked(self) -> bool:
        """Whether a request of it is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

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
        self.server_state.default_headers = [(b"date", formatdate(usegmt=True).encode())]  # of the answers
        for at in range(0, len(data), _AT_A_TIME):
            if self.transport.is_closing():
                return
            super().data_received(data[at : at + _AT_A_TIME])

    def handle_events(self) -> None:
        super().handle_events()  # also for what was sent ahead, when an answer is complete
        state = self.conn.their_state
        if self.transport.is_closing():
            return
        if state is h11.SEND_BODY:
            self._wait_for("body")
        elif self._is_asked:
            if self.scope["path"] == _STREAM:
                self._stop_waiting("answer")
            else:
                self._wait_for("answer")
        elif self.transport.get_write_buffer_size():
            pass  # the answer is complete, but its reader still has to read
        elif state is h11.IDLE:
            self._wait_for("head")
        else:
            self._stop_waiting()

    def on_response_complete(self) -> None:
        if not self.transport.get_write_buffer_size():  # else its reader still has to read
            self._stop_waiting()  # uvicorn limits how long an idle connection is kept
        super().on_response_complete()

    def send_400_response(self, msg: str) -> None:
        """Refuse what is no request. The answer, if one has begun, ends here; nothing is logged for each."""
        self._connections.refused("malformed")
        self._stop_waiting()
        if self.cycle is not None and not self.cycle.response_complete:
            self.cycle.disconnected = True
            self.cycle.message_event.set()
        if self.conn.our_state in (h11.IDLE, h11.SEND_RESPONSE):
            headers = [("content-type", "text/plain; charset=utf-8"), ("connection", "close")]
            answer = (h11.Response(status_code=400, headers=headers), h11.Data(data=msg.encode()), h11.EndOfMessage())
            self.transport.write(b"".join(self.conn.send(part) or b"" for part in answer))
        self.transport.close()

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
        if self._phase == "answer" and not self._is_asked and not self.transport.get_write_buffer_size():
            self._stop_waiting()
            return
        self._connections.refused(self._phase)
        self.abort()
