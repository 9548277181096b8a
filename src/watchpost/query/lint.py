"""Still: what is doubtful in a query that can be read: it works, but costs more or finds more than its author thinks.

Sources of the rules: the study of matching, 5 (two characters of a script without spaces are inside many longer
words, names of two letters are other words elsewhere) and 6 (a query without anchors is put to every article).
"""

from __future__ import annotations

from collections.abc import Iterator

from watchpost.query.anchors import anchors
from watchpost.query.frequency import Frequency
from watchpost.query.leaves import Leaf, Prefix, Regex, Term
from watchpost.query.nearness import Unless
from watchpost.query.tree import Node, Not, Query
from watchpost.query.unspaced import LONGER
from watchpost.query.words import is_unspaced

SHORT_UNSPACED = 2
SHORT_PREFIX = 3
MOST_NAMED = 5  # of one kind of remark


def remarks(query: Query) -> tuple[str, ...]:
    """Sentences for the query's author, each with the clause it is about and a cure; none if nothing is doubtful."""
    return tuple(
        line
        for lines in (_unanchored(query.root), _short_unspaced(query.root), _short_prefixes(query.root))
        for line in lines
    )


def _unanchored(root: Node) -> Iterator[str]:
    if anchors(root, Frequency().price) is not None:
        return
    regexes = [str(leaf) for leaf in _leaves(root) if isinstance(leaf, Regex)]
    cause = f"{regexes[0]} is a part of it that no word stands for" if regexes else "no word of it must occur"
    yield f"every article is put to it, because {cause}; join it with a word by AND or NEAR"


def _short_unspaced(root: Node) -> Iterator[str]:
    found = dict.fromkeys(
        leaf.text
        for leaf in _leaves(root)
        if isinstance(leaf, Term)
        and len(leaf.steps) <= SHORT_UNSPACED
        and all(is_unspaced(step.folded[:1]) for step in leaf.steps)
        and leaf.text not in LONGER
    )
    for text in list(found)[:MOST_NAMED]:
        yield f"{text} is found inside longer words, too; write {text} UNLESS (…) with those that are something else"


def _short_prefixes(root: Node) -> Iterator[str]:
    found = dict.fromkeys(
        str(leaf)
        for leaf in _leaves(root)
        if isinstance(leaf, Prefix) and len(leaf.steps) == 1 and len(leaf.steps[0].folded) <= SHORT_PREFIX
    )
    for text in list(found)[:MOST_NAMED]:
        yield f"{text} begins many words; write more letters, or the words themselves"


def _leaves(node: Node) -> Iterator[Leaf]:
    """What makes a query true: not what it takes away, nor a word whose longer namesakes it takes away itself."""
    if isinstance(node, Leaf):
        yield node
    elif isinstance(node, Unless):
        apart = str(node.other)
        yield from (leaf for leaf in _leaves(node.part) if isinstance(leaf, Regex) or leaf.text not in apart)
    elif not isinstance(node, Not):
        for child in node.children:
            yield from _leaves(child)
