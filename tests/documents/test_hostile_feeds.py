"""Feed documents, the ugly ones first."""

from __future__ import annotations

import contextlib
import re
import socket
import time
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.documents.jobs import cpu_seconds
from tests.shared import shared
from watchpost.documents.clean import BODY_MAX
from watchpost.documents.parse import read_document, read_feed_document
from watchpost.documents.parser_process import ParserProcess
from watchpost.documents.xml_tree import without_giant_tags
from watchpost.errors import FetchError
from watchpost.model import Article

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
URL = "https://site.example/feeds/all.xml"


def rss(items: str, head: str = "", declaration: str = '<?xml version="1.0"?>') -> bytes:
    return f'{declaration}<rss version="2.0"><channel><title>Desk</title>{head}{items}</channel></rss>'.encode()


def entries(body: bytes, charset: str = "") -> tuple[Article, ...]:
    return read_feed_document(body, now=NOW, source="desk", url=URL, charset=charset).articles


def only(body: bytes, charset: str = "") -> Article:
    (article,) = entries(body, charset)
    return article


def fails(body: bytes) -> FetchError:
    with pytest.raises(FetchError) as caught:
        entries(body)
    return caught.value


def test_no_feed_of_the_wild_makes_it_crash_and_none_is_silently_empty() -> None:
    for folder, least in (("feeds/traps", 360), ("feeds/real", 1340)):
        count = 0
        for path in sorted(shared(folder).iterdir()):
            reading = read_document(path.name, path.read_bytes(), NOW, source="desk")
            empty = not re.search(rb"<(?:\w+:)?(item|entry)\b", path.read_bytes())
            assert reading.articles or reading.failures or empty, path.name
            assert {failure.reason for failure in reading.failures} <= {"not_a_feed", "malformed"}, path.name
            assert len({article.id for article in reading.articles}) == len(reading.articles), path.name
            assert all("\ufffd" not in article.title for article in reading.articles) or "7ef13" in path.name
            count += len(reading.articles)
        assert count >= least


def test_an_item_becomes_an_article_with_plain_text() -> None:
    article = only(
        rss(
            "<item><title>Mali &amp;amp; Wagner &lt;i&gt;today&lt;/i&gt;</title><link>/news/1?utm_source=rss#x</link>"
            "<guid isPermaLink='false'>77</guid><pubDate>Mon, 23 Nov 2026 08:00:00 CEST</pubDate>"
            "<author>desk@site.example (Jane Doe)</author><description>Teaser</description>"
            "<content:encoded xmlns:content='http://purl.org/rss/1.0/modules/content/'><![CDATA[<p>One<br>two</p>"
            "<script>evil()</script><p>Three &eacute; &#8211; 5 < 6</p>]]></content:encoded></item>",
            "<language>en-gb</language>",
        )
    )
    assert (article.title, article.body) == ("Mali & Wagner today", "One\ntwo\n\nThree é – 5 < 6")
    assert (article.summary, article.url) == ("Teaser", "https://site.example/news/1#x")
    assert (article.author, article.outlet, article.lang) == ("Jane Doe", "Desk", "en")
    assert article.published == datetime(2026, 11, 23, 6, 0, tzinfo=UTC)
    assert [mark[:4] for mark in article.fingerprints] == ["url:"]


def test_the_longer_text_is_the_body() -> None:
    article = only(
        rss(
            "<item xmlns:media='http://search.yahoo.com/mrss/' xmlns:c='http://purl.org/rss/1.0/modules/content/'>"
            "<title>T</title><media:description>Photo</media:description><description>Teaser</description>"
            "<c:encoded>The whole long text of the article</c:encoded></item>"
        )
    )
    assert article.body == "The whole long text of the article"


def test_entries_without_id_and_link_are_told_apart_and_stay_the_same() -> None:
    body = rss("<item><title>A</title></item><item><title>B</title></item><item><title>A</title></item>")
    ids = [article.id for article in entries(body)]
    assert len(set(ids)) == 2
    assert ids == [article.id for article in entries(body)]


def test_two_items_with_one_guid_and_two_links_are_two() -> None:
    item = "<item><title>{0}</title><guid>same</guid><link>https://e.org/{0}</link></item>"
    first, second = entries(rss(item.format("a") + item.format("b")))
    assert first.id != second.id


@pytest.mark.parametrize("guid", ["urn:uuid:1225c695-cfb8-4ebb", "12345", "tag:e.org,2026:1"])
def test_a_guid_is_no_link(guid: str) -> None:
    assert only(rss(f"<item><title>A</title><guid>{guid}</guid></item>")).url == ""
    atom = f'<feed xmlns="http://www.w3.org/2005/Atom"><entry><id>{guid}</id><title>A</title></entry></feed>'
    assert only(atom.encode()).url == ""


