"""Pure: what a page declares about its article in JSON-LD (https://schema.org/Article, https://json-ld.org)."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watchpost.documents.clean import clean_line
from watchpost.documents.html import plain_text
from watchpost.documents.json_text import read_json
from watchpost.documents.loose_json import read_loosely

_BLOCKS_MAX, _OBJECTS_MAX, _AUTHORS_MAX = 20, 500, 5
_BYTES_MAX = 2_000_000
_START = re.compile(r"(?<!CDATA)[\[{](?=[\s{\[}\]\"'@&/\w])(?!CDATA)")


@dataclass(frozen=True, slots=True)
class Declared:
    """The article that a page declares: its text, authors, headline, date and language; each "" if it says nothing."""

    text: str = ""
    author: str = ""
    headline: str = ""
    published: str = ""
    lang: str = ""


def read_json_ld(root: Any) -> Declared:
    """What the page with this tree declares; of several articles, the one with the longest text."""
    objects = [one for block in _blocks(root) for one in _objects(block)]
    articles = [one for one in objects if _is_article(one)]
    if not articles:
        return Declared()
    main = max(articles, key=lambda one: len(_body(one)))
    body = _body(main)
    named = {str(one["@id"]): one for one in objects if "@id" in one and "name" in one}
    authors = _names(_resolved(main.get("author") or main.get("creator"), named))
    return Declared(
        text=(plain_text(body) if "<" in body or "&" in body else body).strip(),
        author=", ".join(dict.fromkeys(authors[:_AUTHORS_MAX])),
        headline=clean_line(plain_text(_text(main.get("headline")))),
        published=_text(main.get("datePublished")) or _text(main.get("dateCreated")),
        lang=_text(main.get("inLanguage")),
    )


def _blocks(root: Any) -> Iterator[Any]:
    for number, script in enumerate(root.iter("script")):
        kind = (script.get("type") or "").partition(";")[0].strip().lower()
        text = script.text or ""
        if kind != "application/ld+json" or len(text) > _BYTES_MAX or number > 50 * _BLOCKS_MAX:
            continue
        start = _START.search(text)
        if start is not None and (value := _value(text[start.start() :])) is not None:
            yield value


def _value(text: str) -> Any:
    """What JSON within comments, CDATA or entities, or what is nearly JSON, has; None if it cannot be read."""
    whole = text[: text.rfind("}") + 1] + ("]" if text.startswith("[") else "")  # without what follows it
    try:
        return read_json(whole)
    except (ValueError, RecursionError):
        text = html.unescape(text) if "&quot;" in text else text
    try:
        return read_loosely(text if text.startswith("{") else '{"@graph": ' + text)
    except ValueError:
        return None


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in the value: pages nest them in lists, in "@graph" and in "mainEntity"."""
    todo, seen = [value], 0
    while todo and seen < _OBJECTS_MAX:
        seen += 1
        one = todo.pop(0)
        if isinstance(one, list):
            todo += one[:_OBJECTS_MAX]
        elif isinstance(one, dict):
            if any(key.startswith("schema:") for key in one):
                one = {key.removeprefix("schema:"): value for key, value in one.items()}
            yield one
            todo += [one[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart") if key in one]


def _is_article(one: Mapping[str, Any]) -> bool:
    kinds = one.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(name, str) and name.endswith(("Article", "Posting", "Report")) for name in names)


def _body(one: Mapping[str, Any]) -> str:
    """The text of an article; of a live blog, the texts of its entries."""
    updates = one.get("liveBlogUpdate")
    texts = (
        [_text(update.get("articleBody")) for update in updates if isinstance(update, dict)]
        if isinstance(updates, list)
        else []
    )
    return _text(one.get("articleBody")) or _text(one.get("text")) or "\n\n".join(filter(None, texts))


def _resolved(value: Any, named: Mapping[str, Any]) -> Any:
    """The value, in which objects that only point to another object of the page are that object."""
    if isinstance(value, list):
        return [_resolved(one, named) for one in value[:_AUTHORS_MAX] if not isinstance(one, list)]
    return named.get(str(value.get("@id")), value) if isinstance(value, dict) and "name" not in value else value


def _text(value: Any) -> str:
    if isinstance(value, list):
        return "\n\n".join(text for one in value if (text := _text(one)))
    return value if isinstance(value, str) else ""


def _names(value: Any) -> list[str]:
    """The names of persons and organisations, which may be texts, objects or lists of them."""
    if isinstance(value, list):
        return [name for one in value[:_AUTHORS_MAX] for name in _names(one)]
    name = _text(value.get("name")) if isinstance(value, dict) else _text(value)
    name = clean_line(plain_text(name))
    return [name] if name and not name.startswith(("http://", "https://")) else []
