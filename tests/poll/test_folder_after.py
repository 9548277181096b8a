"""`after: move` and `after: delete`: a file goes when its article is committed, if it still is what was read."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.poll.desk import PROSE, Desk, line, write
from watchpost.poll.folders.removals import ON_DISK
from watchpost.poll.sources import folder

NOW = datetime.now(UTC) + timedelta(hours=1)  # well after any file of these tests was written
MakeDesk = Callable[..., Desk]


@pytest.fixture
async def make(root: Path) -> AsyncIterator[MakeDesk]:
    made: list[Desk] = []

    def make(**options: object) -> Desk:
        made.append(Desk(root, **options))
        return made[-1]

    yield make
    for desk in made:
        await desk.source.close()


def files(root: Path) -> list[str]:
    return sorted(str(path.relative_to(root)) for path in root.rglob("*") if not path.is_dir())


async def read_and_see_off(desk: Desk, start: datetime = NOW) -> None:
    await desk.read_up(start)
    await desk.read_up(start + ON_DISK)
    await desk.read_up(start + 2 * ON_DISK)


async def test_moved_files_keep_their_directories_and_are_not_read_again(make: MakeDesk, root: Path) -> None:
    desk = make(after="move")
    write(root / "a.txt")
    write(root / "sub" / "b.txt", PROSE * 2)
    await read_and_see_off(desk)
    assert files(root) == [".done/a.txt", ".done/sub/b.txt"]
    assert (sorted(desk.titles), desk.memory, desk.failures) == (["a", "b"], {}, [])
    await desk.quiet()


async def test_nothing_goes_before_the_store_had_time_to_write_it_down(make: MakeDesk, root: Path) -> None:
    desk = make(after="delete")
    write(root / "a.txt")
    await desk.read_up(NOW)
    await desk.read_up(NOW + ON_DISK * 0.9)
    assert files(root) == ["a.txt"]
    await desk.read_up(NOW + ON_DISK)
    assert files(root) == []


async def test_nothing_goes_that_was_not_committed(make: MakeDesk, root: Path) -> None:
    desk = make(after="delete")
    write(root / "a.txt")
    for seconds in (0, 10, 20, 30):
        visit = await desk.source.visit({}, NOW + timedelta(seconds=seconds))  # each COMMIT failed
        assert len(visit.articles) == 1
    assert files(root) == ["a.txt"]


async def test_after_a_crash_the_next_start_sees_the_file_off(make: MakeDesk, root: Path) -> None:
    desk = make(after="move")
    write(root / "a.txt")
    await desk.visit(NOW)  # committed, and then the power went
    await desk.again()
    await desk.read_up(NOW)
    assert (files(root), desk.titles) == ([".done/a.txt"], ["a"])


async def test_a_file_that_was_written_to_since_is_read_before_it_goes(make: MakeDesk, root: Path) -> None:
    desk = make(after="delete")
    path = write(root / "a.txt", PROSE + "one.", age=60)
    await desk.read_up(NOW)
    facts = path.stat()
    path.write_text(PROSE + "two.", encoding="utf-8")
    os.utime(path, ns=(facts.st_atime_ns, facts.st_mtime_ns))  # as on a disk whose times are coarse
    await desk.read_up(NOW + ON_DISK)
    assert [body.removeprefix(PROSE.strip()).strip() for body in desk.bodies] == ["one.", "two."]
    await desk.read_up(NOW + 3 * ON_DISK)
    assert files(root) == []


async def test_what_was_not_read_whole_stays(make: MakeDesk, root: Path) -> None:
    desk = make(after="delete")
    write(root / "binary.txt", b"\x7fELF" + bytes(99))
    write(root / "damaged.txt", b"\xff\xfe" + PROSE.encode("utf-16-le") + b"\x00\xd8\x20\x00")
    write(root / "stream.jsonl", line(1))
    await read_and_see_off(desk)
    await desk.again()
    await read_and_see_off(desk)
    assert files(root) == ["binary.txt", "damaged.txt", "stream.jsonl"]
    write(root / "sub" / "copy-of-damaged.txt", (root / "damaged.txt").read_bytes())
    await read_and_see_off(desk, NOW + timedelta(minutes=1))
    assert "sub/copy-of-damaged.txt" in files(root)


async def test_a_link_is_not_followed_by_what_deletes(make: MakeDesk, root: Path, tmp_path: Path) -> None:
    desk = make(after="delete")
    (root / "real").mkdir()
    target = write(root / "real" / "a.txt")
    (root / "alias.txt").symlink_to(target)
    (root / "linked").symlink_to(root / "real")
    await desk.read_up(NOW)
    # In the meantime somebody puts a link to elsewhere where the directory was, with the very same content behind it.
    outside = tmp_path / "outside"
    (root / "real").rename(outside)
    (root / "real").symlink_to(outside)
    await desk.read_up(NOW + ON_DISK)
    await desk.read_up(NOW + 2 * ON_DISK)
    assert (outside / "a.txt").exists()
    assert (root / "alias.txt").is_symlink()


async def test_the_place_for_what_is_done_may_not_be_a_link_that_a_stranger_left(
    make: MakeDesk, root: Path, tmp_path: Path
) -> None:
    desk = make(after="move")
    (tmp_path / "elsewhere").mkdir()
    (root / ".done").symlink_to(tmp_path / "elsewhere")
    write(root / "a.txt")
    await read_and_see_off(desk)
    assert (files(root), files(tmp_path / "elsewhere")) == (["a.txt"], [])
    assert [(f.item, f.reason) for f in desk.failures] == [("a.txt", "not_moved")]


async def test_a_name_that_is_taken_is_not_overwritten(make: MakeDesk, root: Path, tmp_path: Path) -> None:
    desk = make(after="move", move_to=str(tmp_path / "far" / "read"))
    for i in range(3):
        write(root / "a.txt", f"{PROSE}{i}")
        await read_and_see_off(desk, NOW + timedelta(minutes=i))
    texts = sorted(path.read_text("utf-8") for path in (tmp_path / "far" / "read").iterdir())
    assert texts == [f"{PROSE}{i}" for i in range(3)]
    assert len(desk.ids) == 3


async def test_a_visible_place_inside_the_folder_is_not_read(make: MakeDesk, root: Path) -> None:
    desk = make(after="move", move_to=str(root / "read"))
    write(root / "a.txt")
    await read_and_see_off(desk)
    assert files(root) == ["read/a.txt"]
    await desk.quiet()
    assert (desk.titles, desk.memory) == (["a"], {})


@pytest.fixture
def locked(root: Path) -> Iterator[Path]:
    path = write(root / "locked" / "a.txt")
    path.parent.chmod(0o500)
    if os.access(path.parent, os.W_OK):
        pytest.skip("this user may write everywhere")
    yield path
    path.parent.chmod(0o700)


async def test_what_may_not_be_deleted_is_told_once_and_stops_nobody(make: MakeDesk, root: Path, locked: Path) -> None:
    desk = make(after="delete")
    write(root / "b.txt", PROSE * 2)
    for seconds in range(0, 60, 4):
        await desk.read_up(NOW + timedelta(seconds=seconds))
    assert files(root) == ["locked/a.txt"]
    assert [(f.item, f.reason) for f in desk.failures] == [("locked/a.txt", "not_deleted")]
    locked.parent.chmod(0o700)
    await desk.read_up(NOW + timedelta(minutes=30))
    assert (files(root), sorted(desk.titles)) == ([], ["a", "b"])


async def test_what_cannot_be_moved_is_told_once_and_goes_when_it_can(make: MakeDesk, root: Path) -> None:
    desk = make(after="move")
    write(root / ".done", "a file where a directory should be")
    write(root / "a.txt")
    for seconds in range(0, 60, 4):
        await desk.read_up(NOW + timedelta(seconds=seconds))
    assert [(f.item, f.reason) for f in desk.failures] == [("a.txt", "not_moved")]
    (root / ".done").unlink()
    await desk.read_up(NOW + timedelta(minutes=30))
    assert (files(root), desk.titles, len(desk.failures)) == ([".done/a.txt"], ["a"], 1)


async def test_another_disk_will_do(make: MakeDesk, root: Path) -> None:
    far = Path("/dev/shm")
    if not far.is_dir() or far.stat().st_dev == root.stat().st_dev:
        pytest.skip("there is no other disk here")
    target = far / f"watchpost-test-{os.getpid()}"
    desk = make(after="move", move_to=str(target))
    path = write(root / "sub" / "a.txt")
    written = path.stat().st_mtime_ns
    try:
        await read_and_see_off(desk)
        assert (files(root), files(target)) == ([], ["sub/a.txt"])
        assert (target / "sub" / "a.txt").read_text("utf-8") == PROSE
        assert (target / "sub" / "a.txt").stat().st_mtime_ns == written
    finally:
        for name in files(target):
            (target / name).unlink()
        (target / "sub").rmdir()
        target.rmdir()


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"after": "burn"}, "'keep', 'move' or 'delete'"),
        ({"move_to": "x"}, "move_to goes with after: move"),
        ({"after": "delete", "move_to": "x"}, "move_to goes with after: move"),
        ({"after": "move", "move_to": "./a"}, "move_to is the folder itself: files would never leave it"),
        ({"encoding": "klingon"}, "'klingon' is no encoding that is known here"),
        ({"encoding": "base64"}, "'base64' is no encoding that is known here"),
    ],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object], said: str) -> None:
    with pytest.raises(ValidationError, match=said):
        folder.FolderOptions.model_validate({"path": "a", **options})
