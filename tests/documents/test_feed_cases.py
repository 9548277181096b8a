"""Feeds that other readers stumble over, one named test each."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from tests.documents.test_hostile_feeds import NOW, URL, entries, fails, only, rss
from watchpost.documents.feed import Feed, read_feed
from watchpost.documents.parse import read_feed_document
from watchpost.documents.results import FeedHints

NETSCAPE = "http://my.netscape.com/rdf/simple/0.9/"
RDF = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
LONG = "A text that is long enough to be told from other texts by its letters alone. " * 4


def feed(body: bytes, charset: str = "") -> Feed:
    return read_feed(body, now=NOW, url=URL, charset=charset)


def atom(entry: str, head: str = "") -> bytes:
    return f'<feed xmlns="http://www.w3.org/2005/Atom"><title>F</title>{head}<entry>{entry}</entry></feed>'.encode()


def test_rss_0_90_in_the_namespace_of_netscape_has_all_its_entries() -> None:
    items = "".join(f"<item><title>{n}</title><link>https://e.org/{n}</link></item>" for n in range(60))
    read = feed(
        f'<r:RDF xmlns:r="{RDF}" xmlns="{NETSCAPE}"><channel><title>C</title></channel>{items}</r:RDF>'.encode()
    )
    assert (len(read.entries), read.route) == (60, "xml")


def test_rss_1_1_is_read() -> None:
    body = (
        f'<Channel xmlns="http://purl.org/net/rss1.1#" xmlns:rdf="{RDF}"><title>C</title><items>'
        '<item rdf:about="https://e.org/1"><title>A</title><link>https://e.org/1</link></item></items></Channel>'
    )
    assert [draft.title for draft in feed(body.encode()).drafts] == ["A"]


def test_atom_0_3_is_read() -> None:
    body = (
        '<feed version="0.3" xmlns="http://purl.org/atom/ns#"><title>F</title><entry><title>A</title><id>i</id>'
        '<link rel="alternate" type="text/html" href="/a"/><issued>2020-01-02T03:04:05Z</issued></entry></feed>'
    )
    assert only(body.encode()).published == datetime(2020, 1, 2, 3, 4, 5, tzinfo=UTC)


def test_a_sound_feed_is_read_from_its_tree_and_stray_ampersands_do_not_change_that() -> None:
    assert feed(rss("<item><title>A</title></item>")).route == "xml"
    read = feed(rss("<item><title>A & B &eacute; &amp; C&D</title></item>"))
    assert (read.route, read.drafts[0].title) == ("xml", "A & B é & C&D")
    assert feed(rss("<item><title>A <b>bold</b> word</title></item>")).route == "xml"


def test_a_feed_whose_writer_prefixed_everything_after_a_comment_has_all_its_entries() -> None:
    item = "<rss:item><rss:title>A</rss:title><rss:guid rss:isPermaLink=true>https://e.org/{}</rss:guid></rss:item>"
    body = (
        '<!-- by hand -->\n<?xml?xml version="1.0" encoding="UTF-8" ??>\n<rss rss:version=2.0>\n<rss:channel>'
        f"<rss:title>C</rss:title>{''.join(item.format(n) for n in range(35))}</rss:channel></rss>"
    )
    read = feed(body.encode())
    assert (len(read.entries), read.route) == (35, "xml")


def test_utf_16_gives_what_its_utf_8_twin_gives() -> None:
    twin = rss("<item><title>Élysée</title><guid>1</guid></item>", declaration="")
    assert entries(twin.decode().encode("utf-16")) == entries(twin)


def test_content_encoded_comes_before_media_description() -> None:
    item = (
        f"<item xmlns:media='http://search.yahoo.com/mrss/' xmlns:c='{CONTENT}'><title>T</title>"
        f"<media:description>Photo</media:description><c:encoded>{LONG}</c:encoded></item>"
    )
    assert only(rss(item)).body == LONG.strip()


def test_a_video_has_its_media_description_for_a_text() -> None:
    group = "<m:group xmlns:m='http://search.yahoo.com/mrss/'><m:description>Said\nthere</m:description></m:group>"
    assert only(atom(f"<title>A</title><id>1</id>{group}")).body == "Said\nthere"


def test_an_atom_enclosure_is_not_the_link_of_its_entry() -> None:
    read = only(atom('<title>A</title><id>1</id><link rel="enclosure" href="/a.mp3"/><link href="/a"/>'))
    assert read.url == "https://site.example/a"
    assert only(atom('<title>A</title><id>1</id><link rel="enclosure" href="/a.mp3"/>')).url == ""


def test_the_entrys_own_base_comes_before_the_feeds() -> None:
    body = (
        '<feed xmlns="http://www.w3.org/2005/Atom" xml:base="https://a.example/"><entry xml:base="https://b.example/x/">'
        '<title>A</title><id>1</id><link href="y"/></entry></feed>'
    )
    assert only(body.encode()).url == "https://b.example/x/y"


@pytest.mark.parametrize(("kind", "title"), [("text", "A <b>"), ("html", "A")])
def test_atom_says_whether_a_title_is_text_or_html(kind: str, title: str) -> None:
    assert only(atom(f'<title type="{kind}">A &lt;b></title><id>1</id>')).title == title


def test_a_guid_that_is_no_permanent_link_is_no_link() -> None:
    item = "<item><title>A</title><guid isPermaLink='{}'>https://e.org/1</guid></item>"
    assert only(rss(item.format("false"))).url == ""
    assert only(rss(item.format("true"))).url == "https://e.org/1"


def test_an_aggregated_entrys_date_is_its_own_and_not_that_of_its_source() -> None:
    source = "<source><title>Other</title><updated>2021-01-01T00:00:00Z</updated></source>"
    read = only(atom(f"<title>A</title><id>1</id>{source}<updated>2022-02-02T00:00:00Z</updated>"))
    assert (read.published, read.outlet) == (datetime(2022, 2, 2, tzinfo=UTC), "Other")


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2020/1/10 14:33:00", datetime(2020, 1, 10, 14, 33, tzinfo=UTC)),
        ("Tue, 24 May 2016 2:17:57 PM CEST", datetime(2016, 5, 24, 12, 17, 57, tzinfo=UTC)),
        ("1700000000", datetime(2023, 11, 14, 22, 13, 20, tzinfo=UTC)),
        ("Mon, 31 Feb 2026 08:00:00 GMT", None),
        ("11/12/2026", None),
        ("Mon, 23 Nov 2036 08:00:00 GMT", None),
    ],
)
def test_no_parsers_guess_at_a_date_comes_through(text: str, moment: datetime | None) -> None:
    read = feed(rss(f"<item><title>A</title><guid>1977</guid><pubDate>{text}</pubDate></item>"))
    assert (read.route, read.drafts[0].published) == ("xml", moment)


def test_guids_that_move_to_https_announce_nothing_again() -> None:
    item = "<item><title>A</title><guid>{}://www.e.org/1</guid><link>{}://www.e.org/1</link></item>"
    assert only(rss(item.format("http", "http"))).id == only(rss(item.format("https", "https"))).id


def test_a_new_version_number_of_the_same_article_announces_nothing_again() -> None:
    item = f"<item><title>A</title><guid>https://e.org/1#{{}}</guid><description>{LONG}</description></item>"
    assert only(rss(item.format(0))).id == only(rss(item.format(1))).id
    assert only(rss(item.format(0))).id != only(rss(item.format(1).replace(">A<", ">B<"))).id


def test_entries_with_one_guid_are_told_apart_by_link_and_then_by_title_and_day() -> None:
    item = "<item><title>{}</title><guid>g</guid><link>https://e.org/{}</link><pubDate>{} Nov 2026</pubDate></item>"
    by_link = entries(rss(item.format("A", 1, 20) + item.format("A", 2, 20)))
    by_title = entries(rss(item.format("A", 1, 20) + item.format("B", 1, 20)))
    assert len({article.id for article in by_link}) == len({article.id for article in by_title}) == 2


def test_a_feed_without_ids_and_links_is_read() -> None:
    assert len(entries(rss("<item><title>A</title></item><item><description>B</description></item>"))) == 2


def test_a_news_sitemap_is_a_feed() -> None:
    url = (
        "<url><loc>https://e.org/{0}</loc><n:news><n:publication><n:name>Desk</n:name><n:language>fr</n:language>"
        "</n:publication><n:publication_date>2026-11-20T10:00:00Z</n:publication_date>"
        "<n:title>Nº {0}</n:title></n:news></url>"
    )
    body = (
        '<urlset xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" '
        f'xmlns:n="http://www.google.com/schemas/sitemap-news/0.9">{url.format(1)}{url.format(2)}<url/></urlset>'
    )
    first, _ = entries(body.encode())
    assert (first.title, first.url, first.outlet, first.lang) == ("Nº 1", "https://e.org/1", "Desk", "fr")
    assert first.published == datetime(2026, 11, 20, 10, tzinfo=UTC)


def test_an_index_of_sitemaps_names_them() -> None:
    error = fails(b"<sitemapindex><sitemap><loc>https://e.org/news.xml</loc></sitemap></sitemapindex>")
    assert error.reason == "not_a_feed"
    assert error.detail.endswith(": https://e.org/news.xml")


def test_what_a_feed_asks_of_its_readers_is_read() -> None:
    head = (
        "<ttl> 60 </ttl><skipHours><hour>0</hour><hour>24</hour><hour>3</hour><hour>77</hour></skipHours>"
        "<skipDays><day>Sunday</day><day>Someday</day></skipDays><sy:updatePeriod xmlns:sy='s'>daily</sy:updatePeriod>"
        "<sy:updateFrequency xmlns:sy='s'>4</sy:updateFrequency><a:link xmlns:a='a' rel='self' href='https://e.org/f'/>"
        "<a:link xmlns:a='a' href='https://hub.example/?a=1&amp;b=2' rel='hub'/>"
        "<a:link xmlns:a='a' rel='hub' href='x:'/>"
    )
    asks = read_feed_document(rss("<item><title>A</title><ttl>1</ttl></item>", head), now=NOW, source="s").hints
    assert asks == FeedHints(
        timedelta(minutes=60), timedelta(hours=6), (0, 3), (6,), "https://hub.example/?a=1&b=2", "https://e.org/f"
    )
    assert feed(rss("<item><title>A</title></item>", "<ttl>0</ttl>")).hints == FeedHints()


def test_markup_in_a_title_is_read_as_markup_and_what_stands_in_a_comment_is_not_read() -> None:
    read = only(rss("<item><title>A <b>bold</b> wo<!-- no -->rd</title><description>x <i>y</i></description></item>"))
    assert (read.title, read.body) == ("A bold word", "x y")
    xhtml = (
        '<content type="xhtml"><x:div xmlns:x="http://www.w3.org/1999/xhtml"><x:p>A</x:p><x:p>B</x:p></x:div></content>'
    )
    assert only(atom(f"<title>T</title><id>1</id>{xhtml}")).body == "A\n\nB"


def test_prefixes_that_nobody_declared_and_capitals_change_nothing() -> None:
    read = only(rss("<item><title>A</title><dc:creator>Jane</dc:creator><media:title>P</media:title></item>"))
    assert (read.title, read.author) == ("A", "Jane")
    assert only(rss("<ITEM><TITLE>A</TITLE><Link>https://e.org/1</Link></ITEM>")).url == "https://e.org/1"


def test_an_entry_that_is_the_content_of_an_entry_is_no_entry_of_the_feed() -> None:
    inner = '<content type="application/atom+xml"><entry><title>B</title></entry></content>'
    assert only(atom(f"<title>A</title><id>1</id>{inner}")).title == "A"


def test_a_feed_of_more_entries_than_any_has_is_refused() -> None:
    error = fails(rss("<item/>" * 20_001))
    assert (error.reason, error.detail) == ("too_large", "the feed has more than 20,000 entries")
