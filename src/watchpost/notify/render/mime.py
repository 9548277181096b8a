"""Pure: one mail (RFC 5322, RFC 2045) to one recipient, with the same bytes at each attempt.

The standard library builds it under our own policy: 7bit, so that no relay recodes it; subjects in one character set,
for some programs refuse adjacent encoded words of different ones (python/cpython#144156); boundaries from the digest's
id.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import UTC
from email.header import Header
from email.headerregistry import Address, AddressHeader, BaseHeader
from email.message import EmailMessage
from email.policy import EmailPolicy
from typing import Any

from watchpost.model import Digest
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.sanitize import clean

_UNFIT = re.compile(r"[^A-Za-z0-9.-]+")


class _Policy(EmailPolicy):
    """Folds subjects in one character set, and lists of addresses between addresses only."""

    def fold(self, name: str, value: Any) -> str:
        if name.lower() == "list-unsubscribe":  # the library would encode a long address like words
            return f"{name}: {str(value).replace(', ', f',{self.linesep} ')}{self.linesep}"
        if name.lower() != "subject":
            return str(super().fold(name, value))
        text = str(value)
        charset = "us-ascii" if text.isascii() else "utf-8"
        folded = Header(text, charset, maxlinelen=76, header_name=name).encode(linesep=self.linesep)
        return f"{name}: {folded}{self.linesep}"

    def fold_binary(self, name: str, value: Any) -> bytes:
        return self.fold(name, value).encode("ascii")


POLICY = _Policy(linesep="\r\n", cte_type="7bit", utf8=False)


def mailbox(text: str) -> Address:
    """One address, with or without a name, as an operator writes it: `Wérner <w@example.org>`.

    An international domain is converted to ASCII (IDNA). Raises ValueError for no address or several, and for a local
    part that needs SMTPUTF8 (RFC 6531).
    """
    header: BaseHeader = POLICY.header_factory("To", text)
    if not isinstance(header, AddressHeader) or len(header.addresses) != 1 or header.defects:
        raise ValueError("not one mail address")
    (address,) = header.addresses
    domain = address.domain.encode("idna").decode("ascii") if address.domain else ""
    if not address.username or not domain or any(group.display_name for group in header.groups):
        raise ValueError("not a mail address")
    if not (address.username + domain).isascii() or not (address.username + domain).isprintable():
        raise ValueError("the part before the @ must be ASCII")
    return Address(clean(address.display_name, 100), address.username, domain)


def mail(
    digest: Digest,
    *,
    sender: Address,
    recipient: Address,
    subject: str,
    text: str,
    html: str,
    pictures: Mapping[str, bytes] | None = None,
    unsubscribe: Sequence[str] = (),
) -> str:
    """The message in ASCII, with lines that end in CR LF, and without the Message-ID, which names the delivery.

    One text/plain and one text/html part are alternatives of each other; `pictures` (PNG, by Content-ID) are related to
    the latter. `unsubscribe`: addresses (https, mailto) by which the recipient can unsubscribe.
    """
    message = EmailMessage(policy=POLICY)
    for name, value in _headers(digest).items():
        message[name] = value
    if unsubscribe:
        message["List-Unsubscribe"] = ", ".join(f"<{address}>" for address in unsubscribe)
        if unsubscribe[0].startswith("https:"):
            message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"  # RFC 8058
    message["Subject"] = subject.replace("=?", "= ?")  # a headline must not be read as an encoded word
    message["From"] = sender
    message["To"] = recipient
    message["Date"] = digest.created.astimezone(UTC)
    message.set_content(text, charset="utf-8")
    message.add_alternative(html, subtype="html", charset="utf-8")
    _, page = message.iter_parts()
    for name, data in (pictures or {}).items():
        page.add_related(data, "image", "png", cid=f"<{name}>", disposition="inline")
    # Set earlier, the library would move this header into the first part.
    message["Content-Language"] = translation(digest.language).language
    for number, part in enumerate(part for part in message.walk() if part.is_multipart()):
        # Neither quoted-printable nor base64 can contain "=_".
        part.set_boundary(f"=_watchpost_{_dot_atom(digest.id)[:40]}" + (f"_{number}" if number else ""))
    return message.as_bytes().decode("ascii")


def message_id(delivery: str, install: str) -> str:
    """The header line by which mail programs see that each attempt is the same message."""
    return f"Message-ID: <{_dot_atom(delivery)}@{_dot_atom(install)}>\r\n"


def _headers(digest: Digest) -> Mapping[str, str]:
    install, receiver = _dot_atom(digest.install), _dot_atom(digest.receiver)
    thread = digest.stories[0].id if digest.kind == "alert" and digest.stories else f"{digest.created:%Y-%m}"
    return {
        "References": f"<thread.{receiver}.{_dot_atom(thread)}@{install}>",
        "List-Id": f"<{receiver}.{install}>",
        "Auto-Submitted": "auto-generated",
        "Precedence": "bulk",
        "X-Auto-Response-Suppress": "All",
    }


def _dot_atom(name: str) -> str:
    """A name as a dot-atom (RFC 5322 section 3.2.3), which cannot inject anything into a header."""
    parts = (part.strip("-") for part in _UNFIT.sub("-", name[:120]).split("."))
    return ".".join(part for part in parts if part) or "watchpost"
