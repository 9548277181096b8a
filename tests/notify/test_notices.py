"""The digest that receivers are tried with is marked as a test in each form."""

from __future__ import annotations

import json
from datetime import timedelta

import pytest

from tests.notify.digests import WHEN
from watchpost.notify.digest_builder import Installation
from watchpost.notify.notices import sample_digest
from watchpost.notify.receivers import slack
from watchpost.notify.render import html, payload, plain, sentences

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(("language", "mark"), [("en", "TEST MESSAGE"), ("fr", "MESSAGE D’ESSAI")])
def test_every_form_is_marked(language: str, mark: str) -> None:
    digest = sample_digest("desk", WHEN, Installation(language=language))
    (blocks,) = slack.lay_out(digest)[1]
    assert mark in sentences.subject(digest)
    assert mark in blocks
    assert mark in plain.plain(digest)
    assert mark in html.page(digest)
    assert json.loads(payload.payload(digest))["test"] is True


def test_a_later_test_is_another_message() -> None:
    first, same, later = (sample_digest("desk", when, Installation()) for when in (WHEN, WHEN, WHEN + SECOND))
    assert first == same
    assert first.id != later.id
