"""Pure: news sitemaps (https://www.sitemaps.org with Google's news extension), which some sites have for a feed."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from watchpost.documents.dates import first_date
from watchpost.documents.entry import EntryDraft, FeedEntry, Written
from watchpost.documents.xml_tree import Piece, bounded, parsed, read_tree
from watchpost.errors import FetchError

_NAMED = 5


def read_sitemap(data: bytes, now: datetime) -> tuple[tuple[FeedEntry, ...], bool]:
    """The news of a sitemap as entries without text, and whether it ends early (Tree.cut).

    Raises FetchError("not_a_feed") for a sitemap without news and for an index, whose sitemaps the message names.
    """
    tree = read_tree(data, "sitemap")
    if tree is None:
        raise FetchError("malformed", "this sitemap cannot be read")
    elements = list(tree.root) if tree.pieces is None else [_element(piece) for piece in tree.pieces]
    if _name(tree.root) == "sitemapindex":
        urls = [url for element in elements if _name(element) == "sitemap" if (url := _text(element, "loc"))]
        names = ": " + ", ".join(urls[:_NAMED]) if urls else ""
        raise FetchError("not_a_feed", f"this is an index of {len(urls)} sitemaps; take one of them as the feed{names}")
    news = [element for element in elements if _name(element) == "url" and _child(element, "news") is not None]
    if tree.cut and not news:
        raise FetchError("malformed", "no entry could be read: the document ends within the first")
    if not news:
        raise FetchError("not_a_feed", "this is a sitemap without news entries, not a feed")
    return tuple(FeedEntry(_head(element, now)) for element in bounded(news)), tree.cut


def _head(url: Any, now: datetime) -> EntryDraft:
    news, link = _child(url, "news"), _text(url, "loc")
    publication = _child(news, "publication")
    return EntryDraft(
        title=Written(_text(news, "title")).plain(),
        identity=link,
        link=link,
        outlet=_text(publication, "name"),
        lang=_text(publication, "language"),
        published=first_date((_text(news, "publication_date"), _text(url, "lastmod")), now),
    )


def _child(element: Any | None, name: str) -> Any | None:
    """The first child of this name that is not empty; those of the element's own vocabulary come first."""
    if element is None:
        return None
    found = [child for child in element if _name(child) == name and (len(child) or (child.text or "").strip())]
    own = _vocabulary(element)
    return next((child for child in found if _vocabulary(child) == own), found[0] if found else None)


def _vocabulary(element: Any) -> str:
    """The namespace, with the prefix that nobody declared."""
    tag = str(element.tag)
    return tag[: len(tag) - len(_name(element))]


def _text(element: Any | None, name: str) -> str:
    child = _child(element, name)
    return "" if child is None else "".join(child.itertext()).strip()


def _element(piece: Piece) -> Any:
    """The entry's element; what can be read of it if no repair helped."""
    if piece.element is not None:
        return piece.element
    root, _ = parsed(piece.document)
    return root[0] if root is not None and len(root) else None


def _name(element: Any) -> str:
    """The local name in lower case: many sitemaps do not declare their prefixes."""
    tag = element.tag if element is not None and isinstance(element.tag, str) else ""
    return tag.rpartition("}")[2].rpartition(":")[2].lower()
