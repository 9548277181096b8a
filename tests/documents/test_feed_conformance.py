"""Feeds of the wild against what stands in the document, read a second time by a plain XPath."""

from __future__ import annotations

import contextlib
import re
from pathlib import Path

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from tests.documents.test_hostile_feeds import NOW, rss
from tests.shared import shared
from watchpost.documents import feed as documents_feed
from watchpost.documents.encoding import xml_to_utf8
from watchpost.documents.feed_xml import Unsure, read_xml_feed
from watchpost.documents.html import plain_text
from watchpost.errors import FetchError


def _documents() -> list[Path]:
    return sorted(shared("feeds/real").iterdir())


def test_every_entry_that_stands_in_a_document_is_found_with_its_title_link_and_id() -> None:
    checked = 0
    for path in _documents():
        body = path.read_bytes()
        root = etree.fromstring(body, etree.XMLParser(recover=True, resolve_entities=False))
        items = root.xpath("//*[local-name()='item' or local-name()='entry']") if root is not None else []
        if not items:
            continue
        feed = documents_feed.read_feed(body, now=NOW)
        assert len(feed.entries) == len(items), path.name
        for item, draft in zip(items, feed.drafts, strict=True):
            title = "".join(item.xpath("*[local-name()='title' and not(contains(name(), ':'))][1]//text()")).strip()
            assert _letters(draft.title) in {_letters(title), _letters(plain_text(title))}, path.name
            ids = item.xpath("*[local-name()='guid' or local-name()='id'][1]/text()")
            if ids and ids[0].strip():
                assert draft.identity == ids[0].strip(), path.name
            links = item.xpath("link/text()")
            if links and links[0].strip():
                assert draft.link.strip().endswith(links[0].strip()), path.name
            checked += 1
    assert checked > 1300


def test_both_parsers_make_the_same_drafts_of_the_feeds_of_the_wild() -> None:
    """But for texts: feedparser takes the caption of a picture (media:description) for one."""
    compared = 0
    for path in _documents():
        body = path.read_bytes()
        data = xml_to_utf8(body)
        read = read_xml_feed(data)
        if isinstance(read, Unsure):
            continue
        try:
            _, entries = documents_feed.read_tolerantly(data, b"")
        except FetchError:
            continue  # bare attribute values, which we mend
        assert len(read[1]) == len(entries), path.name
        for ours, theirs in zip(read[1], entries, strict=True):
            assert not isinstance(ours, bytes), path.name
            one, other = (
                documents_feed.entry_of(entry, NOW, None, "https://e.org/", "").draft() for entry in (ours, theirs)
            )
            assert _letters(one.title) == _letters(other.title), path.name
            assert (one.identity, one.link, one.author) == (other.identity, other.link, other.author), path.name
            assert (one.published, one.lang) == (other.published, other.lang), path.name
            if b"media:description" not in data and b"itunes:" not in data:
                assert _letters(one.text) == _letters(other.text), path.name
            compared += 1
    assert compared > 1000


_MARKUP = (
    "<item> </item> <entry> </entry> <title> </title> <![CDATA[ ]]> & &amp; &#0; < > <!-- --> <link> </link> <guid> "
    "</guid> <pubDate> </pubDate> <?x ?> <description> </description> \x00 \ud7ff xml:base='//[' <content/> "
    "<source> &eacute; &nosuch; é A </channel> </rss> <item/>"
)
_PIECES = st.lists(
    st.sampled_from([*_MARKUP.split(), "<link href='http://['/>", "<content type='xhtml'>", "Mon, 31 Feb 2026"]),
    max_size=40,
)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(_PIECES)
def test_no_arrangement_of_markup_raises_anything_but_a_fetch_error(pieces: list[str]) -> None:
    body = rss("<item><title>A</title></item>" + "".join(pieces))
    try:
        feed = documents_feed.read_feed(body, now=NOW, url="https://e.org/f")
    except FetchError:
        return
    assert feed.entries  # there is an item in front of whatever follows


@settings(max_examples=150, deadline=None)
@given(
    st.binary(max_size=300), st.sampled_from([b"", b"<rss><channel><item>", b'{"items":[', b"\xff\xfe<\x00", b"<feed "])
)
def test_no_bytes_raise_anything_but_a_fetch_error(body: bytes, start: bytes) -> None:
    with contextlib.suppress(FetchError):
        documents_feed.read_feed(start + body, now=NOW)


def _letters(text: str) -> str:
    return re.sub(r"\W+", "", text)
