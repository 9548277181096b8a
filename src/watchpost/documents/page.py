"""Pure: a web page becomes the draft of an article, or names the feeds of its site.

The text is extracted by trafilatura; the facts about it come from the page's own tags.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any
from urllib.parse import urljoin

from watchpost.documents.clean import canonical_url, clean_line, clean_text
from watchpost.documents.dates import parse_date
from watchpost.documents.encoding import decode_html
from watchpost.documents.entry import EntryDraft
from watchpost.documents.html import parse_html, parse_page, text_of
from watchpost.documents.json_ld import Declared, read_json_ld
from watchpost.documents.text import trim_boilerplate

_DATE_METAS = (
    "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
    "publishdate", "publish-date", "parsely-pub-date", "sailthru.date", "og:published_time",
)  # fmt: skip
_JSON_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,60})"')  # of JSON that cannot be read
_SITE_SUFFIX = re.compile(r"\s(?:[|·•»]|::|[-–—])\s{1,9}([^|·•»]{2,40})$")
_TITLE_PARTS = re.compile(r"\s(?:[|·•»«:/<>~\\]|::|--|[-–—])\s+|:\s+|[|_•»\[\]]")
_SEPARATORS = frozenset("|·•»–—-:")
_HEADING_MIN = 8
_TITLE_MAX, _HEADINGS_MAX = 1_000, 100  # of more a page makes no choice
_EXTRACTED_MIN = 100  # characters; of a shorter text the extraction has missed the article
_PARAGRAPH_MIN = 80
_SHORT_TEXT, _LONGER = 500, 1.5  # characters; a text that is so much longer goes before a short one
_SHARE_MIN = 0.5
"""Less than this share of the page's prose, or of the text that it declares, is a part of the article only."""
_FRAME = frozenset({"nav", "header", "footer", "aside", "form"})

FEED_LINKS_MAX = 10
_SAVED_FROM = re.compile(
    r"<!--\s{0,99}(?:saved from url=\(\d{1,9}\)|Page saved with SingleFile\s{1,99}url:\s{1,9})(https?://[^\s<>]{1,2000})"
)
_PAGE_MAX, _URL_MAX = 1_000_000, 2_000
_FEED_TYPES = frozenset(f"application/{t}" for t in ("rss+xml", "atom+xml", "feed+json", "json", "rdf+xml"))


