"""Copies of a text join its story, whatever editors do to them; other texts stay apart. The rules, in memory.

tests/contracts/test_stories.py puts the same articles to the store.
"""

from __future__ import annotations

import json
import random
from collections.abc import Sequence
from dataclasses import replace
from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.match.newsroom import BOILERPLATE, REPORT, SIBLING, WHEN, bulletin, edited, told
from watchpost.documents.figures import figures
from watchpost.documents.parse import read_feed_document, read_json_lines
from watchpost.match.signatures import signature
from watchpost.match.stories import Shelf, contained
from watchpost.model import SKETCH, Article


def stories(*articles: Article) -> list[str]:
    """The story of each, told in this order."""
    shelf = Shelf()
    return [shelf.decide(signature(one), WHEN).story for one in articles]


def together(*articles: Article) -> bool:
    return len(set(stories(*articles))) == 1


@given(st.integers(0, 10**9))
@settings(max_examples=60, deadline=None)
def test_an_edited_copy_joins_its_story_and_a_text_of_ones_own_does_not(seed: int) -> None:
    copy = told(edited(random.Random(seed)), "Fuel runs out", "Copyist")
    original, sibling = told(REPORT, "Nine lorries burn", "Agency"), told(SIBLING, "Pumps run dry", "Paper")
    assert together(original, copy)
    assert together(copy, original), "whoever comes first"
    assert len(set(stories(original, sibling, copy))) == 2
    assert len(set(stories(copy, sibling))) == 2


def test_a_later_version_belongs_to_the_story_of_the_one_before_however_short_it_is() -> None:
    first = told(("Pumps ran dry.",), "Nine die", "Paper")
    later = replace(told(("Wells.",), "Ten die", "Paper"), revises=first.id)
    assert together(first, later)
    assert not together(first, replace(later, revises=""))


BULLETINS = ("Two lorries burned near Ansongo.", "The market of Hombori reopened.", "Wells were poisoned at Lere.")


@pytest.mark.parametrize("repeats", [1, 12], ids=["short", "long"])
@pytest.mark.parametrize("listed", [1, 2, 3], ids=["one at first", "two at first", "all at once"])
def test_bulletins_with_one_address_and_one_headline_are_as_many_stories(repeats: int, listed: int) -> None:
    items = [rss_item(f"b{number}", text * repeats) for number, text in enumerate(BULLETINS)]
    first, second = visit("port", items[:listed]), visit("port", items[::-1])
    told_before = {article.id for article in first}
    later = [article for article in second if article.id not in told_before]
    assert len(set(stories(*first, *later))) == 3


def test_bulletins_in_json_lines_with_one_address_and_one_headline_are_as_many_stories() -> None:
    head = {"title": "Bulletin of the port", "url": "https://port.example/bulletin"}
    lines = [json.dumps({"id": f"b{number}", "body": text, **head}) for number, text in enumerate(BULLETINS)]
    articles = read_json_lines("port.jsonl", "\n".join([*lines, ""]).encode(), WHEN).articles
    assert len(articles) == len(set(stories(*articles))) == 3


def test_an_entry_in_two_feeds_that_list_it_once_is_one_story_and_so_is_an_entry_that_is_listed_under_two_ids() -> None:
    one, other = rss_item("b1", BULLETINS[0]), rss_item("b2", BULLETINS[1])
    assert together(*visit("port", [one]), *visit("coast", [other])), "another summary of the same page"
    assert together(*visit("port", [rss_item("b1", BULLETINS[0]), rss_item("b2", BULLETINS[0])]))
    assert together(*visit("port", [rss_item("b1", ""), rss_item("b2", "")])), "links without a text"


def rss_item(guid: str, text: str) -> str:
    head = "<title>Bulletin of the port</title><link>https://port.example/bulletin</link>"
    return f'<item>{head}<guid isPermaLink="false">{guid}</guid><description>{text}</description></item>'


def visit(source: str, items: Sequence[str]) -> Sequence[Article]:
    body = f'<rss version="2.0"><channel><title>{source}</title>{"".join(items)}</channel></rss>'
    return read_feed_document(body.encode(), now=WHEN, source=source).articles


def test_two_outlets_with_the_same_boilerplate_have_not_told_the_same() -> None:
    one = told((*REPORT[:3], *BOILERPLATE), "Nine lorries burn", "Paper")
    assert not together(one, told((*SIBLING[:3], *BOILERPLATE), "Pumps run dry", "Another"))


