"""Pure: a saved e-mail (RFC 5322, MIME) as an article: newsletters, press releases, alerts."""

from __future__ import annotations

import binascii
import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime
from email import message_from_bytes, policy
from email.errors import HeaderParseError
from email.header import decode_header
from email.message import EmailMessage
from email.utils import parseaddr

from watchpost.documents.dates import parse_date
from watchpost.documents.encoding import decode
from watchpost.documents.entry import EntryDraft
from watchpost.documents.html import plain_text
from watchpost.errors import FetchError

_SIGNATURE = re.compile(r"^-- ?\n", re.MULTILINE)  # RFC 3676, 4.3
_SIGNATURE_MAX = 300
_DEPTH_MAX = 3
_PARTS_MAX = 100
_SAMPLE = 2000
_ANY_HEADER = ("From", "Date", "Subject", "Message-ID", "MIME-Version", "Received")
_HEADER_LINE = re.compile(rb"[!-9;-~]{1,100}[ \t]*:|[ \t]|From |>From ")
_BLANK_BEFORE_COLON = re.compile(rb"\A([!-9;-~]{1,100})[ \t]{1,99}:")
_HEAD_END = re.compile(rb"\r?\n(?:[ \t]*\r?\n)")
_CUT_WORD = re.compile(r"=\?([\w-]{1,40})\?[bB]\?([A-Za-z0-9+/=]*)\?=")
_NAME_AND_ADDRESS = re.compile(r"([^<>]{1,998})<([^<>\s]{1,998})>")
# A line of a text may begin so, too: "From Gao at 10:00 …". Headers follow the line that begins a letter.
_LETTER = re.compile(
    rb"^From [^\r\n]{0,300}[0-9]{2}:[0-9]{2}[^\r\n]{0,100}\r?\n(?=>?From |[!-9;-~]{1,100}[ \t]{0,9}:|\r?\n|\Z)",
    re.MULTILINE,
)
_QUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_HTML = re.compile(r"\s*(?:<!doctype html|<html)", re.IGNORECASE)
_MUCH_MORE = 2
"""So many times longer than the plain text, the HTML of a letter is the letter, and the plain text a stub."""
_STUB_MAX = 200
"""A shorter text may only introduce the letter that is attached to it."""
_SHORT = 400
_SHARED_MIN = 0.5
"""Where less of its words are in the HTML, the plain text is a legal notice, or what a program left behind."""
_LETTERS = ("message/rfc822", "message/global")
_HTML_TYPES = ("text/html", "application/xhtml+xml")
_BASE64 = re.compile(r"[A-Za-z0-9+/=\s]")
_ADDRESS = re.compile(r"https?://\S+")
_SAYS_HTML = re.compile(
    r"(?i)\bhtml\b|browser|navigat(?:eur|or)|navegador|браузер|przegląd|tarayıcı|متصفح|مرورگر|浏览器|瀏覽器|ブラウザ"
)


def read_mail(data: bytes, now: datetime) -> EntryDraft:
    """Subject, text, sender, date; the Message-ID is the identity.

    Of alternatives the plain text counts, unless it is empty, or the HTML has much more text. Several texts follow one
    another. Texts that are attached are read if there is no other, letters that are attached also after a short one,
    down to the third level; other attachments are not read. Raises FetchError("malformed") if this is no e-mail.
    """
    try:
        mail = message_from_bytes(_repaired_head(data), policy=policy.default)
        if not isinstance(mail, EmailMessage) or not any(_header(mail, name) for name in _ANY_HEADER):
            raise FetchError("malformed", "this is not an e-mail: it has none of an e-mail's headers")
        text = _letter_text(mail)
    except RecursionError:
        raise FetchError("malformed", "the parts of this e-mail are nested too deep") from None
    sender, address = _sender(mail)
    languages = (_header(part, "Content-Language") for part in (mail, *_leaves(mail)))
    return EntryDraft(
        title=_header(mail, "Subject"),
        text=text,
        identity=_header(mail, "Message-ID").strip(),
        link=_header(mail, "Archived-At").strip("<> ") or _header(mail, "List-Archive").strip("<> "),
        outlet=sender or address.rpartition("@")[2],
        author=sender,
        lang=next((language.partition(",")[0] for language in languages if language), ""),
        published=parse_date(_header(mail, "Date"), now),
    )


