"""Still: an article out of a saved web page. Text by trafilatura, the facts about it from the page's own tags."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from watchpost.poll.documents.charset import decode_html
from watchpost.poll.documents.markup import parse_html, text_of
from watchpost.poll.text.dates import parse_date
from watchpost.poll.text.scrape import trim_furniture
from watchpost.poll.text.tidy import Draft, canonical_url, clean_line

_DATE_METAS = (
    "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
    "publishdate", "publish-date", "parsely-pub-date", "sailthru.date", "og:published_time",
)  # fmt: skip
_JSON_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,60})"')
_SITE_SUFFIX = re.compile(r"\s+(?:[|·•»]|::|[-–—])\s+([^|·•»]{2,40})$")
_ENOUGH = 100


def read_page(data: bytes, now: datetime, encoding: str = "") -> Draft:
    """Title (og:title, h1, title), text, date, outlet (og:site_name), canonical link and language of a page.

    `encoding` is what it is in if it is not UTF-8 and does not say so.
    Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return Draft("")
    metas = _metas(root)
    raw_title = _first(root, "title")
    outlet = clean_line(metas.get("og:site_name", "") or metas.get("application-name", ""))
    title = _title(root, metas, raw_title, outlet)
    if not outlet and (suffix := _SITE_SUFFIX.search(raw_title)) and raw_title.startswith(title):
        outlet = suffix[1].strip()
    return Draft(
        title=title,
        text=_body(page, root, title),
        link=_canonical(root, metas),
        author=metas.get("author", "") or metas.get("article:author", ""),
        outlet=outlet,
        lang=next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), ""),
        published=_published(page, root, metas, now),
    )


def read_article(data: bytes, now: datetime, encoding: str = "") -> Draft:
    """The text of an article's page and the facts that it declares about it; "" where no article is found in it.

    Only what extraction takes for the article counts: a page's frame (menus, related articles, a wall that asks for
    consent) is never taken instead. Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return Draft("")
    metas = _metas(root)
    title = _title(root, metas, _first(root, "title"), clean_line(metas.get("og:site_name", "")))
    return Draft(
        title=title,
        text="\n\n".join(_paragraphs(_extract(page, favor_precision=True), title)),
        author=metas.get("author", ""),
        lang=next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), ""),
        published=_published(page, root, metas, now),
    )


def _title(root: Any, metas: dict[str, str], raw_title: str, outlet: str) -> str:
    headings = [heading for tag in ("h1", "h2") for heading in _all(root, tag)]
    for heading in headings:  # the one that the page's own title repeats is the article's
        if len(heading) >= 8 and heading in raw_title:
            return heading
    shared = clean_line(metas.get("og:title", ""))
    if shared:
        return shared.removesuffix(outlet).rstrip(" |·•»–—-") if outlet and shared != outlet else shared
    return _first(root, "h1") or _SITE_SUFFIX.sub("", raw_title) or (headings[0] if headings else "")


def _body(page: str, root: Any, title: str) -> str:
    text = _extract(page)
    if len(text) < _ENOUGH:
        text = text_of(root, frame=False) or text
    return "\n\n".join(_paragraphs(text, title))


def _paragraphs(text: str, title: str) -> list[str]:
    found = trim_furniture([clean_line(part) for part in re.split(r"\n+", text) if part.strip()])
    while found and found[0] == title:
        found = found[1:]
    return found


def _extract(page: str, *, favor_precision: bool = False) -> str:
    import trafilatura  # half a second to import: only where a page is read

    try:
        found = trafilatura.extract(
            page, fast=True, include_comments=False, with_metadata=False, favor_precision=favor_precision
        )
    except Exception:  # of any kind: lxml and the heuristics above it fail in many ways on broken pages
        return ""
    return found if isinstance(found, str) else ""


def _published(page: str, root: Any, metas: dict[str, str], now: datetime) -> datetime | None:
    texts = [metas[name] for name in _DATE_METAS if metas.get(name)]
    texts += _JSON_LD_DATE.findall(page)[:1]
    texts += [str(t.get("datetime")) for t in root.iter("time") if t.get("datetime")][:1]
    return next((moment for text in texts if (moment := parse_date(text, now))), None)


def _canonical(root: Any, metas: dict[str, str]) -> str:
    links = [tag for tag in root.iter("link") if "canonical" in (tag.get("rel") or "").lower().split()]
    return next(
        (url for tag in links if (url := canonical_url(str(tag.get("href") or "")))),
        canonical_url(metas.get("og:url", "")),
    )


def _metas(root: Any) -> dict[str, str]:
    """name, property or itemprop → content; the first of each wins."""
    found: dict[str, str] = {}
    for meta in root.iter("meta"):
        name = (meta.get("property") or meta.get("name") or meta.get("itemprop") or "").lower()
        if name and meta.get("content"):
            found.setdefault(name, str(meta.get("content")))
    return found


def _first(root: Any, tag: str) -> str:
    return next(_all(root, tag), "")


def _all(root: Any, tag: str) -> Iterator[str]:
    texts = (clean_line("".join(element.itertext())) for element in root.iter(tag))
    return (text for text in texts if text)
