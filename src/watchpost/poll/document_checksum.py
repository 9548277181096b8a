"""Pure: the checksum of a feed's document, without the moment at which the document was made.

Many servers make a feed at each request and write the time into it: into `lastBuildDate` of RSS 2.0, the feed's
`updated` of Atom (RFC 4287, 4.2.15), or a comment after the end ("cached at …"). Nothing is read from these. Documents
with the same checksum have the same length, the same entries and the same hints: only characters of dates directly
within the channel, and digits of comments after the root, are left out. Where it is not certain what is what, nothing
is left out.
"""

from __future__ import annotations

import hashlib
import re

from watchpost.documents.encoding import is_plain_utf8

_HEAD_BYTES = 65_536
_TAIL_BYTES = 2_000
_ENTRY = re.compile(rb"<(?:[\w-]{1,20}:)?(?:item|entry)[\s>/]", re.IGNORECASE)
_TAG = re.compile(rb"<(?P<close>/?)(?P<name>[A-Za-z_][\w:.-]{0,60})(?P<rest>(?:[\s/][^<>]{0,2000})?)>")
_INSTRUCTION = re.compile(rb"<\?[^<>]{0,300}\?>")
_LEAF = re.compile(rb"<([A-Za-z_][\w:.-]{0,60})>[^<>]{0,2000}</\1>")
_DATE = re.compile(
    rb"<(lastBuildDate|pubDate|updated|modified|dc:date)>(?P<moment>[0-9A-Za-z ,:+.-]{1,60})</\1>", re.IGNORECASE
)
_ROOT_END = re.compile(rb"</(?:[\w-]{1,20}:)?(?:rss|rdf|feed)\s{0,9}>", re.IGNORECASE)
_CHANNELS = frozenset({(b"rss", b"channel"), (b"rdf", b"channel"), (b"feed",)})
_COMMENT, _COMMENT_END = b"<!--", b"-->"
_CDATA, _CDATA_END = b"<![CDATA[", b"]]>"
_DIGITS = bytes.maketrans(b"0123456789", b"0000000000")


def checksum_of(body: bytes, charset: str = "") -> str:
    """SHA-256 of the document, with as many other characters where it names its moment.

    `charset` is what HTTP declared.
    """
    entry = _ENTRY.search(body, 0, _HEAD_BYTES)
    dates = _channel_dates(body[: entry.start()]) if entry is not None else []
    tail = _after_root(body) or len(body)
    if (dates or tail < len(body)) and not is_plain_utf8(body, charset):
        dates, tail = [], len(body)
    checksum, view, at = hashlib.sha256(), memoryview(body), 0
    for start, end in dates:
        checksum.update(view[at:start])
        checksum.update(b"x" * (end - start))
        at = end
    checksum.update(view[at:tail])
    checksum.update(body[tail:].translate(_DIGITS))
    return checksum.hexdigest()


def _channel_dates(head: bytes) -> list[tuple[int, int]]:
    """Where the dates of the channel are in what comes before the first entry; none if that is not certain."""
    dates: list[tuple[int, int]] = []
    open_tags: list[bytes] = []
    at = 0
    for date in _DATE.finditer(head):
        while (at := head.find(b"<", at)) >= 0 and at < date.start():
            at = _after_token(head, at, open_tags)
            if at < 0:
                return []
        if at == date.start() and tuple(map(_local, open_tags)) in _CHANNELS:
            dates.append(date.span("moment"))
    return dates


def _after_token(head: bytes, at: int, open_tags: list[bytes]) -> int:
    """Where the token ends that begins at `at`; -1 if that is not certain. Notes the tags that are open then."""
    leaf = _LEAF.match(head, at)
    if leaf is not None:
        return leaf.end()
    for begin, end in ((_CDATA, _CDATA_END), (_COMMENT, _COMMENT_END)):
        if head.startswith(begin, at):
            return head.find(end, at + len(begin))
    tag = _TAG.match(head, at)
    if tag is None:
        instruction = _INSTRUCTION.match(head, at)
        return instruction.end() if instruction else -1
    return tag.end() if _take(tag, open_tags) else -1


def _take(tag: re.Match[bytes], open_tags: list[bytes]) -> bool:
    """Note what the tag opens or closes; returns whether it fits."""
    rest, name = tag["rest"], tag["name"].lower()
    if rest.count(b'"') % 2 or rest.count(b"'") % 2:  # the tag may go on
        return False
    if tag["close"]:
        return bool(open_tags) and open_tags.pop() == name
    if not rest.endswith(b"/"):
        open_tags.append(name)
    return True


def _local(name: bytes) -> bytes:
    return name.rpartition(b":")[2]


def _after_root(body: bytes) -> int:
    """Where the comments after the root begin; 0 without any, and where they may be part of an entry."""
    root_end = _ROOT_END.match(body, max(0, body.rfind(b"</", -_TAIL_BYTES)))
    if root_end is None:
        return 0
    at = root_end.end()
    rest = body[at:].strip()
    if not rest:
        return 0
    is_inside = any(
        body.rfind(begin, 0, at) > body.rfind(end, 0, at)
        for begin, end in ((_COMMENT, _COMMENT_END), (_CDATA, _CDATA_END))
    )
    if is_inside:
        return 0
    while rest.startswith(_COMMENT) and (end := rest.find(_COMMENT_END, len(_COMMENT))) > 0:
        rest = rest[end + len(_COMMENT_END) :].strip()
    return 0 if rest else at
