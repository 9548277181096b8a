"""Pure: proposes a change of a topic out of verdicts on its hits, with the effect that each change would have.

Phrases are words that articles marked as not relevant share, and that no article marked as relevant has. They become
an `exclude`, which drops the article; an UNLESS, which drops the mention; or the `unless` of an entity of the operator.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal

from watchpost.match.matcher import document
from watchpost.model import Article, HitVerdict, Topic
from watchpost.query.document import SEARCHED, Document
from watchpost.query.language import fits
from watchpost.query.meaning import Known
from watchpost.query.tree import Node, Query

MOST_PHRASES = 5
"""The phrases of one proposal."""

LONGEST_PHRASE = 3
"""The words of a phrase."""

COMMON = 0.02
"""A phrase in a larger share of all articles says nothing about a few; below ENOUGH articles no share is known."""

ENOUGH = 50

READ_WORDS = 150
"""The words from the beginning of each field in which phrases are looked for."""

_SHORTEST = 3  # letters of the first and last word of a phrase

Kind = Literal["exclude", "unless", "entity"]
Parse = Callable[[str, Mapping[str, tuple[str, ...]]], Query]
"""Parses a query of the configuration; the mapping has names that entities get besides, in their `unless`."""


@dataclass(frozen=True, slots=True)
class Proposal:
    """A change of a topic: `text` is the new exclude, the new query, or what the `entity` gets in its `unless`.

    `removed` of `wrong` hits marked as not relevant would go, `lost` of `right` ones marked as relevant, and `changed`
    are the other articles that match before or after, but not both.
    """

    kind: Kind
    text: str
    phrases: tuple[str, ...]
    removed: int
    wrong: int
    lost: int
    right: int
    changed: tuple[Article, ...]
    entity: str = ""

    def __str__(self) -> str:
        more = f"changes {len(self.changed)} more" if self.changed else "changes nothing else"
        return (
            f"removes {self.removed} of {self.wrong} marked as not relevant, loses {self.lost} of {self.right} marked"
            f" as relevant, {more}"
        )


@dataclass(frozen=True, slots=True)
class _Text:
    """An article, its document, and the phrases that it has."""

    article: Article
    document: Document
    phrases: frozenset[str]


def suggest(
    topic: Topic, verdicts: Sequence[HitVerdict], recent: Iterable[Article], parse: Parse, entities: Iterable[str] = ()
) -> tuple[Proposal, ...]:
    """Proposals, the best first: that which removes most and loses least. Empty if nothing helps.

    `recent` are other articles, `entities` those of the operator. Verdicts on articles that the topic does not match
    any more count for nothing.
    """
    judged = {verdict.article.id for verdict in verdicts}
    others = [_text(article) for article in recent if article.id not in judged]
    matching = [(verdict, text) for verdict in verdicts if _matches(topic, (text := _text(verdict.article)).document)]
    wrong = [text for verdict, text in matching if not verdict.relevant]
    right = [text for verdict, text in matching if verdict.relevant]
    if not wrong:
        return ()
    evidence = {word for text in (*wrong, *right) for word in _evidence(topic, text.document)}
    candidates = _candidates(wrong, right, others, evidence)
    changes = [
        change
        for change in (
            _exclude(topic, _covering(wrong, candidates), parse),
            _unless(topic, _covering(wrong, [each for each in candidates if evidence & set(each.split())]), parse),
            *_entities(
                topic, _covering(wrong, [each for each in candidates if evidence & set(each.split())]), parse, entities
            ),
        )
        if change is not None
    ]
    proposals = [_effect(topic, change, wrong, right, others) for change in changes]
    useful = [each for each in proposals if each.removed > each.lost]
    return tuple(sorted(useful, key=lambda each: (each.lost - each.removed, len(each.changed), each.kind != "unless")))


@dataclass(frozen=True, slots=True)
class _Change:
    kind: Kind
    text: str
    phrases: tuple[str, ...]
    after: Topic
    entity: str = ""


def _text(article: Article) -> _Text:
    read = document(article)
    return _Text(article, read, frozenset(_phrases(read)))


def _phrases(read: Document) -> Iterator[str]:
    """The phrases at the beginning of each field, folded, that no stop word begins or ends."""
    for field in SEARCHED:
        words = read.index(field).folded[:READ_WORDS]
        for start in range(len(words)):
            for size in range(1, LONGEST_PHRASE + 1):
                phrase = words[start : start + size]
                if len(phrase) == size and min(len(phrase[0]), len(phrase[-1])) >= _SHORTEST:
                    yield " ".join(phrase)


def _matches(topic: Topic, read: Document) -> bool:
    if not fits(read.languages, topic.languages) or topic.query.evaluate(read) is None:
        return False
    return topic.exclude is None or topic.exclude.evaluate(read) is None


def _evidence(topic: Topic, read: Document) -> Iterator[str]:
    """The folded words that make the topic match, one by one."""
    for item in topic.query.evaluate(read) or ():
        yield from Document.of({"body": item.text}).index("body").folded


def _candidates(
    wrong: Sequence[_Text], right: Sequence[_Text], others: Sequence[_Text], evidence: set[str]
) -> list[str]:
    """Phrases of wrong articles that no right one has, that are not common, and that say more than the query."""
    taken = frozenset[str]().union(*(text.phrases for text in right))
    spread = Counter(phrase for text in others for phrase in text.phrases)
    most = COMMON * len(others) if len(others) >= ENOUGH else len(others)
    counts = Counter(phrase for text in wrong for phrase in text.phrases)
    least = min(2, len(wrong))
    found = [
        phrase
        for phrase, count in counts.items()
        if count >= least
        and phrase not in taken
        and spread[phrase] <= most
        and (taken or set(phrase.split()) - evidence)
    ]
    return sorted(found, key=lambda phrase: (spread[phrase], len(phrase.split()), -len(phrase), phrase))


def _covering(wrong: Sequence[_Text], candidates: Sequence[str]) -> tuple[str, ...]:
    """A few phrases that together are in most of the wrong articles; each is in some that the others are not in."""
    chosen: list[str] = []
    left = list(wrong)
    least = min(2, len(wrong))
    while left and len(chosen) < MOST_PHRASES:
        counts = {phrase: sum(phrase in text.phrases for text in left) for phrase in candidates}
        best = max(candidates, key=counts.__getitem__, default="")
        if not best or counts[best] < least:
            break
        chosen.append(best)
        left = [text for text in left if best not in text.phrases]
    return tuple(chosen)


def _any_of(phrases: Sequence[str]) -> str:
    return " OR ".join(phrase if phrase.isalpha() and phrase.isascii() else f'"{phrase}"' for phrase in phrases)


def _exclude(topic: Topic, phrases: Sequence[str], parse: Parse) -> _Change | None:
    if not phrases:
        return None
    text = _any_of(phrases)
    if topic.exclude is not None:
        text = f"({topic.exclude.text.strip()}) OR {text}"
    return _Change("exclude", text, tuple(phrases), replace(topic, exclude=parse(text, {})))


def _unless(topic: Topic, phrases: Sequence[str], parse: Parse) -> _Change | None:
    """UNLESS around the whole query, if it has places in the text."""
    if not phrases or not topic.query.root.placed:
        return None
    before = topic.query.text.strip()
    lines = f"(\n{before}\n)" if "\n" in before or "#" in before else f"({before})"
    text = f"{lines} UNLESS ({_any_of(phrases)})"
    return _Change("unless", text, tuple(phrases), replace(topic, query=parse(text, {})))


def _entities(topic: Topic, phrases: Sequence[str], parse: Parse, entities: Iterable[str]) -> Iterator[_Change]:
    used = {name for node in _all(topic.query.root) if isinstance(node, Known) for name in (node.name,)}
    for name in entities:
        if phrases and f"entity:{name}" in used:
            after = replace(topic, query=parse(topic.query.text, {name: tuple(phrases)}))
            yield _Change("entity", ", ".join(phrases), tuple(phrases), after, name)


def _all(node: Node) -> Iterator[Node]:
    yield node
    for child in node.children:
        yield from _all(child)


def _effect(
    topic: Topic, change: _Change, wrong: Sequence[_Text], right: Sequence[_Text], others: Sequence[_Text]
) -> Proposal:
    after = change.after
    return Proposal(
        change.kind,
        change.text,
        change.phrases,
        sum(not _matches(after, text.document) for text in wrong),
        len(wrong),
        sum(not _matches(after, text.document) for text in right),
        len(right),
        tuple(text.article for text in others if _matches(topic, text.document) != _matches(after, text.document)),
        change.entity,
    )