def read_page(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """Title, text, authors, date, outlet (og:site_name), canonical link and language of a saved page.

    `encoding` is that of a page that is not UTF-8 and declares nothing. Raises FetchError("binary").
    """
    whole = decode_html(data, encoding)
    root, page = parse_page(whole)
    if root is None:
        return EntryDraft("")
    facts = _Facts.of(root)
    text = _article_text(page, root, facts)
    if len(text) < _EXTRACTED_MIN:
        text = text_of(root, frame=False) or text
    return EntryDraft(
        title=facts.title,
        text=_without_title(text, facts.title),
        link=_canonical(root, facts.metas) or _saved_from(whole),
        author=_author(facts),
        outlet=facts.outlet,
        lang=_language(root) or facts.declared.lang,
        published=_published(page, root, facts, now),
    )


def read_article(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """The text of an article's page and what the page declares about it; `text` is "" if no article is found.

    Only what extraction takes for the article counts, never the rest of the page: menus, related articles, a request
    for consent. Raises FetchError("binary").
    """
    root, page = parse_page(decode_html(data, encoding))
    if root is None:
        return EntryDraft("")
    facts = _Facts.of(root)
    return EntryDraft(
        title=facts.title,
        text=_without_title(_article_text(page, root, facts), facts.title),
        author=_author(facts),
        lang=_language(root) or facts.declared.lang,
        published=_published(page, root, facts, now),
    )


@dataclass(frozen=True, slots=True)
class _Facts:
    """What a page says about itself: its metas, its JSON-LD, its outlet and its title."""

    metas: dict[str, str]
    declared: Declared
    outlet: str
    title: str

    @classmethod
    def of(cls, root: Any) -> _Facts:
        metas, declared, raw_title = _metas(root), read_json_ld(root), _first(root, "title")[:_TITLE_MAX]
        outlet = clean_line(metas.get("og:site_name", "") or metas.get("application-name", ""))
        title = _title(root, metas, raw_title, outlet, declared)
        if not outlet and (suffix := _SITE_SUFFIX.search(raw_title)) and raw_title.startswith(title):
            outlet = suffix[1].strip()
        return cls(metas, declared, outlet, title)


def _title(root: Any, metas: dict[str, str], raw_title: str, outlet: str, declared: Declared) -> str:
    """og:title, which is written for readers elsewhere; else the heading that <title> repeats, else <title>.

    What is the name of the site is no headline: many sites have it in an <h1> around their logo.
    """
    headings = [
        heading
        for tag in ("h1", "h2")
        for heading in islice(_all(root, tag), _HEADINGS_MAX)
        if not _is_name_of_site(heading, outlet, raw_title)
    ]
    long_enough = [heading for heading in headings if len(heading) >= _HEADING_MIN]
    for name in ("og:title", "twitter:title"):
        shared = clean_line(html.unescape(metas.get(name, "")))
        if shared and not _is_name_of_site(shared, outlet, raw_title):
            own = next(
                (heading for heading in headings if len(heading) >= _HEADING_MIN and _has_suffix(shared, heading)), ""
            )
            return own or _without_outlet(shared, outlet)
    repeated = max((heading for heading in long_enough if heading in raw_title), key=len, default="")
    if declared.headline and not (declared.headline in repeated or (repeated and repeated in declared.headline)):
        return declared.headline
    return repeated or next(iter(headings), "") or _SITE_SUFFIX.sub("", raw_title)


def _is_name_of_site(text: str, outlet: str, raw_title: str) -> bool:
    """Whether the text names the site: og:site_name, or the last or first part of a <title> of several."""
    name = text.casefold().strip()
    if outlet and name == outlet.casefold():
        return True
    parts = [part.strip().casefold() for part in _TITLE_PARTS.split(raw_title) if part.strip()]
    longest = max(parts, key=len, default="")
    return len(parts) > 1 and name in parts and name != longest and len(name) < 0.6 * len(longest)


def _has_suffix(shared: str, heading: str) -> bool:
    """Whether `shared` is the heading, followed by a separator and the name of a site."""
    return shared.startswith(heading) and _SITE_SUFFIX.fullmatch(shared[len(heading) :]) is not None


def _without_outlet(title: str, outlet: str) -> str:
    if not outlet or title == outlet:
        return title
    bare = title.removesuffix(outlet).rstrip(" |·•»–—-:")
    before = bare.removeprefix(outlet)
    return (before.lstrip(" |·•»–—-:") if before[:2].strip() in _SEPARATORS else bare) or title


def _author(facts: _Facts) -> str:
    given = facts.metas.get("author", "") or facts.metas.get("article:author", "")
    is_name = given and not given.startswith(("http://", "https://"))
    return given if is_name else facts.declared.author


def _article_text(page: str, root: Any, facts: _Facts) -> str:
    """The article's text: what is extracted, unless the page says elsewhere that there is much more of it."""
    text = _extract(page)
    if len(text) < _SHORT_TEXT or len(text) < _SHARE_MIN * _prose(root):
        other = _extract(page, thorough=True)
        text = other if len(other) > _LONGER * len(text) else text
    declared = facts.declared.text or clean_text(facts.metas.get("articlebody", ""))
    return declared if len(declared) >= _EXTRACTED_MIN and len(text) < _SHARE_MIN * len(declared) else text


def _prose(root: Any) -> int:
    """How many characters the page has in paragraphs of some length, outside of its menus, headers and footers."""
    size = 0
    for paragraph in root.iter("p"):
        length = len(" ".join("".join(paragraph.itertext()).split()))
        if length >= _PARAGRAPH_MIN and not any(above.tag in _FRAME for above in paragraph.iterancestors()):
            size += length
    return size


def _without_title(text: str, title: str) -> str:
    paragraphs = trim_boilerplate([clean_line(part) for part in re.split(r"\n+", text) if part.strip()])
    while paragraphs and paragraphs[0] == title:
        paragraphs = paragraphs[1:]
    return "\n\n".join(paragraphs)


def _language(root: Any) -> str:
    return next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), "")