def test_what_stands_under_everybodys_texts_holds_no_story_together() -> None:
    shelf, chance = Shelf(), random.Random(3)
    words = " ".join((*REPORT, *SIBLING)).split()
    for number in range(8):  # texts that are longer than their boilerplate, so that they are told apart
        chance.shuffle(words)
        long = told((" ".join(words[:70]), *BOILERPLATE), f"Long {number}", f"Paper {number}")
        assert shelf.decide(signature(long), WHEN).opens
    short = [told((part, *BOILERPLATE), f"Short {number}", f"Paper {number}") for number, part in enumerate(REPORT)]
    assert all(shelf.decide(signature(one), WHEN).opens for one in short)


def test_the_bulletins_of_different_days_are_different_stories() -> None:
    assert len(set(stories(*(bulletin(day) for day in range(10, 20))))) == 10


def test_a_copy_of_a_bulletin_is_no_other_bulletin() -> None:
    assert together(bulletin(10), told(bulletin(10).body.split("\n\n"), "Security in Mali", "Copyist"))


def test_an_update_of_the_next_day_stays_in_its_story() -> None:
    later = (REPORT[0], REPORT[1], REPORT[2].replace("Eleven", "Fourteen"), *REPORT[3:], "Two more people died.")
    first = told(REPORT, "Nine lorries burn", "Agency")
    assert together(first, told(later, "Nine lorries burn (updated)", "Agency", published=WHEN + timedelta(days=1)))


@pytest.mark.parametrize("text", ["Live updates follow.", "", "Mali: talks go on, a source said on Monday in Gao"])
def test_short_texts_are_one_story_only_under_one_headline(text: str) -> None:
    one, two = told((text,), "Talks in Kidal", "A"), told((text,), "Fuel in Bamako", "B")
    assert not together(one, two)
    assert together(one, told((text,), "Talks in Kidal", "C")) == bool(text)


def test_the_same_words_are_the_same_story_without_a_sketch() -> None:
    text = ("Talks go on between the two sides in a house near the river, said a man who brings them tea each noon "
            "and takes the empty cups away at four.",)  # fmt: skip
    assert together(told(text, "Talks", "A"), told(text, "Tea and talks", "B"))


def test_one_address_is_one_story_only_where_headline_or_text_agree() -> None:
    one = told(REPORT[:1], "Nine lorries burn", "A", fingerprints=("url:1",))
    assert together(one, told(SIBLING[:1], "Nine lorries burn", "B", fingerprints=("url:1", "text:2")))
    assert not together(one, told(SIBLING[:1], "Pumps run dry", "B", fingerprints=("url:1", "text:2")))


def test_a_text_finds_its_copies_for_the_window_and_not_longer() -> None:
    first, copy = signature(told(REPORT, "a", "A")), signature(told(REPORT[1:], "b", "B"))
    shelf = Shelf(timedelta(hours=72))
    story = shelf.decide(first, WHEN).story
    assert shelf.decide(copy, WHEN + timedelta(hours=71)).story == story
    assert shelf.decide(signature(told(REPORT[:-1], "c", "C")), WHEN + timedelta(hours=142)).story == story, (
        "the copy is a text of the story too"
    )
    assert shelf.decide(signature(told(REPORT[:-2], "d", "D")), WHEN + timedelta(hours=300)).story != story


def test_asked_again_the_shelf_says_the_same() -> None:
    shelf, one = Shelf(), signature(told(REPORT, "a", "A"))
    first = shelf.decide(one, WHEN)
    assert first.opens
    assert shelf.decide(one, WHEN).story == first.story


def test_a_copy_speaks_with_the_voice_of_what_it_copies_unless_it_credits_somebody() -> None:
    shelf = Shelf()
    agency = told((f"BAMAKO (AFP) – {REPORT[0]}", *REPORT[1:]), "Nine lorries burn", "Courier")
    assert shelf.decide(signature(agency), WHEN).voice == "AFP"
    assert shelf.decide(signature(told(REPORT[:-1], "Fuel", "Copyist")), WHEN).voice == "AFP"
    signed = told((*REPORT, "With reporting by Reuters"), "Fuel", "Signer")
    assert shelf.decide(signature(signed), WHEN).voice == "Reuters"


def test_a_sketch_holds_the_smallest_hashes_and_says_whether_that_is_all() -> None:
    long = signature(told((*REPORT, *SIBLING), "a", "A"))
    short = signature(told(REPORT[:1], "a", "A"))
    assert len(long.sketch) == SKETCH
    assert not long.whole
    assert short.whole
    assert list(long.sketch) == sorted(long.sketch)
    assert contained(long, signature(told(REPORT, "b", "B"))) > 0.9
    assert contained(long, short) in (0.0, 1.0), "few hashes of a short text lie among the smallest of a long one"


def test_figures_are_read_in_any_digits_and_years_are_none() -> None:
    assert figures("In 2026, 1,200 of 1.200 and ٤٥ or 1\u202f200; 45") == ("1200", "45")
