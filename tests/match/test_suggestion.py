"""What is proposed out of verdicts, and the effect that it is said to have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.making import WHEN, article
from watchpost.match.suggestion import suggest
from watchpost.model import HitVerdict, Topic
from watchpost.names.library import Entity
from watchpost.query.parser import parse
from watchpost.query.tree import Query

OWN = {"tower": Entity("organisation", names=("Mali Tower",), aliases=("Mali",), near=("office",))}


def read(text: str, unless: Mapping[str, tuple[str, ...]]) -> Query:
    entities = {name: one._replace(unless=(*one.unless, *unless.get(name, ()))) for name, one in OWN.items()}
    return parse(text, {}, entities)


def topic(query: str = "mali", exclude: str = "") -> Topic:
    return Topic("mali", "Mali", read(query, {}), exclude=read(exclude, {}) if exclude else None)


def verdicts(wrong: list[str], right: list[str]) -> list[HitVerdict]:
    return [
        HitVerdict("mali", article(title, body=""), relevant, "anna", WHEN)
        for relevant, titles in ((False, wrong), (True, right))
        for title in titles
    ]


WRONG = ["The new Mali GPU has cores", "Mali GPU driver update", "Benchmarks of the Mali GPU", "Old Mali GPU again"]
RIGHT = ["Mali votes on Sunday", "Soldiers in Mali", "Mali and Niger sign", "Mali GPU coder flees Bamako"][:3]


def test_a_name_that_only_wrong_hits_have_becomes_an_unless_before_an_exclude() -> None:
    recent = [article("A Mali GPU for phones", body=""), article("Weather", body="")]
    first, second = suggest(topic(), verdicts(WRONG, RIGHT), recent, read)
    assert (first.kind, first.text) == ("unless", '(mali) UNLESS ("mali gpu")')
    assert str(first) == "removes 4 of 4 marked as not relevant, loses 0 of 3 marked as relevant, changes 1 more"
    assert [each.title for each in first.changed] == ["A Mali GPU for phones"]
    assert (second.kind, second.text) == ("exclude", "gpu")


def test_an_exclude_is_joined_to_the_one_that_is_there() -> None:
    proposals = suggest(topic("mali AND (gpu OR votes)", "opera OR ballet"), verdicts(WRONG, RIGHT[:1]), [], read)
    (only,) = proposals  # AND has no place in the text, so no UNLESS
    assert only.kind == "exclude"
    assert only.text.startswith("(opera OR ballet) OR ")
    assert (only.removed, only.lost) == (4, 0)


def test_a_comment_in_the_query_stays_a_comment() -> None:
    first, _ = suggest(topic("mali # the country\n"), verdicts(WRONG, RIGHT), [], read)
    assert first.text == '(\nmali # the country\n) UNLESS ("mali gpu")'
    assert first.removed == 4


def test_an_entity_of_the_operator_gets_a_guard() -> None:
    wrong = ["Office for the Mali Band", "The Mali Band has an office", "Mali Band office hours"]
    right = ["Mali has an office here", "Office tower: Mali Tower"]
    proposals = suggest(topic("entity:tower"), verdicts(wrong, right), [], read, OWN)
    guard = next(each for each in proposals if each.kind == "entity")
    assert (guard.entity, guard.text) == ("tower", "mali band")
    assert (guard.removed, guard.lost) == (3, 0)


def test_nothing_is_proposed_where_nothing_tells_the_hits_apart() -> None:
    assert suggest(topic(), verdicts([], RIGHT), [], read) == ()
    assert (
        suggest(topic(), verdicts(["Mali votes", "Mali votes again"], ["Mali votes again and again"]), [], read) == ()
    )
    gone = verdicts(["Weather in Gao", "Rain"], [])
    assert suggest(topic(), gone, [], read) == (), "the topic matches them no more"


def test_a_common_word_is_no_reason() -> None:
    recent = [article(f"Report {number} about the cores of apples", body="") for number in range(60)]
    wrong = ["Mali cores", "Cores of Mali", "Mali: cores"]
    assert all("cores" not in each.phrases for each in suggest(topic(), verdicts(wrong, []), recent, read))


WORDS = st.sampled_from(["mali", "gpu", "votes", "army", "driver", "opera", "gao"])
TEXTS = st.lists(st.lists(WORDS, min_size=1, max_size=5).map(" ".join), max_size=6, unique=True)


@settings(max_examples=60, deadline=10_000)
@given(TEXTS, TEXTS, TEXTS)
def test_the_effect_is_what_the_changed_topic_does(wrong: list[str], right: list[str], recent: list[str]) -> None:
    before = topic()
    given_verdicts = verdicts(wrong, [each for each in right if each not in wrong])
    others = [article(each, body="") for each in recent]
    for proposal in suggest(before, given_verdicts, others, read):
        after = (
            replace(before, query=read(proposal.text, {}))
            if proposal.kind == "unless"
            else replace(before, exclude=read(proposal.text, {}))
        )
        removed = [
            one for one in given_verdicts if holds(before, one.article.title) and not holds(after, one.article.title)
        ]
        assert proposal.removed == sum(not one.relevant for one in removed)
        assert proposal.lost == sum(one.relevant for one in removed)
        assert proposal.removed > proposal.lost


def holds(one: Topic, title: str) -> bool:
    from watchpost.match.matcher import match

    return bool(match(article(title, body=""), [one], WHEN))
