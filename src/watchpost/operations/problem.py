"""Pure: what is wrong with a running service, each with since when and what to do.

The page Status, /status.json, `watchpost queue status` and `watchpost doctor` show this list, so that they agree.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Any

from watchpost.config.config import Reload
from watchpost.moments import with_zone
from watchpost.operations.service_state import Seen
from watchpost.plurals import count
from watchpost.store.ledger import Gap
from watchpost.store.overview import Worker
from watchpost.store.receivers import ReceiverState
from watchpost.store.sources import SourceStatus

ROLES = ("poll", "match", "notify")
_LOSS_SHOWN = timedelta(days=1)
_DISK_MEBIBYTES = 256

LINKING_SECONDS = 60.0
"""Stories that wait longer for their event are a problem; deciding takes 0.1 s."""

_PAUSED = {
    "disk": "the disk with its data is nearly full",
    "backlog": "too many articles wait to be matched",
    "store": "the store did not accept what was found",
}
_PAUSE_CURES = {
    "disk": f"free {_DISK_MEBIBYTES} MiB or more on the disk of the data directory; df -h shows how full each disk is, "
    "ls -ld whether the service may read the directory",
    "backlog": "watchpost queue status shows whether fewer wait; watchpost run match starts another matcher",
    "store": "watchpost doctor names the cause",
}
_STATES = {
    "open": "is paused after repeated failures",
    "trial": "was paused after repeated failures; the next message tries it again",
}
STORE_CURE = "watchpost doctor names the cause; everything waits meanwhile"
_DISK_CURE = "df -h shows the full disk; once it has room, everything continues by itself"
_RECEIVER_CURES = {
    "auth": "correct its login, token or address and restart the service; then: watchpost receiver enable {name}",
    "blocked": "write allow_private at the receiver with its network; then: watchpost receiver test {name}",
}


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: `text` says what, `detail` why or how much, `since` when it began, None if unknown.

    `cure` is the command to type, or the setting to change. `stops`: nothing is read or nothing arrives because of it.
    """

    subject: str
    text: str
    cure: str
    since: datetime | None = None
    detail: str = ""
    stops: bool = False

    def said(self, zone: tzinfo) -> str:
        """All of it but the cure, as people read it, with the time in this zone."""
        since = f" (since {with_zone(self.since, zone)})" if self.since is not None else ""
        return f"{self.text}{since}" + (f": {self.detail}" if self.detail else "")

    def facts(self) -> dict[str, Any]:
        """All of it for JSON."""
        since = None if self.since is None else self.since.isoformat(timespec="seconds")
        return {
            "subject": self.subject,
            "text": self.text,
            "since": since,
            "detail": self.detail,
            "cure": self.cure,
            "stops": self.stops,
        }


def problems(seen: Seen, now: datetime, *, last: Reload | None = None) -> tuple[Problem, ...]:
    """What is wrong, by what the store shows; `last` is the last reload of the process that asks.

    A store that shows nothing is one problem. While it accepts no writes, no process can register in it: then none is
    called missing.
    """
    found = list(_configuration(seen, last))
    if seen.problem or seen.depths is None:
        trouble = (
            [Problem("store", seen.problem, _store_cure(seen.problem), seen.problem_since, stops=True)]
            if seen.problem
            else []
        )
        return (*trouble, *found)
    if seen.refused:
        found.append(Problem("store", seen.refused, _store_cure(seen.refused), seen.refused_since, stops=True))
    if seen.loss is not None and now - seen.loss.at < _LOSS_SHOWN:
        cure = "find out who emptied it: its server needs appendonly yes and a disk that stays (docs/operations.md)"
        found.append(Problem("data", str(seen.loss), cure, seen.loss.at))
    found += [] if seen.refused else _missing_roles(seen)
    found += _pauses(seen.workers)
    found += _sources(seen.sources, seen.folders)
    for name, state in (seen.receivers or {}).items():
        found += _receiver(name, state, seen.depths.waiting_for(name), now)
    found += _linking(seen, now)
    found += _gaps(seen.gaps)
    if seen.depths.dead:
        cure = "watchpost queue peek --dead shows why; watchpost queue retry --dead sends them again"
        found.append(Problem("dead letters", count(seen.depths.dead, "dead letter"), cure, seen.dead_since))
    return tuple(found)


def _store_cure(trouble: str) -> str:
    return _DISK_CURE if "disk" in trouble else STORE_CURE


