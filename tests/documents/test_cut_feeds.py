"""A feed that is cut off anywhere: what it gives is the beginning of what the whole feed gives, entry by entry."""

from __future__ import annotations

import pytest

from tests.documents.test_hostile_feeds import NOW, URL
from watchpost.documents.feed import read_feed
from watchpost.errors import FetchError

ITEMS = "".join(
    f"<item><title>Convoy {n}</title><guid>g{n}</guid>"
    f"<description><![CDATA[<p>Text </item> {n}</p>]]></description></item>"
    for n in range(3)
)
RSS = f"<rss version='2.0'><channel><title>D</title>{ITEMS}</channel></rss>".encode()
ENTRIES = "".join(f"<entry><title>Convoy {n}</title><id>g{n}</id><summary>T{n}</summary></entry>" for n in range(3))
ATOM = f"<feed xmlns='http://www.w3.org/2005/Atom'><title>D</title>{ENTRIES}</feed>".encode()
NEWS = "".join(
    f"<url><loc>http://e.org/{n}</loc><news:news><news:title>Convoy {n}</news:title></news:news></url>"
    for n in range(3)
)
SITEMAP = f"<urlset>{NEWS}</urlset>".encode()
ITEM = (
    '{"id": "g%d", "author": {"name": "A"}, "tags": ["x"], "n": 12.5, "ok": true, "title": "Convoy \\u00e9 \\"%d\\""}'
)
LIST = ", ".join(ITEM % (n, n) for n in range(3))
JSON = f'{{"version": "https://jsonfeed.org/version/1.1", "title": "D", "items": [{LIST}]}}'.encode()
RDF = (
    "<rdf:RDF xmlns:rdf='http://www.w3.org/1999/02/22-rdf-syntax-ns#' xmlns='http://purl.org/rss/1.0/'><channel>"
    f"<title>D</title></channel>{ITEMS}</rdf:RDF>"
).encode()
WHOLE = {"rss": RSS, "rdf": RDF, "atom": ATOM, "sitemap": SITEMAP, "json": JSON}


@pytest.mark.parametrize("whole", WHOLE.values(), ids=WHOLE)
def test_no_half_entry_is_read_wherever_a_feed_is_cut(whole: bytes) -> None:
    drafts = read_feed(whole, now=NOW, url=URL).drafts
    assert len(drafts) == 3
    for end in range(60, len(whole)):
        try:
            read = read_feed(whole[:end], now=NOW, url=URL)
        except FetchError:
            continue
        assert read.drafts == drafts[: len(read.drafts)], whole[:end]
        assert read.cut or len(read.drafts) in (0, 3), "what is missing is not hidden by validators"


def test_a_cut_feed_says_so_and_one_whose_root_is_closed_keeps_its_open_entry() -> None:
    assert read_feed(RSS[: RSS.rindex(b"<guid>")], now=NOW, url=URL).cut
    sloppy = read_feed(
        RSS.replace(b"]]></description></item></channel>", b"]]></description></channel>"), now=NOW, url=URL
    )
    assert (len(sloppy.entries), sloppy.cut) == (3, False)


@pytest.mark.parametrize(
    "last",
    [
        '{"id": "2", "title": "A wall 5" high"}]}',
        '{"id": "2", "title": "He said "no" to it"}]}',
        '{"id": "2", "title": "no quote at the end}]}',
        '{"id": "2", "title": "no brace at the end"]}',
        '{"id": "2", "title": "a \\q escape", "n": .5}]}',
    ],
)
def test_an_item_that_is_broken_before_its_end_is_read_and_does_not_wait(last: str) -> None:
    whole = '{"version": "https://jsonfeed.org/version/1.1", "items": [{"id": "1", "title": "A"}, ' + last
    read = read_feed(whole.encode(), now=NOW, url=URL)
    assert (len(read.entries), read.cut) == (2, False)


def test_a_document_with_more_entries_than_any_outlet_has_is_too_large() -> None:
    for one, around in (
        (b"<url><n:news><n:title>a</n:title></n:news></url>", (b"<urlset>", b"</urlset>")),
        (b'{"id":"1"},', (b'{"version":"jsonfeed","items":[', b"{}]}")),
        (b"<item><title>a</title></item>", (b"<rss><channel>", b"</channel></rss>")),
    ):
        with pytest.raises(FetchError, match="20,000"):
            read_feed(around[0] + one * 20_001 + around[1], now=NOW, url=URL)
