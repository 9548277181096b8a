"""What a change of topics would do: found now, found no longer, each with its reason."""

from __future__ import annotations

from tests.making import WHEN, article
from watchpost.match.matcher import MOST_EVIDENCE, Topics, document, first_places
from watchpost.match.trial import effects
from watchpost.model import Topic
from watchpost.query.parser import parse

ARTICLES = [
    article("Talks", body="Envoys met in Bamako on Monday.", lang="en"),
    article("Dune", body="The barkhane moves with the wind, they say in Bamako.", lang="en"),
    article("Convoi", body="Un convoi est parti de Gao.", lang="fr"),
    article("Ring", body="Wagner was sung for four evenings.", lang="de"),
]


def topic(name: str, query: str, exclude: str = "", languages: tuple[str, ...] = ()) -> Topic:
    return Topic(name, name, parse(query), parse(exclude) if exclude else None, languages=languages)


def told(old: list[Topic], new: list[Topic]) -> dict[str, tuple[int, int, list[str], list[str]]]:
    return {
        one.topic: (
            one.before,
            one.now,
            [f"{moved.article.title}: {moved.why}" for moved in one.gained],
            [f"{moved.article.title}: {moved.why}" for moved in one.lost],
        )
        for one in effects(old, new, ARTICLES)
    }


def test_what_comes_and_goes_has_its_reason() -> None:
    old = [topic("mali", "Bamako OR wind")]
    assert told(old, [topic("mali", "Bamako OR wind OR Gao")])["mali"] == (2, 3, ["Convoi: Gao"], [])
    assert told(old, [topic("mali", "Bamako AND Monday")])["mali"] == (2, 1, [], ["Dune: missing: Monday"])
    assert told(old, [topic("mali", "Bamako", exclude="wind")])["mali"][3] == ["Dune: excluded by: wind"]
    assert told(old, [topic("mali", "Bamako", languages=("fr",))])["mali"][3] == [
        "Talks: its language is en, the topic's are fr",
        "Dune: its language is en, the topic's are fr",
    ]


def test_topics_that_are_new_or_gone() -> None:
    assert told([topic("wagner", "Wagner")], [topic("gao", "Gao")]) == {
        "gao": (0, 1, ["Convoi: Gao"], []),
        "wagner": (1, 0, [], ["Ring: the topic was removed"]),
    }


def test_the_same_topics_move_nothing_and_progress_is_told() -> None:
    done: list[int] = []
    same = [topic("mali", "Bamako")]
    (effect,) = effects(same, same, ARTICLES, done.append)
    assert (effect.before, effect.now, effect.gained, effect.lost) == (2, 2, (), ())
    assert done == [0]


def test_a_trial_finds_what_hits_say() -> None:
    """`Topics.evidence` leaves out only what a hit has besides: the same topics match, by the same places."""
    topics = [
        topic("mali", "Bamako OR wind OR Gao"),
        topic("talks", "Bamako", exclude="wind"),
        topic("french", "Bamako OR Gao", languages=("fr",)),
        topic("none", "zanzibar"),
    ]
    matcher, again = Topics(topics), Topics(topics)
    for one in ARTICLES:
        found, hits = matcher.evidence(document(one)), again.match(one, WHEN)
        assert list(found) == [hit.topic for hit in hits]
        assert [first_places(places, MOST_EVIDENCE) for places in found.values()] == [hit.evidence for hit in hits]
