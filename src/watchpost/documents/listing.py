"""Pure: a web page that lists links (press releases, messages, topics of a forum) as the entries of a feed.

CSS selectors (Selectors Level 3, by cssselect) say where the entries are. What no selector says is guessed: of all
groups of links that are built alike, the one that looks most like headlines with dates is taken.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from urllib.parse import urljoin, urlsplit

from watchpost.documents.clean import canonical_url, clean_line, headline
from watchpost.documents.dates import parse_date, slashed_order
from watchpost.documents.encoding import decode_html
from watchpost.documents.entry import EntryDraft, FeedEntry, Written
from watchpost.documents.html import parse_html, text_of
from watchpost.documents.list_rule import ListRule
from watchpost.errors import FetchError

_LINKS_MAX = 5_000
_DEPTH_MAX = 60
_GROUPS_TRIED = 8
_ENTRIES_MIN = 3  # fewer links are no list, unless a selector names them
_ENTRIES_MAX = 1_000
_SIGNATURE = 4  # an anchor and so many of its ancestors, less one
_COUNTED_MAX = 50  # further links do not make a group more likely: menus are long
_QUALITY_MIN = 0.4

_HEADINGS = ("h1", "h2", "h3", "h4", "h5", "h6")
_FRAME = frozenset({"nav", "header", "footer", "aside", "form"})
_FRAME_WORDS = re.compile(
    r"(?:^|[-_\s])(?:nav|navbar|navigation|menu|submenu|footer|sidebar|breadcrumbs?|pagination|pager|related|popular"
    r"|most-?read|trending|social|share|tags?|tagcloud|cookie|toolbar)(?:$|[-_\s])",
    re.IGNORECASE,
)
_DATE_WORDS = re.compile(
    r"(?:^|[-_\s])(?:date|time|datetime|posted|published?|pubdate|created|when|day)", re.IGNORECASE
)
_DATE_LIKE = re.compile(r"\d{1,4}\D{1,12}(?:\d{1,2}|[^\W\d]{3,12})\D{1,6}\d{1,4}|[^\W\d]{3,12}\.? \d{1,2},? \d{4}")
_FEED_START = re.compile(rb"[\xef\xbb\xbf\s]*(?:<\?xml[^>]*>\s*)?<(?:rss|feed|rdf:RDF)[\s>]", re.IGNORECASE)
_LETTERS = re.compile(r"[^\W\d_]")
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uf900-\ufaff]")


@dataclass(frozen=True, slots=True)
class LinkGroup:
    """Links of a page that are built alike: how many there are, how many have a date, and the title of the first.

    `items` is a selector that finds them, "" if there is no simple one.
    """

    items: str
    count: int
    dated: int
    example: str


@dataclass(frozen=True, slots=True)
class Listing:
    """The entries of a page, each link once. `taken` says what they are, `why` for what reason.

    `others` are groups that could be meant as well. `left_out` counts items without a link or a title.
    """

    entries: tuple[FeedEntry, ...]
    lang: str
    taken: LinkGroup
    why: str
    others: tuple[LinkGroup, ...] = ()
    left_out: int = 0


@dataclass(frozen=True, slots=True)
class _Item:
    """An element that is one entry, and the anchor by which it was found, if it was."""

    element: Any
    anchor: Any = None


def read_list(data: bytes, rule: ListRule, *, now: datetime, url: str, charset: str = "") -> Listing:
    """The entries of the page at `url`. Raises FetchError("no_items") with a sentence, and FetchError("binary")."""
    if _FEED_START.match(data[:2048]):
        raise FetchError("no_items", "this is not a page but a feed: write it under feeds")
    root = parse_html(decode_html(data, charset))
    if root is None:
        raise FetchError("no_items", "there is nothing on this page")
    base = next((urljoin(url, str(tag.get("href"))) for tag in root.iter("base") if tag.get("href")), url)
    page = _ListPage(root, base, rule, now)
    if rule.items:
        items = [_Item(element) for element in _select(root, rule.items)]
        if not items:
            raise FetchError("no_items", f"items: '{rule.items}' matches nothing on this page")
        return page.listing(items, "items is configured")
    anchors = _anchors(root, base)
    if rule.link:
        named = set(_select(root, rule.link))
        chosen = [(anchor, link) for anchor, link in anchors if anchor in named]
        if not chosen:
            raise FetchError("no_items", f"link: '{rule.link}' matches no link on this page")
        return page.listing(_items(chosen), "link is configured")
    return page.guess(anchors)


class _ListPage:
    """One page while its entries are looked for."""

    def __init__(self, root: Any, base: str, rule: ListRule, now: datetime) -> None:
        self._root = root
        self._base = base
        self._rule = rule
        self._now = now
        self._lang = next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), "")
        self._outlet = _site_name(root) or (urlsplit(base).hostname or "")

    def listing(self, items: Sequence[_Item], why: str, others: Sequence[LinkGroup] = ()) -> Listing:
        """The listing of these items. Raises FetchError if none of them has a link."""
        entries = self._entries(items)
        if not entries:
            raise FetchError("no_items", f"{len(items)} items were found on this page, and none has a link and a title")
        taken = self._group(items, entries)
        return Listing(tuple(entries), self._lang, taken, why, tuple(others), len(items) - len(entries))

    def guess(self, anchors: Sequence[tuple[Any, str]]) -> Listing:
        """The listing of the most likely group of links. Raises FetchError if none is likely."""
        groups: dict[tuple[str, ...], list[tuple[Any, str]]] = {}
        for anchor, link in anchors:
            groups.setdefault(_signature(anchor), []).append((anchor, link))
        likely = [members for members in groups.values() if len({link for _, link in members}) >= _ENTRIES_MIN]
        candidates = sorted(((_items(members), members) for members in likely), key=_first_score, reverse=True)
        scored = []
        for items, members in candidates[:_GROUPS_TRIED]:
            entries = self._entries(items)
            dated = sum(entry.head.published is not None for entry in entries)
            if len(entries) >= _ENTRIES_MIN:
                share = dated / len(entries)
                scored.append((_first_score((items, members)) * (1 + 2 * share), items, self._group(items, entries)))
        scored.sort(key=lambda each: each[0], reverse=True)
        if not scored or scored[0][0] < _ENTRIES_MIN * _QUALITY_MIN:
            raise FetchError(
                "no_items",
                f"no list of headlines was recognised among the {len(anchors)} links of this page; name it with items",
            )
        _, items, group = scored[0]
        why = (
            f"guessed: of {len(groups)} groups of links that are built alike, this one looks most like headlines"
            f" ({group.count} links, {group.dated} with a date)"
        )
        others = {other.example: other for _, _, other in scored[1:] if other.example != group.example}
        return self.listing(items, why, list(others.values())[:3])

    def _entries(self, items: Sequence[_Item]) -> list[FeedEntry]:
        """The entries, each link once. Whether 3/4 is in March or in April is decided for the page as a whole."""
        dates = [self._date_texts(item.element) for item in items[:_ENTRIES_MAX]]
        day_first = slashed_order(text for texts in dates for text in texts)
        entries: dict[str, FeedEntry] = {}
        for item, texts in zip(items, dates, strict=False):
            link = self._link(item)
            title, title_text = self._title(item, texts)
            if not link or not title or link in entries:
                continue
            moments = (parse_date(text, self._now, day_first=day_first, alone=True) for text in texts)
            head = EntryDraft(
                title,
                link=link,
                outlet=self._outlet,
                lang=self._lang,
                published=next((moment for moment in moments if moment is not None), None),
            )
            entries[link] = FeedEntry(head, (Written(_rest(item.element, {title, title_text, *texts}), html=False),))
        return list(entries.values())

    def _group(self, items: Sequence[_Item], entries: Sequence[FeedEntry]) -> LinkGroup:
        dated = sum(entry.head.published is not None for entry in entries)
        selector = self._rule.items or _selector(self._root, [item.element for item in items])
        return LinkGroup(selector, len(entries), dated, entries[0].head.title if entries else "")

    def _link(self, item: _Item) -> str:
        anchors: Iterable[Any]
        if self._rule.link:
            found = _select(item.element, self._rule.link)
            anchors = [anchor for each in found for anchor in (each, *each.iter("a"))]
        elif item.anchor is not None:
            anchors = [item.anchor]
        else:
            anchors = _by_likelihood(item.element)
        links = (canonical_url(str(anchor.get("href")), self._base) for anchor in anchors if anchor.get("href"))
        return next((link for link in links if link), "")

    def _title(self, item: _Item, dates: Sequence[str]) -> tuple[str, str]:
        """The title, and the text that it was made of."""
        if self._rule.title:
            texts = [clean_line(text_of(each)) for each in _select(item.element, self._rule.title)]
        else:
            texts = [clean_line(text_of(each)) for tag in _HEADINGS for each in item.element.iter(tag)]
            if item.anchor is not None:
                texts += [clean_line(line) for line in text_of(item.anchor).split("\n")]
            else:
                anchors = [clean_line(text_of(each)) for each in item.element.iter("a")]
                texts += sorted((text for text in anchors if _is_headline(text)), key=len, reverse=True)[:1]
        text = next((text for text in texts if text and text not in dates and _LETTERS.search(text)), "")
        if not text and not self._rule.title:
            lines = (clean_line(line) for line in text_of(item.element).split("\n"))
            text = next((line for line in lines if line and line not in dates and _is_headline(line)), "")
        return headline(text), text

    def _date_texts(self, element: Any) -> list[str]:
        """The texts of an item that may be its date, the surest first."""
        if self._rule.date:
            found = _select(element, self._rule.date)
            return [text for each in found for text in (*_date_attributes(each), clean_line(text_of(each))) if text]
        texts: list[str] = []
        likely: list[str] = []
        for each in element.iter():
            if not isinstance(each.tag, str):
                continue
            texts += _date_attributes(each)
            own = clean_line("".join(each.itertext())) if len(each) <= 3 else ""
            if each.tag == "time" or _DATE_WORDS.search(f"{each.get('class') or ''} {each.get('id') or ''}"):
                texts += [own] if 4 <= len(own) <= 60 else []
            elif 6 <= len(own) <= 40 and _DATE_LIKE.search(own):
                likely.append(own)
        return [*texts, *likely][:20]


def _date_attributes(element: Any) -> list[str]:
    named = element.tag in ("time", "meta", "span", "abbr", "div", "p", "li", "td", "a")
    is_date = element.tag == "time" or "date" in str(element.get("itemprop") or "").lower()
    values = [element.get("datetime"), element.get("content") if is_date else None, element.get("data-datetime")]
    return [clean_line(str(value)) for value in values if value] if named else []


def _anchors(root: Any, base: str) -> list[tuple[Any, str]]:
    """The links of a page to other pages, with their addresses, in its order."""
    own = canonical_url(base)
    found = []
    for anchor in root.iter("a"):
        link = canonical_url(str(anchor.get("href") or ""), base)
        if link and link != own:
            found.append((anchor, link))
        if len(found) >= _LINKS_MAX:
            break
    return found


def _signature(anchor: Any) -> tuple[str, ...]:
    """How an anchor is built in: its tag and those of its nearest ancestors, each with its first class."""
    parts: list[str] = []
    element = anchor
    while element is not None and len(parts) < _SIGNATURE:
        classes = re.sub(r"\d+", "", str(element.get("class") or "")).split()
        parts.append(f"{element.tag}.{classes[0]}" if classes else str(element.tag))
        element = element.getparent()
    return tuple(parts)


def _items(members: Sequence[tuple[Any, str]]) -> list[_Item]:
    """For each link the largest element around it that has no other link of the group."""
    links: dict[Any, set[str]] = {}
    for anchor, link in members:
        for element in _upwards(anchor):
            links.setdefault(element, set()).add(link)
    items: dict[Any, _Item] = {}
    for anchor, _ in members:
        alone = [element for element in _upwards(anchor) if len(links[element]) == 1]
        container = alone[-1] if alone else anchor
        if container.tag in ("html", "body"):  # the only link of the page
            container = anchor
        items.setdefault(container, _Item(container, anchor))
    return list(items.values())


def _upwards(element: Any) -> Iterator[Any]:
    for _ in range(_DEPTH_MAX):
        if element is None:
            return
        yield element
        element = element.getparent()


def _first_score(candidate: tuple[Sequence[_Item], Sequence[tuple[Any, str]]]) -> float:
    """How much a group of links looks like headlines, without its dates."""
    items, _ = candidate
    quality, titles = 0.0, set()
    for item in items[:_COUNTED_MAX]:
        text = clean_line(text_of(item.anchor))
        in_heading = _has(item.element, *_HEADINGS)
        if _is_headline(text):
            quality += 1.2 if in_heading else 1.0
            titles.add(text)
        elif in_heading or (_has(item.anchor, "time") and len(text_of(item.element)) > 2 * len(text) + 10):
            quality += 0.8
            titles.add(text_of(item.element)[:200])
    shown = min(len(items), _COUNTED_MAX)
    if not shown or quality / shown < _QUALITY_MIN:
        return 0.0
    factor = 1.0
    for element in _upwards(items[0].element):
        names = f"{element.get('class') or ''} {element.get('id') or ''} {element.get('role') or ''}"
        if element.tag in ("html", "body"):
            break
        if element.tag in _FRAME or _FRAME_WORDS.search(names):
            factor = 0.1
    return quality * factor * len(titles) / shown


def _has(element: Any, *tags: str) -> bool:
    return next(element.iter(*tags), None) is not None


def _is_headline(text: str) -> bool:
    """Whether a text may be a headline: three words, or as many signs of a script without spaces; no date."""
    if len(text) > 400 or _DATE_LIKE.fullmatch(text):
        return False
    letters = len(_LETTERS.findall(text))
    return (letters >= 12 and len(text.split()) >= 3) or len(_UNSPACED.findall(text)) >= 8


def _by_likelihood(element: Any) -> list[Any]:
    """The anchors of an item: itself, in a heading, around a time, and then those with the longest text."""
    anchors = [each for each in element.iter("a") if each.get("href")]
    headings = [each for each in anchors if any(above.tag in _HEADINGS for above in _upwards(each))]
    around_time = [each for each in anchors if _has(each, "time")]
    itself = [element] if element.tag == "a" else []
    by_length = sorted(anchors, key=lambda each: len(text_of(each)), reverse=True)
    return [*itself, *headings, *around_time, *by_length]


def _rest(element: Any, known: set[str]) -> str:
    """The text of an item without its title and its dates."""
    lines = text_of(element).split("\n")
    return "\n".join(line for line in lines if clean_line(line) not in known).strip()


def _select(element: Any, selector: str) -> list[Any]:
    """The elements that a CSS selector finds in an element; the element itself counts."""
    return list(_compiled(selector)(element))


@lru_cache(64)
def _compiled(selector: str) -> Any:
    from lxml.cssselect import CSSSelector  # type: ignore[import-untyped]  # lxml ships no types

    return CSSSelector(selector, translator="html")


def _selector(root: Any, elements: Sequence[Any]) -> str:
    """A simple selector that finds just these elements; "" if there is none."""
    first, wanted = elements[0], set(elements)
    for name in _names(first):
        above = first.getparent()
        tried = [name] if "." in name else []
        tried += [f"{outer} > {name}" for outer in (_names(above) if above is not None else ())]
        for selector in tried:
            found = _select(root, selector)
            if wanted <= set(found) and len(found) <= len(wanted) + 2:
                return selector
    return ""


def _names(element: Any) -> list[str]:
    """The ways in which a selector may name an element: by its id, its classes, its tag."""
    plain = [
        name for name in str(element.get("class") or "").split() if re.fullmatch(r"[A-Za-z_-][A-Za-z0-9_-]*", name)
    ]
    by_id = str(element.get("id") or "")
    names = [f"#{by_id}"] if re.fullmatch(r"[A-Za-z][A-Za-z_-]*", by_id) else []
    return [*names, *(f"{element.tag}.{name}" for name in plain), str(element.tag)]


def _site_name(root: Any) -> str:
    metas: Mapping[str, str] = {
        str(meta.get("property") or meta.get("name") or "").lower(): str(meta.get("content") or "")
        for meta in root.iter("meta")
    }
    return clean_line(metas.get("og:site_name", "") or metas.get("application-name", ""))
