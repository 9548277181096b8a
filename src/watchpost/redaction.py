"""What must not be said aloud: every secret that this process has met, and what looks like one in an address.

Whoever reads a secret says so (`know`); whoever says something about the outside lets it pass `clean` first: the log,
the status of sources and deliveries, the messages of the command line. Errors of foreign libraries quote addresses,
headers and answers, and nobody knows beforehand which.
"""

from __future__ import annotations

import json
import re
from urllib.parse import parse_qsl, quote, unquote, urlsplit

MASK = "***"
_SHORTEST = 6  # shorter values are too like ordinary words to be taken out of sentences
_NAMED = re.compile(r"(?i)token|key|auth|secret|sig|pass|session|cookie|code")
_USER = re.compile(r"(?i)\b([a-z][a-z0-9+.-]*://)[^/\s@]*@")
_QUERY = re.compile(r"([?&])([^=&\s\"'<>]{1,60})=([^&\s\"'<>]+)")
_BEARER = re.compile(r"(?i)\b(bearer|basic)\s+([a-z0-9+/=._~-]{6,})")
_SOLID = re.compile(r"[A-Za-z0-9]+|[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")  # no file name has this form
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]")

_known: set[str] = set()


def know_secret(secret: str) -> None:
    """This value is a secret from now on, in each form in which it may turn up."""
    if _is_address(secret):
        know_address(secret, is_secret=True)
        return
    parts = [secret, secret.strip(), secret.removeprefix("whsec_")]
    if "\n" in secret:
        parts += [line for line in secret.splitlines() if len(line) >= 20]  # a key in PEM form
    for part in parts:
        _note(part)


def know_address(url: str, *, is_secret: bool = False) -> None:
    """Of an address, what is secret in it: the password, and what looks like a token.

    `is_secret`: the address as a whole is a credential (a webhook of a chat), so its path is one, and shorter tokens
    count. A part of it that is a word is not: it would be taken out of every sentence.
    """
    shortest = 8 if is_secret else 16
    try:
        parts = urlsplit(url)
        password = parts.password
    except ValueError:
        return
    _note(unquote(password or ""))
    for name, value in parse_qsl(parts.query, keep_blank_values=True):
        if _NAMED.search(name) or _is_token(value, shortest):
            _note(value)
    for segment in parts.path.split("/"):
        if _is_token(segment, shortest) and (is_secret or _SOLID.fullmatch(segment)):
            _note(segment)
    if is_secret and len(parts.path) >= 12:
        _note(parts.path)


def know_header(name: str, value: str) -> None:
    """A header that is written out: secret if its name says so."""
    if _NAMED.search(name):
        _note(value)
        _note(value.rpartition(" ")[2])


def clean(text: str) -> str:
    """The text without any secret that is known, and without what looks like one in an address."""
    for secret in sorted((one for one in _known if one in text), key=len, reverse=True):
        text = text.replace(secret, MASK)
    if "://" in text or "?" in text:
        text = _QUERY.sub(_mask_value, _USER.sub(rf"\1{MASK}@", text))
    return _BEARER.sub(lambda found: f"{found[1]} {MASK}" if not found[2].isalpha() else found[0], text)


def short_url(url: str) -> str:
    """Scheme and host of a URL that may hold a secret, with its last four characters to tell two of them apart."""
    try:
        parts = urlsplit(url)
    except ValueError:
        return "(unreadable URL)"
    tail = f"…{url[-4:]}" if len(parts.path) > 5 or parts.query else parts.path
    return f"{parts.scheme}://{parts.hostname}/{tail.lstrip('/')}" if parts.hostname else "(unreadable URL)"


def one_line(text: str) -> str:
    """Control characters written out (\\x1b): a text from outside must not rewrite the terminal, nor begin a line."""
    return _CONTROL.sub(lambda found: found[0].encode("unicode_escape").decode(), text)


def _note(value: str) -> None:
    if len(value) >= _SHORTEST:
        _known.update((value, quote(value, safe=""), json.dumps(value)[1:-1]))


def _mask_value(found: re.Match[str]) -> str:
    secret = _NAMED.search(found[2]) or _is_token(found[3])
    return f"{found[1]}{found[2]}={MASK}" if secret else found[0]


def _is_token(value: str, shortest: int = 16) -> bool:
    mixed = any(c.isdigit() for c in value) and any(c.isalpha() for c in value)
    return len(value) >= shortest and mixed and " " not in value


def _is_address(value: str) -> bool:
    return bool(re.match(r"[a-zA-Z][a-zA-Z0-9+.-]*://", value))
