"""Still: a saved e-mail (RFC 5322, MIME) as an article: newsletters, press releases, alerts."""

from __future__ import annotations

import re
from datetime import datetime
from email import message_from_bytes, policy
from email.message import EmailMessage
from email.utils import parseaddr

from watchpost.errors import FetchError
from watchpost.poll.dates import parse_date
from watchpost.poll.documents.charset import decode
from watchpost.poll.documents.markup import plain_text
from watchpost.poll.tidy import Draft

_SIGNATURE = re.compile(r"^-- ?\n", re.MULTILINE)  # RFC 3676, 4.3
_ANY_HEADER = ("From", "Date", "Subject", "Message-ID", "MIME-Version", "Received")


def read_letter(data: bytes, now: datetime) -> Draft:
    """Subject, text (text/plain first, else text/html), sender, date; the Message-ID is the identity.

    Attachments are not read. Raises FetchError("malformed") if this is no e-mail.
    """
    try:
        letter = message_from_bytes(data, policy=policy.default)
        if not isinstance(letter, EmailMessage) or not any(_header(letter, name) for name in _ANY_HEADER):
            raise FetchError("malformed", "this is not an e-mail: it has none of an e-mail's headers")
        part = letter.get_body(preferencelist=("plain", "html"))
    except RecursionError:
        raise FetchError("malformed", "the parts of this e-mail are nested too deep") from None
    if not isinstance(part, EmailMessage):
        part = EmailMessage()
    sender, address = parseaddr(_header(letter, "From"))
    return Draft(
        title=_header(letter, "Subject"),
        text=_text(part),
        identity=_header(letter, "Message-ID").strip(),
        link=_header(letter, "Archived-At").strip("<> ") or _header(letter, "List-Archive").strip("<> "),
        outlet=sender or address.rpartition("@")[2],
        author=sender,
        lang=(_header(letter, "Content-Language") or _header(part, "Content-Language")).partition(",")[0],
        published=parse_date(_header(letter, "Date"), now),
    )


def _text(part: EmailMessage) -> str:
    try:
        content = part.get_content()
    except (LookupError, UnicodeError, ValueError):  # a charset that nobody knows
        payload = part.get_payload(decode=True)
        content = decode(payload)[0] if isinstance(payload, bytes) else ""
    if not isinstance(content, str):
        return ""
    content = content.replace("\r\n", "\n")
    if part.get_content_type() == "text/html":
        return plain_text(content)
    signature = _SIGNATURE.search(content)
    return content[: signature.start()] if signature else content


def _header(letter: EmailMessage, name: str) -> str:
    """The header's text; "" if it is absent or so broken that the standard library gives up on it."""
    try:
        return str(letter.get(name, ""))
    except Exception:  # the header parser raises IndexError, AttributeError and more on hostile values
        return ""
