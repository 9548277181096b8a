"""Pure: where the entries of a web page are that lists links."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ListRule:
    """Where the entries of a page are, as CSS selectors; "" is guessed.

    `items` finds the entries; `title`, `date` and `link` find their parts within each.
    """

    items: str = ""
    title: str = ""
    date: str = ""
    link: str = ""
