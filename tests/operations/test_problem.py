"""What is wrong with a service: each problem has since when it is so and a cure, and the same words everywhere."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from watchpost.config.config import Reload
from watchpost.operations.doctor.finding import of_problem
from watchpost.operations.problem import Problem, notes, problems
from watchpost.operations.service_state import Seen
from watchpost.pauses import Pause
from watchpost.store.ledger import Gap
from watchpost.store.overview import Depths, StoreLoss, Worker
from watchpost.store.receivers import ReceiverState
from watchpost.store.sources import SourceStatus

NOW = datetime(2026, 11, 27, 1, tzinfo=UTC)
BEFORE = NOW - timedelta(hours=2)
PARIS = ZoneInfo("Europe/Paris")
CALM = Seen(depths=Depths(0, 0, {"team": 1}, 0, 0), workers=(Worker("all-host-1", "all", "1"),))
BROKEN = SourceStatus("rfi", failures=3, failing_since=BEFORE, reason="timeout", detail="no answer", last_read=BEFORE)
SOUND = SourceStatus("bbc", last_read=NOW)
A_COMMAND = re.compile(r"\b(watchpost [a-z]+|systemctl [a-z]+|df -h|docs/[a-z]+\.md)\b")


def receiver(**facts: object) -> Seen:
    return replace(CALM, receivers={"team": ReceiverState(**facts)})  # type: ignore[arg-type]


def paused(reason: str) -> Seen:
    return replace(CALM, workers=(Worker("all-host-1", "all", "1", reason, Pause(reason, BEFORE)),))


SOON = NOW + timedelta(minutes=5)
FAILING = {"failing": BEFORE, "why": "auth: 535"}
WRONG = {
    "store hangs": Seen("the store does not answer within 5 s", problem_since=BEFORE),
    "store refuses": replace(CALM, workers=(), refused="the store takes no writes now: full", refused_since=BEFORE),
    "store emptied": replace(CALM, loss=StoreLoss(BEFORE, 5, 0)),
    "no process": replace(CALM, workers=(), ran=dict.fromkeys(("poll", "match", "notify"), BEFORE)),
    "disk": paused("disk"),
    "backlog": paused("backlog"),
    "pause for the store": paused("store"),
    "pause of a later version": paused("moon"),
    "a source": replace(CALM, sources=(BROKEN, SOUND)),
    "every source": replace(CALM, sources=(BROKEN,)),
    "a folder": replace(CALM, sources=(BROKEN,), folders=frozenset({"rfi"})),
    "failing": receiver(failures=3, **FAILING),
    "paused": receiver(failures=1, till=SOON, failing=BEFORE, why="rate_limited: HTTP 429"),
    "waits for its next attempt": receiver(failures=2, till=SOON, failing=BEFORE, why="server_error: HTTP 500"),
    "open": receiver(failures=9, trips=2, till=SOON, **FAILING),
    "refuses the login": receiver(failures=1, trips=1, till=SOON, **FAILING),
    "trial": receiver(failures=9, trips=2, till=BEFORE, **FAILING),
    "disabled": receiver(disabled=BEFORE, why="HTTP 410"),
    "events without vectors": replace(CALM, workers=(Worker("all-1", "all", "1", linking=Pause("broken", BEFORE)),)),
    "events with slow vectors": replace(CALM, workers=(Worker("all-1", "all", "1", linking=Pause("slow", BEFORE)),)),
    "events wait": replace(CALM, depths=Depths(0, 0, {}, 0, 0, unjoined=3), ages={"unjoined": 7200.0}),
    "dead letters": replace(CALM, depths=Depths(0, 0, {"team": 0}, 0, 2), dead_since=BEFORE),
}
WARNINGS = {
    "events without vectors",
    "events with slow vectors",
    "events wait",
    "store emptied",
    "a source",
    "paused",
    "dead letters",
}


def test_a_service_without_problems_has_none() -> None:
    assert problems(replace(CALM, sources=(SOUND,)), NOW) == ()


@pytest.mark.parametrize("name", WRONG)
def test_each_problem_says_since_when_and_what_to_type(name: str) -> None:
    found = problems(WRONG[name], NOW)
    assert found
    for problem in found:
        assert problem.since == BEFORE
        assert "since 2026-11-27 00:00 CET" in problem.said(PARIS)
        assert A_COMMAND.search(problem.cure), problem
        assert "UTC" not in problem.text + problem.detail + problem.cure, "a time in a sentence has the reader's zone"
        assert problem.facts()["since"] == "2026-11-26T23:00:00+00:00"
        assert of_problem(problem, PARIS).level == ("warn" if name in WARNINGS else "fail")


def test_a_gap_of_the_ledger_and_a_refused_configuration_have_a_command() -> None:
    (gap,) = problems(replace(CALM, gaps=(Gap("hits", 5, 3, "team"),)), NOW)
    assert gap.cure == "watchpost hit list --receiver team --fate waiting"
    (own,) = problems(CALM, NOW, last=Reload(BEFORE, "SIGHUP", False, ("w.yaml:3:1 topcis: unknown key",)))
    (other,) = problems(replace(CALM, refused_configuration=("w.yaml:3:1 topcis: unknown key",)), NOW)
    assert (own.since, own.text, own.detail) == (BEFORE, other.text, other.detail)
    assert own.cure.startswith("watchpost check")


def test_who_is_missing_is_not_said_while_nobody_can_register() -> None:
    assert [one.subject for one in problems(WRONG["store refuses"], NOW)] == ["store"]
    assert [one.text for one in problems(WRONG["no process"], NOW)] == [
        f"no process runs {role}" for role in ("poll", "match", "notify")
    ]


def test_a_receiver_says_its_state_how_much_waits_and_why() -> None:
    (problem,) = problems(WRONG["open"], NOW)
    assert problem.said(PARIS) == (
        "team is paused after repeated failures (since 2026-11-27 00:00 CET): "
        "9 failures in a row; 1 message waiting; auth: 535"
    )
    assert "watchpost receiver enable team" in problem.cure


def test_a_loss_that_is_a_day_old_is_no_problem_any_more() -> None:
    assert problems(replace(CALM, loss=StoreLoss(NOW - timedelta(days=1, seconds=1), 5, 0)), NOW) == ()


def test_a_sentence_without_a_moment_names_none() -> None:
    assert Problem("x", "it is so", "watchpost doctor").said(UTC) == "it is so"


def test_an_optional_part_that_is_missing_is_a_note_and_no_problem() -> None:
    seen = replace(CALM, workers=(Worker("all-host-1", "all", "1", linking=Pause("missing", BEFORE)),))
    assert problems(seen, NOW) == ()
    (note,) = notes(seen)
    assert note.since == BEFORE
    assert "not installed" in note.text
    assert notes(CALM) == ()


def test_stories_that_wait_a_moment_for_their_event_are_no_problem() -> None:
    seen = replace(CALM, depths=Depths(0, 0, {}, 0, 0, unjoined=3), ages={"unjoined": 5.0})
    assert problems(seen, NOW) == ()
