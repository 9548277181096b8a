"""Pure: the head of an HTTP answer, repaired as browsers do it: a line that is no header costs no answer.

RFC 9112, 5: a client that gets such a line may discard it. PHP writes its warnings there, also before the status line,
and some servers end lines with a line feed only, put a blank before the colon, send a length that is no number, or call
a body chunked that is not.
"""

from __future__ import annotations

import re

_END = re.compile(rb"\n\r{0,3}\n")
_LINE_END = re.compile(rb"\r{0,3}\n")
_STATUS = re.compile(
    rb"(?:HTTP/(?:1\.)?([0-9])[0-9.]{0,4}|ICY|HTTP)[ \t]+([1-9][0-9]{2})(?![0-9])([^\r\n]{0,200})", re.IGNORECASE
)
_LINES_BEFORE = 20  # the most that are skipped before the status line
_CHUNKED = b"\r\ntransfer-encoding: chunked\r\n"
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200})[ \t]{0,9}:(.*)", re.DOTALL)
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"([0-9]{1,18})(?:[ \t]*,[ \t]*\1)*")


def repaired_head(data: bytes) -> tuple[bytes | None, bytes]:
    """The head at the beginning of `data`, and what follows it; (None, data) if it has not ended or is not HTTP."""
    end = _END.search(data, len(data) - len(data.lstrip(b"\r\n")))
    if end is None:
        return None, data
    lines = _LINE_END.split(data[: end.start()].lstrip(b"\r\n").rstrip(b"\r"))
    at = next((n for n, line in enumerate(lines[:_LINES_BEFORE]) if _STATUS.match(line)), None)
    status = _STATUS.match(lines[at]) if at is not None else None
    if at is None or status is None:
        return b"", data
    minor = b"0" if status[1] == b"0" else b"1"
    reason = _NO_VALUE.sub(b"", status[3]).strip()
    kept = [b"HTTP/1." + minor + b" " + status[2] + b" " + reason]
    length = b""
    for line in lines[at + 1 :]:
        if line[:1] in (b" ", b"\t") and len(kept) > 1:  # a folded value (RFC 9112, 5.2)
            kept[-1] += b" " + _NO_VALUE.sub(b"", line).strip()
            continue
        header = _HEADER.fullmatch(line)
        if header is None:
            continue
        name, value = header[1], _NO_VALUE.sub(b"", header[2]).strip()
        if name.lower() == b"content-length":
            number = _LENGTH.fullmatch(value)
            if number is None or (length and number[1] != length):  # no number, or another one than before
                continue
            if length:
                continue
            value = length = number[1]
        if name.lower() == b"transfer-encoding":
            if b"chunked" not in value.lower():  # "identity" of old servers means none
                continue
            value, name = b"chunked", b"transfer-encoding"
            if b"transfer-encoding: chunked" in kept:
                continue
        kept.append(name + b": " + value)
    return b"\r\n".join(kept) + b"\r\n\r\n", data[end.end() :]


def says_chunked(head: bytes) -> bool:
    """Whether this repaired head says that its body comes in chunks."""
    return _CHUNKED in head


def without_false_chunks(head: bytes, body: bytes) -> bytes:
    """The head without its word on chunks, if the body begins as XML, HTML or JSON do: a chunk begins with its size."""
    is_document = body.lstrip(b"\xef\xbb\xbf \t\r\n")[:1] in (b"<", b"{", b"[")
    return head.replace(_CHUNKED, b"\r\n", 1) if is_document else head
