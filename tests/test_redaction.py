"""What is known to be secret, and what looks like it, is taken out of a text; ordinary words stay."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator

import pytest
import structlog

from watchpost import log as tm
from watchpost import redaction
from watchpost.config.fields import Secret

CANARY = "c4narySecretValue0123456789"


@pytest.fixture(autouse=True)
def _forget() -> Iterator[None]:
    """Also the log is as it was, afterwards."""
    known, handlers = set(redaction._known), logging.getLogger().handlers[:]
    logging.getLogger().handlers = []
    yield
    logging.getLogger().handlers = handlers
    structlog.reset_defaults()
    redaction._known.clear()
    redaction._known.update(known)


@pytest.mark.parametrize(
    ("secret", "said"),
    [
        ("hunter2pass", "535 authentication with hunter2pass failed"),
        ("p@ss w/rd", "GET /?x=p%40ss%20w%2Frd"),
        ("whsec_QUJDREVGR0g", "key QUJDREVGR0g is not base64"),
        ('quo"ted\\secret', json.dumps({"body": 'quo"ted\\secret'})),
        (
            "-----BEGIN KEY-----\nMIIEvQIBADANBgkqhkiG9w0BAQEFAASC\n-----END KEY-----",
            "MIIEvQIBADANBgkqhkiG9w0BAQEFAASC",
        ),
        ("https://hooks.example.org/services/T1/B2/XyZ98765", "POST /services/T1/B2/XyZ98765: 404"),
        ("redis://:s3cr3tPw@queue.example.org:6379/0", "AUTH s3cr3tPw failed"),
    ],
)
def test_a_secret_is_taken_out_in_each_form(secret: str, said: str) -> None:
    Secret(secret)
    clean = redaction.clean(said)
    assert redaction.MASK in clean
    for part in (secret, "hunter2", "p%40ss", "QUJDR", "quo", "MIIEv", "XyZ98765", "s3cr3tPw"):
        assert part not in clean


@pytest.mark.parametrize(
    ("said", "clean"),
    [
        ("redis://user:pw@host:6379/0 is away", "redis://***@host:6379/0 is away"),
        ("https://x.example/feed?format=rss&token=abc123", "https://x.example/feed?format=rss&token=***"),
        ("https://x.example/feed?u=0a1b2c3d4e5f6a7b8c", "https://x.example/feed?u=***"),
        ("Authorization: Bearer abcdefgh.1234", "Authorization: Bearer ***"),
        (
            "moved for good to https://x.example/new/feed?format=rss",
            "moved for good to https://x.example/new/feed?format=rss",
        ),
        ("Is Mali asking for more? The basic answer is no.", "Is Mali asking for more? The basic answer is no."),
    ],
)
def test_what_looks_like_a_secret_goes_and_the_rest_stays(said: str, clean: str) -> None:
    assert redaction.clean(said) == clean


def test_a_word_in_a_secret_address_stays_a_word() -> None:
    Secret("https://ingest.example.org/hooks/watchpost")
    assert redaction.clean("watchpost 0.1.0: POST /hooks/watchpost failed") == "watchpost 0.1.0: POST *** failed"


def test_the_name_of_a_feeds_file_is_no_token_and_an_unbroken_one_is() -> None:
    redaction.know_address("https://x.example/rss/news-of-2024-africa.xml")
    redaction.know_address("https://x.example/private/4f2a9c0de1b84f2a9c0d/rss")
    said = "/rss/news-of-2024-africa.xml and /private/4f2a9c0de1b84f2a9c0d/rss"
    assert redaction.clean(said) == "/rss/news-of-2024-africa.xml and /private/***/rss"


def test_a_short_value_is_not_taken_out_of_every_word() -> None:
    Secret("news")
    assert redaction.clean("the news of the day") == "the news of the day"


def _said(form: str) -> str:
    out = io.StringIO()
    tm.set_up_log(form, "info", out)
    Secret(CANARY)
    tm.log().warning("warning", text=f"a\x1b[2J\nforged line {CANARY}", nested={"list": [CANARY, Secret("x")]})
    try:
        raise ValueError(CANARY)
    except ValueError:
        tm.log().exception("source.raised", source="rfi")
    logging.getLogger("somebody.else").error("said %s\nand more", CANARY)
    return out.getvalue()


@pytest.mark.parametrize("form", ["json", "console"])
def test_no_line_of_the_log_holds_it_whoever_writes_it(form: str) -> None:
    said = _said(form)
    assert CANARY not in said
    assert said.count(redaction.MASK) >= 3
    assert "\x1b[2J" not in said
    assert "\nforged" not in said
    assert "\nand more" not in said


def test_a_line_for_machines_is_one_object_with_the_agreed_keys() -> None:
    first = json.loads(_said("json").splitlines()[0])
    assert {"ts", "level", "event", "text"} <= first.keys()
    assert first["nested"] == {"list": ["***", "Secret(***)"]}
