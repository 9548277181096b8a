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


@pytest.mark.parametrize("whole", [RSS, ATOM], ids=["rss", "atom"])
def test_no_half_entry_is_read_wherever_a_feed_is_cut(whole: bytes) -> None:
    drafts = read_feed(whole, now=NOW, url=URL).drafts
    for end in range(60, len(whole), 3):
        try:
            read = read_feed(whole[:end], now=NOW, url=URL)
        except FetchError:
            continue
        assert read.drafts == drafts[: len(read.drafts)], whole[:end]


def test_a_cut_feed_says_so_and_one_whose_root_is_closed_keeps_its_open_entry() -> None:
    assert read_feed(RSS[: RSS.rindex(b"<guid>")], now=NOW, url=URL).cut
    sloppy = read_feed(
        RSS.replace(b"]]></description></item></channel>", b"]]></description></channel>"), now=NOW, url=URL
    )
    assert (len(sloppy.entries), sloppy.cut) == (3, False)
