"""Formatting and reports: times of another year, subjects, messages in one line, reasons in words."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta

import pytest

from tests.making import WHEN
from watchpost.config.config import Reload
from watchpost.health import Health
from watchpost.model import Message
from watchpost.operations.service_state import Seen
from watchpost.schedules import Daily
from watchpost.store.dead_letters import DeadLetter
from watchpost.store.deliveries import DeliveryRecord
from watchpost.store.history import SentMessage
from watchpost.store.overview import Depths, Worker
from watchpost.store.receivers import ReceiverState
from watchpost.web.context import ConfigSummary
from watchpost.web.formatting import day_and_time, plain_subject, schedule_words
from watchpost.web.health import report
from watchpost.web.pages import deliveries
from watchpost.web.pages.digests import batches

LAST = Reload(WHEN, "start", True)


def test_another_year_is_shown() -> None:
    assert day_and_time(WHEN, WHEN + timedelta(days=2)) == "23 Nov 07:30"
    assert day_and_time(datetime(2099, 1, 1, tzinfo=UTC), WHEN) == "01 Jan 2099 00:00"


@pytest.mark.parametrize(
    ("days", "said"),
    [
        ((0, 1, 2, 3, 4, 5, 6), "08:00"),
        ((0, 1, 2, 3, 4), "08:00 on Mon–Fri"),
        ((0, 2, 4), "08:00 on Mon, Wed, Fri"),
        ((5, 6), "08:00 on Sat, Sun"),
        ((6, 0, 1), "08:00 on Sun, Mon, Tue"),
    ],
)
def test_consecutive_days_of_the_week_are_a_range(days: tuple[int, ...], said: str) -> None:
    assert schedule_words(Daily((time(8),), days, "UTC")) == said


@pytest.mark.parametrize(
    ("subject", "shown"),
    [
        ("[watch.example.org] 3 stories: Mali", "3 stories: Mali"),
        ("3 stories [Mali]", "3 stories [Mali]"),
        ("[Mali]", "[Mali]"),
        ("[desk] ", "[desk] "),
        ("[a [b] c", "[a [b] c"),
        ("", ""),
    ],
)
def test_lists_leave_out_the_name_of_the_installation(subject: str, shown: str) -> None:
    assert plain_subject(subject) == plain_subject(subject, "watch.example.org") == shown
    assert plain_subject(f"{shown} · 3 stories [watch.example.org]", "watch.example.org") == f"{shown} · 3 stories"


def _sent(id_: str, digest: str, receiver: str = "team") -> SentMessage:
    return SentMessage(id_, receiver, digest, WHEN, WHEN, 1, Message("", id_, {}))


def test_messages_of_one_digest_are_one_line_and_others_are_not() -> None:
    sent = [_sent("a.2", "a"), _sent("a.1", "a"), _sent("b", "b"), _sent("a.0", "a"), _sent("a", "a", "desk")]
    assert [(last.id, count) for last, count in batches(sent)] == [("a.2", 2), ("b", 1), ("a.0", 1), ("a", 1)]
    assert len(batches([_sent("x", ""), _sent("y", "")])) == 2, "of no digest: nobody knows what belongs together"


def test_deliveries_in_the_same_state_are_one_line_and_dead_letters_have_their_subject() -> None:
    case = DeliveryRecord("a.1", "team", "queued", "a", message=Message("", "1 story", {}))
    cases = [case, replace(case, id="a.2"), replace(case, id="a.3", state="retrying", error="503")]
    cases.append(replace(case, id="d", digest="d", state="dead"))
    dead_letter = DeadLetter("1-0", "delivery", "client_error", "404", WHEN, "team", "d")
    shown = deliveries.page_of_deliveries(
        receivers=[], cases=cases, dead_letters=[dead_letter, replace(dead_letter, delivery="e")], sent=[]
    )
    assert [(case.id, count) for case, count in shown["waiting"]] == [("a.1", 2), ("a.3", 1)]
    assert shown["waiting_count"] == 3
    assert [subject for _, subject in shown["letters"]] == ["", "1 story"]


def test_problems_are_sentences() -> None:
    state = ReceiverState(5, 1, WHEN + timedelta(minutes=5), WHEN, 1, None, "503", 0)
    depths = Depths(0, 0, {"team": 0}, 0, 1)
    seen = Seen("", (), depths, {}, (), {"team": state})
    reasons = report(ConfigSummary(receivers=("team",)), Health(), LAST, seen, now=WHEN)["reasons"]
    assert "team is paused after repeated failures" in reasons
    assert "1 dead letter" in reasons


def test_unknown_things_are_not_reported() -> None:
    """A store that takes no writes hears from nobody that he works; one that hangs hides no other trouble."""
    depths, health = Depths(0, 0, {}, 0, 0), Health()
    health.refused = "the store takes no writes for now: full"
    told = report(ConfigSummary(), health, LAST, Seen("", (), depths, {}, (), {}), now=WHEN)
    assert (told["status"], told["reasons"]) == ("degraded", [health.refused])
    assert told["store"] == {"reachable": True, "takes_writes": False}
    health = Health()
    health.expect(["match"])
    health._beats["match"] -= 61
    told = report(ConfigSummary(), health, LAST, Seen("the store does not answer within 5 s"), now=WHEN)
    assert (told["status"], told["reasons"]) == (
        "down",
        ["no sign of life from match", "the store does not answer within 5 s"],
    )


def test_a_half_open_breaker_and_a_paused_poller_are_problems() -> None:
    state = ReceiverState(5, 1, WHEN - timedelta(minutes=5), WHEN - timedelta(hours=1), 1, None, "503", 0)
    workers = (Worker("all-host-1", "all", "1", "disk"),)
    seen = Seen("", (), Depths(0, 0, {"team": 0}, 0, 0), {}, workers, {"team": state})
    told = report(ConfigSummary(receivers=("team",)), Health(), LAST, seen, now=WHEN)
    assert (told["status"], told["receivers"]["team"]["state"]) == ("degraded", "trial")
    assert told["reasons"] == [
        "all-host-1 has paused polling: the disk with its data is nearly full",
        "team was paused after repeated failures; the next message tries it again",
    ]
    assert told["workers"] == [{"name": "all-host-1", "role": "all", "version": "1", "paused": "disk"}]
