"""Pure: why a query matches a document, or what keeps it from matching."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import NamedTuple

from watchpost.plurals import count
from watchpost.query.document import FIRST, Document
from watchpost.query.inflection import LANGUAGES, fits, inflected
from watchpost.query.meaning import Ambiguous, Known
from watchpost.query.operators import AtLeast, Near, Proximity, Same, Score, Unless, Weighted, mentions
from watchpost.query.percolator import Frequency, anchors
from watchpost.query.terms import LONGER, Exact, Leaf, Phrase, Prefix, Regex, Term
from watchpost.query.tree import And, Evidence, Field, Named, Node, Not, Or, Query, collected, in_scope
from watchpost.query.words import folded_words, is_unspaced, letters

UNSAID = "nothing in the text says so"
"""Why a name does not count that has no other meaning in the text."""


class Refusal(NamedTuple):
    """A mention of a name of the library that does not count: its text, its field, and why."""

    text: str
    field: str
    reason: str


@dataclass(frozen=True, slots=True)
class Explanation:
    """One clause of a query, evaluated on one document.

    `text` is the clause as it could be written alone (with its field), `matches` whether it is true. `evidence` is what
    makes it true; for a leaf under NOT, what makes the NOT false. `operator` joins its `children`: "AND", "OR", "NOT",
    "NEAR/15", "SAME", "UNLESS", "ATLEAST/3", "SCORE/5", "@sahel", or "" for a leaf, which has none. `detail` is the
    number behind the result, if there is one: "NEAR/15: nearest pair 41 words", "ATLEAST/3: found 2". `refused` are the
    mentions of a name of the library that is false for the document.
    """

    text: str
    matches: bool
    evidence: tuple[Evidence, ...]
    operator: str = ""
    children: tuple[Explanation, ...] = ()
    detail: str = ""
    refused: tuple[Refusal, ...] = ()


def explain(query: Query, document: Document) -> Explanation:
    """The whole tree with true or false for each clause. The evidence of the root is that of `query.evaluate`."""
    return _explain(query.root, document, "")


def failing(explanation: Explanation) -> Explanation:
    """The smallest clause that keeps the query from matching: the one with the fewest terms, then the first one.

    An OR fails as a whole, because any of its parts would do. A NEAR with both sides present fails by its distance, and
    its `detail` says by how much. Raises ValueError if the query matches.
    """
    if explanation.matches:
        raise ValueError(f"nothing fails: {explanation.text} matches")
    operator = explanation.operator.partition("/")[0]
    needed: tuple[Explanation, ...] = ()
    if operator in ("AND", "NEAR", "ONEAR", "SAME"):
        needed = explanation.children
    elif operator in ("UNLESS", "ATLEAST") or operator.startswith("@"):
        needed = explanation.children[:1]
    return min((failing(child) for child in needed if not child.matches), key=_size, default=explanation)


def _explain(node: Node, document: Document, scope: str) -> Explanation:
    if isinstance(node, Field):
        return _explain(node.part, document, node.name)
    if isinstance(node, Weighted):
        return replace(_explain(node.part, document, scope), text=in_scope(node, scope))
    operator, detail = _operator(node, document, scope)
    found = node.find(document, scope)
    if found is None and isinstance(node, Leaf):
        detail = _elsewhere(node, document, scope)
    return Explanation(
        in_scope(node, scope),
        found is not None,
        collected(document, found or ()),
        operator,
        () if isinstance(node, Known) else tuple(_explain(child, document, scope) for child in node.children),
        f"{operator}: {detail}" if operator and detail else detail,
        tuple(dict.fromkeys(_refused(node, document, scope))) if isinstance(node, Known) and found is None else (),
    )


def _refused(known: Known, document: Document, scope: str) -> Iterator[Refusal]:
    """The mentions of the names behind `known`, which is false, and why they do not mean it."""
    own = frozenset(folded_words(known.name.partition(":")[2]))
    for node in _inside(known.part):
        if isinstance(node, Ambiguous):
            found = node.part.find(document, scope) or ()
            judged: Iterable[tuple[bool, str]] = node.judged(document, found)
        elif isinstance(node, Leaf) and node.patterns and own.issuperset(each.folded for each in node.patterns):
            found = node.find(document, scope) or ()
            judged = [(True, "")] * len(found)
        else:
            continue
        for occurrence, (means, reason) in zip(found, judged, strict=True):
            text = document.index(occurrence.field).spelt(occurrence.first, occurrence.last)
            if text != text.lower() or text.lower() == text.upper():  # a name
                yield Refusal(text, occurrence.field, reason if not means else UNSAID)


def _inside(node: Node) -> Iterator[Node]:
    """The node and all within it; of names that have a rule only the whole."""
    yield node
    if not isinstance(node, Ambiguous):
        for child in node.children:
            yield from _inside(child)


def _operator(node: Node, document: Document, scope: str) -> tuple[str, str]:
    """The operator that joins the node's children, and the number behind the result."""
    match node:
        case And():
            return "AND", ""
        case Or():
            return "OR", ""
        case Not():
            return "NOT", ""
        case Known(name=name):
            return name, "; ".join(dict.fromkeys(_dropped(node, document, scope)))
        case Named(name=name):
            return f"@{name}", ""
        case Proximity():
            return node.operator, _distance(node, document, scope)
        case Unless(part=part):
            dropped = part.find(document, scope)
            kept = node.find(document, scope) or ()
            return "UNLESS", f"{len(kept)} of {len(dropped)} mentions left" if dropped else ""
        case AtLeast(least=least, part=part):
            return f"ATLEAST/{least}", f"found {mentions(part.find(document, scope) or ())}"
        case Score(threshold=threshold):
            return f"SCORE/{threshold:f}", f"reached {node.weigh(document, scope)[0]:f}"
    return "", ""


