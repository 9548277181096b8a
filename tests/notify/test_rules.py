"""Which stories of an alert are sent now, which wait, and which are no news."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.making import article, hit
from watchpost.model import Hit
from watchpost.notify.notification_log import NotificationRecord
from watchpost.notify.rules import decide
from watchpost.schedules import Immediate

NOW = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)
MINUTES = timedelta(minutes=1)
ALERTS = Immediate(timedelta(0), group_interval=15 * MINUTES, repeat_interval=timedelta(hours=12))


def report(outlet: str, *, voice: str = "", topic: str = "mali", story: str = "s", severity: str = "high") -> Hit:
    about = article(outlet, outlet=outlet)
    return hit(article=about, topic=topic, story=story, voice=voice, severity=severity)  # type: ignore[arg-type]


FIRST = report("Courier", voice="AFP")


def known(ago: timedelta | None) -> dict[str, NotificationRecord]:
    return {"s": NotificationRecord().after([FIRST], None if ago is None else NOW - ago)}


@pytest.mark.parametrize(
    ("one", "ago", "reason", "until"),
    [
        (report("Paper", story="other"), 1 * MINUTES, "new", None),
        (report("Paper", topic="fuel"), 1 * MINUTES, "topic", None),
        (report("Paper"), 5 * MINUTES, "interval", NOW + 10 * MINUTES),
        (report("Paper"), 15 * MINUTES, "update", None),
        (report("Paper"), None, "update", None),
        (report("Copyist", voice="AFP"), 5 * MINUTES, "known", None),
        (report("Copyist", voice="AFP"), timedelta(hours=11, minutes=59), "known", None),
        (report("Copyist", voice="AFP"), timedelta(hours=12), "repeat", None),
        (report("Copyist", voice="AFP"), None, "known", None),
    ],
)
def test_a_story_is_sent_held_or_dropped(one: Hit, ago: timedelta | None, reason: str, until: datetime | None) -> None:
    (decision,) = decide([one], known(ago), ALERTS, NOW)
    assert (decision.reason, decision.until, decision.hits) == (reason, until, (one,))
    assert decision.send is (reason in ("new", "topic", "update", "repeat"))


def test_news_of_one_story_are_one_update() -> None:
    (decision,) = decide([report("Paper"), report("Herald")], known(15 * MINUTES), ALERTS, NOW)
    assert len(decision.hits) == 2


def test_quiet_hours_hold_what_they_do_not_let_through() -> None:
    end = NOW + timedelta(hours=1)
    low, high = report("Paper", story="low", severity="low"), report("Herald", story="high")
    decisions = decide([low, high], {}, ALERTS, NOW, quiet_until=lambda one: end if one.severity == "low" else None)
    assert [(one.reason, one.until) for one in decisions] == [("quiet", end), ("new", None)]


def test_a_receiver_that_got_enough_gets_the_rest_later() -> None:
    end = NOW + timedelta(minutes=20)
    decisions = decide([report("Paper"), report("Copyist", story="t")], {}, ALERTS, NOW, limited_until=end)
    assert [(one.reason, one.until) for one in decisions] == [("limit", end)] * 2


def test_what_is_no_news_is_not_held_either() -> None:
    (decision,) = decide([report("Copyist", voice="AFP")], known(1 * MINUTES), ALERTS, NOW, limited_until=NOW + MINUTES)
    assert decision.reason == "known"
