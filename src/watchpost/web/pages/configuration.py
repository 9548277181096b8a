"""Still: the page Configuration: what is loaded, what is wrong with what lies on the disk."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from typing import Any

from watchpost.timetable import Silence
from watchpost.web.watched import Watched


def view(
    watched: Watched, good: bool, when: datetime, problem: str, silences: Sequence[Silence], now: datetime
) -> dict[str, Any]:
    """What the template shows. `good`: what was read last, at `when`, is what runs; else `problem` says why not."""
    return {
        "active": "config",
        "good": good,
        "when": when,
        "silences": [(one, conditions(one)) for one in (*watched.silences, *silences) if one.until > now],
        "configured": [one.id for one in watched.silences],
        "topics": [(topic.name, topic.title) for topic in watched.topics],
        "sources": watched.sources[:200],
        "problems": problem.splitlines(),
        "warnings": watched.warnings,
        "listing": watched.listing,
        "fingerprint": watched.fingerprint,
    }


def conditions(silence: Silence) -> str:
    """Of what nobody is told, in words."""
    names = ("topic", "source", "severity", "text", "story")
    return ", ".join(f"{name} {value}" for name in names if (value := getattr(silence, name)))
