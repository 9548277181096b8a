"""The edition that receivers are tried with says everywhere that it is a test."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.notify.editions import WHEN
from watchpost.notify.digest import Installation
from watchpost.notify.notices import sample_digest
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, payload, plain, sentences

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("language", "mark"), [("en", "TEST MESSAGE"), ("fr", "MESSAGE D'ESSAI")])
def test_every_edition_is_marked(language: str, mark: str) -> None:
    digest = sample_digest("desk", WHEN, Installation(language=language))
    (blocks,) = slack.lay_out(digest)[1]
    assert mark in sentences.subject(digest)
    assert mark in blocks
    assert mark in plain.plain(digest)
    assert mark in html.page(digest).replace("&#39;", "'")
    assert json.loads(payload.payload(digest))["test"] is True


def test_a_later_test_is_another_message() -> None:
    first, same, later = (sample_digest("desk", when, Installation()) for when in (WHEN, WHEN, WHEN + SECOND))
    assert first == same
    assert first.id != later.id