def notes(seen: Seen) -> tuple[Problem, ...]:
    """What is different from a complete installation, and may be meant: an optional part is missing."""
    return tuple(
        Problem(
            "events",
            f"{worker.name} joins events without the embedding, which is not installed",
            "pip install 'watchpost-news[events]'; docs/events.md says what it brings",
            worker.linking.since,
        )
        for worker in seen.workers
        if worker.linking is not None and worker.linking.reason == "missing"
    )


def _linking(seen: Seen, now: datetime) -> Iterator[Problem]:
    """The embedding is broken, or stories wait for their event; messages go out all the same."""
    for worker in seen.workers:
        if worker.linking is not None and worker.linking.reason != "missing":
            fails = "takes too long" if worker.linking.reason == "slow" else "fails"
            text = f"{worker.name} joins events without the embedding, which {fails}"
            cure = "its log says why as events.embedding; docs/events.md says how to install it again"
            yield Problem("events", text, cure, worker.linking.since)
    age = (seen.ages or {}).get("unjoined", 0.0)
    if age > LINKING_SECONDS and seen.depths is not None and seen.depths.unjoined:
        waiting = count(seen.depths.unjoined, "story waits for its event", "stories wait for their events")
        text = f"{waiting}; messages go out without them"
        cure = "watchpost queue status shows whether fewer wait; events: false switches events off (docs/events.md)"
        yield Problem("events", text, cure, now - timedelta(seconds=age))


def _configuration(seen: Seen, last: Reload | None) -> Iterator[Problem]:
    complaints = last.complaints if last is not None and not last.ok else seen.refused_configuration
    if complaints or (last is not None and not last.ok):
        text, since = "the configuration on disk has mistakes and is not used", last.at if last is not None else None
        first = complaints[0] if complaints else ""
        yield Problem("configuration", text, "watchpost check lists every mistake", since, first)


def _missing_roles(seen: Seen) -> Iterator[Problem]:
    there = {role for worker in seen.workers for role in (ROLES if worker.role == "all" else (worker.role,))}
    for role in ROLES:
        if role not in there:
            cure = f"systemctl start watchpost, docker compose up -d {role}, or watchpost run {role}; its log says why"
            yield Problem("roles", f"no process runs {role}", cure, seen.ran.get(role), stops=True)


def _pauses(workers: Sequence[Worker]) -> Iterator[Problem]:
    for worker in workers:
        if worker.paused:
            pause = worker.last_pause
            since = pause.since if pause is not None and pause.until is None else None
            text = f"{worker.name} has paused polling: {_PAUSED.get(worker.paused, worker.paused)}"
            cure = _PAUSE_CURES.get(worker.paused, "watchpost doctor names the cause")
            yield Problem("polling", text, cure, since, stops=True)


def _sources(sources: Sequence[SourceStatus], folders: frozenset[str]) -> Iterator[Problem]:
    failing = [status for status in sources if status.failures]
    if not failing:
        return
    since = min((status.failing_since for status in failing if status.failing_since is not None), default=None)
    only_folders = all(status.name in folders for status in failing)
    cure = "watchpost doctor" if only_folders else "watchpost feed list --failing"
    text = f"{len(failing)} of {len(sources)} sources cannot be read"
    worst = max(failing, key=lambda status: status.failures)
    detail = f"{worst.name}: {worst.detail}" if worst.detail else ""
    yield Problem("sources", text, f"{cure} names each with its cure", since, detail, len(failing) == len(sources))


def _receiver(name: str, state: ReceiverState, waiting: int, now: datetime) -> Iterator[Problem]:
    word = state.status(now)
    if word == "ok":
        return
    detail = [count(state.failures, "failure") + " in a row"] if state.failures else []
    detail += [f"{count(waiting, 'message')} waiting"] if waiting else []
    detail += [state.why] if state.why else []
    cure = f"watchpost receiver test {name} shows the answer; watchpost receiver enable {name} sends what waits"
    cure = _RECEIVER_CURES.get(state.why.partition(":")[0], cure).format(name=name)
    text = f"{name} {_STATES.get(word, f'is {word}')}"
    if word == "open" and state.failures == 1:
        text = f"{name} is paused after a failure that only people can end"
    since = state.disabled or state.failing
    by_its_wish = word == "paused" and state.why.startswith("rate_limited")
    yield Problem(f"deliveries to {name}", text, cure, since, "; ".join(detail), not by_its_wish)


def _gaps(gaps: Sequence[Gap]) -> Iterator[Problem]:
    for gap in gaps:
        yield Problem("ledger", f"not accounted for: {gap}; {gap.missing} missing", gap.command)
