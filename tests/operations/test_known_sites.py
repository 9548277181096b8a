"""The feeds of sites that many people read, by the address of a page."""

from __future__ import annotations

import pytest

from watchpost.operations.feeds.known_sites import feed_addresses, list_address

YOUTUBE = "https://www.youtube.com/feeds/videos.xml"


@pytest.mark.parametrize(
    ("page", "feed"),
    [
        ("https://www.youtube.com/channel/UC_x5XG1OV2P6uZZ5FSM9Ttw", f"{YOUTUBE}?channel_id=UC_x5XG1OV2P6uZZ5FSM9Ttw"),
        ("https://m.youtube.com/user/desk/", f"{YOUTUBE}?user=desk"),
        ("https://youtube.com/playlist?list=PL123&si=x", f"{YOUTUBE}?playlist_id=PL123"),
        ("https://old.reddit.com/r/Mali/", "https://www.reddit.com/r/Mali/.rss"),
        ("https://www.reddit.com/r/Mali/comments/abc12/title/", "https://www.reddit.com/r/Mali/comments/abc12/.rss"),
        ("https://bsky.app/profile/desk.bsky.social", "https://bsky.app/profile/desk.bsky.social/rss"),
        ("https://bsky.app/profile/did:plc:abc123", "https://bsky.app/profile/did:plc:abc123/rss"),
        ("https://desk.substack.com/archive", "https://desk.substack.com/feed"),
        ("https://medium.com/@desk", "https://medium.com/feed/@desk"),
        ("https://github.com/owner/project", "https://github.com/owner/project/releases.atom"),
        ("https://desk.blogspot.com/", "https://desk.blogspot.com/feeds/posts/default"),
        ("https://desk.wordpress.com", "https://desk.wordpress.com/feed/"),
        ("https://mastodon.example/@desk", "https://mastodon.example/@desk.rss"),
        ("https://mastodon.example/@desk@other.example", None),
        ("https://mastodon.example/tags/mali", "https://mastodon.example/tags/mali.rss"),
        ("https://lemmy.example/c/africa", "https://lemmy.example/feeds/c/africa.xml?sort=New"),
        ("https://news.google.com/search?q=Mali&hl=fr", "https://news.google.com/rss/search?q=Mali&hl=fr"),
        ("https://www.youtube.com/@desk", None),  # its page names the feed
        ("https://www.rfi.fr/", None),
        ("https://[broken", None),
    ],
)
def test_a_page_of_a_known_site(page: str, feed: str | None) -> None:
    assert feed_addresses(page)[:1] == (() if feed is None else (feed,))


def test_a_channel_has_its_messages_in_its_preview() -> None:
    assert list_address("https://t.me/desk_news") == "https://t.me/s/desk_news"
    assert list_address("https://t.me/s/desk_news") == "https://t.me/s/desk_news"
    assert list_address("https://t.me/desk_news/123") == "https://t.me/desk_news/123"
    assert list_address("https://ministry.example/news") == "https://ministry.example/news"
