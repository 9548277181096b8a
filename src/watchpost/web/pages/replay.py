"""Still: the page on which messages are sent again: what is meant, and how many that are, before anything is done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from watchpost.wire.records import Case, Letter

FAILED, WAITING = "failed", "all"
"""What was given up; or everything that has not arrived, what waits for a later attempt included."""

SHOWN = 50


@dataclass(frozen=True, slots=True)
class Backlog:
    """What would be sent again: dead letters that are taken up, and deliveries that need not wait any longer."""

    letters: tuple[Letter, ...] = ()
    waiting: tuple[Case, ...] = ()

    @property
    def count(self) -> int:
        """How many messages."""
        return len(self.letters) + len(self.waiting)


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """What somebody wrote, cut to a sensible length."""
    return {
        name: form.get(name, other)[:64].strip() for name, other in (("receiver", ""), ("since", ""), ("what", FAILED))
    }


def view(
    receivers: Sequence[str], asked: Mapping[str, str], backlog: Backlog | None, mistakes: Mapping[str, str]
) -> dict[str, Any]:
    """What the template shows. `backlog`: None while there are mistakes."""
    return {
        "active": "deliveries",
        "receivers": receivers,
        "typed": asked,
        "mistakes": mistakes,
        "backlog": backlog,
        "shown": SHOWN,
    }
