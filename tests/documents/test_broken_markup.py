"""Feeds and sitemaps that are not well-formed: one stage of guards and repairs, entry by entry."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from watchpost.documents.feed import Feed, read_feed
from watchpost.documents.parse import read_feed_document
from watchpost.errors import FetchError

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PICTURE = '<img src="data:image/png;base64,' + "iVBORw0KGgo" * 4000 + '">'


def rss(*items: str, before: str = "") -> bytes:
    return f"<rss version='2.0'><channel><title>Desk</title>{before}{''.join(items)}</channel></rss>".encode()


def item(number: int, description: str = "", title: str = "") -> str:
    text = description or f"<![CDATA[<p>Text {number}</p>]]>"
    name = title or f"Convoy {number}"
    return f"<item><title>{name}</title><guid>g{number}</guid><description>{text}</description></item>"


def read(body: bytes) -> Feed:
    return read_feed(body, now=NOW, url="https://site.example/feed")


def texts(body: bytes) -> list[tuple[str, str]]:
    return [(draft.title, draft.text) for draft in read(body).drafts]


@pytest.mark.parametrize("wrap", ["<![CDATA[{}]]>", "<p>{}</p>", "<![CDATA[{}"])
def test_an_inline_picture_costs_nothing(wrap: str) -> None:
    broken = wrap.format("before " + PICTURE + " after")
    found = texts(rss(item(0), item(1, broken), item(2)))
    assert [found[0], found[2]] == [("Convoy 0", "Text 0"), ("Convoy 2", "Text 2")]
    assert found[1] == ("Convoy 1", "before after")


def test_an_atom_picture_in_xhtml_costs_nothing() -> None:
    xhtml = f"<content type='xhtml'><div xmlns='http://www.w3.org/1999/xhtml'>one {PICTURE[:-1]}/> two</div></content>"
    atom = f"<feed xmlns='http://www.w3.org/2005/Atom'><entry><id>1</id><title>A</title>{xhtml}</entry></feed>"
    (draft,) = read(atom.encode()).drafts
    assert draft.text == "one two"


def test_a_tag_of_thousands_of_attributes_keeps_its_name_only() -> None:
    tag = "<guid " + " ".join(f"a{n}='1'" for n in range(9000)) + ">g1</guid>"
    feed = read(rss(item(0), f"<item><title>Convoy 1</title>{tag}</item>", item(2)))
    assert [draft.identity for draft in feed.drafts] == ["g0", "g1", "g2"]
    html = "<p " + " ".join(f"a{n}='1'" for n in range(9000)) + ">Text</p>"
    assert texts(rss(item(0, f"<![CDATA[{html}]]>"))) == [("Convoy 0", "Text")]


@pytest.mark.parametrize(
    ("description", "text"),
    [
        ("one <br> two", "one\ntwo"),
        ("one <b>two</i> three", "one two three"),
        ("5 < 6 and 7 > 6", "5 < 6 and 7 > 6"),
        ("<![CDATA[one two", "one two"),
        ("<![CDATA[one <![CDATA[two]]> three]]>", "one two three"),
        ("<!-- one <p>two</p>", "one two"),
        ("<p class=x y=>one</p>", "one"),
        ("one &#0;&#x1F; two", "one two"),
        ("&#55357;&#56832; smiles", "\U0001f600 smiles"),
        ("one \x0b\x01two", "one two"),
        ("<3 you", "<3 you"),
        ("AT&T &eacute; &nosuch; &amp;", "AT&T é &nosuch; &"),
        ("<p a='1' a='2'>one</p>", "one"),
        ("one ]]> two", "one two"),
    ],
)
def test_a_defect_in_one_entry_leaves_every_other_and_most_of_its_own(description: str, text: str) -> None:
    found = texts(rss(item(0), item(1), item(2, description), item(3), item(4)))
    assert found[:2] + found[3:] == [(f"Convoy {n}", f"Text {n}") for n in (0, 1, 3, 4)]
    title, body = found[2]
    assert title == "Convoy 2"
    assert " ".join(body.split()) == " ".join(text.split())


def test_entries_without_their_end_tags_are_entries() -> None:
    body = rss(item(0).replace("</item>", ""), item(1), item(2).replace("</description>", ""), item(3))
    assert [title for title, _ in texts(body)] == [f"Convoy {n}" for n in range(4)]


def test_an_open_cdata_does_not_swallow_the_next_entries_though_the_document_is_well_formed() -> None:
    body = rss(item(0), item(1, "<![CDATA[one"), item(2), item(3))
    assert texts(body) == [("Convoy 0", "Text 0"), ("Convoy 1", "one"), ("Convoy 2", "Text 2"), ("Convoy 3", "Text 3")]


def test_markup_of_a_feed_that_is_quoted_in_a_text_is_text() -> None:
    code = "<![CDATA[write </item><item> and </item></channel></rss>, as in <pre>]]>"
    found = texts(rss(item(0), item(1, code), item(2, "one <br> two")))
    assert [title for title, _ in found] == ["Convoy 0", "Convoy 1", "Convoy 2"]
    assert "as in" in found[1][1]


def test_the_way_of_reading_is_told_and_the_channel_is_kept() -> None:
    feed = read(rss(item(0), item(1, "a <br> b"), before="<language>fr</language>"))
    assert (feed.route, feed.lang, feed.unread) == ("xml:entry_by_entry", "fr", 0)
    assert {draft.outlet for draft in feed.drafts} == {"Desk"}


def test_many_broken_entries_are_read_as_one_document() -> None:
    broken = "".join(f"<item><title>Convoy {n}</title><a <b></item>" for n in range(400))
    assert len(read(rss(broken)).entries) == 400


SITEMAP = (
    "<urlset><url><loc>https://site.example/{0}</loc><news:news><news:publication><news:name>Desk</news:name>"
    "<news:language>en</news:language></news:publication><news:title>{1}</news:title>"
    "<news:publication_date>2026-11-26T10:00:00Z</news:publication_date></news:news></url>{2}</urlset>"
)


@pytest.mark.parametrize(
    ("title", "expected"),
    [
        ("Mali names a minister", "Mali names a minister"),
        ("A & B", "A & B"),
        ("A &eacute; B", "A é B"),
        ("A < B", "A < B"),
        ("A <br> B", "A\nB"),
        ("A \x01B", "A B"),
        ("<![CDATA[A & B", "A & B"),
    ],
)
def test_sitemaps_are_forgiven_what_feeds_are(title: str, expected: str) -> None:
    other = SITEMAP.format(2, "Sound", "").removeprefix("<urlset>").removesuffix("</urlset>")
    drafts = read(SITEMAP.format(1, title, other).encode()).drafts
    assert [(draft.title, draft.link, draft.outlet) for draft in drafts] == [
        (expected, "https://site.example/1", "Desk"),
        ("Sound", "https://site.example/2", "Desk"),
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("<loc>", "<image:loc>https://other.example/</image:loc><loc>"),
        ("<news:title>", "<x:title>Slug</x:title><news:title>"),
        ("<news:title>", "<title>Slug</title><news:title>"),
        ("<news:news>", "<news:news/><news:news>"),
        ("<news:title>", "<news:title/><news:title>"),
        ("</news:news>", ""),
        ("</news:publication>", ""),
        ("</news:title>", ""),
    ],
)
def test_the_entry_of_a_sitemap_has_its_own_title_and_address(old: str, new: str) -> None:
    other = SITEMAP.format(2, "Sound", "").removeprefix("<urlset>").removesuffix("</urlset>")
    for root in ("<urlset>", "<urlset xmlns:x='urn:x' xmlns='http://www.sitemaps.org/schemas/sitemap/0.9'>"):
        text = SITEMAP.format(1, "Convoy", other).replace(old, new, 1).replace("<urlset>", root)
        drafts = read(text.encode()).drafts
        assert [(draft.title, draft.link) for draft in drafts] == [
            ("Convoy", "https://site.example/1"),
            ("Sound", "https://site.example/2"),
        ]


def test_entities_made_of_entities_are_refused_in_a_sitemap() -> None:
    with pytest.raises(FetchError, match="attack"):
        read(b'<!DOCTYPE urlset [<!ENTITY a "x"><!ENTITY b "&a;&a;">]>' + SITEMAP.format(1, "&b;", "").encode())


def test_what_is_lost_is_counted() -> None:
    huge = "<b <" * 200_000
    reading = read_feed_document(rss(item(0), item(1, huge), item(2)), now=NOW, source="desk")
    titles = [article.title for article in reading.articles]
    assert titles in (["Convoy 0", "Convoy 1", "Convoy 2"], ["Convoy 0", "Convoy 2"])
    assert len(titles) == 3 or reading.note == "1 entry could not be read"
