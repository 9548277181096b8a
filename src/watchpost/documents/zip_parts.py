"""The XML parts of a document that is a zip (Office Open XML, OpenDocument), read within bounds.

Libraries for such documents put no bounds on what they unpack.
"""

from __future__ import annotations

import io
import zipfile
from collections.abc import Iterator
from typing import Any

from lxml import etree  # type: ignore[import-untyped]  # lxml ships no types

from watchpost.errors import FetchError

ENTRIES_MAX = 5_000
PART_MAX_BYTES = 30_000_000
RATIO_MAX = 200
"""Unpacked bytes for one packed byte: honest text has a ratio of ten to thirty, a bomb of a thousand."""

_RATIO_FROM_BYTES = 1_000_000  # small parts may repeat one character


def check_parts(package: zipfile.ZipFile) -> None:
    """Raise FetchError("too_large") for a zip of more parts than any document has."""
    if len(package.infolist()) > ENTRIES_MAX:
        raise FetchError("too_large", f"this document has more than {ENTRIES_MAX:,} parts")


def part_of(package: zipfile.ZipFile, name: str, *, needed: bool = False) -> bytes:
    """The bytes of a part, within bounds; b"" if it is absent. The sizes that the zip declares are not trusted."""
    try:
        info = package.getinfo(name)
    except KeyError:
        if needed:
            raise FetchError("malformed", f"this is no such document: it has no {name}") from None
        return b""
    with package.open(info) as file:
        data = file.read(PART_MAX_BYTES + 1)
    packed = max(info.compress_size, 1)
    if len(data) > PART_MAX_BYTES or (len(data) > _RATIO_FROM_BYTES and len(data) > RATIO_MAX * packed):
        raise FetchError("too_large", f"{name} unpacks to far more than any honest document")
    return data


def walk(data: bytes, tag: str) -> Iterator[tuple[str, Any]]:
    """The elements with this local name as they end. No entities, no DTD, no network."""
    if not data:
        return iter(())
    if b"<!DOCTYPE" in data[:10_000]:
        raise FetchError("malformed", "it has a document type declaration")
    wanted = tag if tag == "*" else f"{{*}}{tag}"
    walk: Iterator[tuple[str, Any]] = etree.iterparse(
        io.BytesIO(data), events=("end",), tag=wanted, resolve_entities=False, no_network=True, load_dtd=False,
        huge_tree=False, remove_comments=True, remove_pis=True,
    )  # fmt: skip
    return walk


def dublin_core(package: zipfile.ZipFile, part: str) -> dict[str, str]:
    """The texts of the elements of this part by local name, the first of each: title, creator, language, date."""
    facts: dict[str, str] = {}
    for _, element in walk(part_of(package, part), "*"):
        if element.text and element.text.strip():
            facts.setdefault(name_of(element), element.text.strip())
    return facts


def empty(element: Any) -> None:
    """Free the memory of an element that was read, and of those before it."""
    element.clear(keep_tail=True)
    while element.getprevious() is not None and element.getparent() is not None:
        del element.getparent()[0]


def name_of(element: Any) -> str:
    """The local name of an element, "" for none."""
    tag = element.tag if element is not None else ""
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""


def attribute_of(element: Any, name: str) -> str:
    """The attribute with this local name, "" if there is none."""
    return next((str(value) for key, value in element.attrib.items() if key.rpartition("}")[2] == name), "")
