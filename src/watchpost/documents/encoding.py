"""Pure: bytes of unknown encoding become text: byte-order mark, strict UTF-8, what is declared, detection, cp1252."""

from __future__ import annotations

import codecs
import re

from watchpost.errors import FetchError

_MARKS = (
    (codecs.BOM_UTF8, "utf-8"),
    (codecs.BOM_UTF32_LE, "utf-32-le"),
    (codecs.BOM_UTF32_BE, "utf-32-be"),
    (codecs.BOM_UTF16_LE, "utf-16-le"),
    (codecs.BOM_UTF16_BE, "utf-16-be"),
)
_XML_DECLARATION = re.compile(
    rb"""\s*<\?xml[^>]{0,200}?encoding\s*=\s*["']([\w.:-]{1,40})["'][^>]{0,100}\?>""", re.IGNORECASE
)
_STARTS_WITH_MARKUP = re.compile(rb"<(?:\?xml\s|[A-Za-z])")
_UTF8_DECLARATION = re.compile(rb"\A<\?xml[^>]{0,300}\?>")
_HTML_CHARSET = re.compile(rb"""<meta[^>]{0,300}?charset\s*=\s*["']?\s*([\w.:-]{1,40})""", re.IGNORECASE)
_LATIN = {"iso-8859-1", "iso8859-1", "latin-1", "latin1", "us-ascii", "ascii"}  # read as cp1252 (WHATWG Encoding)
_SEVEN_BIT = ("iso2022", "hz", "utf-7")  # these are valid UTF-8 too, and mean something else
_BINARY = (
    b"PK\x03\x04", b"\x7fELF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh",
    b"\xd0\xcf\x11\xe0", b"%PDF-", b"OggS", b"ID3", b"SQLite format", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
_SAMPLE_BYTES = 200_000


def decode(data: bytes, *declared: str) -> tuple[str, bool]:
    """The text of `data`, and whether some of it could not be read (then it holds U+FFFD).

    The declared encodings are tried in order, after UTF-8. Raises FetchError("binary") for bytes that are no text.
    """
    for mark, encoding in _MARKS:
        if data.startswith(mark):
            return _lenient(data[len(mark) :], encoding)
    wide = _unmarked_utf16(data)
    if wide:
        return _lenient(data, wide)
    if looks_binary(data):
        raise FetchError("binary", "this is not text")
    names = [known for name in declared if (known := _known(name))]
    names.sort(key=lambda name: name == "cp1252")  # often a default that nobody chose, so it comes last
    names.insert(1 if names and names[0].startswith(_SEVEN_BIT) else 0, "utf-8")
    for encoding in names:
        try:
            return data.decode(encoding), False
        except UnicodeError:
            continue
    return _lenient(data, _detect(data) or "cp1252")


def decode_html(data: bytes, encoding: str = "") -> str:
    """The text of a page; `<meta charset>` counts as declared, `encoding` replaces a missing one."""
    match = _HTML_CHARSET.search(data[:4096]) or _XML_DECLARATION.match(data[:512])
    return decode(data, match[1].decode("ascii", "replace") if match else encoding)[0]


def xml_to_utf8(data: bytes, charset: str = "") -> bytes:
    """XML in UTF-8 whose declaration says so. `charset` is what HTTP declared: it goes before the XML declaration.

    Bytes that are valid UTF-8 with non-ASCII letters are UTF-8, whatever is declared.
    """
    match = _XML_DECLARATION.match(data[:512])
    if _plain_utf8(data, charset, match):
        return _UTF8_DECLARATION.sub(b'<?xml version="1.0" encoding="utf-8"?>', data, count=1)
    try:
        text, _ = decode(data, charset, match[1].decode("ascii", "replace") if match else "")
    except FetchError:
        if b"<" not in data[:512]:
            raise
        text = data.replace(b"\0", b"").decode("utf-8", "replace")  # stray NULs in a feed are harmless
    text = text.lstrip("\ufeff \t\r\n").replace("\0", "")
    if text.startswith("<!--"):  # a comment before the declaration makes parsers give up
        text = re.sub(r"\A(?:<!--.*?-->\s*)+(?=<\?xml)", "", text, flags=re.DOTALL)
    return re.sub(r"^<\?xml[^>]{0,300}\?>", '<?xml version="1.0" encoding="utf-8"?>', text).encode("utf-8", "replace")


def _plain_utf8(data: bytes, charset: str, declaration: re.Match[bytes] | None) -> bool:
    """Whether this is the common case: UTF-8 that begins with markup and has nothing to mend."""
    declared = (charset or (declaration[1].decode("ascii", "replace") if declaration else "")).strip().lower()
    if declared.startswith(_SEVEN_BIT) or not _STARTS_WITH_MARKUP.match(data) or b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeError:
        return False
    return True


def looks_binary(data: bytes) -> bool:
    """True for a known binary signature, NULs, or more than one control character in twenty."""
    head = data[:8192]
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head)
    return head.startswith(_BINARY) or b"\0" in head or controls * 20 > max(len(head), 1)


def _unmarked_utf16(data: bytes) -> str:
    head = data[:4096]
    half = len(head) // 2
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if half >= 8 and odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if half >= 8 and even > 0.3 * half and odd < 0.05 * half else ""


def _lenient(data: bytes, encoding: str) -> tuple[str, bool]:
    text = data.decode(encoding, "replace")
    if text.count("\0") * 20 > len(text):
        raise FetchError("binary", "this is not text")
    return text, "\ufffd" in text


def is_text_encoding(name: str) -> bool:
    """Whether `name` is a text encoding that Python knows."""
    return bool(_known(name))


def _known(name: str) -> str:
    """The codec's name, or "" if Python has no such text encoding."""
    name = name.strip().lower()
    if name in _LATIN:
        return "cp1252"
    try:
        info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    return info.name if getattr(info, "_is_text_encoding", True) else ""


def _detect(data: bytes) -> str:
    from charset_normalizer import from_bytes

    guesses = list(from_bytes(data[:_SAMPLE_BYTES]))
    best = [g.encoding for g in guesses if (g.chaos, g.coherence) == (guesses[0].chaos, guesses[0].coherence)]
    return "cp1252" if "cp1252" in best else next(iter(best), "")  # of equals, the most common on the web
