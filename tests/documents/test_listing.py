"""A page's list of links as entries: guessed, or as selectors say."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from tests.documents import list_pages
from watchpost.documents.list_rule import ListRule
from watchpost.documents.listing import Listing, read_list
from watchpost.documents.parse import read_listing
from watchpost.errors import FetchError

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def read(page: bytes, url: str = "https://site.example/list", **rule: str) -> Listing:
    return read_list(page, ListRule(**rule), now=NOW, url=url)


def titles(listing: Listing) -> list[str]:
    return [entry.head.title for entry in listing.entries]


def test_a_press_page() -> None:
    listing = read(list_pages.ministry())
    assert titles(listing) == [title for _, title, _, _ in list_pages.RELEASES]
    first = listing.entries[0].draft()
    assert (first.link, first.outlet, first.lang) == (
        "https://site.example/actu/4",
        "Ministère de la Santé",
        "fr",
    )
    days = [entry.head.published and entry.head.published.day for entry in listing.entries]
    assert days == [23, 12, 4, 2]  # 23/11 says that the day comes first, for all of them
    assert first.text.startswith("Le ministre a lancé")
    assert (listing.taken.items, listing.taken.count, listing.taken.dated) == ("div.views-row", 4, 4)
    assert "Tout savoir sur la dengue au Mali" in [other.example for other in listing.others]


def test_a_channel_preview() -> None:
    listing = read(list_pages.channel(), "https://channel.example/s/desk")
    assert titles(listing)[0] == "Convoy attacked near Gao, three soldiers wounded, the army says"
    assert titles(listing)[2] == "马里北部发生武装袭击事件，造成多人受伤"
    assert [entry.head.link for entry in listing.entries] == [f"https://channel.example/desk/{n}" for n in (1, 2, 3, 4)]
    assert listing.entries[3].head.published == datetime(2026, 11, 23, 4, 0, tzinfo=UTC)
    assert "More on our site" in listing.entries[1].draft().text


def test_a_forum() -> None:
    listing = read(list_pages.forum(), "https://forum.example/board.php?f=2")
    assert titles(listing) == [
        "Roads closed around Kidal this week",
        "Fuel prices in Ségou since Monday",
        "Who repairs radios in Niono?",
    ]
    assert listing.entries[0].head.link == "https://forum.example/view.php?t=1"


def test_cards_that_are_links() -> None:
    listing = read(list_pages.blog_cards())
    assert titles(listing)[0] == "Report number 22 on the wells of Timbuktu"
    assert listing.entries[0].draft().text == "Teaser 22 of some words."
    assert listing.entries[0].head.published == datetime(2026, 11, 22, tzinfo=UTC)


@pytest.mark.parametrize(
    ("page", "url"),
    [
        (list_pages.ministry(), "https://site.example/list"),
        (list_pages.channel(), "https://channel.example/s/desk"),
        (list_pages.blog_cards(), "https://site.example/list"),
    ],
)
def test_the_selector_that_is_shown_finds_the_same(page: bytes, url: str) -> None:
    guessed = read(page, url)
    named = read(page, url, items=guessed.taken.items)
    assert guessed.taken.items
    assert [entry.head.link for entry in named.entries] == [entry.head.link for entry in guessed.entries]
    assert titles(named) == titles(guessed)
    assert named.why == "items is configured"


def test_each_part_has_its_selector() -> None:
    page = b"""<html><body><ol>
    <li><b>One</b> <i>2026-11-20</i> <a href="/no/1">by Ann</a> <a class=go href="/1">here</a></li>
    <li><b>Two</b> <i>2026-11-21</i> <a href="/no/2">by Bob</a> <a class=go href="/2">here</a></li></ol>"""
    listing = read(page, items="ol > li", title="b", date="i", link="a.go")
    assert titles(listing) == ["One", "Two"]
    assert [entry.head.link for entry in listing.entries] == ["https://site.example/1", "https://site.example/2"]
    assert [entry.head.published for entry in listing.entries] == [
        datetime(2026, 11, 20, tzinfo=UTC),
        datetime(2026, 11, 21, tzinfo=UTC),
    ]
    by_link = read(page, link="a.go", title="b")
    assert titles(by_link) == ["One", "Two"]


def test_each_link_comes_once_and_items_without_one_are_counted() -> None:
    page = list_pages.ministry(*list_pages.RELEASES, list_pages.RELEASES[0])
    assert len(read(page).entries) == 4
    page = page.replace(b'href="/actu/1', b'href="javascript:void(0)" data-x="')
    listing = read(page, items="div.views-row")
    assert (len(listing.entries), listing.left_out) == (3, 2)


@pytest.mark.parametrize(
    ("page", "rule", "words"),
    [
        (b"<html><body><p>Nothing</p></body></html>", {}, "among the 0 links"),
        (b"", {}, "nothing on this page"),
        (list_pages.ministry(), {"items": "article.news"}, "'article.news' matches nothing"),
        (list_pages.ministry(), {"link": "a.news"}, "'a.news' matches no link"),
        (list_pages.ministry(), {"items": "main > h1"}, "none has a link and a title"),
    ],
)
def test_a_page_without_a_list_says_so(page: bytes, rule: dict[str, str], words: str) -> None:
    with pytest.raises(FetchError) as caught:
        read(page, **rule)
    assert caught.value.reason == "no_items"
    assert words in caught.value.detail


def test_menus_and_footers_are_no_list() -> None:
    page = list_pages.MINISTRY.replace("{items}", "").encode()
    with pytest.raises(FetchError):
        read(page)


def test_articles_have_the_ids_of_their_links() -> None:
    def read_all(page: bytes) -> list[tuple[str, str]]:
        steps = read_listing(page, ListRule(), now=NOW, source="desk", url="https://site.example/list")
        heads = next(steps)
        with pytest.raises(StopIteration) as end:
            steps.send(frozenset(head.id for head in heads))
        return [(article.id, article.url) for article in end.value.value.articles]

    before = read_all(list_pages.ministry())
    newer = (5, "Une nouvelle annonce du ministre à Tombouctou", "23/11/2026", "Ce jour.")
    after = read_all(list_pages.ministry(newer, *list_pages.RELEASES))
    assert after[1:] == before


def test_a_deep_or_long_page_is_read_within_bounds() -> None:
    deep = b"<div>" * 100 + list_pages.ministry() + b"</div>" * 100
    assert len(read(deep).entries) >= 3
    many = "".join(f'<p><a href="/{n}">The headline number {n} of them</a></p>' for n in range(8000))
    assert len(read(f"<body>{many}</body>".encode()).entries) == 1000
