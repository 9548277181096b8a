"""Pure: what a page declares about its article in JSON-LD (https://schema.org/Article, https://json-ld.org)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from watchpost.documents.clean import clean_line
from watchpost.documents.html import plain_text
from watchpost.documents.json_text import read_json

_BLOCKS_MAX, _OBJECTS_MAX, _AUTHORS_MAX = 20, 500, 5
_BYTES_MAX = 2_000_000


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
    articles = [one for block in _blocks(root) for one in _objects(block) if _is_article(one)]
    if not articles:
        return Declared()
    main = max(articles, key=lambda one: len(_text(one.get("articleBody"))))
    body = _text(main.get("articleBody"))
    return Declared(
        text=(plain_text(body) if "<" in body or "&" in body else body).strip(),
        author=", ".join(dict.fromkeys(_names(main.get("author") or main.get("creator"))[:_AUTHORS_MAX])),
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
        text = text.strip().removeprefix("<!--").removesuffix("-->").strip()
        text = text.removeprefix("//<![CDATA[").removeprefix("<![CDATA[").removesuffix("//]]>").removesuffix("]]>")
        try:
            yield read_json(text.strip().removesuffix(";"))
        except (ValueError, RecursionError):
            continue


def _objects(value: Any) -> Iterator[Mapping[str, Any]]:
    """Every object in the value: pages nest them in lists, in "@graph" and in "mainEntity"."""
    todo, seen = [value], 0
    while todo and seen < _OBJECTS_MAX:
        seen += 1
        one = todo.pop(0)
        if isinstance(one, list):
            todo += one[:_OBJECTS_MAX]
        elif isinstance(one, dict):
            yield one
            todo += [one[key] for key in ("@graph", "mainEntity", "mainEntityOfPage", "hasPart") if key in one]


def _is_article(one: Mapping[str, Any]) -> bool:
    kinds = one.get("@type")
    names = kinds if isinstance(kinds, list) else [kinds]
    return any(isinstance(name, str) and name.endswith(("Article", "Posting", "Report")) for name in names)


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
