"""Pure: the head of an HTTP answer, repaired as browsers do it: a line that is no header costs no answer.

RFC 9112, 5: a client that gets such a line may discard it. PHP writes its warnings there, and some servers end lines
with a line feed only, put a blank before the colon, or send a length that is no number.
"""

from __future__ import annotations

import re

_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"(?:HTTP/(?:1\.)?([0-9])[0-9.]{0,4}|ICY|HTTP)[ \t]+([1-9][0-9]{2})(?![0-9])([^\r\n]{0,200})")
_HEADER = re.compile(rb"([!#$%&'*+.^_`|~0-9A-Za-z-]{1,200})[ \t]{0,9}:(.*)", re.DOTALL)
_NO_VALUE = re.compile(rb"[\x00-\x08\x0a-\x1f\x7f]")
_LENGTH = re.compile(rb"([0-9]{1,18})(?:[ \t]*,[ \t]*\1)*")


def repaired_head(data: bytes) -> tuple[bytes | None, bytes]:
    """The head at the beginning of `data`, and what follows it; (None, data) if it has not ended or is not HTTP."""
    end = _END.search(data)
    if end is None:
        return None, data
    lines = re.split(rb"\r?\n", data[: end.start()].lstrip(b"\r\n"))
    status = _STATUS.match(lines[0])
    if status is None:
        return b"", data
    minor = b"0" if status[1] == b"0" else b"1"
    reason = _NO_VALUE.sub(b"", status[3]).strip()
    kept = [b"HTTP/1." + minor + b" " + status[2] + b" " + reason]
    length = b""
    for line in lines[1:]:
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
            value = b"chunked"
        kept.append(name + b": " + value)
    return b"\r\n".join(kept) + b"\r\n\r\n", data[end.end() :]
