"""Pure: entries before they are articles: their fields, their ids, and how a draft becomes an article."""

from __future__ import annotations

import hashlib
import html
import re
import unicodedata
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from watchpost.documents.boilerplate import blank_margins
from watchpost.documents.clean import (
    BODY_MAX,
    NAME_MAX,
    SUMMARY_MAX,
    TITLE_MAX,
    canonical_url,
    clean_line,
    clean_text,
    fingerprints,
    headline,
    language,
    linked_url,
)
from watchpost.model import Article, derive_id

_ALNUM = re.compile(r"[^\W_]+")
ENDS_HTML = re.compile(r"</(?:p|a|b|i|em|strong|div|span|li|ul|h[1-6]|blockquote)>|<br ?/?>", re.IGNORECASE)
"""An end of an element of HTML: a text with one is HTML, unless its document says otherwise."""

_ENTITY = re.compile(r"&(?:#[0-9]{2,6}|#x[0-9a-fA-F]{2,5}|[A-Za-z]{2,8}[0-9]{0,2});")
_VERSION = re.compile(r"#\d{1,2}$")  # some feeds number the versions of an article: …/news/12345#0, then #1


@dataclass(frozen=True, slots=True)
class EntryDraft:
    """The fields of one article as a document has them, before they are cleaned.

    `identity` is the document's own id (guid, Message-ID, id), or "". `text` and `summary` are plain text, paragraphs
    separated by an empty line. `link` may be relative.
    """

    title: str
    text: str = ""
    identity: str = ""
    link: str = ""
    summary: str = ""
    author: str = ""
    outlet: str = ""
    lang: str = ""
    place: str = ""
    published: datetime | None = None


@dataclass(frozen=True, slots=True)
class Written:
    """A text as the feed has it: HTML, or plain."""

    text: str
    html: bool = True

    def plain(self) -> str:
        """What a reader sees of it, without marks of CDATA. What is escaped twice is unescaped twice."""
        # It imports lxml, which only the parser's process loads.
        from watchpost.documents.html import plain_text, without_cdata_marks

        text = plain_text(self.text) if self.html else without_cdata_marks(self.text)
        if self.html and "<" not in self.text and ENDS_HTML.search(text):
            text = plain_text(text)
        return html.unescape(text) if "&" in text and _ENTITY.search(text) else text


@dataclass(frozen=True, slots=True)
class FeedEntry:
    """An entry of a feed, of which plain text is made on demand: that is most of the cost, and most entries are known.

    `head` is the draft without its texts. The text is the first of `bodies` that is not empty, else the summary.
    """

    head: EntryDraft
    bodies: tuple[Written, ...] = ()
    summary: Written = Written("")

    def draft(self) -> EntryDraft:
        """The draft with its texts."""
        summary = self.summary.plain()
        body = next((text for body in self.bodies if (text := body.plain())), "")
        return replace(self.head, text=body or summary, summary=summary if body else "")


def article_of(
    draft: EntryDraft, *, article_id: str, source: str, now: datetime, lang: str = "", base: str = ""
) -> Article:
    """The article with this id. `lang` replaces an undeclared language, `base` makes links absolute.

    Menus, related articles and archive captions around the article are left out.
    """
    body = clean_text(blank_margins(draft.text[: 2 * BODY_MAX]))[:BODY_MAX]
    summary = clean_text(draft.summary[: 2 * SUMMARY_MAX])[:SUMMARY_MAX]
    title = clean_line(draft.title[: 2 * TITLE_MAX])[:TITLE_MAX] or headline(body or summary)
    link = draft.link.replace("&amp;", "&")  # escaped twice; ids keep what is written
    url = canonical_url(link, base)
    return Article(
        id=article_id,
        source=source,
        title=title,
        body=body,
        fetched=now,
        outlet=clean_line(draft.outlet)[:NAME_MAX],
        url=linked_url(link, base),
        summary="" if summary == body else summary,
        author=clean_line(draft.author)[:NAME_MAX],
        lang=language(draft.lang) or language(lang),
        place=clean_line(draft.place)[:NAME_MAX],
        published=draft.published,
        fingerprints=fingerprints(url, title, body),
    )


