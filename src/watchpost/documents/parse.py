"""Documents become articles: which reader a document needs, and which ids its articles get.

Everything here can run in the parser's child process: plain values go in and come out, nothing is opened.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Generator
from dataclasses import dataclass, field, replace
from datetime import datetime
from pathlib import PurePath
from typing import TYPE_CHECKING, cast

from watchpost.documents.boilerplate import blank_margins
from watchpost.documents.clean import BODY_MAX, SUMMARY_MAX, TITLE_MAX
from watchpost.documents.encoding import decode
from watchpost.documents.entry import EntryDraft, FeedEntry, article_of, identities, version_id
from watchpost.documents.results import EntryHead, Failure, FeedHints
from watchpost.errors import FetchError
from watchpost.model import Article, derive_id
from watchpost.plurals import count

if TYPE_CHECKING:  # the readers are imported on demand
    from watchpost.documents.feed import Feed
    from watchpost.documents.list_rule import ListRule

FEED_SUFFIXES = frozenset({".xml", ".rss", ".atom", ".rdf", ".json"})
LINE_SUFFIXES = frozenset({".jsonl", ".ndjson"})
_ARTICLE_SUFFIXES = frozenset({
    ".txt", ".md", ".markdown", ".html", ".htm", ".xhtml", ".mht", ".mhtml", ".eml", ".pdf", ".docx", ".odt", ".rtf",
})  # fmt: skip
_MAILBOX = ".mbox"
SUFFIXES = FEED_SUFFIXES | LINE_SUFFIXES | _ARTICLE_SUFFIXES | {_MAILBOX}
"""The endings of every file that can be read."""
_FEED_START = re.compile(
    rb"\s*+(?:<\?xml[^>]*\?>\s*+)?(?>(?:(?><!--.*?-->)\s*+)*)<(?:\w{1,40}:)?(?:rss|feed|rdf)[\s>]",
    re.IGNORECASE | re.DOTALL,
)
_SURROGATE = re.compile("[\ud800-\udfff]")
_CONTROL = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f]")
_DIRECTION = re.compile(
    "[\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)  # a joiner of words is no part of one either
_PAGE_START = re.compile(rb"\s*(?:<!doctype html|<html|<head|<body)", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Reading:
    """The articles of a document.

    `consumed` is how many bytes of JSON Lines were read; `note` is for the operator; `hints` are those of a feed.
    `cut`: the feed ends early; what is missing waits for the next visit.
    """

    articles: tuple[Article, ...] = ()
    failures: tuple[Failure, ...] = ()
    consumed: int = 0
    note: str = ""
    hints: FeedHints = field(default_factory=FeedHints)
    cut: bool = False


def read_document(
    name: str | PurePath,
    data: bytes,
    now: datetime,
    *,
    source: str = "",
    lang: str = "",
    encoding: str = "",
    revised: bool = False,
) -> Reading:
    """The articles of one file. Its name says the format; the content does if the ending is unknown; `-` is JSON Lines.

    Bytes that cannot be read are a Failure, not an error: "binary", "empty", "malformed", "no_text", "not_a_feed",
    "too_large", "bad_line"; beside an article "encoding" and "cut"; beside one that has only the file's name
    "encrypted" and "no_text". Ids come from the source's name and what identifies the article; without a source, JSON
    Lines keep their ids. `lang` replaces an undeclared language, `encoding` an undeclared encoding. `revised`: another
    text was under this name before, so the article is a new one, whatever id and link it shares with the old one.
    """
    item = str(name)
    try:
        reading = _read(PurePath(item), data, now, source=source, lang=lang, encoding=encoding)
        is_article = _kind(PurePath(item), data) in _ARTICLE_SUFFIXES
        return _as_revision(reading, data) if revised and is_article else reading
    except FetchError as error:
        return Reading(failures=(Failure(item, error.reason, error.detail),))
    except MemoryError:
        return Reading(failures=(Failure(item, "too_large", "it needs more memory than a document may take"),))
    except Exception as error:  # a library fails on hostile bytes: only this file has failed
        return Reading(failures=(Failure(item, "malformed", f"cannot be read: {type(error).__name__}"),))


def read_feed_document(
    body: bytes, *, now: datetime, source: str, url: str = "", charset: str = "", lang: str = ""
) -> Reading:
    """The entries of a feed as articles. Raises FetchError as read_feed does."""
    reading = read_wanted(body, now=now, source=source, url=url, charset=charset, lang=lang)
    heads = next(reading)
    try:
        reading.send(frozenset(head.id for head in heads))
    except StopIteration as end:
        return cast("Reading", end.value)
    raise AssertionError("read_wanted yields once")


def read_wanted(
    body: bytes, *, now: datetime, source: str, url: str = "", charset: str = "", lang: str = ""
) -> Generator[tuple[EntryHead, ...], frozenset[str], Reading]:
    """As read_feed_document, but it yields the entries' heads first, and gets the ids of those to make articles of.

    An entry that is wanted by its version's id becomes an article of that id, which revises the one before.
    """
    from watchpost.documents.feed import read_feed

    feed = read_feed(body, now=now, url=url, charset=charset)
    return (yield from _articles_wanted(feed, now=now, source=source, url=url, lang=lang))


def read_listing(
    body: bytes, rule: ListRule, *, now: datetime, source: str, url: str = "", charset: str = "", lang: str = ""
) -> Generator[tuple[EntryHead, ...], frozenset[str], Reading]:
    """As read_wanted, of a web page whose links are the entries. Raises FetchError as read_list does."""
    from watchpost.documents.feed import Feed
    from watchpost.documents.listing import read_list

    listing = read_list(body, rule, now=now, url=url, charset=charset)
    feed = Feed(listing.entries, listing.lang)
    return (yield from _articles_wanted(feed, now=now, source=source, url=url, lang=lang))


def _articles_wanted(
    feed: Feed, *, now: datetime, source: str, url: str, lang: str
) -> Generator[tuple[EntryHead, ...], frozenset[str], Reading]:
    ids = identities([entry.head for entry in feed.entries], url, lambda n: feed.entries[n].draft())
    entries: dict[str, FeedEntry] = {}  # an entry that is listed twice counts once
    for entry, identity in zip(feed.entries, ids, strict=True):
        if entry.head.title.strip() or entry.head.link or entry.draft().text.strip():
            entries.setdefault(derive_id("article", source, identity), entry)
    heads = tuple(
        EntryHead(article_id, entry.head.published, version_id(article_id, entry.head.title))
        for article_id, entry in entries.items()
    )
    wanted = yield heads
    articles = []
    for head, entry in zip(heads, entries.values(), strict=True):
        is_revision = head.id not in wanted
        if is_revision and head.version not in wanted:
            continue
        id_ = head.version if is_revision else head.id
        article = article_of(entry.draft(), article_id=id_, source=source, now=now, lang=feed.lang or lang, base=url)
        articles.append(replace(article, revises=head.id) if is_revision else article)
    notes = (
        "the document ends early; what is missing waits for the next visit" if feed.cut else "",
        f"{count(feed.unread, 'entry', 'entries')} could not be read" if feed.unread else "",
        f"{count(feed.replaced, 'character')} could not be read" if feed.replaced else "",
    )
    return Reading(tuple(articles), note="; ".join(filter(None, notes)), hints=feed.hints, cut=feed.cut)


def read_article_page(body: bytes, *, now: datetime, charset: str = "") -> EntryDraft:
    """The draft of the article in a page; `charset` is what HTTP declared. Raises FetchError("binary")."""
    from watchpost.documents.page import read_article

    return read_article(body, now, charset)


def read_json_lines(
    name: str,
    data: bytes,
    now: datetime,
    *,
    source: str = "",
    lang: str = "",
    limit: int | None = None,
    start: int = 0,
) -> Reading:
    """The articles of complete lines; what is wrong with a line is a Failure, with its number after byte `start`."""
    from watchpost.documents.json_formats import read_lines

    lines = read_lines(data, now, limit)
    articles = []
    for draft, raw in lines.drafts:
        identity = draft.identity or _digest(raw)
        article_id = derive_id("article", source, identity) if source or not draft.identity else draft.identity
        cleaned = article_of(draft, article_id=article_id, source=source, now=now, lang=lang)
        # Evidence points into these fields by offset, so they stay as they are, except for blanked margins.
        title, summary = _as_written(draft.title, TITLE_MAX) or cleaned.title, _as_written(draft.summary, SUMMARY_MAX)
        body = blank_margins(_as_written(draft.text, BODY_MAX))
        articles.append(replace(cleaned, title=title, summary=summary, body=body))
    place = f"{name}, after byte {start:,}, line" if start else f"{name}, line"
    failures = tuple(Failure(f"{place} {number}", reason, problem) for number, reason, problem in lines.problems)
    return Reading(tuple(articles), failures, lines.consumed)


def _as_written(text: str, characters_max: int) -> str:
    """The text itself; only halves of surrogate pairs, controls and direction marks are replaced, one for one."""
    text = text[:characters_max]
    return text if text.isprintable() else _DIRECTION.sub("\u2060", _CONTROL.sub(" ", _SURROGATE.sub("\ufffd", text)))


def _as_revision(reading: Reading, data: bytes) -> Reading:
    """The article under an id of this very text, and without the link's fingerprint, so that it is no copy."""
    articles = tuple(
        replace(
            article,
            id=derive_id("article", article.source, article.id, _digest(data)),
            fingerprints=tuple(each for each in article.fingerprints if not each.startswith("url:")),
        )
        for article in reading.articles
    )
    return replace(reading, articles=articles)


