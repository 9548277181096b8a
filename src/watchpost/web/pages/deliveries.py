"""The page Deliveries: how receivers stand, what waits for them, what was given up, what arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.operations.actions import FAILED, Backlog
from watchpost.store.dead_letters import DeadLetter
from watchpost.store.deliveries import DeliveryRecord
from watchpost.store.history import SentMessage
from watchpost.store.receivers import ReceiverState
from watchpost.web.pages.digests import batches

SHOWN = 25  # lines of each list


@dataclass(frozen=True, slots=True)
class Line:
    """Deliveries of one digest to one receiver that stand alike: the first of them, and how many they are."""

    case: DeliveryRecord
    count: int


def page_of_deliveries(
    receivers: Mapping[str, ReceiverState],
    kinds: Mapping[str, str],
    depths: Mapping[str, int],
    cases: Sequence[DeliveryRecord],
    dead_letters: Sequence[DeadLetter],
    sent: Sequence[SentMessage],
    now: datetime,
) -> dict[str, Any]:
    """What the template shows: of what waits the oldest, of what was given up or arrived the newest."""
    waiting = [case for case in cases if case.state != "dead"]
    lines: dict[tuple[str, ...], list[DeliveryRecord]] = {}
    for case in waiting:
        key = (case.digest, case.receiver, case.state, case.error) if case.digest else (case.id,)
        lines.setdefault(key, []).append(case)
    subjects = {case.id: case.subject for case in cases}
    return {
        "active": "deliveries",
        "receivers": [
            (name, kinds.get(name, ""), state, state.status(now), depths.get(name, 0))
            for name, state in receivers.items()
        ],
        "waiting": [Line(alike[0], len(alike)) for alike in lines.values()][:SHOWN],
        "waiting_lines": len(lines),
        "waiting_count": len(waiting),
        "letters": [(one, subjects.get(one.delivery, "")) for one in list(reversed(dead_letters))[:SHOWN]],
        "letters_count": len(dead_letters),
        "sent": batches(sent),
        "shown": SHOWN,
    }


# the page on which messages are sent again: what is meant, and how many that are, before anything is done.

"""What was given up; or everything that has not arrived, what waits for a later attempt included."""

REPLAY_SHOWN = 50


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """What somebody wrote, cut to a sensible length."""
    return {
        name: form.get(name, other)[:64].strip() for name, other in (("receiver", ""), ("since", ""), ("what", FAILED))
    }


def page_of_replay(
    receivers: Sequence[str], asked: Mapping[str, str], backlog: Backlog | None, mistakes: Mapping[str, str]
) -> dict[str, Any]:
    """What the template shows. `backlog`: None while there are mistakes."""
    return {
        "active": "deliveries",
        "receivers": receivers,
        "typed": asked,
        "mistakes": mistakes,
        "backlog": backlog,
        "shown": REPLAY_SHOWN,
    }