def read_mailbox(data: bytes, now: datetime) -> Iterator[EntryDraft | FetchError]:
    """The letters of an mbox file (RFC 4155), in its order; for one that cannot be read, why."""
    starts = [match.end() for match in _LETTER.finditer(data)]
    ends = [*(match.start() for match in _LETTER.finditer(data)), len(data)][1:]
    for start, end in zip(starts, ends, strict=True):
        try:
            yield read_mail(_QUOTED.sub(rb"\1", data[start:end]), now)
        except FetchError as error:
            yield error


def read_web_archive(data: bytes, now: datetime) -> EntryDraft:
    """A page that a browser saved with its parts in one file (MHTML, RFC 2557). Raises FetchError("malformed")."""
    from watchpost.documents.page import read_page

    try:
        archive = message_from_bytes(_repaired_head(data), policy=policy.default)
        pages = [part for part in _leaves(archive) if part.get_content_type() in _HTML_TYPES]
    except (RecursionError, AttributeError):
        pages = []
    if not pages:
        raise FetchError("malformed", "this archive has no page")
    page = read_page(_payload(pages[0]), now, _charset(pages[0]))
    address = _header(archive, "Snapshot-Content-Location") or _header(pages[0], "Content-Location")
    return replace(
        page,
        title=page.title or _header(archive, "Subject"),
        link=page.link or address,
        published=page.published or parse_date(_header(archive, "Date"), now),
    )


def _repaired_head(data: bytes) -> bytes:
    """The letter without lines among its headers that are no headers: the headers after them would become text."""
    data = data.lstrip(b"\xef\xbb\xbf\r\n")
    end = _HEAD_END.search(data)
    if end is None:
        return data
    lines = data[: end.start()].splitlines(keepends=True)
    kept = b"".join(_BLANK_BEFORE_COLON.sub(rb"\1:", line) for line in lines if _HEADER_LINE.match(line))
    return kept.rstrip(b"\r\n") + data[end.start() :]


def _letter_text(mail: EmailMessage) -> str:
    text = _joined(_texts(mail, 0))
    if len(text) >= _STUB_MAX:
        return text
    attached = [part for part in _leaves(mail) if _is_letter(part)]
    forwarded = [_joined(_texts(letter, depth)) for part in attached for letter, depth in _letters(part, 1)]
    if any(forwarded):
        return _joined([text, *forwarded])
    return text or next((text for part in _leaves(mail) if (text := _text(part)) and _is_text(part)), "")


def _letters(part: EmailMessage, depth: int) -> Iterator[tuple[EmailMessage, int]]:
    """The letters that a message/rfc822 part has, each with its depth."""
    for letter in _attached(part):
        texts = _joined(_texts(letter, depth))
        if texts or depth >= _DEPTH_MAX:
            yield letter, depth
        else:
            for leaf in _leaves(letter):
                if _is_letter(leaf):
                    yield from _letters(leaf, depth + 1)


def _is_letter(part: EmailMessage) -> bool:
    return part.get_content_type() in _LETTERS or str(part.get_filename() or "").lower().endswith(".eml")


def _attached(part: EmailMessage) -> Iterator[EmailMessage]:
    """The letters in a part. Some programs encode them, though RFC 2046, 5.2.1 forbids it, or call them a file."""
    encoding = str(part.get("Content-Transfer-Encoding", "")).strip().lower()
    if part.get_content_type() in _LETTERS and encoding not in ("base64", "quoted-printable"):
        yield from _children(part)
        return
    inner = next(_children(part), part).get_payload()
    if not isinstance(inner, str):
        return
    whole = EmailMessage(policy.default)
    whole["Content-Transfer-Encoding"] = encoding or "8bit"
    whole.set_payload(inner)
    letter = message_from_bytes(_repaired_head(_payload(whole)), policy=policy.default)
    if isinstance(letter, EmailMessage):
        yield letter