def _dropped(node: Node, document: Document, scope: str) -> Iterator[str]:
    """For each mention of the node's names that means something else, why."""
    if isinstance(node, Ambiguous):
        found = node.part.find(document, scope) or ()
        for occurrence, (means, reason) in zip(found, node.judged(document, found), strict=True):
            if not means:
                yield f"{document.index(occurrence.field).spelt(occurrence.first, occurrence.last)}: {reason}"
    for child in node.children:
        yield from _dropped(child, document, scope)


def _distance(node: Proximity, document: Document, scope: str) -> str:
    """The distance of the nearest pair; "" if a side does not occur."""
    if any(side.find(document, scope) is None for side in node.children):
        return ""
    pairs = list(node.pairs(document, scope))
    if isinstance(node, Same):
        paragraphs = [
            document.index(pair.before.field).paragraph(pair.after.first)
            - document.index(pair.before.field).paragraph(pair.before.last)
            for pair in pairs
        ]
        return f"nearest pair {count(min(map(abs, paragraphs)), 'paragraph')} apart" if paragraphs else _NEVER
    if not pairs and isinstance(node, Near) and node.in_order:
        return "never in this order in one field"
    return f"nearest pair {count(min(pair.gap for pair in pairs), 'word')}" if pairs else _NEVER


def missing(tree: Explanation) -> str:
    """The smallest clause that fails, with its number where it has one: "NEAR/15: nearest pair 41 words"."""
    clause = failing(tree)
    return shorten(clause.text) + (f" ({clause.detail})" if clause.detail else "")


def shorten(clause: str, longest: int = 300) -> str:
    """A clause for people to read: a long one loses its middle."""
    return clause if len(clause) <= longest else f"{clause[: longest // 2]} … {clause[-longest // 2 :]}"


_NEVER = "never in one field"


def _elsewhere(leaf: Leaf, document: Document, scope: str) -> str:
    """Where a term occurs outside its field, or how it is spelt there; "" if it does not occur."""
    if isinstance(leaf, Exact):
        plain = tuple(pattern._replace(exact="") for pattern in leaf.patterns)
        places = document.scoped(scope).find(plain)[:MOST_SPELLINGS]
        if places:
            spellings = dict.fromkeys(document.index(name).spelt(first, last) for name, first, last in places)
            return f"written {', '.join(spellings)}"
    places = leaf.places(document, "") if scope else []
    if not places:
        return _in_another_form(leaf, document, scope)
    if scope.startswith(FIRST):
        return f"first at word {min(first for _, first, _ in places) + 1}"
    return f"only in {', '.join(dict.fromkeys(name for name, _, _ in places))}"


