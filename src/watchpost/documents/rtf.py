"""Pure: a document in Rich Text Format (RTF 1.9.1) becomes an article; striprtf reads the text."""

from __future__ import annotations

import re
from datetime import datetime

from watchpost.documents.clean import BODY_MAX, clean_line
from watchpost.documents.entry import EntryDraft
from watchpost.documents.pdf import is_no_title
from watchpost.documents.text import scrape
from watchpost.errors import FetchError

_FACT = re.compile(r"\{\\(title|author)[ \r\n]([^{}]{0,2000})\}")
_TIME = re.compile(r"\{\\(?:creatim|revtim)\\yr(\d{4})\\mo(\d{1,2})\\dy(\d{1,2})(?:\\hr(\d{1,2}))?(?:\\min(\d{1,2}))?")
_CODE_PAGE = re.compile(r"\\ansicpg(\d{3,5})")
_HIDDEN = re.compile(r"\{(?:\\[a-z]{1,20}-?[0-9]{0,9} ?){0,9}\\v[ \\][^{}]{0,5000}\}")
_HEAD = 100_000


def read_rtf(data: bytes, now: datetime) -> EntryDraft:
    """The text with its paragraphs; the title from the properties, else found as in a text file.

    Raises FetchError: "malformed", "no_text".
    """
    if not data.lstrip(b"\xef\xbb\xbf \r\n").startswith(b"{\\rtf"):
        raise FetchError("malformed", "this is no document in Rich Text Format")
    raw = _HIDDEN.sub("", data.decode("latin-1"))
    page = _CODE_PAGE.search(raw, 0, _HEAD)
    encoding = f"cp{page[1]}" if page else "cp1252"
    try:
        "".encode(encoding)
    except LookupError:
        encoding = "cp1252"
    text = re.sub(r"\n+", "\n\n", _plain(raw, encoding)).strip()
    if not text:
        raise FetchError("no_text", "this document has no text: only pictures?")
    facts = {name: _plain(f"{{\\rtf1 {value}}}", encoding) for name, value in _FACT.findall(raw[:_HEAD])}
    title = clean_line(facts.get("title", ""))
    title = "" if is_no_title(title) else title
    copied = scrape(text[: 4 * BODY_MAX])
    return EntryDraft(
        title=title or copied.title,
        text=text if title else copied.body,
        author=clean_line(facts.get("author", "")) or copied.author,
        outlet=copied.outlet,
        place=copied.place,
        published=_time(raw[:_HEAD], now),
    )


def _plain(raw: str, encoding: str) -> str:
    from striprtf.striprtf import rtf_to_text

    return str(rtf_to_text(raw, encoding=encoding, errors="replace"))  # type: ignore[no-untyped-call]


def _time(head: str, now: datetime) -> datetime | None:
    from watchpost.documents.dates import parse_date

    if (match := _TIME.search(head)) is None:
        return None
    year, month, day, hour, minute = (int(part or 0) for part in match.groups())
    return parse_date(f"{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:00Z", now)