def _texts(part: EmailMessage, depth: int) -> list[str]:
    """The texts that a reader of this part sees, in order; attachments are left out."""
    kind = part.get_content_type()
    if depth > 10 or (depth and part.is_attachment()):
        return []
    if not part.is_multipart():
        return [_text(part)] if _is_text(part) or kind.startswith("multipart/") else []
    children = list(_children(part))
    if kind == "multipart/alternative":
        return _alternative([_texts(child, depth + 1) for child in children], children)
    if kind == "multipart/related":
        return next((texts for child in children if (texts := _texts(child, depth + 1))), [])
    return [] if kind.startswith("message/") else [text for child in children for text in _texts(child, depth + 1)]


def _alternative(texts: list[list[str]], children: list[EmailMessage]) -> list[str]:
    """The plain text, or another form if that has much more text, or if the plain text is a stub."""
    forms = [
        (part.get_content_type() == "text/plain", _joined(form)) for part, form in zip(children, texts, strict=True)
    ]
    plain = max((text for is_plain, text in forms if is_plain), key=len, default="")
    other = max((text for is_plain, text in forms if not is_plain), key=len, default="")
    own = len(_ADDRESS.sub("", plain))
    is_stub = own < _SHORT and other and (len(other) > own or _SAYS_HTML.search(plain) is not None)
    is_stub = is_stub or len(other) > _MUCH_MORE * own or (len(other) * _MUCH_MORE > own and _differ(plain, other))
    return [other] if not plain or is_stub else [plain]


def _differ(plain: str, other: str) -> bool:
    """Whether most words of the plain text are not in the other form of it."""
    words = set(_ADDRESS.sub("", plain).lower().split())
    return len(words & set(other.lower().split())) < _SHARED_MIN * len(words)


def _joined(texts: list[str]) -> str:
    kept: list[str] = []
    for text in texts:
        if text.strip() and text.strip() not in kept:
            kept.append(text.strip())
    return "\n\n".join(kept)


def _children(part: EmailMessage) -> Iterator[EmailMessage]:
    payload = part.get_payload()
    children = payload[:_PARTS_MAX] if isinstance(payload, list) else []
    return (child for child in children if isinstance(child, EmailMessage))


def _leaves(mail: EmailMessage) -> list[EmailMessage]:
    """The parts that are no multipart, those of attached letters left out."""
    leaves: list[EmailMessage] = []
    todo = [(mail, 0)]
    while todo and len(leaves) < _PARTS_MAX:
        part, depth = todo.pop(0)
        if part.get_content_maintype() == "multipart" and depth <= _DEPTH_MAX:
            todo += [(child, depth + 1) for child in _children(part)]
        else:
            leaves.append(part)
    return leaves


def _is_text(part: EmailMessage) -> bool:
    return part.get_content_type() in ("text/plain", *_HTML_TYPES, "text/markdown", "text/enriched", "text")


def _text(part: EmailMessage) -> str:
    """The text of a part. Valid UTF-8 is UTF-8, whatever the part declares: many mails declare a wrong encoding."""
    payload = _payload(part)
    if not payload.strip():
        return ""
    content = decode(payload, _charset(part))[0].replace("\r\n", "\n")
    if part.get_content_type() in _HTML_TYPES or _HTML.match(content):
        return plain_text(content, hidden=False) or plain_text(content)
    content = _unfolded(content, part)
    signature = _SIGNATURE.search(content)
    # Some newsletters have the same line between their articles.
    is_end = signature is not None and len(content) - signature.end() <= max(signature.start(), _SIGNATURE_MAX)
    return content[: signature.start()] if signature and is_end and content[: signature.start()].strip() else content


def _unfolded(content: str, part: EmailMessage) -> str:
    """The paragraphs of format=flowed (RFC 3676, 4.2): a line that ends with a blank goes on in the next one."""
    if str(_parameter(part, "format")).lower() != "flowed":
        return content
    deletes = str(_parameter(part, "delsp")).lower() == "yes"
    whole: list[str] = []
    flows = False
    for line in content.split("\n"):
        text = line.removeprefix(" ")
        is_end = text == "-- "
        if flows and not is_end:
            whole[-1] += text
        else:
            whole.append(text)
        flows = text.endswith(" ") and not is_end
        if flows and deletes:
            whole[-1] = whole[-1][:-1]
    return "\n".join(whole)