def _read(path: PurePath, data: bytes, now: datetime, *, source: str, lang: str, encoding: str) -> Reading:
    kind = _kind(path, data)
    if not data.strip(b"\0 \t\r\n\xef\xbb\xbf"):
        raise FetchError("empty", "the file is empty")
    if kind in LINE_SUFFIXES:
        return read_json_lines(str(path), data, now, source=source, lang=lang)
    if kind == _MAILBOX:
        return _read_mailbox(str(path), data, now, source=source, lang=lang)
    if kind in FEED_SUFFIXES:
        return read_feed_document(data, now=now, source=source, lang=lang)
    failures: tuple[Failure, ...] = ()
    try:
        draft = _draft(kind, data, now, encoding)
    except FetchError as error:
        if kind not in (".pdf", ".docx", ".odt") or error.reason not in ("encrypted", "no_text"):
            raise
        # A document that is locked or has only pictures is still an article, by the name of its file.
        draft, failures = EntryDraft(path.stem), (Failure(str(path), error.reason, error.detail),)
    if not (draft.text.strip() or draft.summary.strip() or draft.title.strip()):
        raise FetchError("no_text", "no text was found in this file")
    if "\ufffd" in draft.text and not failures:
        failures = (Failure(str(path), "encoding", "some characters could not be read and were replaced"),)
    if len(draft.text) > BODY_MAX:
        failures += (Failure(str(path), "cut", f"only the first {BODY_MAX:,} characters are kept"),)
    identity = draft.identity or _digest(data)
    if kind != ".eml" and not draft.title.strip():  # of a letter without a subject the first line says more
        draft = replace(draft, title=path.stem)
    article = article_of(draft, article_id=derive_id("article", source, identity), source=source, now=now, lang=lang)
    return Reading((article,), failures)


