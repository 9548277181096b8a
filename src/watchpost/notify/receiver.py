"""Pure: the seam between the notifier and the outside: what a receiver is. It says what happened, never what next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Annotated, Any, Protocol, TextIO

from pydantic import Field, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Duration, Options
from watchpost.model import Delivery, Digest, Message, Outcome
from watchpost.notify.retry import JITTER, SCHEDULE

_LONGEST_WAIT = timedelta(days=7)


class Receiver(Protocol):
    """Somebody or something that is told."""

    name: str

    def compose(self, digest: Digest) -> tuple[Message, ...]:
        """The digest as this receiver will get it. Pure: the same digest gives the same messages, byte for byte.

        What is returned is stored before anything is sent, and every attempt sends exactly that.
        """
        ...

    async def send(self, delivery: Delivery) -> Outcome:
        """Try once, within the receiver's own total deadline. Never raises for what the outside does."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...


class RetryOptions(Options):
    """How long a receiver is tried. `schedule`: the waits between attempts; `jitter`: each ± so much of itself.

    `disable_after`: nothing but failures for so long, and the receiver is left alone until a person acts.
    """

    schedule: Annotated[tuple[Duration, ...], Field(min_length=1, max_length=50)] = SCHEDULE
    jitter: Annotated[float, Field(ge=0, le=0.5)] = JITTER
    disable_after: Annotated[Duration, Field(ge=timedelta(hours=1))] = timedelta(days=5)

    @field_validator("schedule", mode="after")
    @classmethod
    def _waits_are_waits(cls, schedule: tuple[timedelta, ...]) -> tuple[timedelta, ...]:
        if not all(timedelta(seconds=1) <= wait <= _LONGEST_WAIT for wait in schedule):
            raise PydanticCustomError("schedule", "a wait between two attempts is between 1s and 7d")
        return schedule


class DeliveryOptions(Options):
    """What every receiver that may be away has."""

    retry: RetryOptions = RetryOptions()


@dataclass(frozen=True, slots=True)
class ReceiverContext:
    """What app lends to every receiver: its User-Agent, this installation's id and secret, and the terminal."""

    user_agent: str
    install: str
    terminal: TextIO
    secret: str = field(default="", repr=False)


@dataclass(frozen=True, slots=True)
class ReceiverKind:
    """A kind of receiver: its name in the configuration, the options an operator may write, and how to make one.

    `build(name, options, workshop)` opens nothing; the first send does. `pace`: the least distance between two
    messages to one host, from all processes together.
    """

    name: str
    options: type[Options]
    build: Callable[[str, Any, ReceiverContext], Receiver]
    pace: timedelta = timedelta(0)
