"""What office programs and browsers leave beside a document, and what is passed over."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest

from tests.poll.desk import PROSE, Desk, write
from watchpost.poll.folders.scan import compile_glob, readable_files, scan, scan_at

ALL = compile_glob("**/*.{txt,html,docx}")


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "in"
    root.mkdir()
    return root


def names(root: Path, pattern: str = "**/*.{txt,html,docx}") -> list[str]:
    return sorted(file.path for file in scan(root, compile_glob(pattern)).files)


@pytest.mark.parametrize("name", ["~$report.docx", "~$a.txt", "sub/~$report.docx", ".~lock.a.txt#", "#a.txt"])
def test_the_lock_files_of_office_programs_are_no_documents(root: Path, name: str) -> None:
    write(root / name, PROSE)
    assert names(root) == []
    assert [file.path for file in scan_at(root, ALL, [name]).files] == []


@pytest.mark.parametrize(
    ("page", "parts"),
    [
        ("page.html", "page_files"),
        ("page.htm", "page_files"),
        ("page.html", "page-Dateien"),
        ("page.html", "page_fichiers"),
        ("page.html", "page.files"),
        ("page.HTM", "page_FILES"),
        ("Ünï.html", "Ünï_archivos"),
        ("sub/page.html", "sub/page_files"),
    ],
)
def test_the_directory_of_a_saved_page_belongs_to_the_page(root: Path, page: str, parts: str) -> None:
    write(root / page, f"<p>{PROSE}")
    write(root / parts / "frame.html", "<p>Wagner")
    write(root / parts / "deep" / "frame.txt", "Wagner")
    assert names(root, "**/*.{txt,html,htm}") == [page]
    for path in (f"{parts}/frame.html", f"{parts}/deep/frame.txt", parts):
        assert scan_at(root, ALL, [path]).files == []


@pytest.mark.parametrize(
    "name", ["__MACOSX/a.txt", "@eaDir/a.txt", "a.txt.filepart", "~syncthing~a.txt", "$RECYCLE.BIN/a.txt"]
)
def test_what_systems_keep_for_themselves_is_no_document(root: Path, name: str) -> None:
    write(root / name, PROSE)
    assert names(root, "**/*") == []


def test_commands_take_of_a_folder_what_a_folder_source_takes(root: Path) -> None:
    write(root / "page.html", f"<p>{PROSE}")
    for name in ("page_files/frame.html", "~$a.docx", ".hidden.txt", "b.zip"):
        write(root / name, PROSE)
    assert readable_files(root) == [root / "page.html"]


def test_a_directory_of_that_name_without_its_page_is_a_directory(root: Path) -> None:
    write(root / "case_files" / "a.txt", PROSE)
    assert names(root) == ["case_files/a.txt"]


@pytest.mark.parametrize("form", ["NFC", "NFD"])
@pytest.mark.parametrize("pattern_form", ["NFC", "NFD"])
@pytest.mark.parametrize(("name", "pattern"), [("été-1.txt", "*été*.txt"), ("Ärger/ñ.txt", "ä*/ñ.txt")])
def test_names_and_patterns_are_compared_in_one_form(
    root: Path, form: str, pattern_form: str, name: str, pattern: str
) -> None:
    path = unicodedata.normalize(form, name)  # type: ignore[arg-type]
    write(root / path, PROSE)
    assert names(root, unicodedata.normalize(pattern_form, pattern)) == [path]  # type: ignore[arg-type]


async def test_what_is_passed_over_is_said_once(root: Path) -> None:
    for name in ("a.txt", "b.DOC", "c.doc", "d.zip", "Makefile", ".hidden.xls", "~$e.doc"):
        write(root / name, PROSE + name, age=30)
    desk = Desk(root, glob="**/*.txt")
    said = [(await desk.visit()).passed_over for _ in range(3)]
    assert said == ["2 .doc, 1 .zip, 1 no ending", "", ""]
    write(root / "f.msg", PROSE, age=30)
    await desk.again()
    visit = await desk.visit()
    assert (visit.passed_over, visit.outcome) == ("2 .doc, 1 .msg, 1 .zip, 1 no ending", "read")
    assert visit.detail == "not read, for their names do not fit `glob`: 2 .doc, 1 .msg, 1 .zip, 1 no ending"
    write(root / "g.msg", PROSE, age=30)
    await desk.again()
    visit = await desk.visit()
    assert visit.detail.endswith(": 2 .doc, 2 .msg, 1 .zip, 1 no ending")
    await desk.source.close()
