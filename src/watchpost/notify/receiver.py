"""The seam between the notifier and the outside: what a receiver is. It says what happened, never what next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Protocol, TextIO

from watchpost.model import Delivery, Digest, Message, Outcome
from watchpost.plan.fields import Options


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


@dataclass(frozen=True, slots=True)
class Workshop:
    """What app lends to every receiver: its User-Agent, this installation's id, and the terminal."""

    user_agent: str
    install: str
    terminal: TextIO


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of receiver: its name in the configuration, the options an operator may write, and how to make one.

    `build(name, options, workshop)` opens nothing; the first send does.
    """

    name: str
    options: type[Options]
    build: Callable[[str, Any, Workshop], Receiver]
