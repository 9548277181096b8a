"""Still: the page Deliveries: how receivers stand, what waits for them, what was given up, what arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from watchpost.web.pages.editions import batches
from watchpost.wire.records import Case, Letter, Sent
from watchpost.wire.status import ReceiverState

SHOWN = 25  # lines of each list


@dataclass(frozen=True, slots=True)
class Line:
    """Deliveries of one digest to one receiver that stand alike: the first of them, and how many they are."""

    case: Case
    count: int


def view(
    receivers: Mapping[str, ReceiverState],
    kinds: Mapping[str, str],
    depths: Mapping[str, int],
    cases: Sequence[Case],
    letters: Sequence[Letter],
    sent: Sequence[Sent],
    now: datetime,
) -> dict[str, Any]:
    """What the template shows: of what waits the oldest, of what was given up or arrived the newest."""
    waiting = [case for case in cases if case.state != "dead"]
    lines: dict[tuple[str, ...], list[Case]] = {}
    for case in waiting:
        key = (case.digest, case.receiver, case.state, case.error) if case.digest else (case.id,)
        lines.setdefault(key, []).append(case)
    subjects = {case.id: case.subject for case in cases}
    return {
        "active": "deliveries",
        "receivers": [
            (name, kinds.get(name, ""), state, state.word(now), depths.get(name, 0))
            for name, state in receivers.items()
        ],
        "waiting": [Line(alike[0], len(alike)) for alike in lines.values()][:SHOWN],
        "waiting_lines": len(lines),
        "waiting_count": len(waiting),
        "letters": [(one, subjects.get(one.delivery, "")) for one in list(reversed(letters))[:SHOWN]],
        "letters_count": len(letters),
        "sent": batches(sent),
        "shown": SHOWN,
    }
