"""Still: what makes an entry of a feed the same entry tomorrow."""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Sequence

from watchpost.poll.tidy import Draft, canonical_url, clean_line, clean_text

_VERSION = re.compile(r"#\d{1,2}$")  # some feeds number the versions of an article: …/news/12345#0, then #1


def identities(drafts: Sequence[Draft], base: str = "") -> tuple[str, ...]:
    """One text per draft that stays the same from visit to visit.

    The document's own id if it is unique in the document; else the canonical link, if that is; else title and
    day. Feeds that give all entries one guid, or none at all, are common.
    """
    own = [_own(draft) for draft in drafts]
    links = [_without_scheme(canonical_url(draft.link, base)) for draft in drafts]
    own_count, link_count = Counter(own), Counter(links)
    return tuple(
        f"id:{own[i]}"
        if own[i] and own_count[own[i]] == 1
        else f"link:{links[i]}"
        if links[i] and link_count[links[i]] == 1
        else _title_and_day(draft)
        for i, draft in enumerate(drafts)
    )


def _own(draft: Draft) -> str:
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


def _title_and_day(draft: Draft) -> str:
    title = clean_line(draft.title)
    if not title:
        return "text:" + hashlib.sha256(clean_text(draft.text or draft.summary).encode()).hexdigest()
    day = draft.published.date().isoformat() if draft.published else ""
    return f"title:{title}|{day}"
