"""The profile of a source: who is first, whose texts it prints, and who prints its own."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from tests.making import WHEN, article, hit
from watchpost.model import Hit
from watchpost.operations.source_profile import MOST_TEXTS, Copies, SharedText, hits_of, profile


def report(source: str, story: str, minutes: int, voice: str = "", topic: str = "mali") -> Hit:
    at = WHEN + timedelta(minutes=minutes)
    one = article(
        f"{story} by {source} after {minutes} from {voice}", source=source, outlet=source, published=at, fetched=at
    )
    return hit(article=one, story=story, voice=voice, topic=topic)


def test_who_is_first_and_who_copies_whom_after_how_long() -> None:
    hits = [
        report("courier", "a", 0),
        report("courier", "a", 0, topic="wagner"),
        report("leaf", "a", 10, voice="courier"),
        report("courier", "b", 30),
        report("leaf", "b", 50, voice="courier"),
        report("star", "b", 90, voice="courier"),
        report("courier", "c", 45, voice="star"),
        report("star", "c", 15),
        report("courier", "alone", 60),
        report("leaf", "elsewhere", 0),
    ]
    courier = profile("courier", hits, {})
    assert (courier.reports, courier.own, courier.shared, courier.first) == (4, 3, 3, 2)
    assert courier.copied_from == (Copies("star", 1, timedelta(minutes=30)),)
    assert courier.copied_by == (
        Copies("leaf", 2, timedelta(minutes=15)),
        Copies("star", 1, timedelta(minutes=60)),
    )
    leaf = profile("leaf", hits, {})
    assert (leaf.reports, leaf.own, leaf.shared, leaf.first) == (3, 1, 2, 0)
    assert leaf.copied_from == (Copies("courier", 2, timedelta(minutes=15)),)
    assert leaf.copied_by == ()


def test_the_text_of_an_agency_that_nobody_had_before_has_no_lag() -> None:
    hits = [report("leaf", "a", 0, voice="Agency"), report("star", "a", 5, voice="Agency")]
    assert profile("leaf", hits, {}).copied_from == (Copies("Agency", 1, None),)
    assert profile("leaf", hits, {}).copied_by == (), "the words are the agency's"
    assert profile("star", hits, {}).copied_from == (Copies("Agency", 1, timedelta(minutes=5)),)


def test_of_an_event_the_first_report_in_any_words_counts() -> None:
    hits = [report("leaf", "fr", 0), report("courier", "en", 20), report("star", "ru", 30), report("leaf", "own", 40)]
    events = {"fr": "e", "en": "e", "ru": "e", "own": "f"}
    assert (profile("leaf", hits, events).events, profile("leaf", hits, events).first_of_events) == (1, 1)
    assert (profile("star", hits, events).events, profile("star", hits, events).first_of_events) == (1, 0)
    assert profile("leaf", hits, events).shared == 0, "these are stories of their own"


def test_a_date_in_the_future_does_not_make_a_report_late() -> None:
    early = report("leaf", "a", 0)
    article_ = early.article
    early = hit(
        article=article(
            "a by leaf", source="leaf", outlet="leaf", published=WHEN + timedelta(days=1), fetched=article_.fetched
        ),
        story="a",
    )
    assert profile("leaf", [early, report("star", "a", 30, voice="leaf")], {}).first == 1


def test_how_much_text_a_source_has_of_others() -> None:
    first, own = report("courier", "a", 0), report("leaf", "b", 5)
    copies = [report("leaf", "a", minutes) for minutes in (10, 20, 30, 40)]
    again = report("leaf", "a", 10, topic="wagner")
    shares = (1.0, 0.8, 0.5, 0.46)
    texts = {one.id: SharedText(share, first.article.id) for one, share in zip(copies, shares, strict=True)}
    texts |= {
        again.id: SharedText(1.0, first.article.id),
        report("leaf", "b", 50).id: SharedText(0.9, own.article.id),
        report("leaf", "b", 60).id: SharedText(0.9, "an article that is no hit"),
        first.id: SharedText(1.0, own.article.id),
    }
    hits = [first, own, *copies, again, report("leaf", "b", 50), report("leaf", "b", 60)]
    leaf = profile("leaf", hits, {}, texts)
    assert (leaf.copies, leaf.copied_share, leaf.mostly_copied) == (4, 0.8, 2)
    courier = profile("courier", hits, {}, texts)
    assert (courier.copies, courier.copied_share, courier.mostly_copied) == (1, 1.0, 1)
    assert (profile("leaf", hits, {}).copies, profile("leaf", hits, {}).copied_share) == (0, None)


def test_the_texts_of_the_last_reports_are_compared() -> None:
    hits = [report("leaf", "a", minutes) for minutes in range(MOST_TEXTS + 5)]
    assert hits_of("leaf", [*hits, hits[-1]]) == tuple(hit.id for hit in hits[5:])
    assert hits_of("courier", hits) == ()


SOURCES = ("a", "b", "c")
REPORTS = st.lists(
    st.builds(
        report,
        st.sampled_from(SOURCES),
        st.sampled_from(("s", "t", "u")),
        st.integers(0, 500),
        st.sampled_from(("", *SOURCES, "Agency")),
    ),
    max_size=12,
)


@given(REPORTS, st.dictionaries(st.sampled_from(("s", "t", "u")), st.sampled_from("ef")))
def test_sums_meet_whatever_the_order(hits: list[Hit], events: dict[str, str]) -> None:
    found = {source: profile(source, hits, events) for source in SOURCES}
    assert {source: profile(source, hits[::-1], events) for source in SOURCES} == found
    stories: dict[str, set[str]] = {}
    for one in hits:
        stories.setdefault(one.story, set()).add(one.article.source)
    assert sum(one.first for one in found.values()) == sum(len(sources) > 1 for sources in stories.values())
    for each in found.values():
        assert 0 <= each.own <= each.reports
        assert each.first <= each.shared
        assert each.copies == each.mostly_copied == 0
        assert each.first_of_events <= each.events
        assert all(copies.lag is None or copies.lag >= timedelta() for copies in (*each.copied_from, *each.copied_by))
