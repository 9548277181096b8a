"""Saved pages in one file, mailbox files, OpenDocument and Rich Text Format."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from watchpost.documents.parse import Reading, read_document

NOW = datetime(2026, 11, 26, 12, 0, tzinfo=UTC)
PROSE = "Le ministère a annoncé mardi que les négociations reprendraient à Bamako après l’été, selon deux sources."


def read(name: str, data: bytes) -> Reading:
    return read_document(name, data, NOW, source="desk")


def archive(encoding: str = "utf-8") -> bytes:
    mail = EmailMessage()
    mail["From"], mail["Subject"] = "<Saved by Blink>", "Report"
    mail["Snapshot-Content-Location"] = "https://desk.example/report"
    mail["Date"] = "Tue, 14 May 2024 10:00:00 +0000"
    paragraphs = f"<p>{PROSE}</p><p>Again: {PROSE}</p>"
    page = f"<html><head><title>Report</title></head><body><article>{paragraphs}</article></body></html>"
    mail.set_content(page, subtype="html", charset=encoding)
    mail.add_related(b"\x89PNG", "image", "png", cid="<x>")
    return mail.as_bytes()


@pytest.mark.parametrize("encoding", ["utf-8", "windows-1252"])
@pytest.mark.parametrize("name", ["a.mht", "a.mhtml", "A.MHT"])
def test_a_saved_page_in_one_file_is_a_page(name: str, encoding: str) -> None:
    (article,) = read(name, archive(encoding)).articles
    assert (article.title, article.url) == ("Report", "https://desk.example/report")
    assert article.body == f"{PROSE}\n\nAgain: {PROSE}"
    assert article.published == datetime(2024, 5, 14, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize("data", [b"Subject: x\r\n\r\ntext", b"nothing", b"\x89PNG" * 20])
def test_an_archive_without_a_page_is_told(data: bytes) -> None:
    assert [failure.reason for failure in read("a.mht", data).failures] == ["malformed"]


LETTER = "From desk@e.org Tue May 14 10:00:00 2024\nSubject: Letter {0}\nMessage-ID: <{0}@e.org>\n\nText {0}.\n{1}\n"


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_each_letter_of_a_mailbox_file_is_an_article(end: str) -> None:
    box = "".join(LETTER.format(n, ">From here on it is quoted.") for n in range(3)).replace("\n", end)
    articles = read("a.mbox", box.encode()).articles
    assert [article.title for article in articles] == ["Letter 0", "Letter 1", "Letter 2"]
    assert articles[1].body == "Text 1.\nFrom here on it is quoted."
    longer = read("a.mbox", (box + LETTER.format(3, "").replace("\n", end)).encode()).articles
    assert [article.id for article in longer[:3]] == [article.id for article in articles]


def test_one_broken_letter_costs_no_other() -> None:
    box = LETTER.format(0, "") + "From x Tue May 14 10:00:00 2024\n\n\x01\n\n" + LETTER.format(1, "")
    reading = read("a.mbox", box.encode())
    assert [article.title for article in reading.articles] == ["Letter 0", "Letter 1"]
    assert [(failure.item, failure.reason) for failure in reading.failures] == [("a.mbox, letter 2", "malformed")]
    assert [failure.reason for failure in read("a.mbox", b"no letters").failures] == ["malformed"]


_TEXT = "urn:oasis:names:tc:opendocument:xmlns:text:1.0"


def odt(body: str, meta: str = "", manifest: str = "") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as package:
        package.writestr("content.xml", f"<d xmlns:text='{_TEXT}' xmlns:o='urn:o'><o:text>{body}</o:text></d>")
        package.writestr("meta.xml", f"<m xmlns:dc='urn:dc' xmlns:meta='urn:m'>{meta}</m>")
        package.writestr("META-INF/manifest.xml", f"<m>{manifest}</m>")
    return out.getvalue()


def test_an_open_document_is_read_with_its_facts() -> None:
    body = (
        f"<text:h>The heading</text:h><text:p>{PROSE}</text:p><text:p/>"
        "<text:p>one<text:s text:c='2'/>two<text:tab/>three<text:line-break/>four <text:span>five</text:span>"
        " six</text:p>"
        "<text:tracked-changes><text:p>deleted</text:p></text:tracked-changes>"
        "<text:p>with<o:annotation><text:p>a remark</text:p></o:annotation>out</text:p>"
    )
    meta = (
        "<dc:creator>Jane Doe</dc:creator><dc:language>fr-FR</dc:language>"
        "<meta:creation-date>2024-05-14T10:00:00</meta:creation-date>"
    )
    (article,) = read("a.odt", odt(body, meta)).articles
    assert (article.title, article.author, article.lang) == ("The heading", "Jane Doe", "fr")
    assert article.published == datetime(2024, 5, 14, 10, 0, tzinfo=UTC)
    assert article.body.startswith(PROSE)
    assert "one two three\nfour five six" in article.body
    assert "deleted" not in article.body
    (titled,) = read("a.odt", odt(body, "<dc:title>From the facts</dc:title>")).articles
    assert titled.title == "From the facts"


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (odt("<text:p/>"), "no_text"),
        (odt("<text:p>x</text:p>", manifest="<encryption-data/>"), "encrypted"),
        (b"PK\x03\x04 no zip", "malformed"),
        (odt(f"<text:p>{'x' * 3_000_000}</text:p>"), "too_large"),
        (odt("<text:p>x"), "malformed"),
    ],
)
def test_open_documents_that_cannot_be_read_are_told(data: bytes, reason: str) -> None:
    assert [failure.reason for failure in read("a.odt", data).failures] == [reason]


RTF = (
    rb"{\rtf1\ansi\ansicpg1251{\fonttbl{\f0 Arial;}}{\info{\title The title}{\author Jane Doe}"
    rb"{\creatim\yr2024\mo5\dy14\hr10\min0}}\pard First \'cc\'e0\'eb\'e8 {\b bold}.\par"
    rb" Second \u1052?\u1072? line.\par}"
)


def test_rich_text_is_read_with_its_facts() -> None:
    (article,) = read("a.rtf", RTF).articles
    assert (article.title, article.author) == ("The title", "Jane Doe")
    assert article.body == "First Мали bold.\n\nSecond Ма line."
    assert article.published == datetime(2024, 5, 14, 10, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("data", "reason"),
    [(b"no rich text", "malformed"), (rb"{\rtf1 }", "no_text"), (b"{\\rtf1" + b"{" * 9000, "no_text")],
)
def test_rich_text_that_cannot_be_read_is_told(data: bytes, reason: str) -> None:
    assert [failure.reason for failure in read("a.rtf", data).failures] == [reason]
