"""Pure: text and Markdown files become drafts, with or without front matter; menus and buttons are left out.

Many texts are web pages that somebody copied: perhaps a breadcrumb ("MaliWest Africa"), the headline, a byline, a first
paragraph that may begin with a dateline ("PARIS (Reuters) – …"), the text, and what the page says below it.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watchpost.documents.boilerplate import is_button, is_label
from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft

_TITLE_MAX = 250

_PLACE = r"[^\W\d_][\w.’'\-]*(?:[ /][^\W\d_][\w.’'\-]*){0,4}"
_DATELINE = re.compile(
    rf"(?:(?P<place>{_PLACE})(?P<more>(?:,\s?[\w.’' ]{{2,30}}){{0,2}})\s*)?(?:\((?P<outlet>[^()\n]{{2,60}})\)\s*)?"
    r"(?:(?:\s|(?<=\)))[-–—]{1,2}|:\s*[-–—])\s*(?=\S)"
)
_BYLINE = re.compile(r"(?:By|Par|Von|Por|Di|Автор:?)\s+(?P<who>[^\W\d_][^\n.!?:]{2,80})")
# Scripts without spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese; Korean has few.
_UNSPACED = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af]")
_END = ".!?…»”\"')]。！？؟"
_PROSE_MIN = 160
_FENCE = re.compile(r"-{3,}[ \t]*\n(.*?)\n(?:-{3,}|\.{3})[ \t]*(?:\n|\Z)", re.DOTALL)
_FENCE_OF_TOML = re.compile(r"\+{3}[ \t]*\n(.*?)\n\+{3}[ \t]*(?:\n|\Z)", re.DOTALL)
_FACT = re.compile(r"([A-Za-z][\w-]{0,30}):[ \t]*(.*)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.+)")
_UNDERLINED = re.compile(r"(\S[^\n]*)\n(?:=+|-{3,})[ \t]*")
_NAMES = {
    "title": ("title", "headline"),
    "date": ("date", "published", "pubdate", "created"),
    "outlet": ("source", "outlet", "publisher", "site"),
    "lang": ("lang", "language"),
    "link": ("url", "link", "canonical", "source_url"),
    "author": ("author", "by"),
    "summary": ("summary", "description"),
    "identity": ("id", "guid"),
}


def read_text(text: str, now: datetime) -> EntryDraft:
    """A text file, perhaps a copied page. If no title is recognised, `title` is "" and the text is complete."""
    facts, text = front_matter(text)
    page = scrape(text)
    draft = EntryDraft(page.title, page.body, author=page.author, outlet=page.outlet, place=page.place)
    return _with_facts(draft, facts, now)


def read_markdown(text: str, now: datetime) -> EntryDraft:
    """A Markdown file; the first heading is the title unless front matter has one."""
    facts, text = front_matter(text)
    text = text.replace("\r\n", "\n")
    blocks = paragraphs(re.sub(r"^(#{1,6}[ \t].*)\n(?!\n)", r"\1\n\n", text, flags=re.MULTILINE))
    heading = ""
    for i, block in enumerate(blocks):
        if match := _HEADING.fullmatch(block) or _UNDERLINED.fullmatch(block):
            heading = _without_marks(match[1].rstrip(" \t#") or match[1])
            del blocks[i]
            break
    blocks = trim_boilerplate([_without_marks(block) for block in blocks])
    place, outlet = dateline(next((block for block in blocks[:4] if dateline(block) != ("", "")), ""))
    return _with_facts(EntryDraft(heading, "\n\n".join(blocks), outlet=outlet, place=place), facts, now)


def _with_facts(draft: EntryDraft, facts: Mapping[str, str], now: datetime) -> EntryDraft:
    """The draft, in which the facts of the front matter go before what was found in the text."""
    date = facts.get("date", "")
    given = {name: value for name, value in facts.items() if value and name != "date"}
    return replace(draft, published=parse_date(date, now), **given)


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between two `---` at the beginning, by our names, and the text after them.

    Hugo's `+++` with TOML is read, too (https://gohugo.io/content-management/front-matter/).
    """
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    match = _FENCE.match(text[:20_000]) or _FENCE_OF_TOML.match(text[:20_000])
    if match is None:
        return {}, text
    given = _toml(match[1]) if match[0].startswith("+") else {}
    for line in () if match[0].startswith("+") else match[1].split("\n"):
        fact = _FACT.fullmatch(line.strip())
        if fact:
            given[fact[1].lower()] = _unquoted(fact[2].strip())
    if not given:
        return {}, text
    facts = {ours: next((given[name] for name in names if given.get(name)), "") for ours, names in _NAMES.items()}
    return facts, text[match.end() :]


def _toml(text: str) -> dict[str, str]:
    try:
        table = tomllib.loads(text)
    except (tomllib.TOMLDecodeError, RecursionError):
        return {}
    return {name.lower(): str(value) for name, value in table.items() if not isinstance(value, (dict, list))}


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return inner.replace('\\"', '"').replace("\\\\", "\\") if value[0] == '"' else inner.replace("''", "'")
    return value


