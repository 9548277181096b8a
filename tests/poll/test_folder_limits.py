"""Folders: streams that grow, bounds, and what must not be opened."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.poll.desk import PROSE, Desk, line, write
from watchpost.documents.clean import BODY_MAX
from watchpost.poll.folders.files import TEXT_PER_VISIT


async def test_pipes_and_links_that_lead_out_are_told_once_and_never_opened(
    desk: Desk, root: Path, tmp_path: Path
) -> None:
    write(tmp_path / "secret.txt")
    write(root / "good.txt")
    os.mkfifo(root / "pipe.txt")
    (root / "out.txt").symlink_to(tmp_path / "secret.txt")
    (root / "outside").symlink_to(tmp_path)
    (root / "circle").symlink_to(root)
    (root / "dangling.txt").symlink_to(root / "nowhere")
    (root / "inside.txt").symlink_to(root / "good.txt")
    async with asyncio.timeout(20):
        await desk.read_up()
    assert desk.titles == ["good"] or desk.titles == ["inside"]
    assert sorted((f.item, f.reason) for f in desk.failures) == [
        ("out.txt", "outside"),
        ("outside", "outside"),
        ("pipe.txt", "not_a_file"),
    ]
    await desk.quiet()


@pytest.fixture
def unreadable(root: Path) -> Iterator[Path]:
    path = write(root / "locked.txt")
    path.chmod(0)
    if os.access(path, os.R_OK):
        pytest.skip("this user may read everything")
    yield path
    path.chmod(0o600)


async def test_a_file_without_permission_is_tried_again_when_it_has_it(desk: Desk, unreadable: Path) -> None:
    await desk.visit()
    assert [(f.item, f.reason) for f in desk.failures] == [("locked.txt", "unreadable")]
    await desk.quiet()
    unreadable.chmod(0o600)
    await desk.until(1)


async def test_bad_files_fail_once_and_again_after_a_restart_or_a_change(desk: Desk, root: Path) -> None:
    write(root / "binary.txt", b"\x7fELF" + bytes(999))
    write(root / "empty.md", "")
    write(root / "broken.pdf", b"%PDF-1.7 broken")
    with (root / "sparse.txt").open("wb") as file:
        file.truncate(50_000_000)
    write(root / "good.txt")
    os.utime(root / "sparse.txt", (1, 1))
    await desk.read_up()
    reasons = {"binary.txt": "binary", "empty.md": "empty", "broken.pdf": "malformed", "sparse.txt": "too_large"}
    assert {failure.item: failure.reason for failure in desk.failures} == reasons
    assert (desk.titles, set(desk.memory)) == (["good"], {"f:good.txt"})
    await desk.quiet()
    await desk.source.close()
    desk.restart()
    await desk.read_up()
    assert len(desk.failures) == 8
    write(root / "empty.md", "# Now\n\ntext", age=30)
    await desk.read_up()
    assert desk.titles == ["good", "Now"]


async def test_json_lines_are_read_as_they_grow_and_half_lines_wait(desk: Desk, root: Path) -> None:
    path = root / "stream.jsonl"
    with path.open("a", encoding="utf-8") as file:

        async def append(text: str) -> list[str]:
            file.write(text)
            file.flush()
            before = len(desk.titles)
            await desk.read_up()
            return desk.titles[before:]

        assert await append(line(1)[:30]) == []
        assert await append(line(1)[30:] + line(2)[:-5]) == ["Title 1"]
        assert await append(line(2)[-5:-1]) == ["Title 2"]  # complete, though its newline is not there yet
        assert await append("\n{broken\n" + line(3)) == ["Title 3"]
        assert [failure.reason for failure in desk.failures] == ["bad_line"]
        await desk.source.close()
        desk.restart()
        assert await append("") == []
        assert await append(line(4)) == ["Title 4"]


async def test_a_rewritten_or_rotated_stream_starts_anew(desk: Desk, root: Path) -> None:
    path = root / "stream.jsonl"
    path.write_text(line(1) + line(2), encoding="utf-8")
    await desk.read_up()
    path.write_text(line(3), encoding="utf-8")  # shorter
    await desk.read_up()
    path.write_text(line(7) + line(8) + line(9), encoding="utf-8")  # longer, and something else
    await desk.read_up()
    path.rename(root / "stream.jsonl.1")
    path.write_text("".join(line(i) for i in range(20, 26)), encoding="utf-8")
    await desk.read_up()
    assert desk.titles == [f"Title {i}" for i in (1, 2, 3, 7, 8, 9, 20, 21, 22, 23, 24, 25)]
    assert len(set(desk.ids)) == len(desk.ids)


async def test_no_more_than_a_hundred_articles_at_a_time(desk: Desk, root: Path) -> None:
    (root / "many.jsonl").write_text("".join(line(i) for i in range(150)), encoding="utf-8")
    for i in range(70):
        write(root / f"{i}.txt", f"{PROSE}{i}")
    items = "".join(f"<item><title>Entry {i}</title><guid>{i}</guid></item>" for i in range(130))
    write(root / "feed.xml", f"<rss version='2.0'><channel><title>F</title>{items}</channel></rss>")
    sizes = []
    while True:
        visit = await desk.visit()
        sizes.append(len(visit.articles))
        if not visit.more:
            break
    assert max(sizes) == 100
    assert sum(sizes) == len(set(desk.ids)) == 350
    assert all(value.count(":") == 3 for key, value in desk.memory.items() if "jsonl" not in key)
    await desk.quiet()


async def test_no_more_text_at_a_time_than_memory_is_meant_for(desk: Desk, root: Path) -> None:
    for i in range(14):
        write(root / f"{i}.txt", f"{PROSE}\n\n" + f"Report {i} goes on and on. " * 40_000)
    sizes = []
    while True:
        visit = await desk.visit()
        sizes.append(sum(len(article.body) for article in visit.articles))
        if not visit.more:
            break
    assert len(desk.ids) == 14
    assert max(sizes) < TEXT_PER_VISIT + BODY_MAX
    assert len(sizes) == 2


async def test_a_folder_that_is_not_there_fails_and_comes_back(desk: Desk, root: Path) -> None:
    write(root / "a.txt")
    await desk.visit()
    root.rename(root.with_name("away"))
    gone = await desk.visit()
    assert (gone.outcome, gone.reason) == ("failed", "unreadable")
    assert str(root) in gone.detail
    root.mkdir()
    await desk.visit()
    assert desk.memory  # an empty mount point is no reason to forget
    write(root / "b.txt", PROSE * 2, age=0)
    await desk.until(2)
    assert desk.titles == ["a", "b"]


async def test_strange_file_names_do_no_harm(desk: Desk, root: Path) -> None:
    for i, name in enumerate(["new\nline.txt", "ünï.txt", "back\\slash.txt", "f:1:2:3.txt", " .txt"]):
        write(root / name, PROSE + str(i))
    (root / os.fsdecode(b"bad\xff.txt")).write_text(PROSE * 2, encoding="utf-8")
    await desk.until(6)
    assert all(key.isprintable() and key.encode() for key in desk.memory)
    await desk.quiet()