def with_page(article: Article, page: EntryDraft) -> Article | None:
    """The article of a feed with the text of its page; None if the page has no more text than the feed.

    The feed's text becomes the summary, unless there is one. Title, link and date stay: the page only adds what the
    feed does not have.
    """
    body = clean_text(blank_margins(page.text[: 2 * BODY_MAX]))[:BODY_MAX]
    if len(body) <= len(article.body):
        return None
    return replace(
        article,
        body=body,
        summary=article.summary or ("" if article.body in body else article.body[:SUMMARY_MAX]),
        author=article.author or clean_line(page.author)[:NAME_MAX],
        lang=article.lang or language(page.lang),
        published=article.published or page.published,
        fingerprints=fingerprints(canonical_url(article.url), article.title, body),
        entry=derive_id("entry", article.body),
    )


def identities(
    drafts: Sequence[EntryDraft], base: str = "", whole: Callable[[int], EntryDraft] | None = None
) -> tuple[str, ...]:
    """One text per draft that stays the same from visit to visit.

    The document's own id, unless different entries share it; else the canonical link with its fragment, likewise; else
    title and day; else the text. Feeds that give all entries one guid, or none at all, are common. An entry that is
    simply listed twice keeps its id; with another text it is another entry. Where drafts come without their texts,
    `whole` returns one with them.
    """
    whole = whole or drafts.__getitem__
    guids = [_guid(draft) for draft in drafts]
    links = [_without_scheme(linked_url(draft.link, base)) for draft in drafts]
    titles = [clean_line(draft.title) for draft in drafts]
    shared_guids = _shared(zip(guids, zip(links, titles, strict=True), strict=True))
    shared_links = _shared(zip(links, titles, strict=True))
    found = [
        f"id:{guids[i]}"
        if guids[i] and guids[i] not in shared_guids
        else f"link:{links[i]}"
        if links[i] and links[i] not in shared_links
        else _title_and_day(draft, titles[i]) or _text(whole(i))
        for i, draft in enumerate(drafts)
    ]
    repeated = {identity for identity, times in Counter(found).items() if times > 1}
    texts = {i: _text(whole(i)) for i, identity in enumerate(found) if identity in repeated}
    various = _shared((found[i], text) for i, text in texts.items() if text != _NO_TEXT)
    return tuple(
        f"{identity}|{texts[i]}" if identity in various and texts[i] != _NO_TEXT else identity
        for i, identity in enumerate(found)
    )


def version_id(article_id: str, title: str) -> str:
    """The id of an article under this headline. Only letters and digits count; "" if there are none."""
    letters = "".join(_ALNUM.findall(unicodedata.normalize("NFKC", clean_line(title)).casefold()))
    return derive_id("version", article_id, letters) if letters else ""


def _shared(pairs: Iterable[tuple[str, object]]) -> set[str]:
    """The first halves that come with more than one second half."""
    seen: dict[str, object] = {}
    return {first for first, second in pairs if seen.setdefault(first, second) != second}


def _guid(draft: EntryDraft) -> str:
    """The guid. As a URL it loses its scheme and tracking, so that a move to https announces nothing again.

    A version number at its end is replaced by the title: the same headline is the same entry.
    """
    guid = draft.identity.strip()
    url = canonical_url(guid) if guid.startswith(("http://", "https://")) else ""
    if not url:
        return guid
    bare = _without_scheme(url)
    if _VERSION.search(guid):
        return f"{bare} {clean_line(draft.title)}"
    fragment = guid.partition("#")[2]
    return f"{bare}#{fragment}" if fragment and "#" not in bare else bare


def _without_scheme(url: str) -> str:
    return url.partition("://")[2]


def _title_and_day(draft: EntryDraft, title: str) -> str:
    day = draft.published.date().isoformat() if draft.published else ""
    return f"title:{title}|{day}" if title else ""


def _text(draft: EntryDraft) -> str:
    return "text:" + hashlib.sha256(clean_text(draft.text or draft.summary).encode()).hexdigest()


_NO_TEXT = _text(EntryDraft(""))
