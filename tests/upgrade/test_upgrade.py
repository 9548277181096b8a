"""A data directory, and a Redis, of an earlier version go on with the present one: nothing is lost, nothing told twice.

Each fixture is data-NAME.tar.gz with its configuration and what was known of it when it was stopped: make_fixture.py.
Nothing here imports watchpost: it is asked by its commands, over HTTP, by its files and by its messages.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest

from tests.upgrade import news
from tests.upgrade.aging import moved_time
from tests.upgrade.going_on import Fixture, History, Place, go_on
from tests.upgrade.stage import Post

FIXTURES = sorted(Path(__file__).parent.glob("data-*.json"))
PLACES: tuple[Place, ...] = ("embedded", "external")
Lived = Callable[[Path, Place], History]


@pytest.fixture(scope="module")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Lived:
    """What the present version does with each fixture and store: once for all tests, and side by side."""
    with ThreadPoolExecutor(len(PLACES)) as pool:
        lives = {
            (path, place): pool.submit(go_on, Fixture(path), tmp_path_factory.mktemp("day"), place)
            for path in FIXTURES
            for place in PLACES
        }
    return lambda path, place: lives[path, place].result()


@pytest.fixture(
    params=[(path, place) for path in FIXTURES for place in PLACES], ids=lambda both: f"{both[0].stem}-{both[1]}"
)
def history(request: pytest.FixtureRequest, lived: Lived) -> History:
    """On a data directory of that version, and with its store in a server of the operator's own."""
    return lived(*request.param)


@pytest.fixture(params=FIXTURES, ids=lambda path: path.stem)
def embedded(request: pytest.FixtureRequest, lived: Lived) -> History:
    """Only on the data directory: there is more news there, and more deeds."""
    return lived(request.param, "embedded")


def test_nothing_that_had_arrived_is_sent_again(history: History) -> None:
    fixture = history.fixture
    assert not {post.id for post in history.posts} & {post["id"] for post in fixture.told("archive", "desk")}
    again = {(post.hook, title) for post in history.posts for title in post.titles}
    assert not again & {(post["hook"], title) for post in fixture.told("archive", "desk") for title in post["titles"]}
    kept = {name: hashlib.sha256(content).hexdigest() for name, content in history.outbox.items()}
    assert kept.items() >= fixture.facts["files"].items(), "and the files of then lie there as they were"


def test_a_message_that_only_the_journal_knows_has_arrived(history: History) -> None:
    last = history.fixture.last_of("desk")
    assert last["titles"] == [news.BANK.title]
    assert last["id"] not in {post.id for post in history.posts}
    assert last["id"].removeprefix("msg_") not in {one["id"] for one in _deliveries(history.shown)}


def test_feeds_are_asked_with_the_validators_that_they_gave(history: History) -> None:
    sahel, north, night = history.first["sahel"], history.first["north"], history.first["night"]
    assert sahel["if-none-match"] == '"sahel-2"'
    assert sahel["if-modified-since"] == "Thu, 26 Nov 2026 07:30:00 GMT"
    assert north["if-modified-since"] == "Thu, 26 Nov 2026 08:00:00 GMT"
    assert night["if-none-match"] == 'W/"night-2"'


def test_what_was_read_is_not_new_and_what_was_read_and_not_looked_at_is_told(history: History) -> None:
    before, now = (facts["ledger"] for facts in (history.fixture.shown("queue status"), history.shown["queue status"]))
    assert now["new"] == before["new"]
    assert now["matched"] == before["matched"] + 1, "the article that was queued at the stop"
    for hook in ("archive", "desk"):
        (story,) = (story for post in _to(history.at_start, hook) for story in _stories(post, news.TRAIN.title))
        assert story["status"] == "new"
    assert {title for post in _to(history.at_start, "desk") for title in post.titles} == {news.TRAIN.title}


def test_an_update_that_was_held_comes_with_what_was_said_before(history: History) -> None:
    (story,) = (story for post in _to(history.at_start, "archive") for story in _stories(post, news.CORRECTED))
    assert story["status"] == "updated"
    assert story["change"]["former_title"] == news.TALKS.title
    assert {post.hook for post in history.at_start} == {"archive", "desk"}


def test_silences_are_listed_as_they_were(history: History) -> None:
    assert history.shown["silence list"] == history.fixture.shown("silence list")


def test_what_waits_is_listed_as_it_was(history: History) -> None:
    fixture, arrived = history.fixture, history.fixture.last_of("desk")["id"].removeprefix("msg_")
    before = [one for one in _deliveries(fixture.facts["shown"]) if one["id"] != arrived]
    moved = {"created", "due"}
    for one in before:
        one |= {key: one[key] and moved_time(one[key], fixture.days) for key in moved}
    assert {one["state"] for one in before} == {"dead", "retrying", "held"}
    assert _deliveries(history.shown) == before


def test_everything_is_accounted_for(history: History) -> None:
    before, now = history.fixture.shown("queue status"), history.shown["queue status"]
    assert now["gaps"] == []
    assert now["parked"] == before["parked"] - 1 + 2, "one was held, and one article more waits for two editions"
    assert (now["retry"], now["dead"], now["outbox"]["closed"]) == (1, 1, 1)
    assert now["receivers"] == before["receivers"]


