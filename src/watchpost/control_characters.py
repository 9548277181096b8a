"""Pure: characters that control a terminal or reorder a line are written out, wherever strangers' text is shown.

Those of category Cc, the direction marks and separators of lines and paragraphs (Unicode Technical Report 36,
"Security Considerations"; CVE-2021-42574), tags, and lone surrogates, which cannot be printed at all.
"""

from __future__ import annotations

import re

_SET = (
    "\x00-\x08\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufeff\ufff9-\ufffb\ud800-\udfff"
    "\U000e0000-\U000e007f"
)
_CONTROL = re.compile(f"[{_SET}]")
_CONTROL_OR_BREAK = re.compile(f"[{_SET}\n]")


def on_one_line(text: str) -> str:
    """The text with each of them escaped (\\x1b), line breaks as well: it begins no line of its own."""
    return text if text.isprintable() else _CONTROL_OR_BREAK.sub(_escaped, text)


def on_lines(text: str) -> str:
    """The text with each of them escaped but for its line breaks, LF or CR LF."""
    return text if text.isprintable() else _CONTROL.sub(_escaped, text.replace("\r\n", "\n"))


def left_out(text: str) -> str:
    """The text without them, but with its line breaks."""
    return text if text.isprintable() else _CONTROL.sub("", text)


def in_json(document: str) -> str:
    """A JSON document that means the same, with each of them as \\u202e."""
    return _CONTROL.sub(_json_escape, document)


def _escaped(match: re.Match[str]) -> str:
    return match[0].encode("unicode_escape").decode()


def _json_escape(match: re.Match[str]) -> str:
    """RFC 8259, 7: a character beyond U+FFFF is a pair of surrogates."""
    units = match[0].encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))
