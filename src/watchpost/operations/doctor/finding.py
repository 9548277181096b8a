"""Pure: the findings of `watchpost doctor`, and which feeds it asks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import tzinfo
from typing import Literal

from watchpost.operations.feeds.cures import SERVER_AT_FAULT
from watchpost.operations.problem import Problem

Level = Literal["ok", "warn", "fail"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was examined: its state in `text`, and what to do in `cure` ("" for nothing).

    `outside`: something elsewhere does not answer, as opposed to a mistake on this machine.
    """

    subject: str
    level: Level
    text: str
    cure: str = ""
    outside: bool = False


SAMPLE = 50
_ALIKE = 3
"""More feeds than this with one kind of problem share a line."""
_NAMED = 5
_DETAILS = 2
_OF_THE_NETWORK = frozenset({"dns", "timeout", "unreachable"})
_CURE = "watchpost feed test NAME shows more"
_COMMANDS_AND_SETTINGS = ("watchpost", "`", "set ", "allow_private")


def of_problem(problem: Problem, zone: tzinfo) -> Finding:
    """A problem of the running service; a failure if nothing is read or nothing arrives because of it."""
    return Finding(problem.subject, "fail" if problem.stops else "warn", problem.said(zone), problem.cure)


@dataclass(frozen=True, slots=True)
class FeedTrouble:
    """What is wrong with one feed: a `reason` from a small closed set, and in words. `cure` is "" if none is known."""

    feed: str
    reason: str
    detail: str
    cure: str


def sample(hosts: Mapping[str, str], failing: Sequence[str]) -> list[str]:
    """At most SAMPLE of the feeds whose `hosts` are given, spread over hosts and list, in the order of the list.

    Feeds that are known to fail come first, as up to half of the sample.
    """
    if len(hosts) <= SAMPLE:
        return list(hosts)
    chosen = dict.fromkeys([name for name in failing if name in hosts][: SAMPLE // 2])
    rows: dict[str, list[str]] = {}
    for name, host in hosts.items():
        rows.setdefault(host, []).append(name)
    turn = 0
    while len(chosen) < SAMPLE:
        row = [names[turn] for names in rows.values() if turn < len(names) and names[turn] not in chosen]
        left = SAMPLE - len(chosen)
        step = max(1.0, len(row) / left)
        chosen |= dict.fromkeys(row[int(at * step)] for at in range(min(left, len(row))))
        turn += 1
    return [name for name in hosts if name in chosen]


def hopeless(troubles: Sequence[FeedTrouble]) -> bool:
    """Whether all problems may come from this machine's own network."""
    return all(one.reason in _OF_THE_NETWORK and one.cure != SERVER_AT_FAULT for one in troubles)


def summary(hosts: Mapping[str, str], asked: int, good: int, troubles: Sequence[FeedTrouble]) -> Finding:
    """All feeds, whose `hosts` are given, in one line. If none can be reached, this machine's network is at fault."""
    feeds, late = len(hosts), asked - good - len(troubles)
    text = f"{good} of {asked} can be read" if asked == feeds else f"{good} of {asked} tried feeds can be read"
    text += "" if asked == feeds else f", out of {feeds} configured; --all-feeds tries all"
    if late:
        text += f"; there was no time for {late}" if good else f"; {late} were not tried"
    if not good and hopeless(troubles):
        return Finding("feeds", "fail", text, "check this machine's network: proxy, firewall", outside=True)
    if troubles and not good and not late:
        return Finding("feeds", "fail", text, "watchpost feed list --failing")
    if troubles:
        return Finding("feeds", "warn", text, "see below")
    return Finding("feeds", "warn" if late else "ok", text, "--all-feeds takes the time it needs" if late else "")


def _with_command(trouble: FeedTrouble) -> str:
    """The cure of one feed; where it names neither a command nor a setting, the command that shows more."""
    command = f"watchpost feed test {trouble.feed} shows more"
    if not trouble.cure:
        return command
    return (
        trouble.cure if any(word in trouble.cure for word in _COMMANDS_AND_SETTINGS) else f"{trouble.cure}; {command}"
    )


def findings(troubles: Sequence[FeedTrouble]) -> list[Finding]:
    """A line for each feed with a problem; one line for many with the same."""
    kinds: dict[str, list[FeedTrouble]] = {}
    for one in troubles:
        kinds.setdefault(one.reason, []).append(one)
    found = []
    for alike in kinds.values():
        if len(alike) <= _ALIKE:
            found += [Finding(f"feed {one.feed}", "warn", one.detail, _with_command(one)) for one in alike]
            continue
        cures = {one.cure or _CURE for one in alike}
        details = list(dict.fromkeys(one.detail for one in alike))
        said = "; ".join(details[:_DETAILS]) + ("; …" if len(details) > _DETAILS else "")
        names = ", ".join(one.feed for one in alike[:_NAMED])
        more = f" and {len(alike) - _NAMED} more" if len(alike) > _NAMED else ""
        found.append(
            Finding(f"{len(alike)} feeds", "warn", f"{said}: {names}{more}", cures.pop() if len(cures) == 1 else _CURE)
        )
    return found