def test_xml_base_makes_links_absolute_and_enclosures_are_no_links() -> None:
    atom = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://other.example/x/"><title>F</title><entry>'
        '<title>A</title><link rel="enclosure" href="/a.mp3"/><link href="a/1"/><id>1</id></entry></feed>'
    )
    assert only(atom.encode()).url == "https://other.example/x/a/1"


LATIN = '<?xml version="1.0" encoding="iso-8859-1"?>'


@pytest.mark.parametrize(
    ("body", "charset", "title"),
    [
        (rss("<item><title>très</title></item>").decode().encode("latin-1"), "", "très"),
        (rss("<item><title>très</title></item>", declaration=LATIN), "", "très"),
        (rss("<item><title>très</title></item>"), "us-ascii", "très"),
        (rss("<item><title>Мали</title></item>").decode().encode("koi8-r"), "koi8-r", "Мали"),
        (rss("<item><title>Мали</title></item>").decode().encode("utf-16"), "", "Мали"),
        (b"<!-- by hand -->\n\n" + rss("<item><title>A & B</title></item>"), "", "A & B"),
        (b"\xef\xbb\xbf\n" + rss("<item><title>A&nbsp;B</title></item>"), "", "A\u00a0B"),
        (rss("<item><title>A\x00B</title></item>"), "", "AB"),
        (rss("<item><title>A</title></item>")[:-16], "", "A"),
    ],
)  # fmt: skip
def test_feeds_of_careless_writers_are_read(body: bytes, charset: str, title: str) -> None:
    assert only(body, charset).title == title


def test_rss_of_the_nineties_is_read() -> None:
    body = (
        '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#" xmlns="http://my.netscape.com/rdf/simple/0.9/">'
        "<channel><title>C</title></channel><item><title>A</title><link>http://e.org/a</link></item></rdf:RDF>"
    )
    assert only(body.encode()).url == "http://e.org/a"


def test_day_and_month_are_ordered_as_the_rest_of_the_feed_orders_them() -> None:
    item = "<item><title>{0}</title><pubDate>{0}</pubDate></item>"
    first, second = entries(rss(item.format("11/12/2025 10:00") + item.format("15/12/2025 10:00")))
    assert (first.published, second.published) == (
        datetime(2025, 12, 11, 10, tzinfo=UTC),
        datetime(2025, 12, 15, 10, tzinfo=UTC),
    )


def test_json_feed_1_1_is_read() -> None:
    article = only(
        b'{"version": "https://jsonfeed.org/version/1.1", "title": "J", "language": "de", "items": [{"id": 5,'
        b'"url": "https://e.org/5", "content_html": "<p>A</p><p>B</p>", "authors": [{"name": "N"}], "image": 3}, "x"]}'
    )
    assert (article.title, article.body, article.author, article.lang) == ("A", "A\n\nB", "N", "de")


def test_a_page_at_the_feeds_address_names_its_feeds() -> None:
    page = (
        "<!DOCTYPE html><html><head><title>x</title><link rel='alternate' type='application/rss+xml' href='/feed'>"
        "<link rel=alternate type=text/html href=/m><link rel='ALTERNATE' type='application/atom+xml' href='a.xml'>"
        "</head><body><rss></body></html>"
    )
    error = fails(page.encode())
    assert error.reason == "not_a_feed"
    assert error.detail.endswith("https://site.example/feed, https://site.example/feeds/a.xml")


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b"", "empty"),
        (b" \n\xef\xbb\xbf", "empty"),
        (b"x" * 5_000_001, "too_large"),
        (b"/etc/hostname", "not_a_feed"),
        (b"http://169.254.169.254/latest", "not_a_feed"),
        (b"<urlset></urlset>", "not_a_feed"),
        (b"[1, 2]", "not_a_feed"),
        (b"{not json", "malformed"),
    ],
)
def test_what_is_no_feed_is_told(body: bytes, reason: str) -> None:
    assert fails(body).reason == reason


def test_an_empty_feed_is_a_feed() -> None:
    assert entries(rss("")) == ()


