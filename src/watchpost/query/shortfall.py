"""Pure: why a query does not match a text, in a few lines: which of its words are there, and what each lacks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from watchpost.query.explain import UNSAID, Explanation

MOST = 8
"""The shortfalls that are named; the nearest ones come first."""

_LONGEST = 120  # characters of a clause
_EXAMPLES = 3  # words of a named query
_PLACES = {"title": 0, "summary": 1, "body": 2}


@dataclass(frozen=True, slots=True)
class Shortfall:
    """A clause that fails although some of its words are in the text.

    `words` are these, each with its field: ("Wagner", "title"). `lacks` says what the clause lacks: "no opera within
    5 words". `clause` is the clause as it is written.
    """

    words: tuple[tuple[str, str], ...]
    lacks: str
    clause: str

    def __str__(self) -> str:
        words = ", ".join(f"“{word}” ({field})" for word, field in self.words[:3])
        return f"{words}: {self.lacks}"


def shortfalls(tree: Explanation) -> tuple[Shortfall, ...]:
    """What keeps a query from matching that has words in the text, the least first; () if it matches or has none."""
    if tree.matches:
        return ()
    words: dict[int, dict[tuple[str, str], None]] = {}
    clauses: dict[int, Explanation] = {}
    for leaf, clause in _present(tree, tree):
        clauses[id(clause)] = clause
        words.setdefault(id(clause), {}).update(dict.fromkeys((each.text, each.field) for each in leaf.evidence))
    found: dict[str, Shortfall] = {str(each): each for each in _unmeant(tree)}
    for key in sorted(clauses, key=lambda key: _rank(clauses[key], words[key])):
        shortfall = Shortfall(tuple(words[key]), _lacks(clauses[key]), shorten(clauses[key].text))
        found.setdefault(str(shortfall), shortfall)
    return tuple(found.values())[:MOST]


def shorten(clause: str, longest: int = _LONGEST) -> str:
    """A clause for one line: a long one loses its end."""
    return clause if len(clause) <= longest else f"{clause[: longest - 1].rstrip()}…"


def _unmeant(tree: Explanation) -> Iterator[Shortfall]:
    """The mentions that the library does not take for what the query asks, with why, and what counts them all the same.

    Of a name only the first mention, because the others mostly have the same reason.
    """
    seen: set[str] = set()
    for text, field, reason in sorted(tree.refused, key=lambda refusal: refusal.reason == UNSAID):
        if text not in seen:
            seen.add(text)
            lacks = f"does not mean {tree.text}: {reason}; add OR {_plain(text)} to count each mention"
            yield Shortfall(((text, field),), lacks, tree.text)
    if tree.operator.partition("/")[0] != "NOT":
        for child in tree.children[:1] if tree.operator == "UNLESS" else tree.children:
            yield from _unmeant(child)


def _plain(text: str) -> str:
    """The words as a term that asks for their capitals."""
    return f"{{{text}}}" if text.isascii() else f'"{text}"'


def _present(tree: Explanation, failing: Explanation) -> Iterator[tuple[Explanation, Explanation]]:
    """The words and phrases that are in the text, each with the nearest clause around it that fails."""
    if not tree.children:
        if tree.matches:
            yield tree, failing
        return
    operator = tree.operator.partition("/")[0]
    if operator == "NOT":
        return
    if not tree.matches and not operator.startswith("@"):
        failing = tree
    for child in tree.children[:1] if operator == "UNLESS" else tree.children:
        yield from _present(child, failing)


def _rank(clause: Explanation, words: dict[tuple[str, str], None]) -> tuple[int, int, int]:
    """Clauses that lack least come first, then those whose words stand in the headline."""
    missing = sum(not child.matches for child in clause.children)
    return missing, min((_PLACES.get(field, 3) for _, field in words), default=3), len(clause.text)


def _lacks(clause: Explanation) -> str:
    operator, _, number = clause.operator.partition("/")
    missing = [child for child in clause.children if not child.matches]
    match operator:
        case "AND":
            return "; ".join([_refused(child) or f"no {_named(child)}" for child in missing[:3]])
        case "NEAR" | "ONEAR" if missing:
            after = " after it" if operator == "ONEAR" and missing[0] is clause.children[-1] else ""
            return f"no {_named(missing[0])} within {number} words{after}"
        case "SAME" if missing:
            return f"no {_named(missing[0])} in its paragraph"
        case "UNLESS":
            return f"each is part of what UNLESS leaves out: {_words(clause.children[1])}"
    return f"{shorten(clause.text)} fails" + (f" ({clause.detail})" if clause.detail else "")


def _named(clause: Explanation) -> str:
    """The clause; a named query with the first of its words, a word with its form in the text."""
    if not clause.operator.startswith("@"):
        detail = f" ({clause.detail})" if clause.detail and not clause.children else ""
        return shorten(clause.text) + detail
    leaves = list(dict.fromkeys(_leaves(clause)))
    more = ", …" if len(leaves) > _EXAMPLES else ""
    return f"{clause.text} ({', '.join(leaves[:_EXAMPLES])}{more})"


def _leaves(clause: Explanation) -> Iterator[str]:
    if not clause.children:
        yield clause.text
    for child in clause.children[:1] if clause.operator in ("UNLESS", "NOT") else clause.children:
        yield from _leaves(child)


def _refused(clause: Explanation) -> str:
    """Why a NOT fails; "" for any other clause."""
    if clause.operator != "NOT":
        return ""
    return f"left out by NOT, because of {_words(clause.children[0])}"


def _words(clause: Explanation) -> str:
    words = dict.fromkeys(f"“{each.text}” ({each.field})" for each in clause.evidence)
    return ", ".join(list(words)[:3]) or shorten(clause.text)
