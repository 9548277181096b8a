"""Pure: links in mail by which a recipient acts on a story without a login.

The address of a link is `/a/STORY/KEY`. A key has eight hex digits of the time at which it ends (in seconds since
1970), then a signature over the receiver, the recipient, the story and that time. Only who knows the secret of this
installation can make one (`derive_id` is BLAKE2b, RFC 7693, which needs no HMAC around it).
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from urllib.parse import quote

from watchpost.model import derive_id

PATH = "/a/"
_END = 8  # digits of the time
_LINK = re.compile(r"(/a/[^/\s\"<>]{1,200}/)[0-9a-f]{40}")


def link_path(story: str, key: str) -> str:
    """The link, below the root of the pages."""
    return f"{PATH}{quote(story, safe='')}/{key}"


def key_of(secret: str, receiver: str, address: str, story: str, until: datetime) -> str:
    """The key with which this recipient acts on this story until then."""
    end = f"{int(until.timestamp()):0{_END}x}"
    return end + derive_id("story link", secret, receiver, address, story, end)


def is_key(key: str, secret: str, receiver: str, address: str, story: str, now: datetime) -> bool:
    """Whether the key belongs to this recipient and story, and has not ended. The time taken reveals nothing."""
    until = end_of(key)
    if until is None or until < now:
        return False
    return hmac.compare_digest(key.encode("utf-8", "replace"), key_of(secret, receiver, address, story, until).encode())


def end_of(key: str) -> datetime | None:
    """When a key ends; None for what is no key."""
    try:
        return datetime.fromtimestamp(int(key[:_END], 16), UTC)
    except ValueError:
        return None


def stand_in(secret: str, digest: str, until: datetime) -> str:
    """What the layout of a digest has in the place of each key, as long as one: the layout is one for all recipients.

    No text of others can contain it.
    """
    return key_of(secret, "", "", f"stand-in {digest}", until)


def without_keys(text: str) -> str:
    """The text with links that lead nowhere, for readers who may not act."""
    return _LINK.sub(r"\1", text)


def with_keys(text: str, mark: str, stories: Iterable[str], secret: str, receiver: str, address: str) -> str:
    """The text with this recipient's keys in the place of `mark`, which is a `stand_in`."""
    until = end_of(mark)
    if until is None or mark not in text:
        return text
    for story in stories:
        key = key_of(secret, receiver, address, story, until)
        text = text.replace(link_path(story, mark), link_path(story, key))
    return text