def test_a_dead_letter_is_replayed_with_its_id_and_its_bytes(history: History) -> None:
    (done,) = (said for words, said in history.acted.items() if words.startswith("delivery replay"))
    assert done == {"replayed": 1, "failed": 0}
    (post,) = _to(history.after_acts, "refusing")
    _is_the_same(post, history.fixture.last_of("refusing"))
    assert post.replays == "1"


def test_parked_hits_come_in_a_digest_without_what_is_silenced(history: History) -> None:
    (post,) = _to(history.after_acts, "evening")
    (draft,) = history.fixture.shown("digest preview evening")["drafts"]
    stories = {story["title"]: story["id"] for story in post.stories}
    parked = {story["title"]: f"st_{story['story']}" for story in draft["ranking"]}
    assert stories.items() >= parked.items(), "the same stories, under the same ids"
    assert set(stories) - set(parked) == {news.TRAIN.title}
    assert json.loads(post.body)["data"]["counts"]["silenced"] == 3
    assert not {news.WELLS.title, news.MATCH.title, "A letter on mangoes"} & set(stories)


def test_a_message_that_waits_for_a_later_attempt_is_hurried_with_its_id_and_its_bytes(embedded: History) -> None:
    assert embedded.acted["queue retry --receiver busy"] == {"retried": 1, "failed": 0}
    (post,) = _to(embedded.after_acts, "busy")
    _is_the_same(post, embedded.fixture.last_of("busy"))


def test_a_receiver_that_was_disabled_is_enabled_and_gets_what_was_kept_for_it(embedded: History) -> None:
    assert embedded.acted["receiver enable closed"]["enabled"] == "closed"
    (post,) = _to(embedded.after_acts, "closed")
    _is_the_same(post, embedded.fixture.last_of("closed"))


def test_a_reader_who_left_gets_no_mail_and_the_link_in_the_old_one_still_leads_somewhere(embedded: History) -> None:
    assert embedded.way_out == 200
    (mail,) = embedded.mails
    assert mail.recipients == ["stays@example.org"]
    message = message_from_bytes(mail.content, policy=policy.default)
    known = {one["id"] for one in embedded.fixture.facts["mails"]}
    assert message["Message-ID"] not in known
    body = message.get_body(("plain",))
    assert body is not None
    text = " ".join(body.get_content().split())
    assert all(title in text for title in (news.CONVOY.title, news.CORRECTED, news.TRAIN.title))
    assert "UPDATE" in text, "the first edition told of the talks under another headline"
    assert news.LEAVING.title not in text, "the first edition told of it, and nothing came since"


def test_feeds_are_listed_as_they_were_and_one_that_is_gone_is_not_asked(embedded: History) -> None:
    assert embedded.ended == 0
    before = {one["name"]: one for one in embedded.fixture.shown("feed list")["feeds"]}
    now = {one["name"]: one for one in embedded.shown["feed list"]["feeds"]}
    for name, feed in now.items():
        for key in ("url", "state", "every", "reason", "detail"):
            assert feed[key] == before[name][key], (name, key)
        assert bool(feed["cure"]) == bool(before[name]["cure"]), name
        since = before[name]["failing_since"]
        assert feed["failing_since"] == (since and moved_time(since, embedded.fixture.days)), name
    assert now["troubled"]["failures"] > before["troubled"]["failures"], "failures are counted on"


def test_a_copy_of_what_was_told_is_no_news_and_another_headline_is(embedded: History) -> None:
    told = {title for post in embedded.after_news for title in post.titles}
    assert told == {news.LIBRARY.title, news.RECOUNTED}
    (story,) = (story for post in _to(embedded.after_news, "desk") for story in _stories(post, news.RECOUNTED))
    assert story["status"] == "updated"
    assert story["change"]["former_title"] == news.CONVOY.title
    fresh = [content for name, content in embedded.outbox.items() if name not in embedded.fixture.facts["files"]]
    bodies = [json.loads(content) for content in fresh if content.startswith(b'{"type"')]
    titles = sorted(story["title"] for body in bodies for story in body["data"]["stories"])
    assert titles == sorted([news.TRAIN.title, news.RECOUNTED])


def test_articles_and_hits_of_then_can_be_read(embedded: History) -> None:
    read = {line["text"] for line in embedded.left["topic test mali --since 2d"] if line["matches"]}
    then = {news.TALKS.title, news.CORRECTED, news.CONVOY.title, news.BANK.title, news.LEAVING.title}
    assert read >= then
    (draft,) = embedded.left["digest preview archive --since 2d"]["drafts"]
    assert {story["title"] for story in draft["ranking"]} >= {news.LEAVING.title, news.TRAIN.title}
    assert embedded.left["queue status"]["gaps"] == []
    ledger, before = embedded.left["queue status"]["ledger"], embedded.fixture.shown("queue status")["ledger"]
    assert ledger["new"] == before["new"] + 3
    assert ledger["since"] == before["since"] + embedded.fixture.days * 86_400_000


def _deliveries(shown: dict[str, Any]) -> list[dict[str, Any]]:
    return [dict(one) for one in shown["delivery list"]["deliveries"]]


def _to(posts: list[Post], hook: str) -> list[Post]:
    return [post for post in posts if post.hook == hook]


def _stories(post: Post, title: str) -> list[dict[str, Any]]:
    return [story for story in post.stories if story["title"] == title]


def _is_the_same(post: Post, before: dict[str, Any]) -> None:
    assert (post.id, hashlib.sha256(post.body).hexdigest()) == (before["id"], before["sha256"])
