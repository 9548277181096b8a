"""A text document in OpenDocument (ISO/IEC 26300), as LibreOffice writes it, becomes an article."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.clean import BODY_MAX, clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft
from watchpost.documents.pdf import is_no_title
from watchpost.documents.text import scrape
from watchpost.documents.zip_parts import attribute_of, check_parts, dublin_core, name_of, part_of, walk
from watchpost.errors import FetchError

_DROPPED = frozenset({"annotation", "tracked-changes", "deletion", "bibliography-configuration"})
_BLANKS_MAX = 100


def read_odt(data: bytes, now: datetime) -> EntryDraft:
    """Paragraphs and headings in order; the title from the properties, else the first heading.

    Raises FetchError: "encrypted", "malformed", "too_large" (what it unpacks to), "no_text".
    """
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            check_parts(package)
            if b"encryption-data" in part_of(package, "META-INF/manifest.xml"):
                raise FetchError("encrypted", "this document needs a password")
            facts = dublin_core(package, "meta.xml")
            paragraphs = list(_paragraphs(part_of(package, "content.xml", needed=True)))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise FetchError("malformed", f"this document cannot be unpacked: {error}") from error
    except RuntimeError as error:  # zipfile raises it for a part that is encrypted
        raise FetchError("encrypted", "this document needs a password") from error
    except etree.LxmlError as error:
        raise FetchError("malformed", f"this document cannot be read: {error}") from error
    texts = [text for text, _ in paragraphs]
    if not texts:
        raise FetchError("no_text", "this document has no text: only pictures?")
    heading = next((clean_line(text) for text, is_heading in paragraphs if is_heading), "")
    declared = clean_line(facts.get("title", ""))
    copied = scrape("\n\n".join(texts)[: 4 * BODY_MAX])
    title = heading if is_no_title(declared) else declared
    return EntryDraft(
        title=title or copied.title,
        text="\n\n".join(text for text in texts if clean_line(text) != title) if title else copied.body,
        author=clean_line(facts.get("creator", "") or facts.get("initial-creator", "")) or copied.author,
        outlet=copied.outlet,
        place=copied.place,
        lang=facts.get("language", ""),
        published=parse_date(facts.get("creation-date", "") or facts.get("date", ""), now),
    )


def _paragraphs(data: bytes) -> Iterator[tuple[str, bool]]:
    """(text, whether it is a heading) of each paragraph that has text; one within another comes first."""
    for _, element in walk(data, "*"):
        if (name := name_of(element)) not in ("p", "h"):
            continue
        dropped = any(name_of(ancestor) in _DROPPED for ancestor in element.iterancestors())
        text = "" if dropped else "".join(_pieces(element)).strip()
        element.clear(keep_tail=True)  # a paragraph in a text box must not be read again with the one around it
        if text:
            yield text, name == "h"


def _pieces(paragraph: Any) -> Iterator[str]:
    steps = etree.iterwalk(paragraph, events=("start", "end"))
    for event, element in steps:
        if event == "start" and name_of(element) in _DROPPED:  # a comment in the margin: its author and date
            steps.skip_subtree()
        elif event == "start":
            match name_of(element):
                case "s":
                    count = attribute_of(element, "c")
                    yield " " * (min(int(count), _BLANKS_MAX) if count.isdecimal() else 1)
                case "tab":
                    yield "\t"
                case "line-break":
                    yield "\n"
            yield element.text or ""
        elif element is not paragraph:
            yield element.tail or ""
