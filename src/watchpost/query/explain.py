"""Still: why a query matches a document, or what keeps it from matching."""

from __future__ import annotations

from dataclasses import dataclass

from watchpost.query.text import Document
from watchpost.query.tree import And, Evidence, Field, Node, Not, Or, Query, evidence, in_scope


@dataclass(frozen=True, slots=True)
class Explanation:
    """One clause of a query, put to one document.

    `text` is the clause as it could be written by itself (with its field), `matches` whether it is true.
    `evidence` is what makes it true; for a leaf under NOT, what makes the NOT false. `operator` is "AND",
    "OR", "NOT" or "" for a leaf, and `children` are what it joins.
    """

    text: str
    matches: bool
    evidence: tuple[Evidence, ...]
    operator: str = ""
    children: tuple[Explanation, ...] = ()


def explain(query: Query, document: Document) -> Explanation:
    """The whole tree with true or false per clause. At the root, `evidence` is that of `query.evaluate`."""
    return _explain(query.root, document, "")


def failing(explanation: Explanation) -> Explanation:
    """The smallest clause that keeps the query from matching: fewest terms, then first in the query.

    An OR fails as a whole: any of its parts would do. Raises ValueError if the explanation is one of a match.
    """
    if explanation.matches:
        raise ValueError(f"nothing fails: {explanation.text} matches")
    if explanation.operator != "AND":
        return explanation
    return min((failing(child) for child in explanation.children if not child.matches), key=_size)


def _explain(node: Node, document: Document, scope: str) -> Explanation:
    if isinstance(node, Field):
        return _explain(node.part, document, node.name)
    operator, parts = _parts(node)
    found = node.find(document, scope)
    return Explanation(
        in_scope(node, scope),
        found is not None,
        evidence(document, found or ()),
        operator,
        tuple(_explain(part, document, scope) for part in parts),
    )


def _parts(node: Node) -> tuple[str, tuple[Node, ...]]:
    match node:
        case And(parts=parts):
            return "AND", parts
        case Or(parts=parts):
            return "OR", parts
        case Not(part=part):
            return "NOT", (part,)
    return "", ()


def _size(explanation: Explanation) -> int:
    return sum(map(_size, explanation.children)) or 1