LAUGHS = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "ha"}">' for i in range(10))
HOSTILE = {
    "billion laughs": f"<!DOCTYPE rss [{LAUGHS}]>" + rss("<item><title>x &l9;</title></item>", declaration="").decode(),
    "quadratic": f'<!DOCTYPE rss [<!ENTITY a "{"a" * 50_000}">]>'
    + rss(f"<item><title>x {'&a;' * 2000}</title></item>", declaration="").decode(),
    "external": '<!DOCTYPE rss [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    + rss("<item><title>x &x;</title></item>", declaration="").decode(),
    "nested": rss("<item><title>x</title><description>" + "<b>" * 60_000 + "</description></item>").decode(),
    "cdata": rss(f"<item><title>x</title><description><![CDATA[{'<' * 200_000}]]></description></item>").decode(),
    "many": rss("<item/>" * 100_000).decode(),
    "very many": rss("<item/>" * 700_000).decode(),
    "unclosed": "<rss><channel><item>" + "<b>" * 1_000_000,
    "attributes": rss("<item " + " ".join(f'a{i}="1"' for i in range(100_000)) + "><title>x</title></item>").decode(),
    "small attributes": rss("<item " + " ".join(f'a{i}=""' for i in range(3000)) + "><title>x</title></item>").decode(),
    "namespaces": rss("<item " + " ".join(f'xmlns:n{i}=""' for i in range(2000)) + "><title>x</title></item>").decode(),
    "ampersands": rss(f"<item><title>x</title><description>{'&amp;' * 500_000}</description></item>").decode(),
    "stray ampersands": rss(f"<item><title>x</title><description>{'&' * 2_000_000}</description></item>").decode(),
    "open cdata": rss("<item><title>x & y</title></item>" + "<![CDATA[" * 300_000).decode(),
    "open comments": rss("<item><title>x</title></item>" + "<!--" * 500_000).decode(),
    "open titles": rss("<item>" + "<title>" * 300_000).decode(),
    "open declarations": "<!DOCTYPE " + "[" * 50_000 + "<rss><channel></channel></rss>",
    "date": rss(f"<item><title>x</title><pubDate>{'1' * 200_000}</pubDate></item>").decode(),
    "json": '{"version":"https://jsonfeed.org/version/1","items":' + "[" * 200_000,
    "big": "x" * 102_000_000,
}


async def test_hostile_feeds_end_soon_and_expand_nothing() -> None:
    parser = ParserProcess(limit=timedelta(seconds=60))
    try:
        for name, text in HOSTILE.items():
            with contextlib.suppress(FetchError):  # refusing is fine, too
                reading = await parser.run(read_feed_document, text.encode(), now=NOW, source="s")
                size = sum(len(article.title) + len(article.body) for article in reading.articles)
                assert size <= BODY_MAX + 1_000, f"{name}: longer than an article may be: something was expanded"
                titles = [article.title for article in reading.articles]
                assert not any("ha" * 100 in title or socket.gethostname() in title for title in titles), name
            assert await parser.run(len, b"xyz") == 3, name
        assert await parser.run(cpu_seconds) < 10, "all of them together"
    finally:
        await parser.close()


@pytest.mark.parametrize(
    "marks", ["\u0301\u0327", "\u0327\u0301\u200b", "\u0301\u0327\u034f", "\u064b\u0650\u0651", "\u0301"]
)
async def test_an_entry_with_many_marks_costs_the_others_nothing(marks: str) -> None:
    items = "<item><guid>g</guid><title>Mali: good</title></item>"
    items += (
        f"<item><guid>m</guid><title>Mali: marks</title><description>Mali a{marks * 60_000} end</description></item>"
    )
    body = f'<rss version="2.0"><channel><title>Sample</title>{items}</channel></rss>'.encode()
    parser = ParserProcess(limit=timedelta(seconds=5))
    try:
        reading = await parser.run(read_feed_document, body, now=NOW, source="sample")
    finally:
        await parser.close()
    good, marked = reading.articles
    assert good.title == "Mali: good"
    assert marked.body.startswith("Mali ")
    assert marked.body.endswith(" end")
    assert len(marked.body) < 30


def test_comments_before_a_feed_are_skipped_in_little_time() -> None:
    begun = time.process_time()
    for end in (b"<!--", b"<x>", b"<?xml"):
        read_document("a", b"<!-- -->" * 40_000 + end, NOW)
        with contextlib.suppress(FetchError):
            read_feed_document(b"<!-- -->" * 40_000 + end, now=NOW, source="s")
    assert time.process_time() - begun < 3


@given(
    st.lists(st.tuples(st.sampled_from("<>a/?&"), st.sampled_from((0, 1, 2, 32_766, 32_767, 32_768, 32_769, 40_000))))
)
def test_every_giant_tag_loses_its_values(runs: list[tuple[str, int]]) -> None:
    """Wherever it stands: what is looked at are only some places."""
    text = "".join(f"<{sign}" + length * "b" for sign, length in runs)
    slim = without_giant_tags(text)
    assert max((len(part) for part in re.findall(r"<[A-Za-z/?][^<>]*", slim)), default=0) <= 32_769
    if not re.search(r"<[A-Za-z/?][^<>]{32768}", text):
        assert slim == text
