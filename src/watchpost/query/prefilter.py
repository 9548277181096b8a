"""Pure: what an index of words can say about a query before any article is read.

`index_text` has the words under which an index files an article. `prefilter` makes of a query an expression over such
words that is true of every article which the query matches, and of some others: the query itself decides about those
that the index finds. A query that may match articles without certain words has no such expression.

Words are folded as queries compare them. Those of a field that a query must name have that field's mark before them.
The marks are private-use characters (https://www.unicode.org/faq/private_use), which no folded word contains and which
an index keeps as letters. A word that a line end breaks is filed as its halves and as the whole.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Set
from dataclasses import dataclass

from watchpost.query.document import LANG, SEARCHED, Document
from watchpost.query.meaning import Ambiguous
from watchpost.query.operators import AtLeast, Proximity, Score, Unless, Weighted, weight
from watchpost.query.terms import Leaf
from watchpost.query.tree import And, Field, Named, Node, Or
from watchpost.query.words import WordPattern

FIELD_MARKS = {"title": "\ue001", "author": "\ue002", "source": "\ue003", LANG: "\ue004", "url": "\ue005"}
"""The mark before the words of a field; those of title, summary and body are there without a mark, too."""

LANGUAGE_UNKNOWN = FIELD_MARKS[LANG]
"""The word of an article whose language nobody declared: what it is recognised as is not in the index."""

LONGEST_WORD = 64
"""The letters of a word that count; two longer words with the same beginning are one to the index."""

MOST_WORDS = 4_000
"""The most words of an expression; a larger one says nothing, because reading it costs more than it saves."""

DEEPEST = 40
"""The most levels of an expression; indexes refuse deep ones (SQLite: https://www.sqlite.org/limits.html)."""


@dataclass(frozen=True, slots=True)
class IndexWord:
    """True of an article with this word, or with `prefix` with one that begins so."""

    text: str
    prefix: bool = False


@dataclass(frozen=True, slots=True)
class AllOf:
    """True of an article that every part is true of."""

    parts: tuple[Prefilter, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """True of an article that one part is true of."""

    parts: tuple[Prefilter, ...]


Prefilter = IndexWord | AllOf | AnyOf


def index_text(document: Document) -> str:
    """The words under which an index files the document, with spaces between; many are there several times."""
    parts: list[str] = []
    for name in SEARCHED:
        index = document.index(name)
        parts += [index.joined, *index.rejoined.values()]
    for name, mark in FIELD_MARKS.items():
        if name == LANG and not document.fields.get(LANG):
            parts.append(LANGUAGE_UNKNOWN)
        elif marked := " ".join((document.index(name).joined, *document.index(name).rejoined.values())).strip():
            parts.append(mark + marked.replace(" ", " " + mark))
    text = " ".join(filter(None, parts))
    words = text.split(" ")
    return " ".join(word[:LONGEST_WORD] for word in words) if max(map(len, words)) > LONGEST_WORD else text


def prefilter(node: Node) -> Prefilter | None:
    """An expression that is true of every document which `node` is true of; None if nothing is known."""
    found = _of_node(node, "")
    return found if found is None or (_words(found) <= MOST_WORDS and _depth(found) <= DEEPEST) else None


def all_of(parts: Iterable[Prefilter | None]) -> Prefilter | None:
    """True where all parts are; parts of which nothing is known do not count."""
    return _joined(AllOf, [part for part in parts if part is not None])


def any_of(parts: Iterable[Prefilter | None]) -> Prefilter | None:
    """True where one of the parts is; None if nothing is known of one of them."""
    known = list(parts)
    return None if None in known else _joined(AnyOf, [part for part in known if part is not None])


def holds(expression: Prefilter, words: Set[str]) -> bool:
    """Whether the expression is true of a document with these index words: what an index answers."""
    match expression:
        case IndexWord(text=text, prefix=prefix):
            return any(word.startswith(text) for word in words) if prefix else text in words
        case AllOf(parts=parts):
            return all(holds(part, words) for part in parts)
        case AnyOf(parts=parts):
            return any(holds(part, words) for part in parts)


def _of_node(node: Node, scope: str) -> Prefilter | None:
    match node:
        case Leaf():
            return all_of(_of_pattern(pattern, scope) for pattern in node.patterns)
        case And(parts=parts):
            return all_of(_of_node(part, scope) for part in parts)
        case Or(parts=parts):
            return any_of(_of_node(part, scope) for part in parts)
        case Field(name=name, part=part):
            return _of_node(part, name)
        case Proximity():
            return all_of(_of_node(side, scope) for side in node.children)
        case Named(part=part) | Ambiguous(part=part) | Unless(part=part) | AtLeast(part=part) | Weighted(part=part):
            return _of_node(part, scope)
        case Score():
            return _of_score(node, scope)
    return None


def _of_pattern(pattern: WordPattern, scope: str) -> Prefilter | None:
    if not pattern.folded:
        return None
    mark = FIELD_MARKS.get(scope, "")
    texts = (pattern.folded,) if pattern.prefix else (pattern.folded, *pattern.forms)
    found = any_of(IndexWord((mark + text)[:LONGEST_WORD], pattern.prefix) for text in texts)
    return any_of((found, IndexWord(LANGUAGE_UNKNOWN))) if scope == LANG else found


def _of_score(node: Score, scope: str) -> Prefilter | None:
    """One of the parts without which the threshold cannot be reached; those with most words are left out."""
    known = [(_of_node(part, scope), weight(part)) for part in node.parts]
    spare = node.threshold
    needed = []
    for found, weighs in sorted(known, key=lambda pair: -(MOST_WORDS if pair[0] is None else _words(pair[0]))):
        if weighs < spare:
            spare -= weighs
        else:
            needed.append(found)
    return any_of(needed) if needed else None


def _joined(kind: type[AllOf] | type[AnyOf], parts: list[Prefilter]) -> Prefilter | None:
    """The parts under one operator, each once; operators of the same kind within become one."""
    flat: dict[Prefilter, None] = {}
    for part in parts:
        if isinstance(part, kind):
            flat.update(dict.fromkeys(part.parts))
        else:
            flat[part] = None
    if len(flat) > 1:
        return kind(tuple(flat))
    return next(iter(flat), None)


def _leaves(expression: Prefilter) -> Iterator[IndexWord]:
    if isinstance(expression, IndexWord):
        yield expression
    else:
        for part in expression.parts:
            yield from _leaves(part)


def _words(expression: Prefilter) -> int:
    return sum(1 for _ in _leaves(expression))


def _depth(expression: Prefilter) -> int:
    return 1 if isinstance(expression, IndexWord) else 1 + max(map(_depth, expression.parts))
