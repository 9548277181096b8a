"""Still: what tells whether two articles carry one text: the value that matching makes and the store compares."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

WINDOW = timedelta(hours=72)
"""A text finds its copies for so long after it came in, unless a topic says longer."""

SKETCH = 96
"""So many of a text's shingle hashes are kept: the smallest ones, so that two texts keep the same ones."""

DIGITS = 12
"""A hash in hex; 48 bits fit the numbers of every Lua."""


@dataclass(frozen=True, slots=True)
class Signature:
    """One article as stories see it.

    `article` is its id, `story` the id of the story that it opens if it belongs to none. `exact` are keys of which
    one in common is enough (its address, its whole text). `sketch` are the smallest hashes of its shingles in
    ascending order, each `DIGITS` hex digits; `whole`: these are all there are. `outlet` is who published it,
    `voice` who wrote it, `credited` whether that is an agency which the article names.
    `day` is when it was published, ms since 1970; `series` what its title is without figures; `numbers` the figures
    of its title; `figures` those of its text, in reading order, each once.
    """

    article: str
    story: str
    exact: tuple[str, ...]
    sketch: tuple[str, ...]
    whole: bool
    outlet: str
    voice: str
    credited: bool
    day: int
    series: str
    numbers: tuple[str, ...]
    figures: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Verdict:
    """The story that an article belongs to, whose voice it is, and whether it opens the story."""

    story: str
    voice: str
    opens: bool
