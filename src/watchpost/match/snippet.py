"""Still: the piece of an article that shows best why it matched."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from watchpost.model import Article, Snippet
from watchpost.query.tree import Evidence

LENGTH = 240  # characters; a line or three in every edition (findings on delivery, 4.2 rule 6)

_SENTENCE_END = re.compile(r"(?<!\d)[.!?…。！？؟]+[\"'”’»)\]]*\s+|\n+|[。！？]")
_SPACE = re.compile(r"\s+")
_PREFERENCE = ("body", "summary", "title")


def snippet(article: Article, evidence: Sequence[Evidence]) -> Snippet:
    """At most LENGTH characters around the densest evidence, cut at sentences or words, with highlights.

    The body is preferred to the summary, and that to the title. Without evidence in any of them: the beginning.
    """
    texts = {"body": article.body, "summary": article.summary, "title": article.title}
    for field in _PREFERENCE:
        spans = _merged((item.start, item.end) for item in evidence if item.field == field)
        if spans:
            return _cut(texts[field], spans)
    first = next((texts[field] for field in _PREFERENCE if texts[field]), "")
    return _cut(first, [])


def _merged(spans: Iterable[tuple[int, int]]) -> list[tuple[int, int]]:
    """Overlapping spans as one, in order: "Operation Barkhane" and "Barkhane" are one highlight."""
    merged: list[tuple[int, int]] = []
    for start, end in sorted(spans):
        if merged and start < merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        else:
            merged.append((start, end))
    return merged


def _cut(text: str, spans: list[tuple[int, int]]) -> Snippet:
    start, end = _window(text, spans)
    inside = [(a, b) for a, b in spans if a >= start and b <= end]
    return _tidy(text[start:end], [(a - start, b - start) for a, b in inside], start > 0, end < len(text))


def _window(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The stretch of at most LENGTH characters with most evidence, begun at a sentence if any holds evidence."""
    if not spans:
        return 0, _word_end(text, min(len(text), LENGTH))
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(text))]
    # A sentence may begin the snippet if its first evidence comes before half of the room is used up.
    fit = [at for at in starts if any(at <= start and end <= at + LENGTH // 2 for start, end in spans)]
    begins = fit or [_word_start(text, max(0, start - LENGTH // 3)) for start, _ in spans]

    def worth(at: int) -> tuple[int, int, int]:
        """Most evidence; then the earliest evidence; then the least that stands before it."""
        held = [a for a, b in spans if a >= at and b <= at + LENGTH]
        return len(held), -min(held, default=0), at

    start = max(begins, key=worth)
    last_end = max((b for a, b in spans if a >= start and b <= start + LENGTH), default=start + LENGTH)
    stop = min(len(text), start + LENGTH)
    ends = [at for at in starts if last_end <= at <= stop]
    if ends and ends[-1] - start >= LENGTH // 2:  # whole sentences are nicer, but not if half of the room stays empty
        return start, ends[-1]
    return start, max(_word_end(text, stop), min(last_end, len(text)))


def _word_start(text: str, at: int) -> int:
    space = text.find(" ", at, at + 30) if at else -1
    return space + 1 if space >= 0 else at


def _word_end(text: str, at: int) -> int:
    if at >= len(text):
        return len(text)
    space = text.rfind(" ", at - 30, at)
    return space if space > 0 else at


def _tidy(text: str, spans: list[tuple[int, int]], before: bool, after: bool) -> Snippet:
    """Runs of white space become one space, ellipses say what was cut; the highlights move along."""
    out: list[str] = ["…"] if before else []
    length = len(out)
    moved: list[int] = []  # where each character went
    last_space = True
    for character in text:
        moved.append(length)
        space = bool(_SPACE.match(character))
        if not (space and last_space):
            out.append(" " if space else character)
            length += 1
        last_space = space
    moved.append(length)
    joined = "".join(out)
    kept = joined.rstrip()
    highlights = tuple((moved[a], min(moved[b], len(kept))) for a, b in spans if moved[a] < len(kept))
    return Snippet(kept + ("…" if after and not kept.endswith((".", "!", "?", "。")) else ""), highlights)
