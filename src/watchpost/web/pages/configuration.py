"""The page Configuration: what is loaded, and of what lies on the disk the mistakes and changes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.config.diff import Change, brief
from watchpost.operations.config_diff import Comparison
from watchpost.schedules import Silence
from watchpost.web.context import ConfigSummary

_SHOWN = 50  # changes of one side


@dataclass(frozen=True, slots=True)
class Row:
    """One change as a line: `sign` is +, - or ~; `live`: a reload is enough."""

    sign: str
    kind: str
    path: str
    before: str
    after: str
    live: bool


def rows(changes: Sequence[Change]) -> list[Row]:
    """Changes as lines, those that need a restart last."""
    signs = {"added": "+", "removed": "−", "changed": "~"}
    found = [
        Row(
            signs[one.kind],
            one.kind,
            one.path,
            "" if one.kind == "added" else brief(one.before),
            "" if one.kind == "removed" else brief(one.after),
            one.live,
        )
        for one in changes
    ]
    return sorted(found, key=lambda row: not row.live)


def page_of_configuration(
    summary: ConfigSummary,
    good: bool,
    when: datetime,
    problem: str,
    silences: Sequence[Silence] | None,
    now: datetime,
    disk: Comparison | None = None,
) -> dict[str, Any]:
    """What the template shows. `good`: what was read last, at `when`, is what runs; else `problem` says why not.

    `silences`: None if the store is away. `disk`: what lies there now, None if nobody looked.
    """
    problems = problem.splitlines() if disk is None else list(disk.problems)
    state = "mistakes" if problems or (disk is None and not good) else "changed" if disk and disk.different else "ok"
    return {
        "active": "config",
        "state": state,
        "good": good,
        "when": when,
        "problems": problems,
        "sides": [(side, rows(side.changes)[:_SHOWN], len(side.changes)) for side in disk.sides] if disk else [],
        "hidden": disk.hidden if disk else False,
        "trouble": disk.trouble if disk else "",
        "changes": sum(len(side.changes) for side in disk.sides) if disk else 0,
        "silences": None
        if silences is None
        else [(one, conditions(one)) for one in (*summary.silences, *silences) if one.until > now],
        "configured": [one.id for one in summary.silences],
        "topics": [(topic.name, topic.title) for topic in summary.topics],
        "sources": summary.sources[:100],
        "warnings": summary.warnings,
        "listing": summary.listing,
        "fingerprint": summary.fingerprint,
    }


def form(typed: Mapping[str, str], mistakes: Mapping[str, str]) -> dict[str, Any]:
    """What the form for a silence shows: what was typed, and what is wrong with it by the field's name."""
    usual = {"topic": "", "source": "", "severity": "", "text": "", "story": "", "lasting": "24h", "reason": ""}
    shown = {name: typed.get(name, other if not typed else "")[:200] for name, other in usual.items()}
    return {"typed": shown, "mistakes": mistakes}


def conditions(silence: Silence) -> str:
    """Of what nobody is told, in words."""
    names = ("topic", "source", "severity", "text", "story")
    return ", ".join(f"{name} {value}" for name in names if (value := getattr(silence, name)))