def _in_another_form(leaf: Leaf, document: Document, scope: str) -> str:
    """How a word or phrase without a language is written in the text, and what would find it: "written 윤석열이;
    윤석열~ko finds it"; "" if nothing would. Of languages in one alphabet that of the text comes first.
    """
    if not isinstance(leaf, Term | Phrase) or leaf.language or not leaf.patterns:
        return ""
    last = leaf.patterns[-1]
    cures = [(inflected(leaf.patterns, code), f"{leaf}~{code}") for code in _languages(leaf, document)]
    if not last.prefix and letters(last.folded) >= SHORT_PREFIX and not is_unspaced(last.folded[:1]):
        starred = f'"{leaf.text}*"' if isinstance(leaf, Phrase) else f"{leaf.text}*"
        cures.append(((*leaf.patterns[:-1], last._replace(prefix=True)), starred))
    for patterns, cure in cures:
        places = document.scoped(scope).find(patterns)[:MOST_SPELLINGS]
        if places:
            spellings = dict.fromkeys(document.index(name).spelt(first, end) for name, first, end in places)
            return f"written {', '.join(list(spellings)[:3])}; {cure} finds it"
    return ""


def _languages(leaf: Leaf, document: Document) -> tuple[str, ...]:
    """Languages whose forms the words may have: those of the text, and all others that are not in Latin letters."""
    own = [code for code in document.languages if code in LANGUAGES]
    others = [code for code, rules in LANGUAGES.items() if not rules.first.isascii()]
    words = [pattern.folded for pattern in leaf.patterns]
    return tuple(code for code in dict.fromkeys([*own, *others]) if any(fits(word, code) for word in words))


def other_forms(tree: Explanation) -> tuple[str, ...]:
    """Of a query that fails, its words that the text has in another form or field, a line for each."""
    if tree.operator == "NOT" or tree.matches:
        return ()
    if not tree.children:
        return (f"{tree.text}: {tree.detail}",) if tree.detail and not tree.operator else ()
    children = tree.children[:1] if tree.operator == "UNLESS" else tree.children
    return tuple(dict.fromkeys(line for child in children for line in other_forms(child)))


MOST_SPELLINGS = 100
"""The first places of a word whose spellings are shown."""


def _size(explanation: Explanation) -> int:
    return sum(map(_size, explanation.children)) or 1


SHORT_UNSPACED = 2
SHORT_PREFIX = 3
MOST_NAMED = 5  # terms in remarks of one kind


def remarks(query: Query) -> tuple[str, ...]:
    """Sentences about what makes the query slow or too broad, each with the clause and the cure.

    Two characters of a script without spaces are inside many longer words, and a short beginning is that of many words.
    """
    return tuple(
        line
        for lines in (_unanchored(query.root), _short_unspaced(query.root), _short_prefixes(query.root))
        for line in lines
    )


def _unanchored(root: Node) -> Iterator[str]:
    if anchors(root, Frequency().cost) is not None:
        return
    regexes = [str(leaf) for leaf in _leaves(root) if isinstance(leaf, Regex)]
    cause = f"{regexes[0]} has no word that must occur" if regexes else "none of its words must occur"
    yield f"it is tried on every article, because {cause}; add a word by AND or NEAR"


def _short_unspaced(root: Node) -> Iterator[str]:
    texts = dict.fromkeys(
        leaf.text
        for leaf in _leaves(root)
        if isinstance(leaf, Term)
        and len(leaf.patterns) <= SHORT_UNSPACED
        and all(is_unspaced(pattern.folded[:1]) for pattern in leaf.patterns)
        and leaf.text not in LONGER
    )
    for text in list(texts)[:MOST_NAMED]:
        yield f"{text} is found inside longer words, too; exclude the wrong ones with {text} UNLESS (…)"


def _short_prefixes(root: Node) -> Iterator[str]:
    texts = dict.fromkeys(
        str(leaf)
        for leaf in _leaves(root)
        if isinstance(leaf, Prefix) and len(leaf.patterns) == 1 and len(leaf.patterns[0].folded) <= SHORT_PREFIX
    )
    for text in list(texts)[:MOST_NAMED]:
        yield f"{text} begins many words; write more letters, or whole words"


def _leaves(node: Node) -> Iterator[Leaf]:
    """The terms that make a query true: not those of NOT or of the library, nor a word that UNLESS takes care of."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Unless):
        excluded = str(node.other)
        yield from (leaf for leaf in _leaves(node.part) if isinstance(leaf, Regex) or leaf.text not in excluded)
    elif not isinstance(node, Not | Known):
        for child in node.children:
            yield from _leaves(child)
