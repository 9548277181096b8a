"""Pure: what makes an entry of a feed the same entry tomorrow."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Callable, Iterable, Sequence

from watchpost.documents.clean import EntryDraft, canonical_url, clean_line, clean_text
from watchpost.model import derive_id

_ALNUM = re.compile(r"[^\W_]+")
_VERSION = re.compile(r"#\d{1,2}$")  # some feeds number the versions of an article: …/news/12345#0, then #1


def identities(
    drafts: Sequence[EntryDraft], base: str = "", whole: Callable[[int], EntryDraft] | None = None
) -> tuple[str, ...]:
    """One text per draft that stays the same from visit to visit.

    The document's own id, unless it gives that to different entries; else the canonical link, likewise; else title
    and day. Feeds that give all entries one guid, or none at all, are common. An entry that is simply listed twice
    keeps its id. Where drafts come without their texts, `whole` gives one with them: where there is no title either,
    the text has to do.
    """
    own = [_own(draft) for draft in drafts]
    links = [_without_scheme(canonical_url(draft.link, base)) for draft in drafts]
    titles = [clean_line(draft.title) for draft in drafts]
    shared_ids = _shared(zip(own, zip(links, titles, strict=True), strict=True))
    shared_links = _shared(zip(links, titles, strict=True))
    return tuple(
        f"id:{own[i]}"
        if own[i] and own[i] not in shared_ids
        else f"link:{links[i]}"
        if links[i] and links[i] not in shared_links
        else _title_and_day(draft, titles[i]) or _text(whole(i) if whole is not None else draft)
        for i, draft in enumerate(drafts)
    )


def version_id(article_id: str, title: str) -> str:
    """The id of an article under this headline. Only letters and digits count; "" if there are none."""
    letters = "".join(_ALNUM.findall(unicodedata.normalize("NFKC", clean_line(title)).casefold()))
    return derive_id("version", article_id, letters) if letters else ""


def _shared(pairs: Iterable[tuple[str, object]]) -> set[str]:
    """The first halves that come with more than one second half."""
    seen: dict[str, object] = {}
    return {first for first, second in pairs if seen.setdefault(first, second) != second}


def _own(draft: EntryDraft) -> str:
    """The guid. As a URL it loses its scheme and tracking, so that a move to https announces nothing again.

    A version number at its end is replaced by the title: the same headline is the same entry.
    """
    own = draft.identity.strip()
    url = canonical_url(own) if own.startswith(("http://", "https://")) else ""
    if not url:
        return own
    bare = _without_scheme(url)
    if _VERSION.search(own):
        return f"{bare} {clean_line(draft.title)}"
    fragment = own.partition("#")[2]
    return f"{bare}#{fragment}" if fragment and "#" not in bare else bare


def _without_scheme(url: str) -> str:
    return url.partition("://")[2]


def _title_and_day(draft: EntryDraft, title: str) -> str:
    day = draft.published.date().isoformat() if draft.published else ""
    return f"title:{title}|{day}" if title else ""


def _text(draft: EntryDraft) -> str:
    return "text:" + hashlib.sha256(clean_text(draft.text or draft.summary).encode()).hexdigest()
