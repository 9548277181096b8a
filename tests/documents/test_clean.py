from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.documents.clean import (
    canonical_url,
    clean_line,
    clean_text,
    fingerprints,
    headline,
    language,
    linked_url,
)
from watchpost.documents.entry import EntryDraft, article_of, identities

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
LONG = "Mali has defended its right to make sovereign decisions about how it deals with insurgents. " * 3


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("HTTPS://Example.ORG:443/a?utm_source=x&b=2&a=1&fbclid=q#top", "https://example.org/a?b=2&a=1"),
        ("http://example.org", "http://example.org/"),
        ("http://example.org:8080/?gclid=1", "http://example.org:8080/"),
        ("/news/1?partner=rss&emc=rss", "https://feeds.example/news/1"),
        ("//other.example/x", "https://other.example/x"),
        ("https://user:secret@example.org/a", "https://example.org/a"),
        ("https://example.org/#!/article/5", "https://example.org/#!/article/5"),
        ("https://example.org/?p=1&source=web", "https://example.org/?p=1&source=web"),
        ("https://example.org/a b\n", "https://example.org/a%20b"),
        ("https://[2001:db8::1]:443/a", "https://[2001:db8::1]/a"),
        ("https://example.org/\u202eevil", "https://example.org/evil"),
        ("javascript:alert(1)", ""),
        ("file:///etc/passwd", ""),
        ("urn:uuid:1225c695", ""),
        ("https://[::1", ""),
        ("https://example.org:99999999/", ""),
        ("", ""),
        ("https://example.org/" + "a" * 3000, ""),
    ],
)
def test_links_become_canonical(link: str, url: str) -> None:
    assert canonical_url(link, "https://feeds.example/rss.xml") == url


_PARTS = (
    "http",
    "https",
    "://",
    ":",
    "/",
    "//",
    "coast.example",
    "www.",
    "Coast",
    ".",
    "..",
    "-",
    "a",
    "%20",
    ";",
    "&",
)
_MORE = (
    "=",
    "@",
    "!",
    "'",
    "~",
    "+",
    " ",
    "?",
    "é",
    "<",
    "google.com/url",
    "80",
    70 * "b",
    1500 * "c",
    ":80/",
    "*",
    "\t",
)


@given(
    st.lists(st.sampled_from(_PARTS + _MORE), max_size=8).map(lambda parts: "https://coast.example/" + "".join(parts))
)
def test_an_address_that_is_canonical_as_it_is_is_what_all_steps_make_of_it(link: str) -> None:
    """With an empty fragment it takes all steps."""
    for start in ("https://coast.example/", "http://9.9/", "https://Coast.example/", "https://a.b:80/", "https://x/"):
        other = link.replace("https://coast.example/", start, 1).strip()
        for base in ("", "https://feeds.example/rss.xml"):
            assert canonical_url(other, base) == canonical_url(f"{other}#", base)
            assert linked_url(other, base) == linked_url(f"{other}#", base)


@pytest.mark.parametrize(
    ("link", "url"),
    [
        ("https://example.org/live#post-3", "https://example.org/live#post-3"),
        ("/live?b=2&utm_source=x#post 3", "https://feeds.example/live?b=2#post%203"),
        ("https://example.org/live#xtor=RSS-1", "https://example.org/live"),
        ("https://example.org/live#utm_source=rss&utm_medium=x&p=3", "https://example.org/live#p=3"),
        ("https://example.org/#!/article/5", "https://example.org/#!/article/5"),
        ("https://example.org/live#", "https://example.org/live"),
        ("https://example.org/live#\u202eevil", "https://example.org/live#evil"),
        ("https://example.org/live#" + "a" * 3000, "https://example.org/live"),
        ("javascript:alert(1)#a", ""),
        ("#post-3", "https://feeds.example/rss.xml#post-3"),
        ("", ""),
    ],
)
def test_a_reader_is_led_to_the_place_in_the_page(link: str, url: str) -> None:
    assert linked_url(link, "https://feeds.example/rss.xml") == url
    assert canonical_url(url) == canonical_url(link, "https://feeds.example/rss.xml")


