"""Still: plain text and Markdown files as articles, with or without front matter."""

from __future__ import annotations

import re
from datetime import datetime

from watchpost.poll.text.dates import parse_date
from watchpost.poll.text.scrape import dateline, paragraphs, scrape, trim_furniture
from watchpost.poll.text.tidy import Draft

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


def read_text(text: str, now: datetime) -> Draft:
    """A text file: perhaps a copied page. Without a recognisable title, `title` is "" and nothing is lost."""
    facts, text = front_matter(text)
    found = scrape(text)
    return Draft(
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


def read_markdown(text: str, now: datetime) -> Draft:
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
    blocks = trim_furniture([_plain(block) for block in blocks])
    start = next((block for block in blocks[:4] if dateline(block) != ("", "")), "")
    place, outlet = dateline(start)
    return Draft(
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
