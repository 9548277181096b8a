"""Compiled topics: what changes is live at once, and what is looked for first follows what comes in."""

from __future__ import annotations

from random import Random

from tests.making import WHEN, article
from tests.query.crowd import Crowd
from watchpost.match.matcher import MOST_EDITS, SAMPLED, SMALLEST_SAMPLE, Topics
from watchpost.match.signatures import signature
from watchpost.model import Topic
from watchpost.query.parser import parse


def topic(name: str, query: str) -> Topic:
    return Topic(name, name.title(), parse(query))


def names(topics: Topics, body: str) -> list[str]:
    return [hit.topic for hit in topics.match(article("A title", body=body), WHEN)]


def test_an_update_changes_adds_and_removes_and_keeps_the_order() -> None:
    topics = Topics([topic("a", "gao"), topic("b", "kidal"), topic("c", "mopti")])
    assert names(topics, "Gao, Kidal, Mopti") == ["a", "b", "c"]
    topics.update([topic("d", "segou"), topic("b", "kidal"), topic("a", "timbuktu")])
    assert names(topics, "Gao, Kidal, Mopti") == ["b"]
    assert names(topics, "Ségou, Kidal, Timbuktu") == ["d", "b", "a"]


def test_a_topic_whose_named_query_changed_is_compiled_anew() -> None:
    topics = Topics([Topic("a", "A", parse("@place", {"place": "gao"}))])
    assert names(topics, "Gao") == ["a"]
    topics.update([Topic("a", "A", parse("@place", {"place": "kidal"}))])
    assert names(topics, "Gao") == []
    assert names(topics, "Kidal") == ["a"]


def test_many_changes_at_once_end_in_the_same() -> None:
    crowd, random = Crowd(7), Random(7)
    first = [Topic(name, name, query) for name, query in crowd.queries(3 * MOST_EDITS).items()]
    second = [Topic(one.name, one.title, random.choice(first).query) for one in first[::2]]
    updated, fresh = Topics(first), Topics(second)
    updated.update(second)
    for _ in range(20):
        fields = crowd.fields()
        body = article(fields["title"], body=fields["body"])
        assert [hit.topic for hit in updated.match(body, WHEN)] == [hit.topic for hit in fresh.match(body, WHEN)]


def test_what_is_looked_for_first_follows_what_comes_in() -> None:
    topics = Topics([topic("rare", "township AND gao")])
    common = article("Weather", body="In the township it rains.")
    text = "In the township of Gao it rains."
    assert topics.refinement() is None
    for _ in range(SAMPLED * SMALLEST_SAMPLE):
        topics.match(common, WHEN)
    refinement = topics.refinement()
    assert refinement is not None
    base, _ = compacted = refinement()
    assert base.anchored == {"rare": (" gao ",)}, "the longer word is in every article"
    assert topics.refinement() is None, "nothing new since"
    topics.update([topic("rare", "township AND gao"), topic("late", "township")])
    topics.adopt(compacted)
    assert names(topics, text) == ["rare", "late"], "a topic that came meanwhile stays"
    assert names(topics, "In the township it rains.") == ["late"]


def test_hits_and_signature_have_the_figures_of_the_decoded_text() -> None:
    text = "The army&#039;s 27 trucks left Gao."
    for one in (article("Gao", body=text), article("Gao", summary=text, body="")):
        (hit,), signed = Topics([topic("a", "gao")]).signed(one, WHEN)
        assert signed == signature(one)
        assert hit.figures == signature(one).figures == ("27",)


def test_an_article_without_hits_has_no_signature() -> None:
    assert Topics([topic("a", "gao")]).signed(article("Kidal", body="Kidal"), WHEN) == ((), None)
