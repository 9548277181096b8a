"""The page Deliveries: receivers, messages in progress, dead letters, recent deliveries; and sending again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from watchpost.operations.deliveries import FAILED, Backlog
from watchpost.store.dead_letters import DeadLetter
from watchpost.store.deliveries import DeliveryRecord
from watchpost.store.history import SentMessage
from watchpost.store.receivers import ReceiverState
from watchpost.web.pages.digests import batches

SHOWN = 25  # lines of each list


def page_of_deliveries(
    *,
    receivers: Sequence[tuple[str, str, ReceiverState, str, int]],
    cases: Sequence[DeliveryRecord],
    dead_letters: Sequence[DeadLetter],
    sent: Sequence[SentMessage],
) -> dict[str, Any]:
    """What the template shows: the oldest deliveries that wait, the newest that failed or were delivered.

    `receivers`: name, kind, state, the state in a word, and how many messages wait.
    """
    waiting = [case for case in cases if case.state != "dead"]
    lines: dict[tuple[str, ...], list[DeliveryRecord]] = {}
    for case in waiting:
        key = (case.digest, case.receiver, case.state, case.error) if case.digest else (case.id,)
        lines.setdefault(key, []).append(case)
    subjects = {case.id: case.subject for case in cases}
    return {
        "active": "deliveries",
        "receivers": receivers,
        "waiting": [(alike[0], len(alike)) for alike in lines.values()][:SHOWN],
        "waiting_lines": len(lines),
        "waiting_count": len(waiting),
        "letters": [(one, subjects.get(one.delivery, "")) for one in list(reversed(dead_letters))[:SHOWN]],
        "letters_count": len(dead_letters),
        "sent": batches(sent),
        "shown": SHOWN,
    }


REPLAY_SHOWN = 50


def typed(form: Mapping[str, str]) -> dict[str, str]:
    """What a person filled in, cut to a sensible length."""
    return {
        name: form.get(name, other)[:64].strip() for name, other in (("receiver", ""), ("since", ""), ("what", FAILED))
    }


def page_of_replay(
    receivers: Sequence[str], asked: Mapping[str, str], backlog: Backlog | None, mistakes: Mapping[str, str]
) -> dict[str, Any]:
    """What the page Send again shows. `backlog` is None if there are mistakes."""
    return {
        "active": "deliveries",
        "receivers": receivers,
        "typed": asked,
        "mistakes": mistakes,
        "backlog": backlog,
        "shown": REPLAY_SHOWN,
    }
