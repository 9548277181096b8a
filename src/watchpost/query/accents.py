"""Pure: words of a query whose accents decide: without them they are another word, such as `malinês` and Malines."""

from __future__ import annotations

import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache

from watchpost.names import library
from watchpost.plurals import count
from watchpost.query.document import SEARCHED, Document
from watchpost.query.meaning import Known
from watchpost.query.terms import Leaf, Phrase, Term
from watchpost.query.tree import Node, Not, Query
from watchpost.query.words import fold, word_patterns, words

OFTEN = 2
"""How often another spelling must be in a sample, so that it is no slip."""

MOST_NAMED = 5
"""The words of one query that are named."""


def remarks(query: Query, sample: Iterable[Document] = ()) -> tuple[str, ...]:
    """A sentence for each word that also finds a name, or another word of the sample, with other accents.

    It names words of both kinds: small letters in the query and a capital in the text, or the other way about. A
    spelling that the query has itself is meant.
    """
    written = {word for leaf in _leaves(query.root) for word in _words(leaf)}
    accented = [word for word in sorted(written) if _is_accented(word)]
    if not accented:
        return ()
    spelt = _spellings({fold(word) for word in accented}, sample)
    return tuple(line for word in accented for line in _doubt(word, written, spelt))[:MOST_NAMED]


def _doubt(word: str, written: set[str], spelt: dict[str, Counter[str]]) -> Iterator[str]:
    folded = fold(word)
    meant = {each.lower() for each in written if fold(each) == folded}
    found = spelt.get(folded, Counter())
    own = {each[:1].isupper() for each in found if each.lower() == word.lower()}  # whether with a capital
    if (not word[:1].isupper()) in own:
        return  # the same name, written with and without accents
    others = {each: number for each, number in found.items() if _differs(each, word, meant)}
    other = max(others, key=lambda each: (others[each], each), default="")
    name, cure = _names().get(_bare(word), ""), f"if that is another word, write ={word}"
    if own and other and others[other] >= OFTEN:
        yield f"{word} is found as {other}, too, {count(others[other], 'time')} in the sample; {cure}"
    elif word.lower() not in _names() and name and _differs(name, word, meant):
        yield f"{word} is found as {name}, too, the name of a place; {cure}"


def _differs(other: str, word: str, meant: set[str]) -> bool:
    """Whether a spelling is one with other accents, of the other kind of first letter, that the query has not."""
    return other.lower() not in meant and other[:1].isupper() != word[:1].isupper()


def _spellings(wanted: set[str], sample: Iterable[Document]) -> dict[str, Counter[str]]:
    """How the folded words are spelt in the sample, and how often; texts without capitals say nothing."""
    found: dict[str, Counter[str]] = {}
    for document in sample:
        for field in SEARCHED:
            index = document.index(field)
            present = wanted & index.vocabulary if index.cased else set()
            for position in (at for at, word in enumerate(index.folded) if word in present):
                found.setdefault(index.folded[position], Counter())[index.written(position)] += 1
    return found


def _leaves(node: Node) -> Iterator[Leaf]:
    """The terms that make a query true, without those of the names library."""
    if isinstance(node, Leaf):
        yield node
    elif not isinstance(node, Not | Known):
        for child in node.children:
            yield from _leaves(child)


def _words(leaf: Leaf) -> Iterator[str]:
    """The words of a term or phrase that are found with any accents."""
    if isinstance(leaf, Term | Phrase):
        for part in leaf.text.split():
            if part[:1] not in ("=", "^", "{") and not part.endswith("*") and word_patterns(part):
                yield from (part[word.start : word.end] for word in words(part))


def _is_accented(word: str) -> bool:
    """Whether a word of Latin letters has a mark."""
    return any("LATIN" in unicodedata.name(sign, "") and unicodedata.decomposition(sign) for sign in word)


def _bare(word: str) -> str:
    return "".join(sign for sign in unicodedata.normalize("NFD", word.lower()) if not unicodedata.combining(sign))


@cache
def _names() -> dict[str, str]:
    """The names of places, by their small letters."""
    return {name.lower(): name for place in library.places() for name in place.names}
