"""Pure: a number with its English noun. Digests speak other languages, too; they have `notify.render.i18n`."""

from __future__ import annotations


def count(number: int, noun: str, plural: str = "") -> str:
    """ "1 hit", "3 hits"; `plural` is the form that is not the noun and an s: "2 entries"."""
    return f"{number} {noun if number == 1 else plural or noun + 's'}"