def test_text_loses_controls_and_keeps_paragraphs_and_spelling() -> None:
    assert clean_text("a\x00b\r\n\r\n\r\n c\t d \n e\u202e\ufeff") == "ab\n\nc d\ne"
    assert clean_line("Mali\u00a0:\u00a0Paris\n\nhausse   le ton") == "Mali\u00a0:\u00a0Paris hausse le ton"
    assert clean_line("Wag\u00adner \ud800") == "Wag\u00adner"
    assert clean_line("می\u200cخواهم") == "می\u200cخواهم"


@pytest.mark.parametrize(
    ("tag", "lang"), [("en-GB", "en"), ("pt_br", "pt"), ("FR", "fr"), ("English", "en"), ("und", "")]
)
def test_languages_are_primary_subtags(tag: str, lang: str) -> None:
    assert language(tag) == lang


def test_fingerprints_are_shared_by_copies_and_by_nobody_else() -> None:
    one = fingerprints("https://www.example.org/a/", "Title", LONG)
    two = fingerprints("http://example.org/a", "TITLE", LONG.upper().replace(".", " ."))
    assert one == two
    assert [text.partition(":")[0] for text in one] == ["url", "text"]
    assert not set(one) & set(fingerprints("http://example.org/a?p=2", "Title", LONG + "No."))
    assert fingerprints("", "Title", "Live updates") == ()


def test_an_article_without_title_gets_its_first_words() -> None:
    article = article_of(EntryDraft("", LONG, lang="fr-FR"), article_id="1", source="s", now=NOW, lang="en")
    assert article.title.endswith("…")
    assert LONG.startswith(article.title[:-1])
    assert len(article.title) <= 100
    assert article.lang == "fr"
    assert headline("Short\nmore") == "Short"


def test_absurd_lengths_are_cut() -> None:
    article = article_of(EntryDraft("t" * 10**5, "b" * 10**7, author="a" * 10**4), article_id="1", source="s", now=NOW)
    assert (len(article.title), len(article.author), len(article.body)) == (1000, 200, 1_000_000)


def test_a_guid_that_moves_to_https_is_the_same_entry() -> None:
    before = identities([EntryDraft("T", identity="http://example.org/?p=1&utm_source=rss")])
    after = identities([EntryDraft("T", identity="https://example.org/?p=1")])
    assert before == after


def test_version_numbers_in_guids_announce_only_a_new_headline() -> None:
    first, again, other = (
        identities([EntryDraft(title, identity=f"https://example.org/news/1#{n}")])
        for title, n in (("Mali", 0), ("Mali", 1), ("Mali: new", 2))
    )
    assert first == again != other
    assert identities([EntryDraft("A", identity="https://e.org/log#v1")]) != identities(
        [EntryDraft("A", identity="https://e.org/log#v2")]
    )


def test_ids_that_collide_in_one_document_are_not_believed() -> None:
    same_guid = [
        EntryDraft("A", identity="x", link="https://e.org/1"),
        EntryDraft("B", identity="x", link="https://e.org/2"),
    ]
    assert identities(same_guid) == ("link:e.org/1", "link:e.org/2")
    same_all = [
        EntryDraft("A", identity="x", link="https://e.org/"),
        EntryDraft("B", identity="x", link="https://e.org/"),
    ]
    assert identities(same_all) == ("title:A|", "title:B|")
    twice = [
        EntryDraft("A", identity="x", link="https://e.org/1"),
        EntryDraft("A", identity="x", link="https://e.org/1"),
    ]
    assert identities(twice) == ("id:x", "id:x")
    own = [replace(each, text=text) for each, text in zip(twice, ("One.", "Two."), strict=True)]
    assert len({*identities(own)}) == 2, "texts of their own"
    assert identities([*own, own[0]])[::2] == identities([own[0], own[1], own[0]])[::2]
    assert identities([own[0], twice[1]]) == identities(twice), "listed twice, once without its text"
    live = [EntryDraft("Live", link=f"https://e.org/live#{number}") for number in (1, 2)]
    assert identities(live) == ("link:e.org/live#1", "link:e.org/live#2")
    assert identities(live[:1]) == identities(live)[:1], "listed alone, too"
    dated = [EntryDraft("A", published=datetime(2026, 11, day, 9, tzinfo=UTC)) for day in (1, 2)]
    assert identities(dated) == ("title:A|2026-11-01", "title:A|2026-11-02")
