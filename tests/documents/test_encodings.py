"""Texts in the encodings of the world, declared or not; and PDFs of which there is nothing to read."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from watchpost.documents.encoding import decode
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


def test_a_headline_of_a_script_without_spaces_is_no_breadcrumb() -> None:
    title, text = "กลุ่มวากเนอร์ออกจากมาลี", "กระทรวงการต่างประเทศประกาศการเจรจาใหม่ " * 3
    (found,) = read_document("a.txt", f"{title}\n\n{text}\n\n{text}".encode(), NOW).articles
    assert found.title == title


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


LABELS = {
    "x-sjis": ("外務省は火曜日、①協議", "cp932"),
    "shift_jis": ("外務省は～①協議", "cp932"),
    "windows-31j": ("外務省は～①協議", "cp932"),
    "iso-2022-jp": ("外務省は火曜日、協議", "iso-2022-jp"),
    "gb2312": ("朱镕基在巴马科", "gb18030"),
    "x-gbk": ("朱镕基在巴马科", "gb18030"),
    "big5": ("瓦格納集團離開馬里", "big5"),
    "ks_c_5601-1987": ("말리에서 쀼대가 떠났다", "cp949"),
    "windows-949": ("말리에서 부대가 떠났다", "cp949"),
    "windows-874": ("กลุ่มวากเนอร์ออกจาก “มาลี”", "cp874"),
    "tis-620": ("กลุ่มวากเนอร์ออกจาก “มาลี”", "cp874"),
    "iso-8859-8-i": ("קבוצת ואגנר עוזבת", "iso8859-8"),
    "x-cp1251": ("Переговоры в Бамако", "cp1251"),
    "win-1251": ("Переговоры в Бамако", "cp1251"),
    "windows_1251": ("Переговоры в Бамако", "cp1251"),
    "'windows-1251'": ("Переговоры в Бамако", "cp1251"),
    "koi8": ("Переговоры в Бамако", "koi8-r"),
    "x-mac-cyrillic": ("Переговоры в Бамако", "mac-cyrillic"),
    "iso-8859-9": ("Dışişleri “Bamako” dedi", "cp1254"),
    "iso_8859-1": ("L’armée à Bamako €", "cp1252"),
    "iso88592": ("Łódź, Kraków", "iso8859-2"),
}


@pytest.mark.parametrize("label", LABELS)
def test_an_encoding_has_many_names(label: str) -> None:
    text, encoding = LABELS[label]
    assert decode(text.encode(encoding), label) == (text, False)


@pytest.mark.parametrize(
    "label", ["gb2312", "big5", "shift_jis", "euc-jp", "iso-2022-jp", "euc-kr", "koi8-r", "cp1252"]
)
@pytest.mark.parametrize("defect", ["–".encode(), "”".encode(), b"\xff", "…".encode() + b"\xff"])
def test_a_defect_costs_a_text_of_a_declared_encoding_no_other_letter(label: str, defect: bytes) -> None:
    text = {
        "gb2312": "外交部星期二宣布新的会谈。", "big5": "瓦格納集團離開馬里。", "koi8-r": "Переговоры.",
        "shift_jis": "外務省は新たな協議。", "euc-jp": "外務省は新たな協議。", "iso-2022-jp": "外務省は新たな協議。",
        "euc-kr": "외교부는 화요일 회담을 발표했다.", "cp1252": "La délégation a quitté Bamako.",
    }[label]  # fmt: skip
    found, _ = decode(b"%s %s %s" % (text.encode(label), defect, text.encode(label)), label)
    assert found.startswith(f"{text} ")
    assert found.endswith(text)


def test_a_feed_of_seven_bits_is_read_in_the_encoding_that_it_declares() -> None:
    data = '<?xml version="1.0" encoding="iso-2022-jp"?><rss><channel><item><title>協議</title></item></channel></rss>'
    reading = read_document("a.xml", data.encode("iso-2022-jp"), NOW)
    assert [article.title for article in reading.articles] == ["協議"]


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
