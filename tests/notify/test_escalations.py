"""Which alerts are escalated to whom, and what the other receiver is sent."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.fakes import RecordingReceiver
from tests.making import hit
from tests.notify.digests import digest, story
from tests.web.web_app import config_of
from watchpost.errors import ConfigError
from watchpost.match.routing import escalations_of, groups_of
from watchpost.model import Escalation, Hit
from watchpost.notify.composer import render_or_reduce
from watchpost.notify.escalations import escalated
from watchpost.notify.render import plain, sentences

CONFIG = """version: 1
topics: {mali: Mali, coup: {query: coup, severity: high}}
receivers: {duty: {type: console}, chief: {type: console}, desk: {type: console}}
routes:
  - {when: {severity: high}, to: duty, mode: immediate, continue: true, escalate: ESCALATE}
  - {to: [duty, desk], mode: immediate}
"""
GOOD = "{after: 20m, to: chief}"


def test_a_hit_is_escalated_by_the_route_that_brings_it_into_the_group() -> None:
    routes = config_of(CONFIG.replace("ESCALATE", GOOD)).routes
    high, normal = hit("coup", topic="coup", severity="high"), hit("Mali", topic="mali")
    duty, desk = groups_of(high, routes)
    assert escalations_of(high, duty, routes) == (Escalation("chief", timedelta(minutes=20)),)
    assert escalations_of(high, desk, routes) == ()
    assert escalations_of(normal, duty, routes) == ()


@pytest.mark.parametrize(
    ("block", "complaint"),
    [
        ("{after: 2d, to: chief}", "at most 1d"),
        ("{after: 0s, to: chief}", "more than 0s"),
        ("{after: 20m, to: chef}", "there is no receiver 'chef'; did you mean 'chief'?"),
        ("{after: 20m, to: chief, unless: starred}", "acknowledged"),
        ("{to: chief}", "after"),
    ],
)
def test_a_wrong_escalation_is_a_complaint_with_its_place(block: str, complaint: str) -> None:
    with pytest.raises(ConfigError) as raised:
        config_of(CONFIG.replace("ESCALATE", block))
    (found,) = raised.value.complaints
    assert complaint in str(found)
    assert ":5:" in str(found)


def test_only_an_alert_is_escalated() -> None:
    text = CONFIG.replace("ESCALATE", GOOD).replace("mode: immediate, continue", 'digest: "08:00", continue')
    with pytest.raises(ConfigError, match="escalate goes with mode: immediate"):
        config_of(text)


def test_the_fingerprint_changes_only_where_it_is_used() -> None:
    without = config_of(CONFIG.replace(", escalate: ESCALATE", ""))
    assert without.fingerprint != config_of(CONFIG.replace("ESCALATE", GOOD)).fingerprint
    assert not [one for one in config_of(CONFIG.replace("ESCALATE", GOOD)).warnings if "chief" in str(one)]


def test_each_story_of_an_alert_is_a_message_that_says_so_with_an_id_of_its_own() -> None:
    alert = digest(story(1), story(2), kind="alert")
    hits = [hit(f"{one.id}", story=one.id) for one in alert.stories]

    def wanted(one: Hit, group: str) -> tuple[Escalation, ...]:
        return (Escalation("chief", timedelta(minutes=20)), Escalation("nobody", timedelta(minutes=20)))

    def made(seed: str = "seed") -> list[str]:
        receivers = {"chief": RecordingReceiver("chief")}
        found = list(escalated(alert, hits, "g", wanted, receivers, seed=seed, render=render_or_reduce))
        assert [each.story for each in found] == [one.id for one in alert.stories]
        assert {each.delivery.receiver for each in found} == {"chief"}
        return [each.delivery.id for each in found]

    assert made() == made()
    assert len({*made(), *made("other")}) == 4
    receivers = {"chief": RecordingReceiver("chief")}
    assert not list(escalated(digest(story(1)), hits, "g", wanted, receivers, seed="s", render=render_or_reduce))


def test_the_message_begins_with_the_headline_and_says_that_nobody_answered() -> None:
    alert = digest(story(1), kind="alert", unanswered=timedelta(minutes=20))
    text = plain.plain(alert)
    assert text.startswith(story(1).lead.title)
    assert "Nobody has answered this alert for 20 minutes." in text
    assert "20" in sentences.unanswered(digest(story(1), kind="alert", language="fr", unanswered=timedelta(minutes=20)))