def _without_marks(block: str) -> str:
    """A block without Markdown's marks; the words and their order stay."""
    block = re.sub(r"!\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,500})?\)", r"\1", block)
    block = re.sub(r"\[([^\[\]]{1,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,500})?\)", r"\1", block)
    block = re.sub(r"^(?:#{1,6}|>+)[ \t]+", "", block, flags=re.MULTILINE)
    return re.sub(r"(?<!\w)(\*{1,3}|_{1,3})(?=\S)(.{1,400}?)(?<=\S)\1(?!\w)", r"\2", block, flags=re.DOTALL)


@dataclass(frozen=True, slots=True)
class Scraped:
    """The parts of a copied page. `title` is "" if none is recognised; `body` has empty lines between paragraphs."""

    title: str
    body: str
    place: str = ""
    outlet: str = ""
    author: str = ""


def scrape(text: str) -> Scraped:
    """Title, dateline and text of a copied page; breadcrumbs, buttons and what follows the article are left out."""
    blocks = trim_boilerplate(paragraphs(text)) or paragraphs(text)
    start = next((i for i, block in enumerate(blocks[:8]) if block[-1] in _END and dateline(block) != ("", "")), None)
    at = _find_title(blocks, start)
    title = blocks[at] if at is not None else ""
    rest = blocks[at + 1 :] if at is not None else [b for b in blocks if not _is_breadcrumb(b) or b is blocks[-1]]
    author = ""
    if len(rest) > 1 and (byline := _BYLINE.fullmatch(rest[0])):
        author, rest = byline["who"].strip(), rest[1:]
    place, outlet = dateline(blocks[start]) if start is not None else ("", "")
    return Scraped(title, "\n\n".join(rest), place, outlet, author)


def paragraphs(text: str) -> list[str]:
    """The paragraphs of a text, stripped. Without any empty line each line counts as one."""
    text = text.replace("\r\n", "\n").replace("\r", "\n").strip("\n \ufeff")
    blocks = [block.strip() for block in re.split(r"\n[^\S\n]*\n\s*", text) if block.strip()]
    if len(blocks) == 1 and "\n" in blocks[0]:
        return [line.strip() for line in blocks[0].split("\n") if line.strip()]
    return blocks


def trim_boilerplate(blocks: Sequence[str]) -> list[str]:
    """Paragraphs without buttons, and without what follows the text: related articles, comments."""
    kept = [block for block in map(_without_buttons, blocks) if block]
    last = next((i for i in reversed(range(len(kept))) if _is_prose(kept[i])), 0)
    below = (i for i in range(max(last, 1), len(kept)) if is_label(kept[i].partition("\n")[0]))
    kept = kept[: next(below, len(kept))]
    return [block for i, block in enumerate(kept) if i == 0 or not is_label(block)]


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
    is_name = not place or all(word[0].isupper() or len(word) <= 3 for word in re.split(r"[ /]", place))
    return (place, outlet) if (place.isupper() and len(place) > 1) or (outlet and is_name) else ("", "")


def _find_title(blocks: Sequence[str], start: int | None) -> int | None:
    """The index of the headline among the paragraphs above the dateline, or among the first four."""
    above = range(start) if start is not None else range(min(4, len(blocks) - 1))
    likely = [i for i in above if _may_be_title(blocks[i])]
    better = [i for i in likely if not _is_breadcrumb(blocks[i])]
    if better:
        return better[0]
    return likely[-1] if likely else None  # one word can be a headline, too, if there is nothing better


def _may_be_title(paragraph: str) -> bool:
    if len(paragraph) > _TITLE_MAX or paragraph.count("\n") > 1 or _BYLINE.fullmatch(paragraph):
        return False
    return not (paragraph.endswith((".", "。", ";", ",")) and len(paragraph) > 120)


def _is_breadcrumb(paragraph: str) -> bool:
    """Short, no closing mark, and glued ("MaliWest Africa"), separated ("Home > World") or of one or two words."""
    if "\n" in paragraph or len(paragraph) > 80 or paragraph[-1] in ".!?:":
        return False
    glued = re.search(r"[^\W\d_][a-zà-ÿа-яё](?=[A-ZÀ-ÞА-ЯЁ])[^\W\d_]{3}", paragraph)
    separated = re.search(r"\s[>»›/|•·]\s", paragraph)
    unspaced = _UNSPACED.search(paragraph) is not None
    few = len(paragraph.split()) <= 2 and (not unspaced or len(paragraph) <= 5)
    return bool((glued and len(paragraph.split()) <= 5) or separated or few)


def _is_prose(paragraph: str) -> bool:
    return len(paragraph) >= _PROSE_MIN or (len(paragraph) >= 80 and paragraph[-1] in _END)


def _without_buttons(paragraph: str) -> str:
    lines = paragraph.split("\n")
    while lines and is_button(lines[-1]):
        lines.pop()
    first = next((i for i, line in enumerate(lines) if not is_button(line)), len(lines))
    return "\n".join(lines[first:]).strip()
