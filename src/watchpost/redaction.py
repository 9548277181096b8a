"""Secrets are removed from what people read: each secret that this process has read, and what looks like one in a URL.

Code that reads a secret calls a `know_…` function. Text about the outside passes `clean` before it is logged, stored in
the status of sources and deliveries, or printed: errors of foreign libraries quote addresses, headers and answers.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MASK = "***"
_SECRET_MIN = 6  # shorter values are too much like words to be removed from sentences
_SECRET_NAME = re.compile(r"(?i)token|key|auth|secret|sig|pass|session|cookie|code")
_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]{0,30}://)[^/\s@]*@")
_QUERY = re.compile(r"([?&])([^=&\s\"'<>]{1,60})=([^&\s\"'<>]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+([a-z0-9+/=._~-]{6,})")
_SOLID = re.compile(r"[A-Za-z0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # no file name has this form

_known: set[str] = set()


def know_secret(secret: str) -> None:
    """Treat this value as a secret from now on, in each form in which it may appear."""
    if _is_address(secret):
        know_address(secret, is_secret=True)
        return
    parts = [secret, secret.strip(), secret.removeprefix("whsec_")]
    if "\n" in secret:
        parts += [line for line in secret.splitlines() if len(line) >= 20]  # a key in PEM form
    for part in parts:
        _note(part)


def know_address(url: str, *, is_secret: bool = False) -> None:
    """Treat the password of an address, and what looks like a token in it, as secrets.

    `is_secret`: the address as a whole is a credential (the webhook of a chat), so its path is one, and shorter tokens
    count. A part that is a word is not: it would be removed from every sentence.
    """
    length_min = 8 if is_secret else 16
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    _note(unquote(password or ""))
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _SECRET_NAME.search(name) or _is_token(value, length_min):
            _note(value)
    for segment in parts.path.split("/"):
        if _is_token(segment, length_min) and (is_secret or _SOLID.fullmatch(segment)):
            _note(segment)
    if is_secret and len(parts.path) >= 12:
        _note(parts.path)


def know_header(name: str, value: str) -> None:
    """Treat the value of a header as a secret if the header's name says so."""
    if _SECRET_NAME.search(name):
        _note(value)
        _note(value.rpartition(" ")[2])


def clean(text: str) -> str:
    """The text without known secrets, and without what looks like one in an address."""
    for secret in sorted((known for known in _known if known in text), key=len, reverse=True):
        text = text.replace(secret, MASK)
    if "://" in text or "?" in text:
        text = _QUERY.sub(_mask_value, _USER.sub(rf"\1{MASK}@", text))
    return _BEARER.sub(lambda match: f"{match[1]} {MASK}" if not match[2].isalpha() else match[0], text)


def short_url(url: str) -> str:
    """Scheme and host of a URL that may hold a secret, with its last four characters to tell two of them apart."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable URL)"
    tail = f"…{url[-4:]}" if len(parts.path) > 5 or parts.query else parts.path
    return f"{parts.scheme}://{parts.hostname}/{tail.lstrip('/')}" if parts.hostname else "(unreadable URL)"


def _note(value: str) -> None:
    if len(value) >= _SECRET_MIN:
        _known.update((value, quote(value, safe=""), json.dumps(value)[1:-1]))


def _mask_value(match: re.Match[str]) -> str:
    secret = _SECRET_NAME.search(match[2]) or _is_token(match[3])
    return f"{match[1]}{match[2]}={MASK}" if secret else match[0]


def _is_token(value: str, length_min: int = 16) -> bool:
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return len(value) >= length_min and mixed and " " not in value


def _is_address(value: str) -> bool:
    return bool(re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", value))
