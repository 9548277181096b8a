"""Saved e-mails with all that mail programs do to them."""

from __future__ import annotations

from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from watchpost.documents.parse import Reading, read_document

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FRENCH = "La délégation a quitté Bamako mardi après deux jours de négociations à huis clos, selon le ministère. "
RUSSIAN = "Министерство сообщило во вторник о новых переговорах с делегацией из Бамако. "


def read(data: bytes) -> Reading:
    return read_document("a.eml", data, NOW, source="desk")


def body(data: bytes) -> str:
    (found,) = read(data).articles
    return found.body


def new_mail(subject: str = "Bamako") -> EmailMessage:
    mail = EmailMessage()
    mail["Subject"], mail["From"] = subject, "desk@journal.example"
    return mail


def nested(depth: int) -> bytes:
    """A letter that is attached to a letter, so many times."""
    inner = new_mail("inner")
    inner.set_content(FRENCH)
    for _ in range(depth):
        outer = new_mail("outer")
        outer.add_attachment(inner)
        inner = outer
    return inner.as_bytes()


def test_a_forwarded_letter_is_read_and_one_that_is_nested_too_deep_is_not() -> None:
    assert body(nested(1)) == FRENCH.strip()
    (found,) = read(nested(40)).articles
    assert (found.title, found.body) == ("outer", "")


def test_parts_within_parts_are_searched_for_the_plain_text() -> None:
    mail = new_mail()
    mail.set_content(FRENCH)
    mail.add_alternative("<p>as HTML</p>", subtype="html")
    mail.add_attachment(b"\x89PNG", maintype="image", subtype="png", filename="Wagner.png")
    mail.add_attachment("Wagner", filename="other.txt")
    assert body(mail.as_bytes()) == FRENCH.strip()


def test_a_text_that_is_sent_as_an_attachment_only_is_read() -> None:
    mail = new_mail()
    mail.add_attachment(FRENCH, filename="release.txt")
    assert body(mail.as_bytes()) == FRENCH.strip()


@pytest.mark.parametrize(
    ("declared", "text", "actual"),
    [
        ("us-ascii", FRENCH, "utf-8"),
        ("us-ascii", FRENCH, "cp1252"),
        ("us-ascii", RUSSIAN, "koi8-r"),
        ("utf-8", FRENCH, "cp1252"),
        ("iso-8859-1", FRENCH, "cp1252"),
        ("iso-8859-1", RUSSIAN, "utf-8"),
        ("koi8-r", RUSSIAN, "koi8-r"),
        ("iso-2022-jp", "東京で火曜日に会談が行われた。", "iso-2022-jp"),
        ("made-up", RUSSIAN, "utf-8"),
    ],
)
def test_a_charset_that_lies_does_no_harm(declared: str, text: str, actual: str) -> None:
    text = (text * 6).strip()
    head = f"Subject: x\r\nContent-Type: text/plain; charset={declared}\r\nContent-Transfer-Encoding: 8bit\r\n\r\n"
    assert body(head.encode() + text.encode(actual)) == text


@pytest.mark.parametrize(
    ("encoding", "raw", "kept"),
    [
        ("quoted-printable", b"Bamako =E9t=C3=A9 =ZZ =\r\nsuite=", "suite"),
        ("base64", b"QmFtYWtv*IHRhbGtz\r\n====IGdv", "Bamako talks"),
        ("x-unheard-of", b"Bamako talks go on", "Bamako talks go on"),
    ],
)
def test_damaged_transfer_encodings_give_what_is_left(encoding: str, raw: bytes, kept: str) -> None:
    head = f"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n"
    assert kept in body(head.encode() + raw)


@pytest.mark.parametrize(
    ("date", "expected"),
    [
        ("Tue, 6 Sep 2022 10:15:00 +0200", datetime(2022, 9, 6, 8, 15, tzinfo=UTC)),
        ("Tue, 6 Sep 2022 10:15:00 GMT (noon)", datetime(2022, 9, 6, 10, 15, tzinfo=UTC)),
        ("yesterday", None),
        ("Tue, 31 Feb 2022 10:15:00 +0000", None),
    ],
)
def test_dates(date: str, expected: datetime | None) -> None:
    (found,) = read(f"Subject: x\r\nDate: {date}\r\n\r\nBamako talks".encode()).articles
    assert found.published == expected
