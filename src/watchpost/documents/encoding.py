"""Pure: bytes of unknown encoding become text: byte-order mark, UTF-8, what is declared, detection, cp1252.

An encoding that nearly all of the bytes follow is theirs: a broken byte costs one letter, never the document.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Sequence
from functools import lru_cache

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
_COMMENTS = re.compile(r"\A(?>(?:(?><!--.*?-->)\s*+)+)(?=<\?xml)", re.DOTALL)
_STARTS_WITH_MARKUP = re.compile(rb"<(?:\?xml\s|[A-Za-z])")
_USUAL_DECLARATION = re.compile(
    rb"""<\?xml version=["']1\.0["'] encoding=["']utf-8["'](?: standalone=["']\w{2,3}["'])? ?\?>""", re.IGNORECASE
)
_UTF8_DECLARATION = re.compile(rb"\A<\?xml[^>]{0,300}\?>")
_HTML_CHARSET = re.compile(
    rb"""<meta[^>]{0,300}?charset\s{0,9}=\s{0,9}(?:["']\s{0,9})?([\w.:-]{1,40})""", re.IGNORECASE
)
# WHATWG Encoding, 4.2: labels that Python does not know, and encodings that stand for a larger one. By Python's names.
_LABELS = {
    "windows-874": "cp874", "dos-874": "cp874", "windows-31j": "cp932", "x-sjis": "cp932", "windows-949": "cp949",
    "ks_c_5601-1989": "cp949", "ksc_5601": "cp949", "iso-ir-149": "cp949", "x-gbk": "gb18030", "gb_2312": "gb18030",
    "gb_2312-80": "gb18030", "cn-big5": "big5hkscs", "x-x-big5": "big5hkscs", "x-euc-jp": "euc_jp", "koi": "koi8-r",
    "koi8": "koi8-r", "koi8-ru": "koi8-u", "x-mac-roman": "mac-roman", "mac": "mac-roman", "ansi": "cp1252",
    "x-mac-cyrillic": "mac-cyrillic", "x-mac-ukrainian": "mac-cyrillic", "iso-8859-8-i": "iso8859-8",
    "iso-8859-8-e": "iso8859-8", "visual": "iso8859-8", "logical": "iso8859-8", "iso-8859-6-e": "iso8859-6",
    "iso-8859-6-i": "iso8859-6", "unicode-1-1-utf-8": "utf-8", "x-unicode20utf8": "utf-8", "unicode": "utf-16",
    "ucs-2": "utf-16", "iso-10646-ucs-2": "utf-16",
}  # fmt: skip
_LARGER = {
    "iso8859-1": "cp1252", "ascii": "cp1252", "iso8859-9": "cp1254", "iso8859-11": "cp874", "tis-620": "cp874",
    "gb2312": "gb18030", "gbk": "gb18030", "euc_kr": "cp949", "shift_jis": "cp932", "big5": "big5hkscs",
}  # fmt: skip
_LABEL = re.compile(r"(?:x-)?(?:cp|win|windows)[-_ ]?(\d{3,4})|iso[-_ ]?8859[-_ ]?(\d{1,2})")
_WIDE = ("utf-16", "utf-32")
_SEVEN_BIT = ("iso2022", "hz", "utf-7")  # these are valid UTF-8 too, and mean something else
_SHIFTS = re.compile(rb"\x1b[$(]|~\{")  # ISO 2022 and HZ (RFC 1468, RFC 1843): what follows is of another alphabet
_EIGHT_BIT = re.compile(rb"[\x80-\xff]+")
_BINARY = (
    b"PK\x03\x04", b"\x7fELF", b"\x89PNG", b"GIF8", b"\xff\xd8\xff", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"BZh",
    b"\xd0\xcf\x11\xe0", b"%PDF-", b"OggS", b"ID3", b"SQLite format", b"\xfd7zXZ", b"\x28\xb5\x2f\xfd",
)  # fmt: skip
_SAMPLE_BYTES = 200_000
_NOT_UTF8 = re.compile("[\udc80-\udcff]+")  # what Python's "surrogateescape" makes of bytes that are not UTF-8
_CUT_LETTER = re.compile(rb"(?:[\xe0-\xef][\x80-\xbf]|[\xf0-\xf4][\x80-\xbf]{1,2})(?![\x80-\xbf])")
_LATIN_LETTERS = "[\udc92\udcdf\udce0\udce1\udce3-\udcf6\udcf9-\udcfc]"  # of cp1252: apostrophe, ß, à to ö, ù to ü
# One of them within a word was pasted into UTF-8. At a word's end it is a cut letter, unless the rest is ASCII.
_PASTED = re.compile(f"(?<=[A-Za-z]){_LATIN_LETTERS}(?=[A-Za-z])")
_ACCENT = re.compile(f"(?<=[A-Za-z]){_LATIN_LETTERS}(?![\udc80-\udcff])")
_ASCII_PER_BROKEN, _FEW = 200, 2
_PAIR = re.compile(rb"\xed[\xa0-\xaf][\x80-\xbf]\xed[\xb0-\xbf][\x80-\xbf]")  # CESU-8: a surrogate pair in UTF-8
_NO_CP932 = re.compile("[\uf8f0-\uf8f3]")  # what Python makes of bytes that cp932 does not have
_PASTED_MARK = re.compile(rb"(\xe2\x80[\x93\x94\x98-\x9e\xa2\xa6\xb9\xba])")  # dashes, quotation marks, dots in UTF-8
_TEXT_PER_NUL, _SHORT = 50, 200  # bytes; a stray NUL is a defect of a text and does not make it binary
_BROKEN_PARTS, _BROKEN_FEW = 10, 3
"""One letter in ten may be broken in a text of a declared encoding, and three in a short one."""


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
    if not any(name.startswith(_WIDE) for name in names):
        data = data.replace(b"\0", b"")
    says = names[0] if names else ""
    names.sort(key=lambda name: name == "cp1252")  # often a default that nobody chose, so it comes last
    names.insert(1 if names and names[0].startswith(_SEVEN_BIT) else 0, "utf-8")
    for encoding in names:
        try:
            text = _decoded(data, encoding)
            return text, encoding != "utf-8" and "\ufffd" in text
        except UnicodeError:
            if encoding.startswith(_SEVEN_BIT) and _SHIFTS.search(data):
                return _EIGHT_BIT.sub(b"", data).decode(encoding, "replace"), True
            if encoding == "utf-8" and (text := _nearly_utf8(data, says)):
                return text, "\ufffd" in text
    return _lenient(data, _nearly(data, names) or _detect(data) or "cp1252")


def _decoded(data: bytes, encoding: str, errors: str = "strict") -> str:
    """The text. Marks that somebody pasted from a text in UTF-8 into one of another encoding stay those marks."""
    if encoding == "utf-8" or encoding.startswith(_WIDE):
        return data.decode(encoding, errors)
    if encoding == "cp932" and _NO_CP932.search(data.decode(encoding, "replace")):
        return _NO_CP932.sub("\ufffd", data.decode(encoding, errors))
    parts = _PASTED_MARK.split(data)
    return "".join(part.decode("utf-8" if n % 2 else encoding, errors) for n, part in enumerate(parts))


def utf8_text(data: bytes) -> tuple[str, bool]:
    """The text of what has to be UTF-8, and whether it is not, or not wholly. Raises FetchError("binary")."""
    try:
        return data.decode("utf-8"), False
    except UnicodeDecodeError:
        return decode(data, "utf-8")[0], True


def _nearly_utf8(data: bytes, declared: str) -> str:
    """The text of bytes that mostly are UTF-8, with U+FFFD for each run of the others; "" if they mostly are not.

    `declared` is the encoding that they should have, "" if nothing says so.
    In other encodings at most one letter in four looks like UTF-8: measured on 270 texts in 18 encodings.
    """
    escaped = _PAIR.sub(_joined_pair, data).decode("utf-8", "surrogateescape")
    broken = _broken_bytes(escaped)
    sound = _beyond_ascii(escaped) - broken
    pasted = (_PASTED if sound else _ACCENT).sub(_in_cp1252, escaped)
    if sound:
        nearly = sound >= (broken / 2 if declared == "utf-8" else 2 * broken)
    elif declared in ("utf-8", ""):  # an ASCII text with a few accents of cp1252, or with a few broken bytes
        left = len(_NOT_UTF8.findall(pasted))
        nearly = (left if declared else broken) * _ASCII_PER_BROKEN <= len(data) and (not left or declared == "utf-8")
    else:
        nearly = False
    few = 1 <= len(_NOT_UTF8.findall(escaped)) * _ASCII_PER_BROKEN <= min(len(data), _FEW * _ASCII_PER_BROKEN)
    nearly = nearly or (declared == "utf-8" and (few or _has_only_cut_letters(data)))
    return _NOT_UTF8.sub("\ufffd", pasted) if nearly else ""


def _joined_pair(pair: re.Match[bytes]) -> bytes:
    return pair[0].decode("utf-8", "surrogatepass").encode("utf-16", "surrogatepass").decode("utf-16").encode()


def _broken_bytes(escaped: str) -> int:
    return sum(len(run) for run in _NOT_UTF8.findall(escaped))


def _in_cp1252(escaped: re.Match[str]) -> str:
    return bytes([ord(escaped[0]) - 0xDC00]).decode("cp1252")


def _has_only_cut_letters(data: bytes) -> bool:
    """Whether all that is not ASCII are beginnings of letters: some programs cut a text after so many bytes."""
    return _CUT_LETTER.sub(b"", data).isascii()


def _nearly(data: bytes, encodings: Sequence[str]) -> str:
    """The first of these encodings in which hardly a byte is broken; "" if there is none."""
    for encoding in encodings:
        if encoding == "utf-8":
            continue
        text = _decoded(data, encoding, "replace")
        broken, letters = text.count("\ufffd"), len(data) if encoding.startswith(_SEVEN_BIT) else _beyond_ascii(text)
        if broken * _BROKEN_PARTS <= letters or broken <= _BROKEN_FEW < letters:
            return encoding
    return ""


def _beyond_ascii(text: str) -> int:
    return len(text) - len(text.encode("ascii", "ignore"))


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
        if not data.startswith(b"<?xml") or _USUAL_DECLARATION.match(data):
            return data
        return _UTF8_DECLARATION.sub(b'<?xml version="1.0" encoding="utf-8"?>', data, count=1)
    try:
        text, _ = decode(data, charset, match[1].decode("ascii", "replace") if match else "")
    except FetchError:
        if b"<" not in data[:512]:
            raise
        text = data.replace(b"\0", b"").decode("utf-8", "replace")  # stray NULs in a feed are harmless
    text = text.lstrip("\ufeff \t\r\n").replace("\0", "")
    if text.startswith("<!--"):  # a comment before the declaration makes parsers give up
        text = _COMMENTS.sub("", text)
    return re.sub(r"^<\?xml[^>]{0,300}\?>", '<?xml version="1.0" encoding="utf-8"?>', text).encode("utf-8", "replace")


def is_plain_utf8(data: bytes, charset: str = "") -> bool:
    """Whether `xml_to_utf8` leaves every byte after the declaration as it is."""
    return _plain_utf8(data, charset, _XML_DECLARATION.match(data[:512]))


def _plain_utf8(data: bytes, charset: str, declaration: re.Match[bytes] | None) -> bool:
    """Whether this is the common case: UTF-8 that begins with markup and has nothing to mend."""
    declared = charset or (declaration[1].decode("ascii", "replace") if declaration else "")
    if _known(declared).startswith(_SEVEN_BIT) or not _STARTS_WITH_MARKUP.match(data) or b"\0" in data:
        return False
    try:
        data.decode("utf-8")
    except UnicodeError:
        return False
    return True


def looks_binary(data: bytes) -> bool:
    """True for a known binary signature, many NULs, or more than one control character in twenty."""
    head = data[:8192]
    controls = sum(byte < 32 and byte not in (9, 10, 12, 13, 27) for byte in head)
    many_nuls = head.count(0) * _TEXT_PER_NUL > max(len(head), _SHORT)
    return head.startswith(_BINARY) or many_nuls or controls * 20 > max(len(head), 1)


def _unmarked_utf16(data: bytes) -> str:
    head = data[:4096]
    half = len(head) // 2
    even, odd = head[0 : 2 * half : 2].count(0), head[1 : 2 * half : 2].count(0)
    if half >= 8 and odd > 0.3 * half and even < 0.05 * half:
        return "utf-16-le"
    return "utf-16-be" if half >= 8 and even > 0.3 * half and odd < 0.05 * half else ""


def _lenient(data: bytes, encoding: str) -> tuple[str, bool]:
    text = _decoded(data, encoding, "replace")
    if text.count("\0") * 20 > len(text):
        raise FetchError("binary", "this is not text")
    return text, "\ufffd" in text


def is_text_encoding(name: str) -> bool:
    """Whether `name` is a text encoding that Python knows."""
    return bool(_known(name))


@lru_cache(256)
def _known(name: str) -> str:
    """The codec's name, or "" if Python has no such text encoding."""
    name = name.strip(" \t\r\n\"';.").lower()
    try:
        info = codecs.lookup(_LABELS.get(name, name))
    except (LookupError, ValueError):
        label = _LABEL.fullmatch(name)
        plain = "" if label is None else f"cp{label[1]}" if label[1] else f"iso8859-{label[2]}"
        return _known(plain) if plain not in ("", name) else ""
    return _LARGER.get(info.name, info.name) if getattr(info, "_is_text_encoding", True) else ""


def _detect(data: bytes) -> str:
    from charset_normalizer import from_bytes

    guesses = list(from_bytes(data[:_SAMPLE_BYTES]))
    best = [g.encoding for g in guesses if (g.chaos, g.coherence) == (guesses[0].chaos, guesses[0].coherence)]
    return "cp1252" if "cp1252" in best else next(iter(best), "")  # of equals, the most common on the web
