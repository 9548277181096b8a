"""The door to the terminal: digests as text, in colour where people look at it."""

from __future__ import annotations

import asyncio
import os
from typing import Literal, TextIO

from watchpost.config.fields import Options
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater, Unknown
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import plain, sentences

_PATIENCE_SECONDS = 10.0


class ConsoleOptions(Options):
    """`color`: auto colours a terminal unless NO_COLOR is set (no-color.org) or TERM is dumb."""

    color: Literal["auto", "always", "never"] = "auto"


class Console:
    """Writes to the terminal that app lends."""

    def __init__(self, name: str, options: ConsoleOptions, terminal: TextIO) -> None:
        self.name = name
        self._color = options.color
        self._terminal = terminal
        self._writing: asyncio.Future[None] | None = None

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message: the text with and without colours; which one is shown, the terminal decides later."""
        shown = plain.fit(digest)
        editions = {"text": plain.plain(shown)}
        if self._color != "never":
            editions["ansi"] = plain.ansi(shown)
        return (Message(part="", subject=sentences.subject(digest), renderings=editions, omitted=shown.omitted),)

    async def send(self, delivery: Delivery) -> Outcome:
        """Write and flush in a thread: a terminal that is not read (`… | less`) must not stop the house."""
        if self._writing is not None and not self._writing.done():
            return TryLater("timeout", "the terminal does not take what is written")
        editions = delivery.message.renderings
        text = editions.get("ansi" if self._in_colour() else "text", editions["text"])
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, text))
        await asyncio.wait({self._writing}, timeout=_PATIENCE_SECONDS)
        if not self._writing.done():
            return Unknown("timeout", "the terminal does not take what is written", repeatable=False)
        error = self._writing.exception()
        if error is not None:
            return TryLater("unknown", f"the terminal cannot be written ({type(error).__name__})")
        return Delivered("written to the terminal")

    async def close(self) -> None:
        """Nothing to close: the terminal is app's."""

    def _in_colour(self) -> bool:
        if self._color != "auto":
            return self._color == "always"
        try:
            seen = self._terminal.isatty()
        except ValueError:  # closed
            return False
        return seen and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _write(self, text: str) -> None:
        encoding = self._terminal.encoding or "utf-8"  # LANG=C: a "?" is better than no digest
        self._terminal.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._terminal.flush()


KIND = ReceiverKind("console", ConsoleOptions, lambda name, options, context: Console(name, options, context.terminal))
