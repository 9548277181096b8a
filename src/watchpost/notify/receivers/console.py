"""The terminal: digests as text, with colours where people read them."""

from __future__ import annotations

import asyncio
import os
from typing import Literal, TextIO

from watchpost.config.fields import Options
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater, Unknown
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import plain, sentences, story_lines

_TIMEOUT_SECONDS = 10.0
_BLOCKED = "the terminal does not accept output"


class ConsoleOptions(Options):
    """`color`: auto colours a terminal unless NO_COLOR is set (no-color.org) or TERM is dumb."""

    color: Literal["auto", "always", "never"] = "auto"


class Console:
    """Writes to the terminal of the service."""

    def __init__(self, name: str, options: ConsoleOptions, terminal: TextIO) -> None:
        self.name = name
        self._color = options.color
        self._terminal = terminal
        self._writing: asyncio.Future[None] | None = None

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message: the text with and without colours. Which one is shown is decided when it is sent."""
        shown = plain.fit(digest)
        renderings = {"text": plain.plain(shown)}
        if self._color != "never":
            renderings["ansi"] = plain.ansi(shown)
        named = story_lines.named_articles(shown.stories)
        return (Message("", sentences.subject(shown), renderings, omitted=shown.omitted, named=named),)

    async def send(self, delivery: Delivery) -> Outcome:
        """Write and flush in a thread: a terminal whose output waits (`… | less`) must not stop the service."""
        if self._writing is not None and not self._writing.done():
            return TryLater("timeout", _BLOCKED)
        renderings = delivery.message.renderings
        text = renderings.get("ansi" if self._is_coloured() else "text", renderings["text"])
        self._writing = asyncio.ensure_future(asyncio.to_thread(self._write, text))
        await asyncio.wait({self._writing}, timeout=_TIMEOUT_SECONDS)
        if not self._writing.done():
            return Unknown("timeout", _BLOCKED, repeatable=False)
        error = self._writing.exception()
        if error is not None:
            return TryLater("unknown", f"writing to the terminal failed ({type(error).__name__})")
        return Delivered("written to the terminal")

    def _is_coloured(self) -> bool:
        if self._color != "auto":
            return self._color == "always"
        try:
            is_terminal = self._terminal.isatty()
        except ValueError:  # closed
            return False
        return is_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"

    def _write(self, text: str) -> None:
        encoding = self._terminal.encoding or "utf-8"  # under LANG=C a "?" is better than no digest
        self._terminal.write(text.encode(encoding, "replace").decode(encoding) + "\n")
        self._terminal.flush()


KIND = ReceiverKind("console", ConsoleOptions, lambda name, options, context: Console(name, options, context.terminal))
