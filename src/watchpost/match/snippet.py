"""Still: the piece of an article that shows best why it matched."""

from __future__ import annotations

import re
from collections.abc import Sequence

from watchpost.model import Article, Snippet
from watchpost.query.tree import Evidence

LENGTH = 240  # characters; a line or three in every edition (findings on delivery, 4.2 rule 6)

_SENTENCE_END = re.compile(r"[.!?…。！？؟]+[\"'”’»)\]]*\s+|\n+|[。！？]")
_SPACE = re.compile(r"\s+")
_PREFERENCE = ("body", "summary", "title")


def snippet(article: Article, evidence: Sequence[Evidence]) -> Snippet:
    """At most LENGTH characters around the densest evidence, cut at sentences or words, with highlights.

    The body is preferred to the summary, and that to the title. Without evidence in any of them: the beginning.
    """
    texts = {"body": article.body, "summary": article.summary, "title": article.title}
    for field in _PREFERENCE:
        spans = sorted({(item.start, item.end) for item in evidence if item.field == field})
        if spans:
            return _cut(texts[field], spans)
    first = next((texts[field] for field in _PREFERENCE if texts[field]), "")
    return _cut(first, [])


def _cut(text: str, spans: list[tuple[int, int]]) -> Snippet:
    start, end = _window(text, spans)
    inside = [(a, b) for a, b in spans if a >= start and b <= end]
    return _tidy(text[start:end], [(a - start, b - start) for a, b in inside], start > 0, end < len(text))


def _window(text: str, spans: list[tuple[int, int]]) -> tuple[int, int]:
    """The stretch of at most LENGTH characters with most spans, begun at a sentence where one begins near."""
    if not spans:
        return _word_start(text, 0), _word_end(text, min(len(text), LENGTH))
    best, best_count = spans[0][0], 0
    for index, (start, _) in enumerate(spans):
        count = sum(1 for _, end in spans[index:] if end <= start + LENGTH)
        if count > best_count:
            best, best_count = start, count
    starts = [0, *(match.end() for match in _SENTENCE_END.finditer(text, 0, best))]
    last_end = max((end for _, end in spans if end <= best + LENGTH), default=best)
    start = starts[-1]
    if last_end - start > LENGTH:  # the sentence begins too far away: some words before the evidence
        start = _word_start(text, max(start, last_end - LENGTH, best - LENGTH // 3))
    stop = min(len(text), max(start + LENGTH, min(last_end, best + 2 * LENGTH)))
    ends = [match.end() for match in _SENTENCE_END.finditer(text, last_end, stop)]
    whole = ends[-1] if ends else stop
    # A whole sentence is nicer, but not if half of the room stays empty.
    return start, whole if ends and whole - start >= LENGTH // 2 else _word_end(text, stop)


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
