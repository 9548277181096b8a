"""Pure: a saved e-mail (RFC 5322, MIME) as an article: newsletters, press releases, alerts."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

from watchpost.documents.dates import parse_date
from watchpost.documents.encoding import decode
from watchpost.documents.entry import EntryDraft
from watchpost.documents.html import plain_text
from watchpost.errors import FetchError

_SIGNATURE = re.compile(r"^-- ?\n", re.MULTILINE)  # RFC 3676, 4.3
_DEPTH_MAX = 3
_ANY_HEADER = ("From", "Date", "Subject", "Message-ID", "MIME-Version", "Received")


def read_mail(data: bytes, now: datetime) -> EntryDraft:
    """Subject, text (text/plain first, else text/html), sender, date; the Message-ID is the identity.

    If the text itself is attached or forwarded, the first text down to the third level is taken; other attachments are
    not read. Raises FetchError("malformed") if this is no e-mail.
    """
    try:
        mail = message_from_bytes(data, policy=policy.default)
        if not isinstance(mail, EmailMessage) or not any(_header(mail, name) for name in _ANY_HEADER):
            raise FetchError("malformed", "this is not an e-mail: it has none of an e-mail's headers")
        part = mail.get_body(preferencelist=("plain", "html")) or _first_text(mail)
    except RecursionError:
        raise FetchError("malformed", "the parts of this e-mail are nested too deep") from None
    if not isinstance(part, EmailMessage):
        part = EmailMessage()
    sender, address = parseaddr(_header(mail, "From"))
    return EntryDraft(
        title=_header(mail, "Subject"),
        text=_text(part),
        identity=_header(mail, "Message-ID").strip(),
        link=_header(mail, "Archived-At").strip("<> ") or _header(mail, "List-Archive").strip("<> "),
        outlet=sender or address.rpartition("@")[2],
        author=sender,
        lang=(_header(mail, "Content-Language") or _header(part, "Content-Language")).partition(",")[0],
        published=parse_date(_header(mail, "Date"), now),
    )


def _first_text(mail: EmailMessage) -> EmailMessage | None:
    """The first text/plain of any part, else the first text/html; attached mails count, to a depth of three."""
    texts: list[EmailMessage] = []
    todo = [(mail, 0)]
    while todo:
        part, depth = todo.pop(0)
        children = part.get_payload() if part.is_multipart() and depth < _DEPTH_MAX else []
        todo += [(child, depth + 1) for child in children if isinstance(child, EmailMessage)]
        if part.get_content_type() in ("text/plain", "text/html"):
            texts.append(part)
    return next((part for part in texts if part.get_content_type() == "text/plain"), texts[0] if texts else None)


def _text(part: EmailMessage) -> str:
    """The text of a part. Valid UTF-8 is UTF-8, whatever the part declares: many mails declare a wrong encoding."""
    payload = part.get_payload(decode=True)
    if not isinstance(payload, bytes) or not payload:
        return ""
    content = decode(payload, _charset(part))[0].replace("\r\n", "\n")
    if part.get_content_type() == "text/html":
        return plain_text(content)
    signature = _SIGNATURE.search(content)
    return content[: signature.start()] if signature else content


def _charset(part: EmailMessage) -> str:
    try:
        declared = part.get_content_charset("")
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""
    return "" if declared == "us-ascii" else declared  # the default of programs that do not know it


def _header(mail: EmailMessage, name: str) -> str:
    """The header's text; "" if it is absent or the standard library cannot read it."""
    try:
        return str(mail.get(name, ""))
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""
