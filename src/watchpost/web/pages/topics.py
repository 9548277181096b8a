"""Pure: the pages of topics: the hits of 14 days, the query, and trying a text."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from watchpost.match.suggestion import Proposal
from watchpost.match.trial import Effect
from watchpost.model import Hit, HitVerdict, Topic
from watchpost.query.document import Document
from watchpost.query.explain import Explanation, explain, failing, other_forms
from watchpost.query.shortfall import shortfalls
from watchpost.web.formatting import Chart, Piece, chart, page_of, pieces

PAGE = 60
_FEW = 12  # so few need no search
_MOST_CLAUSES = 300
_MOST_FORMS = 8

TITLE, BODY = 1000, 100_000  # characters of a text that may be tried

_LONGEST_CLAUSE = 300

MOST_CHANGED = 50
"""The hits that the page lists of those that a changed query finds or loses."""


@dataclass(frozen=True, slots=True)
class Clause:
    """The result of one clause: its `depth` in the tree, the words that it found, and details."""

    depth: int
    text: str
    matches: bool
    found: tuple[str, ...]
    detail: str


@dataclass(frozen=True, slots=True)
class Trial:
    """The result of a text: `verdict` in a sentence, the text with highlights, the clauses of the query.

    `lacking` are the words of the query that are in the text, each with what it lacks. `more`: how many more clauses
    there are.
    """

    matches: bool
    verdict: str
    title: tuple[Piece, ...]
    body: tuple[Piece, ...]
    tree: tuple[Clause, ...]
    lacking: tuple[str, ...] = ()
    more: int = 0


def page_of_topics(
    topics: Sequence[Topic], query: Mapping[str, str], charted: Callable[[Topic], Chart]
) -> dict[str, Any]:
    """What the list shows: topics with their charts, a page at a time."""
    asked = query.get("q", "")[:200]
    text = asked.strip().casefold()
    found = [topic for topic in topics if text in f"{topic.name} {topic.title}".casefold()]
    number, pages = page_of(query, len(found), PAGE)
    return {
        "active": "topics",
        "topics": [(topic, charted(topic)) for topic in found[(number - 1) * PAGE : number * PAGE]],
        "total": len(topics),
        "q": asked,
        "page": number,
        "pages": pages,
        "searchable": len(topics) > _FEW,
    }


def fortnight(topic: Topic, days: Sequence[date], pages: Sequence[Mapping[str, Mapping[str, int]]]) -> Chart:
    """A topic's hits by day (UTC). `pages`: the ledger's counts by topic for each day, the oldest first."""
    return chart([f"{day:%d %b}" for day in days], [page.get(topic.name, {}).get("hits", 0) for page in pages])


def page_of_topic(topic: Topic, bars: Chart, title: str, body: str, trial: Trial | None) -> dict[str, Any]:
    """What the page of one topic shows."""
    shown = {"query": topic.query.text, "exclude": topic.exclude.text if topic.exclude else "", "result": None}
    values = {"active": "topics", "topic": topic, "chart": bars, "title": title, "body": body, "trial": trial}
    return values | {"tuning": shown}


JUDGED = 20
"""The latest hits that the page asks a verdict on."""


def judged(hits: Sequence[Hit], verdicts: Sequence[HitVerdict]) -> dict[str, Any]:
    """The latest hits, each with what was said of it ("" for nothing), and how many verdicts there are."""
    said = {verdict.article.id: "relevant" if verdict.relevant else "not relevant" for verdict in verdicts}
    return {
        "hits": [(hit, said.get(hit.article.id, "")) for hit in hits],
        "relevant": sum(verdict.relevant for verdict in verdicts),
        "not_relevant": sum(not verdict.relevant for verdict in verdicts),
    }


def proposed(proposals: Sequence[Proposal]) -> list[dict[str, Any]]:
    """What the page shows of proposals: where each belongs, its text, its effect, and a few articles that change."""
    labels = {"exclude": "Exclude", "unless": "Query"}
    return [
        {
            "label": labels.get(one.kind, f"unless of entity {one.entity}"),
            "text": one.text,
            "effect": str(one),
            "changed": one.changed[:MOST_CHANGED],
        }
        for one in proposals
    ]


def tuned(query: str, exclude: str, tried: int = 0, effect: Effect | None = None) -> dict[str, Any]:
    """What the page shows of a changed query: its texts, and its effect on so many articles if it could be tried."""
    values: dict[str, Any] = {"query": query, "exclude": exclude, "result": None}
    if effect is None:
        return values
    changes = [("New hits", effect.gained), ("Lost hits", effect.lost)]
    return values | {
        "result": {
            "tried": tried,
            "before": effect.before,
            "now": effect.now,
            "changes": [(name, len(hits), hits[:MOST_CHANGED]) for name, hits in changes],
        }
    }


def mistakes(title: str, body: str) -> dict[str, str]:
    """Why a text cannot be tried, by the field's name in the form."""
    wrong = {}
    if not title.strip() and not body.strip():
        wrong["text"] = "enter a headline or a text"
    if len(title) > TITLE:
        wrong["title"] = f"the headline has {len(title)} characters; at most {TITLE} are possible"
    if len(body) > BODY:
        wrong["text"] = f"the text has {len(body)} characters; at most {BODY} are possible"
    return wrong


def try_text(topic: Topic, title: str, body: str) -> Trial:
    """How the topic's query fares on a text, as in the matcher for a feed without a language."""
    document = Document.of({"title": title, "body": body})
    tree = explain(topic.query, document)
    excluded = topic.exclude.evaluate(document) if topic.exclude is not None else None
    lacking = tuple(str(shortfall) for shortfall in shortfalls(tree))
    forms = () if lacking else other_forms(tree)[:_MOST_FORMS]
    if forms:
        lacking = forms
        verdict = "Its words are not in the text as the query writes them:"
    elif lacking:
        verdict = "Some of its words are in the text, and each lacks something:"
    elif not tree.matches:
        clause = failing(tree)
        verdict = f"Missing: {_short(clause.text)}" + (f" ({clause.detail})" if clause.detail else "")
    elif excluded is not None:
        verdict = f"The query matches, but so does exclude: {', '.join(dict.fromkeys(one.text for one in excluded))}"
    else:
        verdict = f"Found: {', '.join(dict.fromkeys(one.text for one in tree.evidence))}"
    spans = {name: [(one.start, one.end) for one in tree.evidence if one.field == name] for name in ("title", "body")}
    clauses = _clauses(tree, 0)
    return Trial(
        tree.matches and excluded is None,
        verdict,
        pieces(title, spans["title"]),
        pieces(body, spans["body"]),
        tuple(clauses[:_MOST_CLAUSES]),
        lacking,
        max(0, len(clauses) - _MOST_CLAUSES),
    )


def _clauses(tree: Explanation, depth: int) -> list[Clause]:
    words = tuple(dict.fromkeys(one.text for one in tree.evidence))[:6] if not tree.children else ()
    found = [Clause(min(depth, 8), _short(tree.text), tree.matches, words, tree.detail)]
    for child in tree.children:
        found += _clauses(child, depth + 1)
    return found


def _short(clause: str) -> str:
    if len(clause) <= _LONGEST_CLAUSE:
        return clause
    return f"{clause[: _LONGEST_CLAUSE // 2]} … {clause[-_LONGEST_CLAUSE // 2 :]}"
