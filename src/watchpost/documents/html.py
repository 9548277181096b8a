"""Pure: HTML becomes plain text with its paragraphs kept, by lxml."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.boilerplate import is_button, is_label
from watchpost.documents.clean import EntryDraft, canonical_url, clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.encoding import decode_html

_BLOCKS = frozenset(
    [
        "address",
        "article",
        "aside",
        "blockquote",
        "body",
        "center",
        "dd",
        "details",
        "dir",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "h1",
        "h2",
        "h3",
        "h4",
        "h5",
        "h6",
        "header",
        "hr",
        "html",
        "main",
        "menu",
        "nav",
        "ol",
        "p",
        "pre",
        "section",
        "summary",
        "table",
        "ul",
    ]
)
_LINES = frozenset(["br", "li", "tr", "option"])
_CELLS = frozenset(["td", "th"])
_SILENT = frozenset(
    [
        "script",
        "style",
        "noscript",
        "template",
        "iframe",
        "object",
        "embed",
        "svg",
        "math",
        "head",
        "button",
        "select",
        "textarea",
    ]
)
_SPACE = re.compile(r"[ \t\r\n\f\v]+")
_BREAKS, _RUN = re.compile(r"\n{3,}"), re.compile(r" {2,}")
_FRAME = frozenset(["nav", "header", "footer", "aside", "form"])


def parse_html(text: str) -> etree._Element | None:
    """The tree of a page or fragment; None if there is nothing in it. Opens no files, asks no network."""
    data = re.sub("[\0\ud800-\udfff]", "", text).encode("utf-8", "replace")
    data = re.sub(rb"^\s*<\?xml[^>]{0,300}>", b"", data)
    if not data.strip():
        return None
    parser = etree.HTMLParser(encoding="utf-8", no_network=True, recover=True, huge_tree=False)
    try:
        return etree.fromstring(data, parser)
    except (etree.ParseError, ValueError):
        return None


def plain_text(fragment: str) -> str:
    """The text that a reader of `fragment` sees; paragraphs are separated by an empty line, entities unescaped."""
    if "<" not in fragment:
        return html.unescape(fragment).strip()
    root = parse_html(f"<div>{fragment}</div>")
    return text_of(root) if root is not None else ""


def text_of(root: etree._Element, *, frame: bool = True) -> str:
    """The text of a tree. With `frame=False` menus, headers, footers, asides and forms are left out."""
    silent = _SILENT if frame else _SILENT | _FRAME
    parts: list[str] = []
    walk = etree.iterwalk(root, events=("start", "end", "comment", "pi"))
    for event, element in walk:
        name = element.tag if isinstance(element.tag, str) else ""
        mark = "\n\n" if name in _BLOCKS else "\n" if name in _LINES else " " if name in _CELLS else ""
        if event == "start":
            if name in silent:
                walk.skip_subtree()
                continue
            parts += [mark, _squeeze(element.text or "", keep=name == "pre")]
        else:
            if name and name != "br":
                parts.append(mark)
            if element is not root:
                parts.append(_squeeze(element.tail or "", keep=False))
    text = "\n".join([line.strip(" ") for line in "".join(parts).split("\n")])
    return _BREAKS.sub("\n\n", _RUN.sub(" ", text)).strip()


def _squeeze(text: str, *, keep: bool) -> str:
    return text if keep or (text.isprintable() and "  " not in text) else _SPACE.sub(" ", text)


# an article out of the text of a web page as somebody copied it, menus and buttons included.
#
# The shape: perhaps a breadcrumb ("MaliWest Africa"), the headline, perhaps a byline, a first paragraph that may
# begin with a dateline ("PARIS (Reuters) – …"), the text, and what the page says below it.


TITLE_LONGEST = 250

_PLACE = r"[^\W\d_][\w.’'\-]*(?:[ /][^\W\d_][\w.’'\-]*){0,4}"
_DATELINE = re.compile(
    rf"(?:(?P<place>{_PLACE})(?P<more>(?:,\s*[\w.’' ]{{2,30}}){{0,2}})\s*)?(?:\((?P<outlet>[^()\n]{{2,60}})\)\s*)?"
    r"(?:(?:\s|(?<=\)))[-–—]{1,2}|:\s*[-–—])\s*(?=\S)"
)
_BYLINE = re.compile(r"(?:By|Par|Von|Por|Di|Автор:?)\s+(?P<who>[^\W\d_][^\n.!?:]{2,80})")
_END = ".!?…»”\"')]。！？؟"
_PROSE_MIN = 160


@dataclass(frozen=True, slots=True)
class Scraped:
    """The parts that were found. `title` is "" if none stands out; `body` is paragraphs with empty lines between."""

    title: str
    body: str
    place: str = ""
    outlet: str = ""
    author: str = ""


def scrape(text: str) -> Scraped:
    """Title, dateline and text of a copied page; breadcrumbs, buttons and what follows the article are left out."""
    found = trim_boilerplate(paragraphs(text)) or paragraphs(text)
    start = next((i for i, p in enumerate(found[:8]) if p[-1] in _END and dateline(p) != ("", "")), None)
    at = _find_title(found, start)
    title = found[at] if at is not None else ""
    rest = found[at + 1 :] if at is not None else [p for p in found if not _is_breadcrumb(p) or p is found[-1]]
    author = ""
    if rest and len(rest) > 1 and (byline := _BYLINE.fullmatch(rest[0])):
        author, rest = byline["who"].strip(), rest[1:]
    place, outlet = dateline(found[start]) if start is not None else ("", "")
    return Scraped(title, "\n\n".join(rest), place, outlet, author)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, stripped. Without any empty line each line counts as one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n \ufeff")
    blocks = [block.strip() for block in re.split(r"\n[^\S\n]*\n\s*", text) if block.strip()]
    if len(blocks) == 1 and "\n" in blocks[0]:
        return [line.strip() for line in blocks[0].split("\n") if line.strip()]
    return blocks


def trim_boilerplate(found: Sequence[str]) -> list[str]:
    """Paragraphs without buttons, and without what follows the last of the text: related articles, comments."""
    kept = [p for p in (_without_buttons(paragraph) for paragraph in found) if p]
    for i, paragraph in enumerate(kept):
        if i and is_label(paragraph.partition("\n")[0]) and not any(map(_is_prose, kept[i + 1 :])):
            kept = kept[:i]
            break
    return [p for i, p in enumerate(kept) if i == 0 or not is_label(p)]


def dateline(paragraph: str) -> tuple[str, str]:
    """Place and outlet of "PLACE[, Country][, date] (Outlet) – …"; ("", "") if the paragraph begins otherwise.

    Without an outlet in brackets the place must be in capitals: "Mali – a country …" is a sentence.
    """
    match = _DATELINE.match(paragraph[:200])
    if match is None:
        return "", ""
    place, outlet = match["place"] or "", (match["outlet"] or "").strip()
    if re.search(r"\d{1,2}[ .]|\d{4}", outlet) and not re.search(r"[^\W\d_]{3,} ?24", outlet):
        outlet = ""  # a date in brackets
    if outlet and not (outlet[0].isupper() or len(outlet) <= 5):  # "(and loved)", but "(dpa)"
        return "", ""
    named = not place or all(word[0].isupper() or len(word) <= 3 for word in re.split(r"[ /]", place))
    return (place, outlet) if (place.isupper() and len(place) > 1) or (outlet and named) else ("", "")


def _find_title(found: Sequence[str], start: int | None) -> int | None:
    """The index of the headline among the paragraphs above the dateline, or among the first four."""
    above = range(start) if start is not None else range(min(4, len(found) - 1))
    likely = [i for i in above if _may_be_title(found[i])]
    solid = [i for i in likely if not _is_breadcrumb(found[i])]
    if solid:
        return solid[0]
    return likely[-1] if likely else None  # one word can be a headline, too, if nothing better stands there


def _may_be_title(paragraph: str) -> bool:
    if len(paragraph) > TITLE_LONGEST or paragraph.count("\n") > 1 or _BYLINE.fullmatch(paragraph):
        return False
    return not (paragraph.endswith((".", "。", ";", ",")) and len(paragraph) > 120)


def _is_breadcrumb(paragraph: str) -> bool:
    """Short, no closing mark, and glued ("MaliWest Africa"), separated ("Home > World") or of one or two words."""
    if "\n" in paragraph or len(paragraph) > 80 or paragraph[-1] in ".!?:":
        return False
    glued = re.search(r"[^\W\d_][a-zà-ÿа-яё](?=[A-ZÀ-ÞА-ЯЁ])[^\W\d_]{3}", paragraph)
    parted = re.search(r"\s[>»›/|•·]\s", paragraph)
    spaced = bool(re.search(r"[\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]", paragraph))  # scripts without spaces
    few = len(paragraph.split()) <= 2 and (not spaced or len(paragraph) <= 5)
    return bool((glued and len(paragraph.split()) <= 5) or parted or few)


def _is_prose(paragraph: str) -> bool:
    return len(paragraph) >= _PROSE_MIN or (len(paragraph) >= 80 and paragraph[-1] in _END)


def _without_buttons(paragraph: str) -> str:
    lines = paragraph.split("\n")
    while lines and is_button(lines[-1]):
        lines.pop()
    while lines and is_button(lines[0]):
        lines.pop(0)
    return "\n".join(lines).strip()


# an article out of a saved web page. Text by trafilatura, the facts about it from the page's own tags.


_DATE_METAS = (
    "article:published_time", "datepublished", "date", "dc.date", "dc.date.issued", "dcterms.created", "pubdate",
    "publishdate", "publish-date", "parsely-pub-date", "sailthru.date", "og:published_time",
)  # fmt: skip
_JSON_LD_DATE = re.compile(r'"datePublished"\s*:\s*"([^"]{6,60})"')
_SITE_SUFFIX = re.compile(r"\s+(?:[|·•»]|::|[-–—])\s+([^|·•»]{2,40})$")
_ENOUGH = 100


def read_page(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """Title (og:title, h1, title), text, date, outlet (og:site_name), canonical link and language of a page.

    `encoding` is what it is in if it is not UTF-8 and does not say so.
    Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return EntryDraft("")
    metas = _metas(root)
    raw_title = _first(root, "title")
    outlet = clean_line(metas.get("og:site_name", "") or metas.get("application-name", ""))
    title = _title(root, metas, raw_title, outlet)
    if not outlet and (suffix := _SITE_SUFFIX.search(raw_title)) and raw_title.startswith(title):
        outlet = suffix[1].strip()
    return EntryDraft(
        title=title,
        text=_body(page, root, title),
        link=_canonical(root, metas),
        author=metas.get("author", "") or metas.get("article:author", ""),
        outlet=outlet,
        lang=next((str(tag.get("lang")) for tag in root.iter("html") if tag.get("lang")), ""),
        published=_published(page, root, metas, now),
    )


def read_article(data: bytes, now: datetime, encoding: str = "") -> EntryDraft:
    """The text of an article's page and the facts that it declares about it; "" where no article is found in it.

    Only what extraction takes for the article counts: a page's frame (menus, related articles, a wall that asks for
    consent) is never taken instead. Raises FetchError("binary") for bytes that are no text.
    """
    page = decode_html(data, encoding)
    root = parse_html(page)
    if root is None:
        return EntryDraft("")
    metas = _metas(root)
    title = _title(root, metas, _first(root, "title"), clean_line(metas.get("og:site_name", "")))
    return EntryDraft(
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
    found = trim_boilerplate([clean_line(part) for part in re.split(r"\n+", text) if part.strip()])
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
