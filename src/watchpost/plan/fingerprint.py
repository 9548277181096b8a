"""A name for a whole configuration. Equal configurations have equal names, whatever their layout."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable
from dataclasses import asdict

from watchpost.model import Route, Topic
from watchpost.plan.fields import Options
from watchpost.plan.plan import Part


def fingerprint(
    frame: Options,
    sources: Iterable[Part],
    receivers: Iterable[Part],
    topics: Iterable[Topic],
    routes: Iterable[Route],
) -> str:
    """128 bits in hex over everything resolved. A secret counts as where it comes from, not as its value."""
    canonical = {
        "frame": frame.model_dump(mode="json", exclude={"include", "defaults", "feeds_from"}, fallback=str),
        "sources": _parts(sources),
        "receivers": _parts(receivers),
        "topics": {
            topic.name: [
                topic.title,
                str(topic.query),  # as it is understood: a changed @name changes it
                topic.exclude and str(topic.exclude),
                topic.severity,
                topic.languages,
            ]
            for topic in topics
        },
        "routes": [[type(route.schedule).__name__, asdict(route)] for route in routes],
    }
    text = json.dumps(canonical, sort_keys=True, ensure_ascii=True, default=str)
    return hashlib.blake2b(text.encode(), digest_size=16, person=b"plan").hexdigest()


def _parts(parts: Iterable[Part]) -> dict[str, object]:
    return {part.name: [part.kind, part.options.model_dump(mode="json", fallback=str)] for part in parts}
