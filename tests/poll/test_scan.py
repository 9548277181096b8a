"""What a scan leaves alone, and what it takes for gone."""

from __future__ import annotations

import errno
import os
import socket
import stat
from pathlib import Path

import pytest

from tests.poll.desk import PROSE, Desk, write
from watchpost.poll.folders.scan import FolderScan, compile_glob, scan

ALL = compile_glob("**/*.txt")


class Handle:
    """A directory entry whose file cannot be looked at."""

    def __init__(self, root: Path, number: int) -> None:
        self.name, self.path, self._number = "a.txt", str(root / "a.txt"), number

    def is_symlink(self) -> bool:
        return False

    def is_dir(self) -> bool:
        return False

    def stat(self) -> os.stat_result:
        raise OSError(self._number, os.strerror(self._number))


@pytest.mark.parametrize(
    ("number", "reasons"),
    [(errno.ESTALE, ["unreadable"]), (errno.EIO, ["unreadable"]), (errno.EACCES, ["unreadable"]), (errno.ENOENT, [])],
)
def test_out_of_reach_is_not_gone(root: Path, number: int, reasons: list[str]) -> None:
    found = FolderScan(root, ALL)
    found.add("a.txt", Handle(root, number), 0)  # type: ignore[arg-type]  # no os.DirEntry can be made by hand
    assert (found.files, [problem.reason for problem in found.problems]) == ([], reasons)


def test_sockets_devices_and_directories_with_a_file_name(root: Path, tmp_path: Path) -> None:
    write(root / "dir.txt" / "inner.txt")
    here = socket.socket(socket.AF_UNIX)
    cwd = Path.cwd()
    try:
        os.chdir(root)  # a socket's path must be short
        here.bind("sock.txt")
    finally:
        os.chdir(cwd)
        here.close()
    expected = {("sock.txt", "not_a_file")}
    try:
        os.mknod(root / "null.txt", 0o600 | stat.S_IFCHR, os.makedev(1, 3))
        expected.add(("null.txt", "not_a_file"))
    except PermissionError:
        pass  # only root makes devices
    found = scan(root, ALL)
    assert [file.path for file in found.files] == ["dir.txt/inner.txt"]
    assert {(problem.item, problem.reason) for problem in found.problems} == expected


def test_links_in_a_circle_and_depth_end(root: Path) -> None:
    (root / "one.txt").symlink_to(root / "two.txt")
    (root / "two.txt").symlink_to(root / "one.txt")
    (root / "down").symlink_to(root)
    deep = root
    for _ in range(60):
        deep = deep / "d"
    write(deep / "bottom.txt")
    write(root / "top.txt")
    found = scan(root, ALL)
    assert [file.path for file in found.files] == ["top.txt"]
    assert [problem.reason for problem in found.problems] == ["too_deep"]


async def test_a_link_that_leads_out_does_not_keep_others_from_being_forgotten(
    desk: Desk, root: Path, tmp_path: Path
) -> None:
    (root / "out.txt").symlink_to(write(tmp_path / "x.txt"))
    write(root / "a.txt")
    write(root / "b.txt", PROSE * 2)
    await desk.read_up()
    (root / "a.txt").unlink()
    await desk.read_up()
    assert set(desk.memory) == {"f:b.txt"}


@pytest.mark.parametrize(
    ("name", "shown"),
    [
        ("new\nline.txt", "new\\nline.txt"),
        ("\x1b[31mred.txt", "\\x1b[31mred.txt"),
        ("\u202etxt.exe.txt", "\\u202etxt.exe.txt"),
        ("zero\u200bwidth.txt", "zero\\u200bwidth.txt"),
        (os.fsdecode(b"latin-\xe9.txt"), "latin-\\udce9.txt"),
        ("back\\slash.txt", "back\\\\slash.txt"),
    ],
)
async def test_names_are_shown_so_that_they_fool_nobody(desk: Desk, root: Path, name: str, shown: str) -> None:
    write(root / name, "")
    await desk.read_up()
    assert [(failure.item, failure.reason) for failure in desk.failures] == [(shown, "empty")]
    write(root / name, f"{PROSE}1", age=30)
    await desk.read_up()
    assert list(desk.memory) == [f"f:{shown}"]
    assert len(desk.titles) == 1
    assert desk.titles[0].isprintable()
    desk.titles[0].encode()


async def test_a_change_within_the_second_is_seen_on_a_disk_that_keeps_whole_seconds(root: Path) -> None:
    desk = Desk(root, settle="0s")
    try:
        path = write(root / "a.txt", PROSE + "one.", age=0)
        second = int(path.stat().st_mtime)
        os.utime(path, (second, second))
        await desk.read_up()
        path.write_text(PROSE + "two.", encoding="utf-8")
        os.utime(path, (second, second))
        await desk.until(2)
        assert [body[-4:] for body in desk.bodies] == ["one.", "two."]
        await desk.quiet()
    finally:
        await desk.source.close()