def _parameter(part: EmailMessage, name: str) -> object:
    try:
        return part.get_param(name, "")
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""


def _payload(part: EmailMessage) -> bytes:
    """The bytes of a part. A broken line of base64 costs that line alone."""
    payload = part.get_payload(decode=True)
    decoded = payload if isinstance(payload, bytes) else b""
    if str(part.get("Content-Transfer-Encoding", "")).strip().lower() != "base64":
        return decoded
    raw = part.get_payload()
    if isinstance(raw, str) and len(_BASE64.sub("", raw[:_SAMPLE])) * 20 > len(raw[:_SAMPLE]):
        return raw.encode("utf-8", "surrogateescape")  # it says base64 and is none
    lines = "".join(raw).split() if isinstance(raw, str) else []
    if all(len(line) % 4 == 0 for line in lines[:-1]) and re.fullmatch(r"[A-Za-z0-9+/=]*", "".join(lines)):
        return decoded
    if not lines or max(map(len, lines)) > 1000:
        return decoded
    return b"".join(_line(line) for line in lines)


def _line(line: str) -> bytes:
    letters = re.sub(r"[^A-Za-z0-9+/]", "", line)
    letters = letters[: len(letters) - 1] if len(letters) % 4 == 1 else letters
    try:
        return binascii.a2b_base64(letters + "=" * (-len(letters) % 4))
    except binascii.Error:
        return b""


def _charset(part: EmailMessage) -> str:
    try:
        declared = part.get_content_charset("")
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""
    return "" if declared == "us-ascii" else declared  # the default of programs that do not know it


def _header(mail: EmailMessage, name: str) -> str:
    """The header's text; "" if it is absent or cannot be read.

    RFC 2047 asks for encoded words. Many programs write the letters as they are, in an encoding that only the text
    declares, cut words in the middle, or declare a wrong encoding.
    """
    try:
        return _decoded(_raw_header(mail, name))
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""


def _raw_header(mail: EmailMessage, name: str) -> str:
    """The first header of this name, unfolded, its encoded words as they are."""
    raw = next((value for header, value in mail.raw_items() if header.lower() == name.lower()), "")
    line = re.sub(r"\r?\n(?=[ \t])", "", str(raw)).replace("\0", "").strip()
    return line if line.isascii() else decode(line.encode("ascii", "surrogateescape"), _charset(mail))[0]


def _sender(mail: EmailMessage) -> tuple[str, str]:
    """Name and address; a name is decoded after it was found, because it may have a comma."""
    try:
        line = _raw_header(mail, "From")
        if form := _NAME_AND_ADDRESS.fullmatch(line):
            return _decoded(form[1].strip().strip('" ').replace('\\"', '"')), form[2]
        name, address = parseaddr(line)
        return _decoded(name), address
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return "", ""


def _decoded(line: str) -> str:
    """A header with its encoded words decoded."""
    if "=?" not in line:
        return line
    try:
        words = decode_header(line)
    except HeaderParseError:  # base64 that was cut
        words = decode_header(
            _CUT_WORD.sub(lambda word: f"=?{word[1]}?B?{word[2].rstrip('=')[: len(word[2]) // 4 * 4]}?=", line)
        )
    parts: list[str] = []
    pending, pending_charset = b"", ""
    for word, charset in words:
        text = word.decode("raw-unicode-escape") if isinstance(word, bytes) and charset is None else word
        data = text if isinstance(text, bytes) else text.encode("utf-8", "surrogateescape")
        name = (charset or "").lower()
        if pending and name != pending_charset:
            parts.append(decode(pending, pending_charset)[0])
            pending = b""
        pending, pending_charset = pending + data, name
    return "".join([*parts, decode(pending, pending_charset)[0] if pending else ""])
