"""Still: an entry of a feed before anybody makes text of it.

Plain text out of HTML is what reading a feed mostly costs, and most entries of a feed are known: whoever wants to know
which they are needs their ids and dates alone.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from watchpost.poll.documents.markup import plain_text
from watchpost.poll.text.tidy import Draft


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the feed has it: HTML, or plain."""

    text: str
    html: bool = True

    def plain(self) -> str:
        """What a reader sees of it."""
        return plain_text(self.text) if self.html else self.text


@dataclass(frozen=True, slots=True)
class Entry:
    """`head` is the draft without its texts. The first of `bodies` with something in it is the text.

    Without any the summary is the text.
    """

    head: Draft
    bodies: tuple[Written, ...] = ()
    summary: Written = Written("")

    def draft(self) -> Draft:
        """The draft, whole."""
        summary = self.summary.plain()
        body = next((text for one in self.bodies if (text := one.plain())), "")
        return replace(self.head, text=body or summary, summary=summary if body else "")
