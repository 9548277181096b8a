"""A Word document (Office Open XML, ECMA-376) becomes an article.

The document is a zip of XML from strangers. It is read with the standard library and lxml, because libraries for such
documents put no bounds on what they unpack.
"""

from __future__ import annotations

import io
import re
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.documents.clean import BODY_MAX, clean_line
from watchpost.documents.dates import parse_date
from watchpost.documents.entry import EntryDraft
from watchpost.documents.pdf import is_no_title
from watchpost.documents.text import scrape
from watchpost.documents.zip_parts import ENTRIES_MAX as ENTRIES_MAX
from watchpost.documents.zip_parts import PART_MAX_BYTES as PART_MAX_BYTES
from watchpost.documents.zip_parts import RATIO_MAX as RATIO_MAX
from watchpost.documents.zip_parts import attribute_of, check_parts, dublin_core, empty, name_of, part_of, walk
from watchpost.errors import FetchError

_OLD_WORD = b"\xd0\xcf\x11\xe0"
_LOCKED = "EncryptedPackage".encode("utf-16-le")
_DROPPED = frozenset({"del", "moveFrom", "Fallback", "instrText", "delText", "delInstrText"})
_SPACES = {"tab": "\t", "br": "\n", "cr": "\n", "noBreakHyphen": "-", "ptab": "\t"}
_HEADING = re.compile(r"title|heading [1-3]", re.IGNORECASE)


def read_docx(data: bytes, now: datetime) -> EntryDraft:
    """Paragraphs in order, tables included; the title from the properties, else the first heading.

    Raises FetchError: "encrypted", "malformed", "too_large" (what it unpacks to), "no_text".
    """
    if data.startswith(_OLD_WORD):
        if _LOCKED in data:
            raise FetchError("encrypted", "this document needs a password")
        raise FetchError("malformed", "this is a document of Word 97-2003 (.doc), which is not read; save it as .docx")
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as package:
            check_parts(package)
            main = _main_part(package)
            headings = _heading_styles(package, main)
            facts = dublin_core(package, "docProps/core.xml")
            paragraphs = list(_paragraphs(part_of(package, main, needed=True), headings))
    except (zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        raise FetchError("malformed", f"this document cannot be unpacked: {error}") from error
    except RuntimeError as error:  # zipfile raises it for a part that is encrypted
        raise FetchError("encrypted", "this document needs a password") from error
    except etree.LxmlError as error:
        raise FetchError("malformed", f"this document cannot be read: {error}") from error
    texts = [text for text, _, _ in paragraphs]
    if not texts:
        raise FetchError("no_text", "this document has no text: only pictures?")
    heading = next((clean_line(text) for text, is_heading, _ in paragraphs if is_heading), "")
    declared = clean_line(facts.get("title", ""))
    copied = scrape("\n\n".join(texts)[: 4 * BODY_MAX])
    title = heading if is_no_title(declared) else declared
    return EntryDraft(
        title=title or copied.title,
        text="\n\n".join(text for text in texts if clean_line(text) != title) if title else copied.body,
        author=clean_line(facts.get("creator", "")) or copied.author,
        outlet=copied.outlet,
        place=copied.place,
        lang=facts.get("language", "") or _language(lang for _, _, lang in paragraphs),
        published=parse_date(facts.get("created", "") or facts.get("modified", ""), now),
    )


def _paragraphs(data: bytes, headings: frozenset[str]) -> Iterator[tuple[str, bool, str]]:
    """(text, whether its style is a heading, its language) of each paragraph that has text."""
    for _, paragraph in walk(data, "p"):
        if any(name_of(ancestor) in _DROPPED for ancestor in paragraph.iterancestors()):
            empty(paragraph)  # the second form of a text box, or what was moved away
            continue
        style, lang, parts = "", "", []
        steps = etree.iterwalk(paragraph, events=("start",))
        for _, element in steps:
            name = name_of(element)
            if name in _DROPPED or (name == "r" and _is_hidden(element)):
                steps.skip_subtree()
            elif name == "t":
                parts.append(element.text or "")
            elif name in _SPACES and name_of(element.getparent()) == "r":
                parts.append(_SPACES[name])
            elif name == "pStyle":
                style = _value(element)
            elif name == "lang":
                lang = lang or _value(element)
        text = "".join(parts).strip()
        empty(paragraph)  # a paragraph in a text box must not be read again with the one around it
        if text:
            yield text, style in headings, lang


def _is_hidden(run: Any) -> bool:
    """Whether Word shows the run only among its marks (ECMA-376, 17.3.2.41)."""
    marks = (mark for each in run if name_of(each) == "rPr" for mark in each if name_of(mark) == "vanish")
    return any(_value(mark).lower() not in ("0", "false", "off") for mark in marks)


def _heading_styles(package: zipfile.ZipFile, main: str) -> frozenset[str]:
    """The ids of styles that are titles or headings: Word translates the ids ("Titre1"), but not the names."""
    directory = main.rpartition("/")[0]
    data = part_of(package, f"{directory}/styles.xml".lstrip("/"))
    ids = set()
    for _, style in walk(data, "style"):
        names = [_value(child) for child in style if name_of(child) == "name"]
        if any(_HEADING.fullmatch(name) for name in names):
            ids.add(attribute_of(style, "styleId"))
        empty(style)
    return frozenset(ids) or frozenset({"Title", "Heading1", "Heading2", "Heading3"})


def _main_part(package: zipfile.ZipFile) -> str:
    for _, relation in walk(part_of(package, "_rels/.rels"), "Relationship"):
        if attribute_of(relation, "Type").endswith("/officeDocument"):
            return attribute_of(relation, "Target").lstrip("/")
    return "word/document.xml"


def _language(tags: Iterator[str]) -> str:
    counted = Counter(tag for tag in tags if tag)
    return counted.most_common(1)[0][0] if counted else ""


def _value(element: Any) -> str:
    return attribute_of(element, "val")
