"""A digest as HTML, read back by a parser like that of a mail program."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest

from tests.notify.digests import BIDI, HOSTILE, digest, endless, hostile, usual
from watchpost.notify.render import html
from watchpost.notify.render.sanitize import clean

EVENT = re.compile(r"on[a-z]+")


class Reader(HTMLParser):
    """Collects tags, attributes and text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))

    def handle_data(self, data: str) -> None:
        self.words.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.tags if name == tag]


def check(page: str) -> Reader:
    """Nothing in the page acts, nothing is fetched, and every link is marked."""
    reader = Reader(page)
    assert len(page.encode()) <= html.LIMIT
    assert {tag for tag, _ in reader.tags}.isdisjoint({"script", "img", "link", "iframe", "form", "base", "svg"})
    for _, attributes in reader.tags:
        assert not any(EVENT.fullmatch(name) for name in attributes)
        assert "src" not in attributes
        assert "url(" not in attributes.get("style", "")
    for attributes in reader.all("a"):
        assert re.match(r"https?://", attributes["href"])
        assert "noopener" in attributes["rel"]
    return reader


def test_the_page() -> None:
    page = html.page(usual())
    reader = check(page)
    text = " ".join(" ".join(reader.words).split())
    assert "Explosion near Gao base; JNIM claims attack" in text
    assert "NEW" in text
    assert "UPDATE" in text
    assert "Not read (2 of 41 sources): maliweb" in text
    assert [attributes["width"] for attributes in reader.all("table")] == ["600"]
    assert re.search(r'<b class="lit"[^>]*>Wagner</b>', page)
    stories = [attributes for attributes in reader.all("div") if attributes.get("class") == "story"]
    assert [(one["lang"], one["dir"]) for one in stories] == [("fr", "ltr"), ("ar", "rtl"), ("fr", "ltr")]
    assert [name for name, _ in reader.tags if name in ("h1", "h2")] == ["h1", "h2", "h2"]
    assert len(reader.all("h3")) == 3


def test_styles_are_inlined_and_the_dark_mode_keeps_its_force() -> None:
    page = html.page(usual())
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    assert style.lstrip().startswith("@media (prefers-color-scheme: dark)")
    assert style.count("!important") >= 8
    assert all("style" in attributes for attributes in Reader(page).all("a"))
    assert page.index('charset="utf-8"') < 1024
    assert "Segoe UI" in page  # a quoted name in a style survives the template


@pytest.mark.parametrize("kind", ["digest", "alert"])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_nothing_hostile_gets_through(text: str, kind: str) -> None:
    page = html.page(hostile(text, kind=kind))
    reader = check(page)
    assert not set(page) & set(BIDI)
    assert not re.search(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]", page)
    assert "49" not in " ".join(reader.words) or "7*7" not in text  # no template in a headline is run
    if text and "\u0301" not in text:
        assert clean(text, 40).rstrip("…") in " ".join(reader.words)


def test_five_hundred_stories_are_cut_counted_and_the_twin_tells_the_same() -> None:
    sample = endless()
    shown = html.fit(sample)
    page = html.page(sample)
    check(page)
    assert html.page(shown) == page
    assert 20 < len(shown.stories) < 500
    assert shown.omitted == 500 - len(shown.stories)
    assert f"Not shown: {shown.omitted} stories (" in page
    assert len(page.encode()) > html.LIMIT * 0.8


def test_an_empty_page() -> None:
    assert "Nothing matched. All 41 sources were read." in " ".join(check(html.page(digest())).words)


def test_an_endless_word_does_not_make_a_mail_wider_than_its_window() -> None:
    assert "overflow-wrap:anywhere" in html.page(usual()).replace(" ", "")
