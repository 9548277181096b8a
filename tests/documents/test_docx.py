"""Word documents: what is read of them, and what strangers may put into a zip."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime

import pytest

from watchpost.documents.docx import ENTRIES_MAX
from watchpost.documents.parse import Reading, read_document
from watchpost.model import Article

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
W = 'xmlns:w="http://schemas.openxmlformats.org/wordprocessingml/2006/main"'
STRICT = 'xmlns:w="http://purl.oclc.org/ooxml/wordprocessingml/main"'
CORE = """<cp:coreProperties xmlns:cp="http://schemas.openxmlformats.org/package/2006/metadata/core-properties"
 xmlns:dc="http://purl.org/dc/elements/1.1/" xmlns:dcterms="http://purl.org/dc/terms/">{}</cp:coreProperties>"""
FACTS = (
    "<dc:title>Le retrait de Gao</dc:title><dc:creator>A. Diallo</dc:creator><dc:language>fr-FR</dc:language>"
    "<dcterms:created>2022-08-15T09:30:00Z</dcterms:created>"
)
STYLES = f'<w:styles {W}><w:style w:styleId="Titre1"><w:name w:val="heading 1"/></w:style></w:styles>'
SENTENCE = "The last soldiers of the operation left the base on Monday, the general staff said in a short statement."


def paragraph(text: str, style: str = "") -> str:
    properties = f'<w:pPr><w:pStyle w:val="{style}"/></w:pPr>' if style else ""
    return f"<w:p>{properties}<w:r><w:t>{text}</w:t></w:r></w:p>"


def package(body: str, *, space: str = W, head: str = "", main: str = "word/document.xml", **parts: str) -> bytes:
    """A document of these paragraphs; `parts` are core, styles, rels."""
    names = {"core": "docProps/core.xml", "styles": "word/styles.xml", "rels": "_rels/.rels"}
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w", zipfile.ZIP_DEFLATED) as target:
        target.writestr(main, f"{head}<w:document {space}><w:body>{body}</w:body></w:document>")
        for part, text in parts.items():
            target.writestr(names[part], text)
    return file.getvalue()


def read(data: bytes, name: str = "note.docx") -> Reading:
    return read_document(name, data, NOW, source="desk")


def article(data: bytes) -> Article:
    reading = read(data)
    assert reading.failures == ()
    (found,) = reading.articles
    return found


def reason(data: bytes) -> str:
    (failure,) = read(data).failures
    assert failure.item == "note.docx"
    return failure.reason


def test_a_document_gives_its_text_and_its_properties() -> None:
    found = article(package(paragraph("Gao") + paragraph(SENTENCE), core=CORE.format(FACTS), styles=STYLES))
    assert (found.title, found.author, found.lang) == ("Le retrait de Gao", "A. Diallo", "fr")
    assert found.published == datetime(2022, 8, 15, 9, 30, tzinfo=UTC)
    assert SENTENCE in found.body


@pytest.mark.parametrize("title", ["", "Microsoft Word - draft3.docx", "Document1", "untitled"])
def test_a_title_that_a_program_wrote_gives_way_to_the_first_heading_whatever_its_style_is_called(title: str) -> None:
    core = CORE.format(f"<dc:title>{title}</dc:title>")
    found = article(package(paragraph("Desk, 15 August") + paragraph("Gao is empty", "Titre1") + paragraph(SENTENCE),
                            core=core, styles=STYLES))  # fmt: skip
    assert found.title == "Gao is empty"
    assert found.body == f"Desk, 15 August\n\n{SENTENCE}"


def test_without_any_title_it_is_named_by_its_file() -> None:
    assert article(package(paragraph(SENTENCE * 2))).title == "note"


def test_the_language_is_the_one_that_most_paragraphs_are_in() -> None:
    run = '<w:p><w:r><w:rPr><w:lang w:val="{}"/></w:rPr><w:t>{}</w:t></w:r></w:p>'
    body = run.format("en-US", "Note") + run.format("fr-FR", "Le premier.") + run.format("fr-FR", "Le second.")
    assert article(package(body)).lang == "fr"


def test_tables_breaks_and_corrections_are_read_as_people_see_them() -> None:
    body = (
        "<w:p><w:r><w:t>One</w:t><w:tab/><w:t>two</w:t><w:br/><w:t>three</w:t></w:r></w:p>"
        "<w:p><w:del><w:r><w:delText>Wagner</w:delText></w:r></w:del><w:ins><w:r><w:t>Mali</w:t></w:r></w:ins></w:p>"
        "<w:p><w:moveFrom><w:r><w:t>Barkhane</w:t></w:r></w:moveFrom><w:r><w:t>stays</w:t></w:r></w:p>"
        '<w:p><w:r><w:instrText>HYPERLINK "x"</w:instrText></w:r><w:r><w:t>linked</w:t></w:r></w:p>'
        f"<w:tbl><w:tr><w:tc>{paragraph('left')}</w:tc><w:tc>{paragraph('right')}</w:tc></w:tr></w:tbl>"
    )
    assert article(package(body + paragraph(SENTENCE))).body.split("\n\n")[-6:] == [
        "Mali", "stays", "linked", "left", "right", SENTENCE,
    ]  # fmt: skip


def test_a_text_box_is_read_once() -> None:
    box = (
        '<w:p><w:r><mc:AlternateContent xmlns:mc="http://schemas.openxmlformats.org/markup-compatibility/2006">'
        f"<mc:Choice><w:txbxContent>{paragraph('In a box.')}</w:txbxContent></mc:Choice>"
        f"<mc:Fallback><w:txbxContent>{paragraph('In a box.')}</w:txbxContent></mc:Fallback>"
        "</mc:AlternateContent></w:r><w:r><w:t>Around it.</w:t></w:r></w:p>"
    )
    read = article(package(paragraph("A title") + box + paragraph(SENTENCE)))
    assert f"{read.title} {read.body}".count("In a box.") == 1


def test_the_strict_form_and_other_names_of_the_main_part_are_read() -> None:
    kind = "http://schemas.openxmlformats.org/officeDocument/2006/relationships/officeDocument"
    rels = f'<Relationships><Relationship Type="{kind}" Target="/word/document2.xml"/></Relationships>'
    data = package(paragraph(SENTENCE * 2), space=STRICT, main="word/document2.xml", rels=rels)
    assert SENTENCE in article(data).body


def test_no_entity_and_no_outside_comes_in() -> None:
    head = '<!DOCTYPE w:document [<!ENTITY x SYSTEM "file:///etc/hostname">]>'
    assert reason(package(paragraph("&x;"), head=head)) == "malformed"
    padded = f"<!--{'x' * 20_000}-->{head}"
    reading = read(package(paragraph("&x;") + paragraph(SENTENCE), head=padded))
    assert all("&x;" in a.body or a.body.startswith(SENTENCE[:9]) for a in reading.articles)


def test_a_bomb_is_refused_before_it_is_unpacked() -> None:
    assert reason(package(paragraph("a" * 20_000_000))) == "too_large"
    assert reason(package(paragraph("a" * 40_000_000))) == "too_large"
    file = io.BytesIO()
    with zipfile.ZipFile(file, "w") as target:
        for number in range(ENTRIES_MAX + 1):
            target.writestr(f"{number}", "")
    assert reason(file.getvalue()) == "too_large"


def test_what_is_locked_or_empty_is_told_by_its_file_name() -> None:
    locked = b"\xd0\xcf\x11\xe0" + bytes(600) + "EncryptedPackage".encode("utf-16-le")
    for data, why in [(locked, "encrypted"), (package("<w:p/>"), "no_text")]:
        reading = read(data, "in/report.docx")
        assert [failure.reason for failure in reading.failures] == [why]
        assert [found.title for found in reading.articles] == ["report"]


def _corrupt(data: bytes) -> bytes:
    middle = data.index(b"word/document.xml") + 60
    return data[:middle] + bytes(40) + data[middle + 40 :]


@pytest.mark.parametrize(
    "data",
    [
        b"hello",
        b"PK\x03\x04" + bytes(200),
        b"\xd0\xcf\x11\xe0" + bytes(600),
        package(paragraph(SENTENCE))[:-40],
        _corrupt(package("".join(paragraph(f"{SENTENCE}{i}") for i in range(200)))),
        package("<w:p><w:unclosed>"),
        package(paragraph(SENTENCE), main="xl/workbook.xml"),
    ],
)
def test_what_is_broken_is_a_failure_with_a_name(data: bytes) -> None:
    assert reason(data) == "malformed"
