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

PIECE_WORDS = 20_000
"""The words that are scanned at once. Longer texts are cut into pieces that overlap by the longest literal."""

_FIELD_END = " \n "  # no literal reaches over it


def scanned(document: Document, marked: Collection[str]) -> list[str]:
    """The texts to scan; every literal that stands in the document stands in one of them.

    `marked` are the fields whose marked words are wanted.
    """
    lists = [words for name in SEARCHED for words in _readings(document.index(name))]
    for name in marked:
        mark = MARKS[name]
        lists += [[mark + word for word in words] for words in _readings(document.index(name))]
    if sum(map(len, lists)) <= PIECE_WORDS:
        return [_joined(lists)]
    return [_joined([piece]) for words in lists for piece in _pieces(words)]


def vocabulary(document: Document) -> set[str]:
    """The words of an article as they are scanned, those of all marked fields included, each once."""
    return {word for text in scanned(document, MARKS) for word in text.split()}


def literal(words: Sequence[str], field: str = "", *, prefix: bool = False) -> str:
    """What stands in the scanned text where these folded words do; with `prefix` the last one may go on."""
    mark = MARKS.get(field, "")
    return f" {' '.join(mark + word for word in words)}{'' if prefix else ' '}"


def _readings(index: Index) -> Iterator[Sequence[str]]:
    """The words of one field, and the neighbourhood of each word that the end of a line broke, read as a whole.

    Every two words that may follow one another do so in one of them; longer sequences only where nothing is broken.
    """
    words, rejoined = index.folded, index.rejoined
    yield words
    for position, whole in rejoined.items():
        yield [*words[max(0, position - 1) : position], whole, *words[position + 2 : position + 3]]
        if position - 2 in rejoined:
            yield [rejoined[position - 2], whole]


def _pieces(words: Sequence[str]) -> Iterator[Sequence[str]]:
    for start in range(0, len(words), PIECE_WORDS):
        yield words[start : start + PIECE_WORDS + LONGEST_LITERAL - 1]


def _joined(lists: Sequence[Sequence[str]]) -> str:
    return f" {_FIELD_END.join(map(' '.join, lists))} "
