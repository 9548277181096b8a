"""Still: an article as an automaton reads it: folded words with single spaces between them.

So the word `mali` is the literal " mali ", the beginning `malien*` is " malien", and a phrase is found only where its
words stand one after the other in one field. The words of a field that has to be named (`author:`, `lang:`, …) carry
its mark; those of the title stand there twice, once without a mark.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence

from watchpost.query.index import Index
from watchpost.query.text import SEARCHED, Document

MARKS = {"title": "\x01", "author": "\x02", "source": "\x03", "lang": "\x04", "url": "\x05"}
"""What stands before the words of a field; folded words never hold such characters."""

LONGEST_LITERAL = 8
"""The words that a literal may have."""

PIECE_WORDS, PIECE_LETTERS = 20_000, 120_000
"""The words that are scanned at once, and how many letters are taken for so many.

Longer texts are cut into pieces that overlap by the longest literal.
"""

_FIELD_END = " \n "  # no literal reaches over it


def scanned(document: Document, marked: Collection[str]) -> list[str]:
    """The texts to scan; every literal that stands in the document stands in one of them.

    `marked` are the fields whose marked words are wanted.
    """
    texts = [text for name in SEARCHED for text in _readings(document.index(name))]
    for name in marked:
        mark = MARKS[name]
        texts += [mark + text.replace(" ", " " + mark) for text in _readings(document.index(name))]
    if sum(map(len, texts)) <= PIECE_LETTERS:
        return [f" {_FIELD_END.join(texts)} "]
    return [f" {piece} " for text in texts for piece in _pieces(text)]


def vocabulary(document: Document) -> set[str]:
    """The words of an article as they are scanned, those of all marked fields included, each once."""
    return {word for text in scanned(document, MARKS) for word in text.split()}


def literal(words: Sequence[str], field: str = "", *, prefix: bool = False) -> str:
    """What stands in the scanned text where these folded words do; with `prefix` the last one may go on."""
    mark = MARKS.get(field, "")
    return f" {' '.join(mark + word for word in words)}{'' if prefix else ' '}"


def _readings(index: Index) -> Iterator[str]:
    """The words of one field, and the neighbourhood of each word that the end of a line broke, read as a whole.

    Every two words that may follow one another do so in one of them; longer sequences only where nothing is broken.
    """
    if not index.joined:
        return
    yield index.joined
    rejoined = index.rejoined
    words = index.folded if rejoined else ()
    for position, whole in rejoined.items():
        yield " ".join((*words[max(0, position - 1) : position], whole, *words[position + 2 : position + 3]))
        if position - 2 in rejoined:
            yield f"{rejoined[position - 2]} {whole}"


def _pieces(text: str) -> Iterator[str]:
    words = text.split(" ")
    for start in range(0, len(words), PIECE_WORDS):
        yield " ".join(words[start : start + PIECE_WORDS + LONGEST_LITERAL - 1])
