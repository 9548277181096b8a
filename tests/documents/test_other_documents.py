"""What is said of an answer that is no feed: an operator sees what the server sent instead."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from watchpost.documents.feed import read_feed
from watchpost.errors import FetchError

NOW = datetime(2026, 11, 27, 12, 0, tzinfo=UTC)
LOGIN = "<html><head><title>Sign\n in</title></head><body><input name=u><input type='password'></body></html>"
CHECK = (
    "<!DOCTYPE html><html><head><title>Just a moment...</title></head><body><div id='cf-challenge'></div></body></html>"
)
SALE = "<html><head><title>desk.example</title></head><body>This domain may be for sale.</body></html>"
BUSY = "<!doctype html><html><head><title>503 &lt;busy&gt;</title></head><body><h1>Sorry</h1></body></html>"


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (LOGIN, 'this is an HTML page, not a feed: a login ("Sign in")'),
        (CHECK, 'a check that a browser is used, which only a person passes ("Just a moment...")'),
        (SALE, 'a domain that is for sale ("desk.example")'),
        (BUSY, 'this is an HTML page, not a feed: "503 <busy>"'),
        ("<html><body>Hello</body></html>", "this is an HTML page, not a feed"),
        (LOGIN + "x" * 70_000, 'this is an HTML page, not a feed: "Sign in"'),
        (
            "<?xml version='1.0'?><Error><Message>Access Denied</Message></Error>",
            'its root is <Error>, "Access Denied"',
        ),
        ("<opml version='2.0'><body/></opml>", "its root is <opml>"),
        ("Error establishing a database connection", 'it begins "Error establishing a database connection"'),
        ("x \x1b[31m" + "y" * 100, 'it begins "x [31m'),
        ('{"error": {"message": "rate limited"}}', 'this is JSON, but not a JSON Feed: "rate limited"'),
        ('{"articles": []}', "this is JSON, but not a JSON Feed"),
    ],
)
def test_what_is_said_of_it(answer: str, said: str) -> None:
    with pytest.raises(FetchError) as caught:
        read_feed(answer.encode(), now=NOW)
    assert caught.value.reason == "not_a_feed"
    assert said in caught.value.detail
    assert "\x1b" not in caught.value.detail
    assert len(caught.value.detail) < 250


def test_a_page_that_names_feeds_says_which() -> None:
    page = LOGIN.replace("<title>", "<link rel='alternate' type='application/rss+xml' href='/f'><title>")
    with pytest.raises(FetchError, match=r"feeds that it names: https://desk\.example/f"):
        read_feed(page.encode(), now=NOW, url="https://desk.example/")
