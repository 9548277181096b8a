"""Links in mail by which a recipient acts on a story: their keys, and where mails have them."""

from __future__ import annotations

import email
import email.policy
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.notify.digests import context, usual
from tests.notify.test_receiver_email import receiver
from tests.web.web_app import config_of
from watchpost.model import Digest, Message
from watchpost.notify.receivers.email import KIND, Email, EmailOptions
from watchpost.notify.story_links import end_of, is_key, key_of, link_path, stand_in, with_keys

NOW = datetime(2026, 11, 27, 8, tzinfo=UTC)
LATER = NOW + timedelta(days=7)
PARTS = ("secret", "desk", "a@example.org", "4f2a")

TEXTS = st.text(max_size=12)


@given(st.tuples(TEXTS, TEXTS, TEXTS, TEXTS), st.tuples(TEXTS, TEXTS, TEXTS, TEXTS))
def test_a_key_fits_its_own_secret_receiver_recipient_and_story_only(
    one: tuple[str, str, str, str], other: tuple[str, str, str, str]
) -> None:
    key = key_of(*one, LATER)
    assert is_key(key, *one, NOW)
    assert is_key(key, *other, NOW) == (one == other)


@given(st.integers(min_value=0, max_value=39), st.sampled_from("0123456789abcdefg-"))
def test_a_key_with_another_character_is_none(place: int, character: str) -> None:
    key = key_of(*PARTS, LATER)
    changed = key[:place] + character + key[place + 1 :]
    assert is_key(changed, *PARTS, NOW) == (changed == key)


@pytest.mark.parametrize(
    "text", ["", "x", "-1", "ffffffff", "4f2a" * 99, "zzzzzzzz" + "0" * 32, "é" * 40, "\ud800" * 40]
)
def test_what_is_no_key_is_refused(text: str) -> None:
    assert not is_key(text, *PARTS, NOW)


def test_a_key_ends() -> None:
    key = key_of(*PARTS, LATER)
    assert end_of(key) == LATER
    assert is_key(key, *PARTS, LATER)
    assert not is_key(key, *PARTS, LATER + timedelta(seconds=1))


def test_only_the_links_of_the_shown_stories_get_keys() -> None:
    mark = stand_in("secret", "d1", LATER)
    text = f"{link_path('4f2a', mark)} {link_path('other', mark)}"
    signed = with_keys(text, mark, ["4f2a"], *PARTS[:3])
    assert link_path("4f2a", key_of(*PARTS, LATER)) in signed
    assert link_path("other", mark) in signed


# ── in mails ──


def mailer(**options: Any) -> Email:
    given = {"from": "watch@example.org", "to": ["desk@example.org"], "smtp": {"host": "localhost"}} | options
    built = KIND.build("desk", EmailOptions.model_validate(given), replace(context(), secret="s3cret"))
    assert isinstance(built, Email)
    return built


def alert() -> Digest:
    whole = usual()
    return replace(whole, kind="alert", stories=whole.stories[:1])


def texts(message: Message) -> tuple[str, str]:
    parsed: Any = email.message_from_string(message.renderings["mime"], policy=email.policy.default)
    return parsed.get_body(("plain",)).get_content(), parsed.get_body(("html",)).get_content()


def test_each_recipient_has_links_of_their_own_for_each_story_shown() -> None:
    shown, to = usual(), ["a@example.org", "b@example.org"]
    made = mailer(to=to, actions="7d").render(shown)
    until = shown.created + timedelta(days=7)
    for message in made:
        for text in texts(message):
            keys = dict(re.findall(r"https://watch\.example\.org/a/([^/\s\"]+)/([0-9a-f]{40})", text))
            assert keys.keys() == {story.id for story in shown.stories}
            for story, key in keys.items():
                assert is_key(key, "s3cret", "desk", message.address, story, until)
    assert made[0].renderings["mime"] == mailer(to=to, actions="7d").render(shown)[0].renderings["mime"]


def test_an_alert_has_a_link_for_each_action() -> None:
    (message,) = mailer(actions="7d").render(alert())
    for text in texts(message):
        found = re.findall(r"/a/[^/\s\"]+/[0-9a-f]{40}\?do=([a-z-]+)", text)
        assert found == ["acknowledge", "claim", "mute", "relevant", "not-relevant"]


@pytest.mark.parametrize("digest", [usual(), alert()], ids=["digest", "alert"])
def test_without_the_option_or_an_address_there_are_none(digest: Digest) -> None:
    for made in (
        mailer().render(digest),
        mailer(actions="7d").render(replace(digest, public_url="")),
        receiver(25, actions="7d").render(digest),
    ):
        assert not any("/a/" in text for text in texts(made[0]))


def test_a_template_has_them_as_actions() -> None:
    template = {"text": "{% for s in stories %}{% for a in s.actions %}{{ a.url }}\n{% endfor %}{% endfor %}"}
    shown = usual()
    (message,) = mailer(actions="7d", template=template).render(shown)
    first, *_ = texts(message)[0].splitlines()
    story, key = first.removeprefix("https://watch.example.org/a/").split("/")
    assert is_key(key, "s3cret", "desk", "desk@example.org", story, shown.created)


@pytest.mark.parametrize("public", ["", "public_url: https://watch.example.org\n"], ids=["without", "with"])
def test_links_without_an_address_are_a_warning_of_the_configuration(public: str) -> None:
    text = (
        "version: 1\nfeeds: [https://rfi.example/rss]\ntopics: {mali: mali}\n"
        "receivers: {m: {type: email, from: w@e.org, to: [a@e.org], smtp: {host: e.org}, actions: 7d}}\n"
        "routes: [{to: m, mode: immediate}]\n"
    )
    problems = [warning.problem for warning in config_of(text + public).warnings]
    assert problems == ([] if public else ["mails have no links that act: they need a public_url"])
