"""Pure: what an answer is that is no feed, in a few words: a login, a check for browsers, a domain for sale, an error.

Servers send such pages with status 200, so the reason has to be read from them.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from watchpost.control_characters import left_out
from watchpost.documents.html import plain_text

_READ = 60_000  # bytes; a larger page is a site's own, which may have a login in its header
_SHOWN = 80
_TITLE = re.compile(r"<title\b[^<>]{0,200}>([^<]{1,500})", re.IGNORECASE)
_KINDS = (
    (
        "a check that a browser is used, which only a person passes",
        re.compile(
            r"captcha|cf-chl|cf-challenge|challenge-platform|ddos-guard|_incapsula_|datadome"
            r"|enable javascript and cookies",
            re.IGNORECASE,
        ),
    ),
    (
        "a domain that is for sale",
        re.compile(
            r"sedoparking|parkingcrew|hugedomains|domain (?:name )?(?:is|may be|might be) for sale|buy this domain",
            re.IGNORECASE,
        ),
    ),
    ("a login", re.compile(r"<input\b[^<>]{0,300}\btype\s{0,9}=\s{0,9}[\"']?password", re.IGNORECASE)),
)
_ROOT = re.compile(r"<([A-Za-z_][\w.:-]{0,60})")
_MESSAGES = ("error_description", "message", "error", "detail", "title", "reason")


def page_in_words(data: bytes) -> str:
    """`: a login ("Sign in")` of an HTML page; "" if nothing is known of it. `data` is UTF-8."""
    page = data[:_READ].decode("utf-8", "replace")
    found = _TITLE.search(page)
    title = _quoted(found[1]) if found else ""
    kind = next((words for words, sign in _KINDS if sign.search(page)), "") if len(data) < _READ else ""
    return f": {kind} ({title})" if kind and title else f": {kind or title}" if kind or title else ""


def document_in_words(data: bytes) -> str:
    """What XML or text has in it: `its root is <Error>, "Access Denied"`. `data` is UTF-8."""
    text = data[:_READ].decode("utf-8", "replace")
    root = _ROOT.search(text) if text.lstrip("\ufeff \t\r\n")[:1] == "<" else None
    shown = _quoted(text)
    if root is None:
        return f"it begins {shown}" if shown else "it has no text"
    return f"its root is <{root[1]}>" + (f", {shown}" if shown else "")


def json_in_words(value: Any) -> str:
    """`: "rate limited"`, the message of an error in JSON; "" if it has none."""
    for name in _MESSAGES if isinstance(value, Mapping) else ():
        inner = value.get(name)
        if isinstance(inner, Mapping):
            return json_in_words(inner)
        if isinstance(inner, str) and inner.strip():
            return f": {_quoted(inner)}"
    return ""


def _quoted(text: str) -> str:
    line = " ".join(left_out(plain_text(text)).split())
    return f'"{line[:_SHOWN].rstrip()}{"…" if len(line) > _SHOWN else ""}"' if line else ""
