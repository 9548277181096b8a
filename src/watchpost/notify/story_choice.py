"""Pure: what is shown of a story: the article that gives headline and excerpt, and the words that matched.

Digests, alerts, pages and the API show the same choice.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence

from watchpost.model import SEVERITIES, Hit
from watchpost.query.tree import Evidence
from watchpost.query.words import folded_words

Spans = tuple[tuple[int, int], ...]

_FIELD_STRENGTH = {"title": 1.0, "summary": 0.6, "body": 0.4}
OTHER_FIELD = 0.2


def current(hits: Sequence[Hit]) -> list[Hit]:
    """For each topic, the hits of the last version of each article."""
    revised = {hit.article.id: hit.article.revises for hit in hits if hit.article.revises}
    latest = {_article_of(hit, revised): hit.article.id for hit in sorted(hits, key=lambda hit: hit.article.fetched)}
    return [hit for hit in hits if hit.article.id == latest[_article_of(hit, revised)]]


def _article_of(hit: Hit, revised: Mapping[str, str]) -> tuple[str, str]:
    """The topic, and the first version of the article as far as `revised` has it: the versions before each other."""
    article, seen = hit.article.id, {hit.article.id}
    while (before := revised.get(article, "")) and before not in seen:
        article = before
        seen.add(before)
    return hit.topic, article


def shown_hit(hits: Sequence[Hit], language: str = "") -> Hit:
    """The hit of a story whose article gives the headline and whose snippet is the excerpt.

    It belongs to the most severe topic, under which the story is listed; of its hits it is the one seen first. With a
    `language`, hits in it come before the others.
    """
    severest = max(SEVERITIES.index(hit.severity) for hit in hits)
    eligible = [hit for hit in hits if SEVERITIES.index(hit.severity) == severest]
    return min(
        eligible,
        key=lambda hit: (not _is_in(hit.article.lang, language), hit.article.fetched, hit.article.id),
    )


def _is_in(tag: str, language: str) -> bool:
    """Whether a language tag is of this language; any is of ""."""
    return not language or tag.replace("_", "-").partition("-")[0].lower() == language.partition("-")[0].lower()


def title_highlights(hits: Iterable[Hit]) -> Spans:
    """Where these hits of one article matched in its title: (start, end) offsets, sorted, without overlaps."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted((one.start, one.end) for hit in hits for one in hit.evidence if one.field == "title"):
        if merged and start < merged[-1][1]:
            merged[-1] = merged[-1][0], max(end, merged[-1][1])
        else:
            merged.append((start, end))
    return tuple(merged)


def strength(item: Evidence) -> float:
    """How much the place of a word counts: 1 in the title, less below it."""
    return _FIELD_STRENGTH.get(item.field, OTHER_FIELD)


def why(hits: Sequence[Hit], limit: int = 6) -> tuple[str, ...]:
    """The words that matched one topic, as the articles write them, the weightiest first, none twice.

    Words of the topic's title come first, then names, then the others; among equals decides where the words are and
    how often. Names have a capital or are of a script without capitals: "Wagner" says more about the match than
    "soldiers" beside it.
    """
    weights: dict[str, float] = {}
    forms: dict[str, str] = {}
    title = {word for hit in hits for word in hit.topic_title.casefold().split()}
    for item in (item for hit in hits for item in hit.evidence):
        text = " ".join(item.text.split())
        key = _core(text)
        forms[key] = min(forms.get(key, text), text, key=len)
        weights[key] = weights.get(key, 0.0) + strength(item)

    def rank(key: str) -> tuple[bool, bool, float]:
        return title.isdisjoint(key.split()), forms[key].islower(), -weights[key]

    return distinct(forms[key] for key in sorted(weights, key=rank))[:limit]


def why_places(hit: Hit, limit: int = 6) -> tuple[Evidence, ...]:
    """The first place of each word of `why`, in its order."""
    places: dict[str, Evidence] = {}
    for item in hit.evidence:
        places.setdefault(" ".join(item.text.split()), item)
    return tuple(places[word] for word in why([hit], limit))


def distinct(words: Iterable[str]) -> tuple[str, ...]:
    """The words in their order, without those that only repeat another: "in Mali" beside "Mali"."""
    kept: dict[str, str] = {}
    for word in words:
        key = _core(word)
        inside = next((known for known in kept if _contains(key, known) or _contains(known, key)), None)
        if inside is None:
            kept[key] = word
        elif inside == key:
            kept[key] = min(kept[key], word, key=len)
        elif _contains(key, inside):  # the longer text takes the place of the shorter one
            kept = {
                (key if known == inside else known): (word if known == inside else form) for known, form in kept.items()
            }
    return tuple(kept.values())


def _core(text: str) -> str:
    """What a text is about, as matching reads it: a name without articles and prepositions around it."""
    words = text.split()
    names = [index for index, word in enumerate(words) if not _is_small(word)]
    if names:
        words = words[names[0] : names[-1] + 1]
    return " ".join(folded_words(" ".join(words))) or text.casefold()


def _is_small(word: str) -> bool:
    """Whether a word is written small, or is an "In" or "Le" at the beginning of a sentence."""
    return word.islower() or (len(word) == 2 and word.istitle())


def _contains(whole: str, part: str) -> bool:
    """Whether `part` is some of the words of `whole`."""
    return f" {part} " in f" {whole} "
