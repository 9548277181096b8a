"""Still: the page Deliveries: how receivers stand, what waits for them, what was given up, what arrived."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from watchpost.wire.records import Case, Letter, Sent
from watchpost.wire.status import ReceiverState

SHOWN = 200


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
    return {
        "active": "deliveries",
        "receivers": [
            (name, kinds.get(name, ""), state, state.word(now), depths.get(name, 0))
            for name, state in receivers.items()
        ],
        "waiting": waiting[:SHOWN],
        "waiting_count": len(waiting),
        "letters": list(reversed(letters))[:SHOWN],
        "letters_count": len(letters),
        "sent": sent,
    }
