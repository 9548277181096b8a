"""Pure: combining marks, of which a letter has a few, and hostile texts have 100,000.

Normalising sorts the marks of a letter by insertion, in a time that grows with the square of their number.
"""

from __future__ import annotations

import regex

MOST_MARKS = 8
"""No script has more marks on one letter."""

_TOO_MANY = regex.compile(rf"(\p{{M}}{{{MOST_MARKS}}})\p{{M}}++")


def bound_marks(text: str) -> str:
    """The text with at most `MOST_MARKS` on each letter; more are left out."""
    return text if text.isascii() else _TOO_MANY.sub(r"\1", text)
