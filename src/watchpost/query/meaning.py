"""Pure: what a name means where it stands: the names that have several meanings, and what decides between them."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import accumulate

from watchpost.names import library
from watchpost.query.document import SEARCHED, Document, Index
from watchpost.query.tree import Named, Node, Occurrence, OfOne

BESIDE = 8
"""The words on either side of a name in which a word of another subject makes it doubtful."""

_SENTENCE = re.compile(r"[.!?…:;\n«“\"„(\[–—|]|^-")
_TOPIC = re.compile(r"\s*[,:–—]|\s-\s")  # "Mali, soldiers killed" names the place of the news, as a dateline does
_TITLE_CASE = 0.6  # of the longer words of a headline


@dataclass(frozen=True, slots=True)
class Rule:
    """What decides whether a name means this thing. Languages are codes.

    A mention within `never` does not mean it. One within `sure` does, and so does one near a word of `state`, and every
    mention in a text that `support` is true of. Another one does not if it is `alone`; in a language of `ordinary`; at
    the beginning of a sentence, or in a text without small letters, in a language of `opening`; in a script without
    capitals; near a word of `doubt`; or one word of a longer name. If one mention is doubtful so, all are that nothing
    makes certain. `whole`: one word of a longer name never means it. `beside` are words in small letters that may be
    beside it with a capital. A mention directly after a given name is a person. `initials`: in capitals among words in
    small letters it may be something else. A mention after a word of `within`, or at the beginning of a headline and
    followed by a colon, is the place of what a text with a word of `events` reports.
    """

    support: Node | None = None
    never: Node | None = None
    sure: Node | None = None
    doubt: Node | None = None
    state: Node | None = None
    events: Node | None = None
    within: frozenset[str] = frozenset()
    ordinary: frozenset[str] = frozenset()
    opening: frozenset[str] = frozenset()
    alone: bool = False
    whole: bool = False
    initials: bool = False
    beside: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Ambiguous(OfOne):
    """The mentions of `part` that mean the thing, by its `rule`."""

    part: Node
    rule: Rule

    def __str__(self) -> str:
        return f"({self.part})" if not str(self.part).startswith("(") else str(self.part)

    @property
    def placed(self) -> bool:
        return True

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        found = self.part.find(document, scope)
        if not found:
            return None
        kept = []
        for occurrence, (means, reason) in zip(found, self.judged(document, found), strict=True):
            if means:
                kept.append(
                    occurrence._replace(clause=f"{occurrence.clause}, {reason}" if reason else occurrence.clause)
                )
        return tuple(kept) or None

    def judged(self, document: Document, found: Iterable[Occurrence]) -> list[tuple[bool, str]]:
        """Of each occurrence whether it means the thing, and why."""
        rule = self.rule
        never, sure = _ranges(rule.never, document), _ranges(rule.sure, document)
        judged: list[tuple[bool, str]] = []
        namesake = ""
        for occurrence in found:
            other = never.covering(occurrence)
            beside = sure.covering(occurrence)
            person = _person(document, occurrence, rule.beside)
            if other is not None or person:
                namesake = person or f"part of {_quoted(document, other or occurrence)}"
                judged.append((False, namesake))
            elif beside is not None and not (rule.initials and _are_initials(document, occurrence)):
                judged.append((True, f"as in {_quoted(document, beside)}"))
            else:
                means, reason = self._alone(document, occurrence)
                namesake = namesake or ("" if means else reason)
                judged.append((means, reason))
        if not namesake:
            return judged
        return [(means and bool(reason), reason or f"another mention is {namesake}") for means, reason in judged]

    def _alone(self, document: Document, occurrence: Occurrence) -> tuple[bool, str]:
        """Whether an occurrence that no longer name covers means the thing, and why."""
        rule = self.rule
        index = document.index(occurrence.field)
        if rule.whole:
            longer = _longer(document, occurrence, rule.beside)
            if longer:
                return False, longer
        support = _first(rule.support, document)
        if support is not None:
            return True, f"beside {_quoted(document, support)}"
        state = _ranges(rule.state, document).near(occurrence)
        if state is not None:
            return True, f"near {_quoted(document, state)}"
        if rule.events is not None and self._is_scene(index, occurrence):
            event = _first(rule.events, document)
            if event is not None:
                return True, f"the place of {_quoted(document, event)}"
        reason = "nothing in the text supports it" if rule.alone else self._doubtful(document, index, occurrence)
        return not reason, reason

    def _is_scene(self, index: Index, occurrence: Occurrence) -> bool:
        """Whether the occurrence names the place of the news."""
        first = occurrence.first
        if not first:
            return _is_topic(index, occurrence)
        return index.folded[first - 1] in self.rule.within and index.between(first).isspace()

    def _doubtful(self, document: Document, index: Index, occurrence: Occurrence) -> str:
        """Why the occurrence may mean something else; "" if nothing says so."""
        rule = self.rule
        if rule.initials and _are_initials(document, occurrence):
            return "in capitals among words in small letters, like initials"
        codes = document.languages
        written = index.written(occurrence.first)
        uncased = written[:1].upper() == written[:1].lower()
        if uncased and occurrence.field == "title" and not occurrence.first and _is_colon(index, occurrence):
            return ""
        if any(code in rule.ordinary for code in codes):
            return f"an ordinary word in {codes[0]}"
        is_topic = _is_topic(index, occurrence)
        if uncased:
            return "its script has no capitals"
        starts = not index.cased or _SENTENCE.search(index.between(occurrence.first)) is not None
        if starts and not is_topic and any(code in rule.opening for code in codes):
            return f"a word that may begin a sentence in {codes[0]}"
        if _ranges(rule.doubt, document).near(occurrence) is not None:
            return "near a word of another subject"
        return _longer(document, occurrence, rule.beside)


def _person(document: Document, occurrence: Occurrence, beside: frozenset[str]) -> str:
    """The person whose name it is, if a given name, an initial or a word like "Mrs" is directly before it; else ""."""
    index, before = document.index(occurrence.field), occurrence.first - 1
    if before < 0 or not index.cased or index.folded[before] in beside:
        return ""
    word, between = index.folded[before], index.between(occurrence.first)
    if len(word) == 1:
        named = between.strip() == "." and index.written(before).isupper()
    elif word in library.given_names():
        named = between.isspace() and index.written(before)[:1].isupper()
    else:
        named = word in library.before_persons() and between.strip() in ("", ".")
    return f"a part of {index.written(before)} {index.written(occurrence.first)}" if named else ""


_LABEL = tuple(",:–—])|/")


def _are_initials(document: Document, occurrence: Occurrence) -> bool:
    """Whether it is written in capitals, and the words beside it are not.

    What a sign sets apart is a heading, and what is after "in" is a place.
    """
    index, first, last = document.index(occurrence.field), occurrence.first, occurrence.last
    if not index.cased or first != last or not index.written(first).isupper():
        return False
    if index.between(last + 1).strip().startswith(_LABEL) or _TOPIC.match(index.between(last + 1)):
        return False
    if first and index.folded[first - 1] in library.where():
        return False
    beside = [index.written(at) for at in (first - 1, last + 1) if 0 <= at < len(index.folded)]
    return not any(len(word) > 1 and word.isupper() for word in beside)


def _longer(document: Document, occurrence: Occurrence, beside: frozenset[str]) -> str:
    """The longer name of which it is a part, if a word with a capital is directly before or after it; else "".

    In German all nouns have a capital, and in many headlines all words.
    """
    index = document.index(occurrence.field)
    starts = _SENTENCE.search(index.between(occurrence.first)) is not None
    if (
        not index.cased
        or "de" in document.languages
        or (occurrence.field == "title" and _title_case(document, occurrence))
    ):
        return ""
    before, after = occurrence.first - 1, occurrence.last + 1
    if before >= 0 and not starts and index.between(occurrence.first).isspace():
        opens = _SENTENCE.search(index.between(before)) is not None
        word = index.written(before)
        if word[:1].isupper() and not opens and index.folded[before] not in library.beside("before") | beside:
            return f"a part of {word} {index.written(occurrence.first)}"
    if after < len(index.folded) and index.between(after).isspace():
        word = index.written(after)
        if word[:1].isupper() and index.folded[after] not in library.beside("after") | beside:
            return f"a part of {index.written(occurrence.last)} {word}"
    return ""


def _title_case(document: Document, occurrence: Occurrence) -> bool:
    """Whether most longer words of the headline, in which the occurrence is in Latin letters, have a capital."""
    index = document.index("title")
    if not index.written(occurrence.first)[:1].isascii():
        return False

    def found() -> bool:
        longer = [word for word in map(index.written, range(len(index.folded))) if len(word) > 3]
        return sum(word[:1].isupper() for word in longer) > _TITLE_CASE * len(longer)

    return document.once(index, "case", found)


def _spans(node: Node | None, document: Document) -> tuple[Occurrence, ...]:
    if node is None:
        return ()
    part = node
    return document.once(part, "", lambda: part.find(document)) or ()


def _first(node: Node | None, document: Document) -> Occurrence | None:
    if node is None:
        return None
    part = node
    return document.once(part, "first", lambda: part.first(document))


@dataclass(frozen=True, slots=True)
class _Ranges:
    """Occurrences by field in the order of their first words, and with each the last word that it or one before has."""

    by_field: Mapping[str, tuple[list[Occurrence], list[int], list[int]]]

    @classmethod
    def of(cls, occurrences: Iterable[Occurrence]) -> _Ranges:
        fields: dict[str, list[Occurrence]] = {}
        for occurrence in occurrences:
            fields.setdefault(occurrence.field, []).append(occurrence)
        for found in fields.values():
            found.sort(key=lambda occurrence: occurrence.first)
        return cls(
            {
                name: (found, [one.first for one in found], list(accumulate((one.last for one in found), max)))
                for name, found in fields.items()
            }
        )

    def covering(self, occurrence: Occurrence) -> Occurrence | None:
        """The first one that covers the occurrence."""
        found, firsts, reached = self.by_field.get(occurrence.field, _NONE)
        place = bisect_left(reached, occurrence.last)
        return found[place] if place < len(found) and firsts[place] <= occurrence.first else None

    def near(self, occurrence: Occurrence) -> Occurrence | None:
        """The first one that is at most BESIDE words away from the occurrence."""
        found, firsts, reached = self.by_field.get(occurrence.field, _NONE)
        place = bisect_left(reached, occurrence.first - BESIDE)
        return found[place] if place < len(found) and firsts[place] <= occurrence.last + BESIDE else None


def _is_topic(index: Index, occurrence: Occurrence) -> bool:
    """Whether a sign after the occurrence makes it the place of the news."""
    return _TOPIC.match(index.between(occurrence.last + 1)) is not None


def _is_colon(index: Index, occurrence: Occurrence) -> bool:
    return index.between(occurrence.last + 1).strip()[:1] in tuple(":：")


_NONE: tuple[list[Occurrence], list[int], list[int]] = ([], [], [])


def _ranges(node: Node | None, document: Document) -> _Ranges:
    if node is None:
        return _NOWHERE
    return document.once(node, "ranges", lambda: _Ranges.of(_spans(node, document)))


_NOWHERE = _Ranges({})


def _quoted(document: Document, occurrence: Occurrence) -> str:
    return f'"{document.index(occurrence.field).spelt(occurrence.first, occurrence.last)[:60]}"'


@dataclass(frozen=True, slots=True)
class Known(Named):
    """Something of the names library or of the operator's own entities: `country:ML`, `entity:wagner-group`.

    Names stand in title, summary and body; in other fields nothing is found.
    """

    def __str__(self) -> str:
        return self.name

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """What the names mean; each mention has the name and the reason as its clause."""
        return document.once(self.part, scope, lambda: self._found(document, scope))

    def _found(self, document: Document, scope: str) -> tuple[Occurrence, ...] | None:
        if scope and scope not in SEARCHED and "/" not in scope:
            return None
        found = self.part.find(document, scope)
        return None if found is None else tuple(_renamed(occurrence, self.name) for occurrence in found)


def _renamed(occurrence: Occurrence, name: str) -> Occurrence:
    if occurrence.parts:
        return occurrence._replace(clause=name, parts=tuple(_renamed(part, name) for part in occurrence.parts))
    return occurrence._replace(clause=f"{name}: {occurrence.clause}")