def _extract(page: str, *, thorough: bool = False) -> str:
    """What trafilatura takes for the article; `thorough` asks other extractors, too, and takes far longer."""
    import trafilatura  # takes half a second to import

    try:
        text = trafilatura.extract(
            page, fast=not thorough, include_comments=False, with_metadata=False, favor_recall=False
        )
    except Exception:  # lxml and the heuristics above it fail in many ways on broken pages
        return ""
    return text if isinstance(text, str) else ""


def _published(page: str, root: Any, facts: _Facts, now: datetime) -> datetime | None:
    texts = [facts.metas[name] for name in _DATE_METAS if facts.metas.get(name)]
    texts += [facts.declared.published] if facts.declared.published else []
    texts += _JSON_LD_DATE.findall(page)[:1]
    texts += [str(t.get("datetime")) for t in root.iter("time") if t.get("datetime")][:1]
    return next((moment for text in texts if (moment := parse_date(text, now))), None)


def _canonical(root: Any, metas: dict[str, str]) -> str:
    links = [tag for tag in root.iter("link") if "canonical" in (tag.get("rel") or "").lower().split()]
    return next(
        (url for tag in links if (url := canonical_url(str(tag.get("href") or "")))),
        canonical_url(metas.get("og:url", "")),
    )


def _saved_from(page: str) -> str:
    """The address that a browser or SingleFile writes into the first comment of a page it saves."""
    saved = _SAVED_FROM.search(page[:2_000])
    return canonical_url(saved[1]) if saved else ""


def _metas(root: Any) -> dict[str, str]:
    """name, property or itemprop → content; the first of each wins."""
    metas: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        if name and meta.get("content"):
            metas.setdefault(name, str(meta.get("content")))
    return metas


def _first(root: Any, tag: str) -> str:
    return next(_all(root, tag), "")


def _all(root: Any, tag: str) -> Iterator[str]:
    texts = (clean_line("".join(element.itertext())) for element in root.iter(tag))
    return (text for text in texts if text)


@dataclass(frozen=True, slots=True)
class FeedLink:
    """A feed that a page names."""

    url: str
    title: str


def find_feed_links(data: bytes, base: str) -> tuple[FeedLink, ...]:
    """The page's `<link rel="alternate">` of a feed's type and `rel="feed"`, in its order, at most ten.

    See https://www.rssboard.org/rss-autodiscovery. `base` is the page's address; its `<base href>` goes before. Only
    http and https; the API of a WordPress page, which is announced as JSON, is no feed.
    """
    root = parse_html(decode_html(data)[:_PAGE_MAX])
    if root is None:
        return ()
    own_base = next((str(tag.get("href")) for tag in root.iter("base") if tag.get("href")), "")[:_URL_MAX]
    links: dict[str, FeedLink] = {}
    for link in root.iter("link", "a"):
        rels = (link.get("rel") or "").lower().split()
        kind = (link.get("type") or "").lower().partition(";")[0].strip()
        is_feed = "feed" in rels or (link.tag == "link" and "alternate" in rels and kind in _FEED_TYPES)
        href = (link.get("href") or "").strip()
        if not (is_feed and href) or len(href) > _URL_MAX:
            continue
        try:
            url = urljoin(urljoin(base, own_base), href)
        except ValueError:
            continue
        if url.startswith(("http://", "https://")) and "/wp-json/" not in url and len(url) < _URL_MAX:
            links.setdefault(url, FeedLink(url, " ".join((link.get("title") or "").split())[:200]))
        if len(links) == FEED_LINKS_MAX:
            break
    return tuple(links.values())
