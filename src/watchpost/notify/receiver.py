"""What a receiver and a kind of receiver are. A receiver reports outcomes; retry.py decides what follows."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Protocol, TextIO

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import ADVANCED, Duration, Options
from watchpost.model import Delivery, Digest, Message, Outcome
from watchpost.notify.circuit_breaker import DISABLE_AFTER
from watchpost.notify.retry import JITTER, SCHEDULE

_LONGEST_WAIT = timedelta(days=7)


class Receiver(Protocol):
    """Where messages go: a mailbox, a chat, a webhook, a directory, the terminal."""

    name: str

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """The digest as this receiver gets it. Pure: the same digest gives the same messages, byte for byte.

        The messages are stored before anything is sent, and every attempt sends exactly these.
        """
        ...

    async def send(self, delivery: Delivery) -> Outcome:
        """Try once, within the receiver's own deadline. Returns an outcome whatever the network or the target does."""
        ...


class RetryOptions(Options):
    """When a receiver is tried again. `schedule` are the waits between attempts, each ± `jitter` of itself.

    `disable_after`: a receiver that only fails for so long is disabled until an operator enables it.
    """

    schedule: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=50), ADVANCED] = SCHEDULE
    jitter: Annotated[float, Field(ge=0, le=0.5), ADVANCED] = JITTER
    disable_after: Annotated[Duration, Field(ge=timedelta(hours=1))] = DISABLE_AFTER

    @field_validator("schedule", mode="after")
    @classmethod
    def _check_waits(cls, schedule: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if not all(timedelta(seconds=1) <= wait <= _LONGEST_WAIT for wait in schedule):
            raise PydanticCustomError("schedule", "each wait between two attempts must be between 1s and 7d")
        return schedule


class DeliveryOptions(Options):
    """The options of every receiver that can be unreachable."""

    retry: RetryOptions = RetryOptions()


@dataclass(frozen=True, slots=True)
class ReceiverContext:
    """What every receiver gets from the service: its User-Agent, the installation's id and secret, and the terminal.

    `sleep` takes seconds; tests replace it.
    """

    user_agent: str
    install: str
    terminal: TextIO
    secret: str = field(default="", repr=False)
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep


@dataclass(frozen=True, slots=True)
class ReceiverKind:
    """A kind of receiver: its name in the configuration, its options, and how one is built.

    `build(name, options, context)` opens nothing; the first `send` does. `pace` is the least time between two messages
    to one host, from all processes together.
    """

    name: str
    options: type[Options]
    build: Callable[[str, Any, ReceiverContext], Receiver]
    pace: timedelta = timedelta(0)
