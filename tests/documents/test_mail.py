"""Saved e-mails with all that mail programs do to them."""

from __future__ import annotations

import base64
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from watchpost.documents.mail import read_mail
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


LONG = "The Wagner group left its camp near Gao in Mali on Monday, officials said, and the army moved in."


def alternatives(plain: str, html: str, *, html_first: bool = False) -> bytes:
    mail = new_mail()
    if html_first:
        mail.set_content(html, subtype="html")
        mail.add_alternative(plain)
    else:
        mail.set_content(plain)
        mail.add_alternative(html, subtype="html")
    return mail.as_bytes()


@pytest.mark.parametrize(
    "plain",
    [
        "",
        " \n\n",
        "\u00a0",
        "View in browser: https://desk.example/v/1?u=" + "a" * 200,
        "This e-mail needs a program that shows HTML. View it in your browser: https://desk.example/v/1",
        "Это письмо в формате HTML, откройте его в браузере, пожалуйста. " * 3,
        "Ihr Programm zeigt kein HTML.",
        "-- \nsignature only",
    ],
)
@pytest.mark.parametrize("html_first", [True, False])
def test_an_empty_plain_part_or_a_stub_is_not_the_letter(plain: str, html_first: bool) -> None:
    assert body(alternatives(plain, f"<p>{LONG}</p>", html_first=html_first)) == LONG


def test_of_alternatives_the_one_with_much_more_text_is_the_letter() -> None:
    teaser, whole = FRENCH * 6, "<p>" + "</p><p>".join(f"{FRENCH} {n}" for n in range(30)) + "</p>"
    assert body(alternatives(teaser, whole)).endswith("29")
    assert body(alternatives(teaser, f"<p>{teaser}</p><p>Unsubscribe</p>")) == teaser.strip()


def test_alternatives_around_related_parts_are_read() -> None:
    mail = new_mail()
    mail.set_content(" ")
    mail.add_alternative(f"<p>{LONG}</p><img src='cid:x'>", subtype="html")
    html = list(mail.iter_parts())[1]
    assert isinstance(html, EmailMessage)
    html.add_related(b"\x89PNG", "image", "png", cid="<x>")
    assert body(mail.as_bytes()) == LONG


def test_several_texts_follow_one_another() -> None:
    mail = new_mail()
    mail.make_mixed()
    for text, kind in (("First part.", "plain"), (f"<p>{LONG}</p>", "html"), ("Last part.", "plain")):
        part = EmailMessage()
        part.set_content(text, subtype=kind)
        mail.attach(part)
    assert body(mail.as_bytes()) == f"First part.\n\n{LONG}\n\nLast part."


def test_a_letter_that_is_attached_to_a_short_one_is_read_too() -> None:
    inner = new_mail("inner")
    inner.set_content(FRENCH)
    mail = new_mail()
    mail.set_content("For your information.")
    mail.add_attachment(inner)
    assert body(mail.as_bytes()) == f"For your information.\n\n{FRENCH.strip()}"
    long = new_mail()
    long.set_content(LONG * 3)
    long.add_attachment(inner)
    assert body(long.as_bytes()) == LONG * 3


SUBJECT = "Группа Вагнера покинула Мали"
_BYTES = SUBJECT.encode()


@pytest.mark.parametrize(
    ("line", "title"),
    [
        (_BYTES, SUBJECT),
        (_BYTES[:-1], SUBJECT[:-1] + "\ufffd"),
        (SUBJECT.encode("cp1251"), SUBJECT),
        (b"=?utf-8?B?" + base64.b64encode(_BYTES) + b"?=", SUBJECT),
        (b"=?utf-8?B?" + base64.b64encode(_BYTES[:-1]) + b"?=", SUBJECT[:-1] + "\ufffd"),
        (b"=?utf-8?B?" + base64.b64encode(_BYTES)[:-3] + b"?=", SUBJECT[:-1]),
        (b"=?x-unheard-of?B?" + base64.b64encode(_BYTES) + b"?=", SUBJECT),
        (b"=?iso-8859-1?B?" + base64.b64encode(_BYTES) + b"?=", SUBJECT),
        (
            b"=?utf-8?B?"
            + base64.b64encode(_BYTES[:11])
            + b"?=\r\n =?utf-8?B?"
            + base64.b64encode(_BYTES[11:])
            + b"?=",
            SUBJECT,
        ),
        (b"Caf\xc3\xa9 =?utf-8?Q?caf=C3=A9_noir?= and more", "Café café noir and more"),
        (b"=?utf-8?Q?Mali:_talks?=", "Mali: talks"),
        (b"Mali\0 talks", "Mali talks"),
    ],
)
def test_subjects_as_programs_write_them(line: bytes, title: str) -> None:
    head = b"Subject: " + line + b"\r\nContent-Type: text/plain; charset=windows-1251\r\n\r\nText"
    (found,) = read(head).articles
    assert found.title == title


