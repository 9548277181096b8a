from __future__ import annotations

import pytest

from watchpost.poll.folders.files import FileRecord
from watchpost.poll.folders.scan import compile_glob, expand_braces


@pytest.mark.parametrize(
    ("pattern", "fits", "fits_not"),
    [
        ("**/*.{txt,md}", ("a.txt", "x/y/a.MD", "x/ä b.txt"), ("a.pdf", "a.txt/b", "txt")),
        ("*.txt", ("a.txt",), ("x/a.txt",)),
        ("in/**", ("in/a", "in/b/c"), ("out/a", "in")),
        ("20[0-9][0-9]/**/*", ("2021/a", "2021/x/a"), ("20x1/a",)),
        ("[!a]?.txt", ("bc.txt",), ("ac.txt", "b/.txt")),
        ("a.{tx{t,u},md}", ("a.txt", "a.txu", "a.md"), ("a.tx",)),
        ("a+(b).txt", ("a+(b).txt",), ("aab.txt",)),
        ("**/x", ("x", "a/x"), ("ax",)),
    ],
)
def test_patterns_fit_whole_paths(pattern: str, fits: tuple[str, ...], fits_not: tuple[str, ...]) -> None:
    compiled = compile_glob(pattern)
    assert all(compiled.fullmatch(path) for path in fits)
    assert not any(compiled.fullmatch(path) for path in fits_not)


@pytest.mark.parametrize("pattern", ["*.{txt", "*.txt}", "{a,b}" * 20])
def test_patterns_that_cannot_be_meant_are_refused(pattern: str) -> None:
    with pytest.raises(ValueError, match="brace"):
        expand_braces(pattern)


@pytest.mark.parametrize(
    "record", [FileRecord("1:2:3", "abc"), FileRecord("1:2:3", "abc", 0), FileRecord("1:2:3", "abc", 4096)]
)
def test_records_come_back_as_they_were(record: FileRecord) -> None:
    assert FileRecord.decode(record.encode()) == record


@pytest.mark.parametrize("text", ["", "1:2:3", "1:2:x:abc", "1:2:3:abc:-1", "1:2:3:abc:1:2"])
def test_what_nobody_wrote_is_not_decoded(text: str) -> None:
    assert FileRecord.decode(text) is None
