"""Pure: plain text and Markdown files as articles, with or without front matter."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import datetime

from watchpost.documents.clean import EntryDraft
from watchpost.documents.dates import parse_date
from watchpost.documents.html import dateline, paragraphs, scrape, trim_boilerplate

_FENCE = re.compile(r"-{3,}[ \t]*\n(.*?)\n(?:-{3,}|\.{3})[ \t]*(?:\n|\Z)", re.DOTALL)
_FACT = re.compile(r"([A-Za-z][\w-]{0,30}):[ \t]*(.*)")
_HEADING = re.compile(r"#{1,6}[ \t]+(.+?)[ \t#]*")
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
    """A text file: perhaps a copied page. Without a recognisable title, `title` is "" and nothing is lost."""
    facts, text = front_matter(text)
    found = scrape(text)
    return EntryDraft(
        title=facts.get("title") or found.title,
        text=found.body,
        identity=facts.get("identity", ""),
        link=facts.get("link", ""),
        summary=facts.get("summary", ""),
        author=facts.get("author") or found.author,
        outlet=facts.get("outlet") or found.outlet,
        lang=facts.get("lang", ""),
        place=found.place,
        published=parse_date(facts.get("date", ""), now),
    )


def read_markdown(text: str, now: datetime) -> EntryDraft:
    """A Markdown file: front matter if there is any; the first heading is the title unless front matter has one."""
    facts, text = front_matter(text)
    text = text.replace("\r\n", "\n")
    blocks = paragraphs(re.sub(r"^(#{1,6}[ \t].*)\n(?!\n)", r"\1\n\n", text, flags=re.MULTILINE))
    heading = ""
    for i, block in enumerate(blocks):
        match = _HEADING.fullmatch(block) or _UNDERLINED.fullmatch(block)
        if match:
            heading = _plain(match[1])
            del blocks[i]
            break
    blocks = trim_boilerplate([_plain(block) for block in blocks])
    start = next((block for block in blocks[:4] if dateline(block) != ("", "")), "")
    place, outlet = dateline(start)
    return EntryDraft(
        title=facts.get("title") or heading,
        text="\n\n".join(blocks),
        identity=facts.get("identity", ""),
        link=facts.get("link", ""),
        summary=facts.get("summary", ""),
        author=facts.get("author", ""),
        outlet=facts.get("outlet") or outlet,
        lang=facts.get("lang", ""),
        place=place,
        published=parse_date(facts.get("date", ""), now),
    )


def front_matter(text: str) -> tuple[dict[str, str], str]:
    """The `key: value` lines between two `---` at the very beginning, by our own names, and the text after them."""
    text = text.lstrip("\ufeff").replace("\r\n", "\n")
    match = _FENCE.match(text[:20_000])
    if match is None:
        return {}, text
    given = {}
    for line in match[1].split("\n"):
        fact = _FACT.fullmatch(line.strip())
        if fact:
            given[fact[1].lower()] = _unquoted(fact[2].strip())
    if not given:
        return {}, text
    facts = {ours: next((given[name] for name in names if given.get(name)), "") for ours, names in _NAMES.items()}
    return facts, text[match.end() :]


def _unquoted(value: str) -> str:
    if len(value) >= 2 and value[0] == value[-1] and value[0] in "\"'":
        inner = value[1:-1]
        return inner.replace('\\"', '"').replace("\\\\", "\\") if value[0] == '"' else inner.replace("''", "'")
    return value


def _plain(block: str) -> str:
    """A block without Markdown's marks; the words and their order stay."""
    block = re.sub(r"!\[([^\[\]]{0,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,500})?\)", r"\1", block)
    block = re.sub(r"\[([^\[\]]{1,500})\]\([^()\s]{0,2000}(?:\s[^()]{0,500})?\)", r"\1", block)
    block = re.sub(r"^(?:#{1,6}|>+)[ \t]+", "", block, flags=re.MULTILINE)
    return re.sub(r"(?<!\w)(\*{1,3}|_{1,3})(?=\S)(.{1,400}?)(?<=\S)\1(?!\w)", r"\2", block, flags=re.DOTALL)


# JSON Lines of articles (`id, url, source, lang, published, title, summary, body`).


LINE_MAX_BYTES = 4_000_000
_TEXTS = ("url", "source", "lang", "published", "title", "summary", "body", "author")


@dataclass(frozen=True, slots=True)
class Lines:
    """Drafts with the raw line each came from, the lines that could not be read, and how many bytes were used up.

    `bad` holds (number of the line within these bytes, from 1; what is wrong with it).
    """

    drafts: tuple[tuple[EntryDraft, bytes], ...]
    bad: tuple[tuple[int, str], ...]
    consumed: int


def read_lines(data: bytes, now: datetime, limit: int | None = None) -> Lines:
    """The articles in the complete lines of `data`, at most `limit` of them.

    A last line without its newline counts only if it is a complete JSON object; otherwise it is still being
    written and is not consumed, unless it is longer than any article can be.
    """
    drafts: list[tuple[EntryDraft, bytes]] = []
    bad: list[tuple[int, str]] = []
    position, number = 0, 0
    while position < len(data) and (limit is None or len(drafts) < limit):
        end = data.find(b"\n", position)
        line = data[position : end if end >= 0 else len(data)].strip(b"\xef\xbb\xbf \t\r\0")
        number += 1
        draft, problem = _read(line, now)
        if end < 0 and draft is None and len(line) <= LINE_MAX_BYTES:
            break
        position = end + 1 if end >= 0 else len(data)
        if draft is not None:
            drafts.append((draft, line))
        elif line:
            bad.append((number, problem))
    return Lines(tuple(drafts), tuple(bad), position)


def _read(line: bytes, now: datetime) -> tuple[EntryDraft | None, str]:
    if len(line) > LINE_MAX_BYTES:
        return None, f"the line is longer than {LINE_MAX_BYTES:,} bytes"
    try:
        record = json.loads(line)
    except UnicodeDecodeError:
        return None, "the line is not UTF-8"
    except json.JSONDecodeError as error:
        return None, f"not JSON: {error.msg} at column {error.colno}"
    except (ValueError, RecursionError):
        return None, "not JSON that can be read"
    if not isinstance(record, dict):
        return None, "not a JSON object"
    wrong = next((name for name in _TEXTS if not isinstance(record.get(name) or "", str)), "")
    if wrong:
        return None, f"{wrong}: not text"
    texts = {name: record.get(name) or "" for name in _TEXTS}
    if not (texts["title"].strip() or texts["body"].strip() or texts["summary"].strip()):
        return None, "no title, no summary, no body"
    identity = record.get("id")
    draft = EntryDraft(
        title=texts["title"],
        text=texts["body"],
        identity=str(identity) if isinstance(identity, (str, int)) else "",
        link=texts["url"],
        summary=texts["summary"],
        author=texts["author"],
        outlet=texts["source"],
        lang=texts["lang"],
        published=parse_date(texts["published"], now),
    )
    return draft, ""