@pytest.mark.parametrize(
    "line", [b"this is no header", b"PHP Warning: no header, but looks so", b": x", b"\xd0\x9c\xd0\xb0: x", b"<br>"]
)
def test_a_line_among_the_headers_that_is_none_costs_nothing(line: bytes) -> None:
    head = b"Subject: Mali\r\n" + line + b"\r\nMessage-ID: <1@e>\r\nFrom: Desk <d@e.org>\r\n\r\nThe text."
    (found,) = read(head).articles
    assert (found.title, found.outlet, found.body) == ("Mali", "Desk", "The text.")


def test_a_senders_name_may_have_a_comma() -> None:
    (found,) = read(b"Subject: x\r\nFrom: =?utf-8?Q?Doe,_Jane?= <j@e.org>\r\n\r\nText").articles
    assert found.author == "Doe, Jane"


def test_a_broken_line_of_base64_costs_that_line() -> None:
    text = "\n".join(f"{n}: {RUSSIAN.strip()}" for n in range(20))
    lines = base64.encodebytes(text.encode()).splitlines()
    sound = b"Subject: x\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n"
    lines[5] = lines[5][:10] + b"*" + lines[5][11:]
    found = body(sound + b"\n".join(lines))
    assert found.endswith(text[-500:].strip())
    assert found.startswith(text[:100])


ARTICLE = "Wagner leaves Gao, officials said on Tuesday in Bamako. The convoy took the northern road. " * 4
PAGE = f"<html><body><p>{ARTICLE}</p></body></html>"


def _alternative(plain: str, html: str, kind: str = "text/html", extra: str = "") -> bytes:
    head = "From: d@e.org\nSubject: Letter\nMIME-Version: 1.0\nContent-Type: multipart/alternative; boundary=B\n\n"
    parts = f"--B\nContent-Type: text/plain\n\n{plain}\n--B\nContent-Type: {kind}\n{extra}\n{html}\n--B--\n"
    return (head + parts).encode()


@pytest.mark.parametrize(
    "stub",
    [
        "\u00a0",
        "\u200b",
        "%%PLAINTEXT%%",
        "If you are not the intended recipient, delete this message and notify the person who sent it. " * 4,
        "body { margin: 0 } .a { color: red } @media only screen { .b { width: 100% } } " * 6,
        "https://e.org/" + "a" * 600,
    ],
)
def test_a_plain_text_that_is_not_the_letter_gives_way_to_the_html(stub: str) -> None:
    assert "Wagner leaves Gao" in read_mail(_alternative(stub, PAGE), NOW).text


def test_a_plain_text_that_says_the_same_stays() -> None:
    assert read_mail(_alternative(ARTICLE * 2, PAGE * 2 + "<p>Unsubscribe</p>"), NOW).text == (ARTICLE * 2).strip()


LETTER = f"From: x@e.org\nSubject: Inner\nContent-Type: text/plain\n\n{ARTICLE}"


@pytest.mark.parametrize(
    "data",
    [
        _alternative("", PAGE, "application/xhtml+xml"),
        _alternative("", PAGE, extra="Content-Transfer-Encoding: base64\n"),
        _alternative(
            "fyi", base64.encodebytes(LETTER.encode()).decode(), "message/rfc822", "Content-Transfer-Encoding: base64\n"
        ),
        _alternative("fyi", LETTER, "application/octet-stream", "Content-Disposition: attachment; filename=a.eml\n"),
        f"From : d@e.org\nSubject : Letter\nContent-Type : text/html\n\n{PAGE}".encode(),
        f"Subject: Letter\n\n-- \nDesk\n\n{ARTICLE}".encode(),
        f"Subject: Letter\n\nOne\n-- \n{ARTICLE}\n-- \n{ARTICLE}".encode(),
    ],
    ids=[
        "xhtml",
        "no base64",
        "encoded letter",
        "letter as a file",
        "blank before colons",
        "early mark",
        "marks between",
    ],
)
def test_a_letter_that_keeps_to_no_rule_is_read(data: bytes) -> None:
    draft = read_mail(data, NOW)
    assert draft.title == "Letter"
    assert "Wagner leaves Gao" in draft.text
