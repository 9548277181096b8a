"""Texts in the encodings of the world, declared or not; and PDFs of which there is nothing to read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from watchpost.documents.parse import read_document

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
SAMPLES = {
    "cp1252": "La délégation a quitté Bamako après deux jours : « rien n’est réglé », a dit le ministre. ",
    "koi8-r": "Министерство сообщило во вторник о новых переговорах с делегацией из Бамако. ",
    "shift_jis": "外務省は火曜日、バマコからの代表団との新たな協議について発表した。",
    "gb18030": "外交部星期二宣布与来自巴马科的代表团举行新的会谈，双方没有发表声明。",
    "cp1256": "أعلنت وزارة الخارجية يوم الثلاثاء عن محادثات جديدة مع الوفد القادم من باماكو. ",
    "utf-16": "La délégation a quitté Bamako après deux jours de négociations. ",
    "mac-roman": "La délégation a quitté Bamako après deux jours de négociations à huis clos. ",
}


@pytest.mark.parametrize("encoding", SAMPLES)
def test_long_texts_need_no_declaration(encoding: str) -> None:
    text = (SAMPLES[encoding] * 6).strip()
    (found,) = read_document("a.txt", text.encode(encoding), NOW).articles
    assert found.body == text


@pytest.mark.parametrize(("text", "encoding"), [("Переговоры в Бамако", "koi8-r"), ("Łódź, Kraków", "cp1250")])
@pytest.mark.parametrize("name", ["a.txt", "a.md", "a.html"])
def test_short_texts_are_read_in_the_encoding_that_the_operator_named(name: str, text: str, encoding: str) -> None:
    reading = read_document(name, text.encode(encoding), NOW, encoding=encoding)
    assert [found.body or found.title for found in reading.articles] == [text]
    assert reading.failures == ()


def test_the_named_encoding_gives_way_to_what_the_bytes_say() -> None:
    for data in ("Négociations à Bamako".encode(), "Négociations à Bamako".encode("utf-16")):
        (found,) = read_document("a.txt", data, NOW, encoding="koi8-r").articles
        assert "Négociations" in found.body + found.title
    page = '<meta charset="cp1252"><p>Négociations à Bamako</p>'.encode("cp1252")
    assert "Négociations" in read_document("a.html", page, NOW, encoding="koi8-r").articles[0].body


@pytest.mark.parametrize("name", ["a.txt", "a.html", "a.eml"])
def test_undecodable_bytes_are_replaced_and_told_and_nothing_is_dropped(name: str) -> None:
    head = b"Subject: x\r\n\r\n" if name == "a.eml" else b"<p>" if name == "a.html" else b""
    reading = read_document(name, head + b"Bamako \x81\x8d\x8f talks go on.", NOW, encoding="cp1252")
    assert [failure.reason for failure in reading.failures] in ([], ["encoding"])
    assert "talks go on" in reading.articles[0].body + reading.articles[0].title


def pdf(*objects: str, trailer: str = "") -> bytes:
    """A PDF of these objects, numbered from 1; the first is the catalogue."""
    out, offsets = b"%PDF-1.4\n", []
    for number, text in enumerate(objects, 1):
        offsets.append(len(out))
        out += f"{number} 0 obj\n{text}\nendobj\n".encode("latin-1")
    table = "".join(f"{offset:010} 00000 n \n" for offset in offsets)
    size = len(objects) + 1
    end = f"xref\n0 {size}\n0000000000 65535 f \n{table}trailer\n<< /Size {size} /Root 1 0 R {trailer} >>\n"
    return out + f"{end}startxref\n{len(out)}\n%%EOF".encode("latin-1")


CATALOGUE = "<< /Type /Catalog /Pages 2 0 R >>"
PAGES = "<< /Type /Pages /Kids [3 0 R] /Count 1 >>"
PAGE = "<< /Type /Page /Parent 2 0 R /MediaBox [0 0 200 200] >>"
LOCK = "<< /Filter /Standard /V 1 /R 2 /O <{0}> /U <{0}> /P -4 >>".format("41" * 32)


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (pdf(CATALOGUE, PAGES, PAGE), "no_text"),
        (pdf(CATALOGUE, "<< /Type /Pages /Kids [] /Count 0 >>"), "no_text"),
        (pdf(CATALOGUE, PAGES, PAGE, LOCK, trailer="/Encrypt 4 0 R /ID [<00> <00>]"), "encrypted"),
    ],
    ids=["a scan", "no page", "locked"],
)
def test_a_pdf_without_readable_text_is_told_by_its_file_name(data: bytes, why: str) -> None:
    reading = read_document("in/report.pdf", data, NOW)
    assert [failure.reason for failure in reading.failures] == [why]
    assert [found.title for found in reading.articles] == ["report"]
