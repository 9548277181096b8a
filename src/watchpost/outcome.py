"""Still: what became of an attempt to send. A receiver says what happened, never what next."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta


@dataclass(frozen=True, slots=True)
class Delivered:
    """The other side has it. `detail` is for the log ("250 2.0.0 queued as 4F2A").

    `remember` is kept for the next message of the same thread; "" changes nothing.
    """

    detail: str = ""
    remember: str = ""


@dataclass(frozen=True, slots=True)
class TryLater:
    """Not now: the same message may well go through later. `after` is the other side's own wish."""

    reason: str
    detail: str
    after: timedelta | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """Not like this: the same bytes will never be taken."""

    reason: str
    detail: str


@dataclass(frozen=True, slots=True)
class Unknown:
    """The message went out whole and nothing came back: it may or may not have arrived.

    `repeatable` says that a repeat does no harm (the receiver drops it by the delivery's id).
    """

    reason: str
    detail: str
    repeatable: bool


Outcome = Delivered | TryLater | Refused | Unknown
