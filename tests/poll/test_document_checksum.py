"""Documents with the same checksum have the same entries and hints, whatever is written where."""

from __future__ import annotations

import random
import re
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.documents.parse import Reading, read_feed_document
from watchpost.errors import FetchError
from watchpost.poll.document_checksum import checksum_of

NOW = datetime(2026, 11, 27, 12, tzinfo=UTC)
DATE = "Fri, 27 Nov 2026 09:30:00 GMT"
ITEM = f"<item><title>Ferry stops</title><link>https://coast.example/1</link><pubDate>{DATE}</pubDate></item>"
ENTRY = "<entry><title>Ferry stops</title><id>tag:1</id><updated>2026-11-27T09:30:00Z</updated></entry>"
RSS = f"<rss version='2.0'><channel><title>Coast</title><ttl>60</ttl><lastBuildDate>{DATE}</lastBuildDate>"
ATOM = "<feed xmlns='http://www.w3.org/2005/Atom'><title>Coast</title><updated>2026-11-27T09:30:00Z</updated>"
RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/' "
    "xmlns:dc='http://purl.org/dc/elements/1.1/'><channel><title>Coast</title><dc:date>2026-11-27T09:30:00Z</dc:date>"
    "<items><rdf:Seq/></items></channel>"
)


def read(document: bytes) -> Reading | tuple[str, str]:
    """The articles, hints and notes of a document, or why it cannot be read."""
    try:
        return read_feed_document(document, now=NOW, source="coast", url="https://coast.example/feed")
    except FetchError as error:
        return error.reason, error.detail


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{RSS}{ITEM}</channel></rss>", ("27 Nov 2026 09:30:00 GMT</lastB", "28 Dec 2026 10:45:59 GMT</lastB")),
        (f"<?xml version='1.0'?>\n<!-- x -->{RSS}{ITEM}</channel></rss>", ("09:30:00 GMT</last", "19:31:08 GMT</last")),
        (f"{RSS}<pubDate>{DATE}</pubDate>{ITEM}</channel></rss>", ("GMT</pubDate><item>", "MEZ</pubDate><item>")),
        (f"{ATOM}{ENTRY}</feed>", ("09:30:00Z</updated><entry>", "10:31:59Z</updated><entry>")),
        (f"{RDF}{ITEM}</rdf:RDF>", ("09:30:00Z</dc:date>", "10:31:59Z</dc:date>")),
        (f"{RSS}{ITEM}</channel></rss>\n<!-- cached at 09:30 -->\n<!-- in 12 ms -->", ("09:30 -->", "17:08 -->")),
        (f"<rss><channel><a><![CDATA[é <b>]]></a><updated>{DATE}</updated>{ITEM}</channel></rss>", ("09:3", "10:4")),
    ],
    ids=["lastBuildDate", "after a comment", "pubDate", "atom", "rdf", "cached at", "after CDATA"],
)  # fmt: skip
def test_the_moment_of_a_document_is_not_in_its_checksum(before: str, after: tuple[str, str]) -> None:
    changed = before.replace(*after, 1)
    assert changed != before
    assert checksum_of(changed.encode()) == checksum_of(before.encode())
    assert read(changed.encode()) == read(before.encode())


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("Ferry stops", "Ferry start"),
        ("coast.example/1", "coast.example/2"),
        ("09:30:00 GMT</pubDate></item>", "10:30:00 GMT</pubDate></item>"),
        ("<ttl>60", "<ttl>30"),
        ("<title>Coast", "<title>Shore"),
        ("09:30:00 GMT</last", "9:30:00 GMT</last"),
        ("Fri, 27 Nov 2026 09:30:00 GMT</last", "Fri, 27 Nov 2026 09:30 &gt; M</last"),
    ],
)
def test_everything_else_is_in_the_checksum(old: str, new: str) -> None:
    before = f"{RSS}{ITEM}</channel></rss>"
    assert old in before
    assert checksum_of(before.replace(old, new, 1).encode()) != checksum_of(before.encode())


PIECES = (
    f"<lastBuildDate>{DATE}</lastBuildDate>", "<updated>2026-11-27</updated>", "<ttl>60</ttl>", "<title>3</title>",
    "<title><updated>2026-11-27</updated></title>", "<title><![CDATA[News <pubDate>2026</pubDate>]]></title>",
    "<description><![CDATA[<updated>2026</updated>]]></description>", "<language>en</language>", "<hour>5</hour>",
    "<image><title>3</title><pubDate>2026</pubDate></image>", '<link rel="hub" href="https://hub.example/1"/>',
    "<title>", "</title>", "<![CDATA[", "]]>", "<!--", "-->", "<!-- at 09:30 -->", "<channel>", "</channel>", "&lt;b>",
    '<a b=">', "<a b='", "</a>", "<x/>", "<", ">", " 27 ", "\x1b$B", "é", "<!DOCTYPE rss>",
    ITEM, ENTRY, "<item>", "</item>", "<entry/>", "</rss>", "</feed>", "</rdf:RDF>",
)  # fmt: skip
STARTS = (
    RSS,
    ATOM,
    RDF,
    "<rss><channel>",
    "<feed>",
    "<?xml version='1.0' encoding='utf-7'?><rss><channel>",
    "<RSS><Channel>",
)
ENDS = (
    f"{ITEM}</channel></rss>",
    f"{ENTRY}</feed>",
    f"{ITEM}</rdf:RDF>",
    f"{ITEM}</channel></rss><!-- 17 -->",
    "</rss> <!-- 8 -->",
)
DOCUMENTS = st.tuples(
    st.sampled_from(STARTS), st.lists(st.sampled_from(PIECES), max_size=6), st.sampled_from(ENDS)
).map(lambda parts: (parts[0] + "".join(parts[1]) + parts[2]).encode())


@given(DOCUMENTS, st.integers(0, 2**32))
def test_the_same_checksum_means_the_same_entries(document: bytes, seed: int) -> None:
    """One number after the other is another one, in documents put together at random, mostly broken."""
    expected, checksum, drawn = read(document), checksum_of(document), random.Random(seed)
    for number in re.finditer(rb"[0-9]+|GMT", document):
        other = bytes(drawn.choice(b"0123456789") for _ in number[0])
        changed = document[: number.start()] + other + document[number.end() :]
        if checksum_of(changed) == checksum:
            assert read(changed) == expected
