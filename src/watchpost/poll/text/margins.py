"""Still: where an article ends and the page around it begins, in text that a feed or a crawler delivered.

Menus, related articles and the captions of archive pictures are not the article: a topic must not match on them.
They are blanked, not cut: every character keeps its place, so that evidence can point into the text as delivered.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from typing import NamedTuple

from watchpost.poll.text.furniture import LONGEST, is_button, is_label, is_teaser

_INK, _GAP = re.compile(r"\S"), re.compile(r"\n[^\S\n]*\n\s*")
_LINE = re.compile(r"[^\n]+")
_END = ".!?…»”\"')]。！？؟।"
_PROSE_MIN = 80
_SEPARATOR = re.compile(r"\s[>»›/|•·–—]\s|\s{2,}|\t")
# "[File photo: …]", "(Photo d’archives – …)": a picture from another day, described in words of its own.
_CAPTION = re.compile(
    r"\W{0,3}(?:(?:file|archive|stock|undated)\s+(?:photo|picture|image|footage)|(?:photo|image)s?\s+d[’']archives?"
    r"|archivbild|symbolbild|foto\s+de\s+archivo|imagen\s+de\s+archivo|foto\s+de\s+arquivo|foto\s+d[’']archivio"
    r"|архивное\s+фото|фото\s+из\s+архива|صورة\s+أرشيفية|صورة\s+من\s+الأرشيف|资料图片?|档案照片|資料写真)\b",
    re.IGNORECASE,
)


class _Piece(NamedTuple):  # there are many: a dataclass takes three times as long to make
    start: int
    end: int
    text: str


def blank_margins(text: str) -> str:
    """The text with page furniture replaced by spaces, character for character; line breaks stay.

    What is blanked: buttons, everything from a label such as "Related Articles" on if no prose follows it, lines
    of menus and breadcrumbs above the first prose, and captions that say they are archive pictures. A text
    without any prose is left as it is: a headline alone is no menu.
    """
    pieces = _pieces(text)
    prose = [n for n, piece in enumerate(pieces) if _is_prose(piece.text)]
    if not prose:
        return text
    first, last = prose[0], prose[-1]
    below = next((n for n in range(last + 1, len(pieces)) if is_label(pieces[n].text.strip())), len(pieces))
    doomed = [
        piece
        for n, piece in enumerate(pieces)
        if n >= below or _is_outside(piece.text.strip()) or (n < first and _is_menu(piece.text.strip()))
    ]
    out, at = [], 0
    for piece in doomed:
        out += [text[at : piece.start], re.sub(r"[^\n]", " ", piece.text)]
        at = piece.end
    return "".join([*out, text[at:]])


def _pieces(text: str) -> list[_Piece]:
    """Paragraphs; buttons and labels at their edges as pieces of their own; lines, if there is no empty line at all."""
    blocks = list(_blocks(text))
    if len(blocks) == 1:
        return [_Piece(m.start(), m.end(), m[0]) for m in _LINE.finditer(text)]
    pieces: list[_Piece] = []
    for begin, end in blocks:
        if text.find("\n", begin, end) < 0:
            pieces.append(_Piece(begin, end, text[begin:end]))
            continue
        lines = [_Piece(m.start(), m.end(), m[0]) for m in _LINE.finditer(text, begin, end)]
        first, last = 0, len(lines)
        while first < last and _is_furniture(lines[first].text):
            first += 1
        while last > first and _is_furniture(lines[last - 1].text):
            last -= 1
        if first and is_label(lines[first - 1].text.strip()):
            pieces += lines  # a list of teasers under its heading
        elif first < last:
            start, stop = lines[first].start, lines[last - 1].end
            pieces += [*lines[:first], _Piece(start, stop, text[start:stop]), *lines[last:]]
        else:
            pieces += lines
    return pieces


def _blocks(text: str) -> Iterator[tuple[int, int]]:
    """Where paragraphs, with an empty line between them, begin and end."""
    ink = _INK.search(text)
    at = ink.start() if ink else len(text)
    for gap in _GAP.finditer(text, at):
        yield at, gap.start()
        at = gap.end()
    if at < len(text):
        yield at, len(text)


def _is_outside(text: str) -> bool:
    return _is_furniture(text) or _CAPTION.match(text) is not None


def _is_furniture(line: str) -> bool:
    line = line.strip()
    return len(line) <= LONGEST and _is_known(line)


@lru_cache(1024)  # each line is looked at several times
def _is_known(line: str) -> bool:
    return is_label(line) or is_button(line) or is_teaser(line)


def _is_menu(text: str) -> bool:
    """Several entries with something between them, and no sentence: "Home | World | Africa | Mali"."""
    if text[-1:] in _END or len(text) > 300:
        return False
    return len([entry for entry in _SEPARATOR.split(text) if entry.strip()]) >= 3


def _is_prose(text: str) -> bool:
    text = text.strip()
    return len(text) >= 2 * _PROSE_MIN or (len(text) >= _PROSE_MIN and text[-1:] in _END) or _is_dense(text)


def _is_dense(text: str) -> bool:
    """Scripts that say a sentence in a third of the characters."""
    return len(text) >= 30 and text[-1:] in "。！？" and bool(re.search(r"[぀-ヿ㐀-鿿가-힣]", text))
