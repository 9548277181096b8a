"""Pure: where sites that many people read keep their feeds, by the address of one of their pages.

From the help pages of Mastodon, Bluesky, YouTube, Reddit, Substack, Medium, GitHub, Blogger, WordPress, Tumblr, Lemmy
and Google News.
"""

from __future__ import annotations

import re
from urllib.parse import parse_qs, quote, urlsplit

_RULES: tuple[tuple[str, str, str], ...] = (
    # the host, the path, and the feed: {0} is the host, {1} … are the groups of the path
    (r"(?:www\.|m\.)?youtube\.com", r"/channel/([\w-]+)", "https://www.youtube.com/feeds/videos.xml?channel_id={1}"),
    (r"(?:www\.|m\.)?youtube\.com", r"/user/([\w-]+)", "https://www.youtube.com/feeds/videos.xml?user={1}"),
    (r"(?:(?:www|old|new|np)\.)?reddit\.com", r"/((?:r|user|u)/[\w-]+)", "https://www.reddit.com/{1}/.rss"),
    (r"(?:(?:www|old|new|np)\.)?reddit\.com", r"/(r/\w+/comments/\w+)(?:/.*)?", "https://www.reddit.com/{1}/.rss"),
    (r"bsky\.app", r"/profile/([\w.:-]+)", "https://bsky.app/profile/{1}/rss"),
    (r"[\w-]+\.substack\.com", r"(?:/.*)?", "https://{0}/feed"),
    (r"(?:www\.)?medium\.com", r"/(@?[\w.-]+)", "https://medium.com/feed/{1}"),
    (r"[\w-]+\.medium\.com", r"(?:/.*)?", "https://{0}/feed"),
    (r"(?:www\.)?github\.com", r"/([\w-]+/[\w.-]+)(?:/releases)?", "https://github.com/{1}/releases.atom"),
    (r"[\w-]+\.blogspot\.[a-z.]+", r"(?:/.*)?", "https://{0}/feeds/posts/default"),
    (r"[\w-]+\.wordpress\.com", r"(?:/.*)?", "https://{0}/feed/"),
    (r"[\w-]+\.tumblr\.com", r"(?:/.*)?", "https://{0}/rss"),
    (r"news\.google\.com", r"/topics/([\w-]+)", "https://news.google.com/rss/topics/{1}"),
)
_ANYWHERE = (  # of servers that anybody may run: the address is tried, and a page that is none costs one request
    (r"/(@[\w.-]+)", "{scheme}://{netloc}/{1}.rss"),  # Mastodon, and others with its addresses
    (r"/tags/(\w+)", "{scheme}://{netloc}/tags/{1}.rss"),
    (r"/c/([\w.-]+)", "{scheme}://{netloc}/feeds/c/{1}.xml?sort=New"),  # Lemmy
)
# They have handles in their addresses, too, but no feed there; their pages name it, so a request is spared.
_NOT_MASTODON = re.compile(r"(?:www\.|m\.)?(?:youtube|medium|tiktok|threads)\.(?:com|net)")
_PREVIEW = re.compile(r"/(?:s/)?([A-Za-z]\w{3,31})")


def feed_addresses(url: str) -> tuple[str, ...]:
    """The feeds that a page of a known site has, the likeliest first; empty for a page of any other site."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
    except ValueError:
        return ()
    path = parts.path.rstrip("/")
    found = []
    for host_pattern, path_pattern, feed in _RULES:
        if re.fullmatch(host_pattern, host) and (match := re.fullmatch(path_pattern, path)):
            found.append(feed.format(host, *match.groups()))
    query = parse_qs(parts.query)
    if re.fullmatch(r"(?:www\.|m\.)?youtube\.com", host) and path == "/playlist" and (lists := query.get("list")):
        found.append(f"https://www.youtube.com/feeds/videos.xml?playlist_id={quote(lists[0], safe='')}")
    if host == "news.google.com" and path == "/search" and parts.query:
        found.append(f"https://news.google.com/rss/search?{parts.query}")
    if not found and not _NOT_MASTODON.fullmatch(host):
        for path_pattern, feed in _ANYWHERE:
            if match := re.fullmatch(path_pattern, path):
                found.append(feed.format("", *match.groups(), scheme=parts.scheme, netloc=parts.netloc))
    return tuple(dict.fromkeys(found))


def list_address(url: str) -> str:
    """The page that lists what is at this address, as far as it is known to be another one; else `url` itself.

    A Telegram channel has its messages in its preview (`/s/…`).
    """
    try:
        parts = urlsplit(url)
    except ValueError:
        return url
    match = _PREVIEW.fullmatch(parts.path.rstrip("/"))
    if parts.hostname in ("t.me", "telegram.me") and match and not parts.query:
        return f"https://t.me/s/{match[1]}"
    return url
