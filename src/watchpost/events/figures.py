"""Pure: the numbers of a text, spelled out or in digits, and what they count: people killed, wounded, taken."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence
from typing import NamedTuple

from watchpost.events import lexicon
from watchpost.events.lexicon import Numerals, Text
from watchpost.query.words import is_unspaced

AFTER, BEFORE = 6, 3
"""So many words may be between a number and the word for what it counts, after it and before it."""

BEFORE_RISE = 14
"""The same before a number to which it rises: "Death toll in the raid near Ansongo rises to fourteen"."""

MOST = 40
"""The first numbers of a text that are read."""

LARGEST = 10**13

_HAN = {name: value for value, name in enumerate("零一二三四五六七八九")} | {"两": 2, "〇": 0}
_HAN_UNITS = {"十": 10, "百": 100, "千": 1000, "万": 10_000, "亿": 100_000_000}


class Figure(NamedTuple):
    """A number, what it counts ("" if unknown), and the position of its first word."""

    value: int
    role: str
    at: int


def figures(text: Text) -> tuple[Figure, ...]:
    """The numbers in a text, in reading order.

    A number counts what the nearest word for harm near it says. Years and single ones are left out.
    """
    words, numerals = text.words, lexicon.numerals(text.language)
    roles = lexicon.harm().meanings(text)
    found: list[Figure] = []
    at, used = 0, -1  # a word for harm counts for one number
    while at < len(words) and len(found) < MOST:
        value, length = _number(words, at, numerals)
        if length == 0:
            at += 1
            continue
        if value > 1 and not (1900 <= value <= 2100):
            rises = lexicon.rises().meanings(Text(words[max(0, at - 2) : at], text.language))
            before = BEFORE_RISE if rises else BEFORE
            role = _role(roles, (at, at + length), before, used)
            used = max(used, role[0])
            found.append(Figure(value, role[1], at))
        at += length
    return tuple(found)


def _role(roles: Sequence[tuple[int, str]], number: tuple[int, int], before: int, used: int) -> tuple[int, str]:
    """The position and meaning of the nearest word for harm after `used`; one after the number counts as nearer.

    `number` is where it starts and ends, `before` how many words may be between it and an earlier word.
    """
    start, end = number
    near = [
        (place - end if place >= end else start - place + 1, place, role)
        for place, role in roles
        if start - before <= place < end + AFTER and place > used
    ]
    return min(near)[1:] if near else (-1, "")


def _number(words: Sequence[str], at: int, numerals: Numerals | None) -> tuple[int, int]:
    """The number that begins at a word, and how many words it has; 0 words if none begins there."""
    word = words[at]
    if word[0].isdigit():
        return _digits(words, at)
    if is_unspaced(word[0]):
        return _han(words, at)
    return _spelled(words, at, numerals) if numerals is not None else (0, 0)


def _digits(words: Sequence[str], at: int) -> tuple[int, int]:
    """Digits, with the groups of three that follow: "27 500"."""
    if not words[at].isdecimal():
        return 0, 0
    text, length = words[at], 1
    while at + length < len(words) and len(text) < 13:
        following = words[at + length]
        if len(following) != 3 or not following.isdecimal() or (length == 1 and len(text) > 3):
            break
        text += following
        length += 1
    return min(int("".join(str(unicodedata.digit(digit)) for digit in text[:14])), LARGEST), length


def _spelled(words: Sequence[str], at: int, numerals: Numerals) -> tuple[int, int]:
    """Number words that add up: each is smaller than the one before, or they are a unit and tens, or hundreds."""
    total = last = 0
    end = at
    place = at
    while place < len(words):
        word = words[place]
        value = numerals.values.get(word)
        linked = place > at and words[place - 1] in numerals.links
        if value is None and word[0] == "و" and end > at:  # Arabic writes its "and" in front of the word
            value, linked = numerals.values.get(word[1:]), True
        if value is None:
            if word in numerals.links and end == place > at:
                place += 1
                continue
            break
        if end == at:
            total = last = value
        elif last >= 100 > value and numerals.thousands_first and total == last:
            total, last = total * value, 0
        elif value >= 100 and last < value and total < value:
            total, last = total * value, value
        elif value == 20 and last == 4:  # French quatre-vingt
            total, last = total + 76, 20
        elif (10 <= last > value and last % 10 == 0) or (last < 10 <= value <= 90 and (linked or value == 10)):
            total, last = total + value, value
        else:
            break
        place += 1
        end = place
    return min(total, LARGEST), end - at


def _han(words: Sequence[str], at: int) -> tuple[int, int]:
    """A number in Chinese characters, each of which is a word: 三十九."""
    total = part = digit = 0
    place = at
    while place < len(words) and place - at < 12 and len(words[place]) == 1:
        character = words[place]
        if character in _HAN:
            digit = digit * 10 + _HAN[character] if digit else _HAN[character]
        elif (unit := _HAN_UNITS.get(character)) is not None:
            if unit >= 10_000:
                total, part, digit = (total + part + digit) * unit, 0, 0
            else:
                part, digit = part + (digit or 1) * unit, 0
        else:
            break
        place += 1
    return min(total + part + digit, LARGEST), place - at
