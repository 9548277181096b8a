"""What webhooks get, and in which form: events, envelopes, sizes, bodies of the operator's own."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.http_server import Answer, HttpServer
from tests.notify.digests import HOSTILE, digest, endless, hostile, usual
from tests.notify.test_receiver_webhook import receiver, send
from watchpost.model import Delivered
from watchpost.notify.render.limits import UnfitError
from watchpost.notify.render.sanitize import clean


def documents_of(sample: Any, **options: Any) -> list[dict[str, Any]]:
    return [json.loads(one.renderings["json"]) for one in receiver("https://e.x/", **options).render(sample)]


@pytest.mark.parametrize(
    ("events", "kind", "expected"),
    [
        (["digest.created", "hit.created"], "digest", [("digest.created", 3)]),
        (["digest.created", "hit.created"], "alert", [("hit.created", 1)] * 3),
        (["digest.created"], "alert", [("digest.created", 3)]),
        (["hit.created"], "digest", [("hit.created", 1)] * 3),
    ],
)
def test_no_hit_is_lost_to_the_choice_of_events(events: list[str], kind: str, expected: list[tuple[str, int]]) -> None:
    documents = documents_of(usual(kind=kind), events=events)
    assert [(one["type"], len(one["data"]["stories"])) for one in documents] == expected
    assert len({one["id"] for one in documents}) == len(documents)


@pytest.mark.parametrize("events", [["digest.created"], ["digest.created", "hit.created"]])
def test_a_flood_alone_is_a_digest_event(events: list[str]) -> None:
    (document,) = documents_of(digest(kind="alert", flooded=(("Mali", 60),)), events=events)
    assert (document["type"], document["data"]["flooded"]) == ("digest.created", [{"topic": "Mali", "count": 60}])


def test_one_message_is_never_longer_than_allowed_and_no_story_is_lost() -> None:
    messages = receiver("https://e.x/", max_bytes="16KiB").render(endless(40))
    assert len(messages) > 1
    assert all(len(one.renderings["json"].encode()) <= 16 * 1024 for one in messages)
    assert sum(len(json.loads(one.renderings["json"])["data"]["stories"]) for one in messages) == 40


async def test_cloudevents_say_so_in_their_type() -> None:
    async with HttpServer() as server:
        server.on("*", Answer(204))
        assert isinstance(await send(receiver(server.url("/hook"), envelope="cloudevents")), Delivered)
    (request,) = server.requests
    assert request.headers["content-type"] == "application/cloudevents+json"
    assert json.loads(request.body)["specversion"] == "1.0"


def test_a_body_of_one_s_own_is_json_whatever_the_news_says() -> None:
    titles = "{% for s in stories %}{{ s.title }}{% if not loop.last %},{% endif %}{% endfor %}"
    own = {"body": f'{{"text": {{{{ subject }}}}, "titles": [{titles}]}}'}
    for text in HOSTILE:
        sample = hostile(text)
        (document,) = documents_of(sample, template=own)
        assert document["titles"] == [clean(sample.stories[0].lead.title)]
    long = {"body": "[{% for s in stories %}{{ s.snippet.text }}, {% endfor %}0]"}
    with pytest.raises(UnfitError, match="longer than 16384 bytes"):
        documents_of(endless(200), template=long, max_bytes="16KiB")


def test_a_digest_that_is_reduced_takes_no_template() -> None:
    (document,) = documents_of(replace(usual(), reduced=True), template={"body": "{}"})
    assert document["schema"] == "watchpost/1"