def _read_mailbox(name: str, data: bytes, now: datetime, *, source: str, lang: str) -> Reading:
    """The letters of a mailbox file; each that cannot be read is a Failure, with its number."""
    from watchpost.documents.mail import read_mailbox

    articles: dict[str, Article] = {}
    failures: list[Failure] = []
    for number, letter in enumerate(read_mailbox(data, now), 1):
        place = f"{name}, letter {number}"
        if isinstance(letter, FetchError):
            failures.append(Failure(place, letter.reason, letter.detail))
            continue
        if not (letter.text.strip() or letter.title.strip()):
            failures.append(Failure(place, "no_text", "this letter has no text and no subject"))
            continue
        if "\ufffd" in letter.text:
            failures.append(Failure(place, "encoding", "some characters could not be read and were replaced"))
        facts = f"{letter.title}\n{letter.published}\n{letter.text}"
        article_id = derive_id("article", source, letter.identity or _digest(facts.encode("utf-8", "replace")))
        articles.setdefault(article_id, article_of(letter, article_id=article_id, source=source, now=now, lang=lang))
    if not articles and not failures:
        raise FetchError("malformed", "this is no mailbox: no line begins a letter")
    return Reading(tuple(articles.values()), tuple(failures))


def _kind(path: PurePath, data: bytes) -> str:
    """The lower-case ending that stands for the format; from the content if the name has none that is known."""
    ending = path.suffix.lower()
    if str(path) == "-":
        return ".jsonl"
    if ending in _ARTICLE_SUFFIXES or ending in FEED_SUFFIXES or ending in LINE_SUFFIXES or ending == _MAILBOX:
        return ending
    head = data[:2048].lstrip(b"\xef\xbb\xbf")
    if head.startswith(b"%PDF-"):
        return ".pdf"
    if _FEED_START.match(head) or b"jsonfeed.org/version" in head:
        return ".xml"
    if _PAGE_START.match(head):
        return ".html"
    return ".jsonl" if head.lstrip().startswith(b'{"') else ".txt"


def _draft(kind: str, data: bytes, now: datetime, encoding: str) -> EntryDraft:
    """The readers are imported on demand: each loads a library that only the parser's process needs."""
    match kind:
        case ".html" | ".htm" | ".xhtml":
            from watchpost.documents.page import read_page

            return read_page(data, now, encoding)
        case ".eml":
            from watchpost.documents.mail import read_mail

            return read_mail(data, now)
        case ".mht" | ".mhtml":
            from watchpost.documents.mail import read_web_archive

            return read_web_archive(data, now)
        case ".odt":
            from watchpost.documents.odt import read_odt

            return read_odt(data, now)
        case ".rtf":
            from watchpost.documents.rtf import read_rtf

            return read_rtf(data, now)
        case ".pdf":
            from watchpost.documents.pdf import read_pdf

            return read_pdf(data, now)
        case ".docx":
            from watchpost.documents.docx import read_docx

            return read_docx(data, now)
    from watchpost.documents.text import read_markdown, read_text

    text = decode(data, encoding)[0][: 4 * BODY_MAX]
    return read_markdown(text, now) if kind in (".md", ".markdown") else read_text(text, now)


def _digest(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
