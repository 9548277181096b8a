"""The page Configuration: what runs, mistakes and changes in the files on disk, and the silences."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from watchpost.config.config import Reload
from watchpost.operations.config_diff import Comparison, Difference
from watchpost.operations.silences import conditions_in_words
from watchpost.schedules import Silence
from watchpost.web.context import ConfigSummary

_SHOWN = 50  # changes for each role


def page_of_configuration(
    summary: ConfigSummary,
    last: Reload,
    comparison: Comparison,
    silences: Sequence[Silence] | None,
    now: datetime,
) -> dict[str, Any]:
    """What the template shows. `last` says how the last reload ended; `silences` is None if the store is away."""
    return {
        "active": "config",
        "state": "mistakes" if comparison.problems else "changed" if comparison.different else "ok",
        "last": last,
        "comparison": comparison,
        "changed": [_shown(one) for one in comparison.differences if one.changes],
        "changes": sum(len(one.changes) for one in comparison.differences),
        "silences": None
        if silences is None
        else [(one, conditions_in_words(one)) for one in (*summary.silences, *silences) if one.until > now],
        "configured": [one.id for one in summary.silences],
        "topics": [(topic.name, topic.title) for topic in summary.topics],
        "sources": summary.sources[:100],
        "summary": summary,
    }


def _shown(difference: Difference) -> dict[str, Any]:
    """The changes for some roles, those that need a restart last."""
    ordered = sorted(difference.changes, key=lambda change: not change.live)
    return {"roles": difference.roles, "changes": ordered[:_SHOWN], "more": max(0, len(ordered) - _SHOWN)}


def form(typed: Mapping[str, str], mistakes: Mapping[str, str]) -> dict[str, Any]:
    """What the form for a silence shows: what was typed, and by field what is wrong with it."""
    usual = {"topic": "", "source": "", "severity": "", "text": "", "story": "", "lasting": "24h", "reason": ""}
    shown = {name: typed.get(name, other if not typed else "")[:200] for name, other in usual.items()}
    return {"typed": shown, "mistakes": mistakes}
