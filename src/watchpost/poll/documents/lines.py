"""Still: JSON Lines of articles (`id, url, source, lang, published, title, summary, body`)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import datetime

from watchpost.poll.text.dates import parse_date
from watchpost.poll.text.tidy import Draft

LINE_MAX_BYTES = 4_000_000
_TEXTS = ("url", "source", "lang", "published", "title", "summary", "body", "author")


@dataclass(frozen=True, slots=True)
class Lines:
    """Drafts with the raw line each came from, the lines that could not be read, and how many bytes were used up.

    `bad` holds (number of the line within these bytes, from 1; what is wrong with it).
    """

    drafts: tuple[tuple[Draft, bytes], ...]
    bad: tuple[tuple[int, str], ...]
    consumed: int


def read_lines(data: bytes, now: datetime, limit: int | None = None) -> Lines:
    """The articles in the complete lines of `data`, at most `limit` of them.

    A last line without its newline counts only if it is a complete JSON object; otherwise it is still being
    written and is not consumed, unless it is longer than any article can be.
    """
    drafts: list[tuple[Draft, bytes]] = []
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


def _read(line: bytes, now: datetime) -> tuple[Draft | None, str]:
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
    draft = Draft(
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
