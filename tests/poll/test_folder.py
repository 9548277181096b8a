"""Folders on a real disk with real file events: what is complete is read once, and nothing else is."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.poll.desk import PROSE, SETTLE, Desk, write
from watchpost.poll.sources import folder


async def test_what_lies_there_is_read_once_oldest_first(desk: Desk, root: Path) -> None:
    for i, name in enumerate(["c.txt", "sub/b.MD", "a.txt", ".hidden.txt", "x.txt.part", "y.tmp", "z.txt~", "no.zip"]):
        write(root / name, f"{PROSE}{i}", age=100 - i)
    visit = await desk.visit()
    assert (visit.outcome, desk.titles) == ("read", ["c", "b", "a"])
    assert set(visit.memory) == {"f:c.txt", "f:sub/b.MD", "f:a.txt"}
    again = await desk.visit()
    assert (again.outcome, again.articles, dict(again.memory)) == ("unchanged", (), {})


async def test_a_restart_reads_nothing_again(desk: Desk, root: Path) -> None:
    write(root / "a.txt")
    await desk.visit()
    await desk.source.close()
    desk.restart()
    assert (await desk.visit()).outcome == "unchanged"


async def test_a_file_written_in_five_parts_is_one_article(desk: Desk, root: Path) -> None:
    await desk.visit()

    async def slow_writer() -> None:
        with (root / "slow.txt").open("w", encoding="utf-8") as file:
            for i in range(5):
                file.write(f"Part {i} of it.\n\n")
                file.flush()
                await asyncio.sleep(0.1)

    writer = asyncio.create_task(slow_writer())
    await desk.until(1)
    assert writer.done()
    assert "Part 4" in desk.bodies[0]
    await desk.quiet()
    assert desk.titles == ["Part 0 of it."]


async def test_a_file_renamed_into_place_is_read_at_once_and_under_its_name(root: Path, tmp_path: Path) -> None:
    desk = Desk(root, settle="1h", every="1h")
    try:
        await desk.visit()
        (root / "story.txt.tmp").write_text(PROSE, encoding="utf-8")
        (root / "story.txt.tmp").rename(root / "story.txt")
        await desk.until(1)
        (tmp_path / "elsewhere").write_text(PROSE * 2, encoding="utf-8")
        (tmp_path / "elsewhere").rename(root / "moved-in.txt")
        await desk.until(2)
        assert desk.titles == ["story", "moved-in"]
    finally:
        await desk.source.close()


async def test_a_file_in_a_directory_made_a_moment_ago_is_found(desk: Desk, root: Path) -> None:
    await desk.visit()
    (root / "deep" / "er").mkdir(parents=True)
    (root / "deep" / "er" / "a.txt").write_text(PROSE, encoding="utf-8")
    await desk.until(1)
    assert desk.titles == ["a"]


async def test_a_moved_or_copied_file_is_no_news(desk: Desk, root: Path) -> None:
    write(root / "a.txt")
    await desk.visit()
    (root / "sub").mkdir()
    (root / "a.txt").rename(root / "sub" / "b.txt")
    write(root / "copy.txt")
    await desk.visit()
    assert desk.titles == ["a"]
    assert set(desk.memory) == {"f:sub/b.txt", "f:copy.txt"}
    await desk.quiet()


async def test_a_changed_file_is_read_again_and_a_touched_one_is_not(desk: Desk, root: Path) -> None:
    write(root / "a.txt")
    await desk.visit()
    write(root / "a.txt", age=50)
    assert (await desk.visit()).articles == ()
    write(root / "a.txt", PROSE * 2, age=40)
    await desk.visit()
    assert len(set(desk.ids)) == 2


async def test_settling_goes_by_two_looks_or_by_age(desk: Desk, root: Path) -> None:
    now = datetime.now(UTC)
    path = write(root / "a.txt", age=0.1)
    assert (await desk.visit(now)).articles == ()
    assert (await desk.visit(now + SETTLE / 2)).articles == ()
    write(path, PROSE * 2, age=0.1)
    assert (await desk.visit(now + SETTLE)).articles == ()
    assert (await desk.visit(now + SETTLE * 1.9)).articles == ()
    assert len((await desk.visit(now + SETTLE * 2)).articles) == 1
    write(root / "old.txt", "Old text\n\n" + PROSE, age=1)
    assert len((await desk.visit(now)).articles) == 1


async def test_rest_ends_at_an_event(root: Path) -> None:
    desk = Desk(root, every="1h")
    try:
        await desk.visit()
        resting = asyncio.create_task(desk.source.rest())
        await asyncio.sleep(0)
        (root / "a.txt").write_text(PROSE, encoding="utf-8")
        async with asyncio.timeout(20):
            await resting
    finally:
        await desk.source.close()


def test_a_relative_path_counts_from_the_configuration(tmp_path: Path) -> None:
    options = folder.FolderOptions.model_validate({"path": "seeds"}, context={"base": tmp_path})
    assert options.path == tmp_path / "seeds"
    absolute = folder.FolderOptions.model_validate({"path": "/srv/in"}, context={"base": tmp_path})
    assert absolute.path == Path("/srv/in")


@pytest.mark.parametrize(
    "options",
    [{}, {"path": ""}, {"path": 3}, {"path": "a\0b"}, {"path": "a", "glob": "*.{txt"}, {"path": "a", "every": "0s"}],
)
def test_options_that_cannot_work_are_refused(options: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        folder.FolderOptions.model_validate(options)
