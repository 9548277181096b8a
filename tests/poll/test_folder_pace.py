"""Large folders: a look at what does not change is rare, and file events bring the news all the same."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from watchdog.events import FileSystemEvent

from tests.poll.desk import PROSE, write
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.folders.arrivals import Changes, DirectoryWatch, FileEvents, are_complete
from watchpost.poll.folders.scan import compile_glob, scan_at
from watchpost.poll.sources.folder import Folder, FolderOptions
from watchpost.poll.visit import Visit

MANY = 3000  # enough for a look to cost more than what is repeated at every event


class Hints:
    """A watch that names what the test says."""

    def __init__(self, root: Path) -> None:
        self.event = asyncio.Event()
        self.next = Changes()

    def start(self) -> None:
        pass

    def stop(self) -> None:
        pass

    def changes(self) -> Changes:
        changes, self.next = self.next, Changes()
        return changes


class Large:
    """A folder of many files that have been read long ago."""

    def __init__(self, root: Path, make_watch: Callable[[Path], DirectoryWatch]) -> None:
        options = FolderOptions.model_validate({"path": str(root), "settle": "50ms"})
        self.source = Folder("desk", options, InlineParser(), make_watch)
        self.memory: dict[str, str] = {}
        for number in range(MANY):
            path = write(root / f"{number % 30}" / f"{number}.txt", "old")
            facts = path.stat()
            shown = path.relative_to(root).as_posix()
            self.memory[f"f:{shown}"] = f"{facts.st_size}:{facts.st_mtime_ns}:{facts.st_ino}:{number:032x}"

    async def visit(self) -> list[str]:
        """The titles that one visit brings."""
        visit: Visit = await self.source.visit(dict(self.memory), datetime.now(UTC))
        self.memory |= visit.memory
        return [article.title for article in visit.articles]

    async def until(self, title: str, seconds: float) -> None:
        """Rest and visit until this comes."""
        async with asyncio.timeout(seconds):
            while title not in await self.visit():
                await self.source.rest()


async def test_between_two_looks_at_the_whole_only_what_was_named_is_looked_at(root: Path) -> None:
    watch = Hints(root)
    large = Large(root, lambda _: watch)
    assert await large.visit() == []
    write(root / "1" / "named.txt", f"{PROSE}1")
    write(root / "2" / "silent.txt", f"{PROSE}2")
    write(root / "new" / "below.txt", f"{PROSE}3")
    watch.next = Changes(touched=frozenset({"1/named.txt", "new", "3/gone.txt"}))
    assert sorted(await large.visit()) == ["below", "named"]
    await large.until("silent", 30)
    await large.source.close()


async def test_an_unclear_hint_is_a_look_at_the_whole(root: Path) -> None:
    watch = Hints(root)
    large = Large(root, lambda _: watch)
    assert await large.visit() == []
    write(root / "2" / "silent.txt", f"{PROSE}2")
    watch.next = Changes(unclear=True)
    assert await large.visit() == ["silent"]
    await large.source.close()


async def test_what_was_not_committed_is_found_again_by_a_look_at_the_whole(root: Path) -> None:
    watch = Hints(root)
    large = Large(root, lambda _: watch)
    assert await large.visit() == []
    write(root / "1" / "named.txt", f"{PROSE}1")
    watch.next = Changes(touched=frozenset({"1/named.txt"}))
    before = dict(large.memory)
    assert await large.visit() == ["named"]
    large.memory = before
    assert await large.visit() == ["named"]
    await large.source.close()


async def test_a_large_folder_rests_for_many_times_what_a_look_costs(root: Path) -> None:
    large = Large(root, Hints)
    await large.visit()
    loop = asyncio.get_running_loop()
    begun = loop.time()
    large.source.every = timedelta(0)
    await large.source.rest()
    assert loop.time() - begun > 49 * 0.005
    await large.source.close()


@pytest.mark.parametrize("way", ["written", "renamed", "growing", "in a new directory"])
async def test_file_events_bring_the_news_of_a_large_folder_within_two_seconds(root: Path, way: str) -> None:
    large = Large(root, FileEvents)
    large.source.every = timedelta(hours=1)
    await large.visit()
    await asyncio.sleep(0.2)
    if way == "written":
        (root / "1" / "news.txt").write_text(PROSE, encoding="utf-8")
    elif way == "renamed":
        (root / "1" / "news.txt.part").write_text(PROSE, encoding="utf-8")
        (root / "1" / "news.txt.part").rename(root / "1" / "news.txt")
    elif way == "in a new directory":
        write(root / "a" / "b" / "news.txt", PROSE)
    if way != "growing":
        await large.until("news", 10)
    else:
        handle = os.open(root / "stream.jsonl", os.O_CREAT | os.O_WRONLY | os.O_APPEND)
        for number in range(3):
            os.write(handle, b'{"title": "Line %d", "body": "Mali"}\n' % number)
            await large.until(f"Line {number}", 10)
        os.close(handle)
    await large.source.close()


def test_a_look_at_named_paths_follows_the_rules_of_a_look_at_the_whole(root: Path, tmp_path: Path) -> None:
    for name in ("a.txt", "b/c.txt", ".hidden/d.txt", "b/.e.txt", "f.txt.part", "g.pdf", "b/d/h.txt"):
        write(root / name)
    outside = write(tmp_path / "elsewhere" / "secret.txt")
    (root / "link.txt").symlink_to(outside)
    (root / "way").symlink_to(outside.parent)
    paths = ["a.txt", "b", "b/c.txt", ".hidden/d.txt", "b/.e.txt", "f.txt.part", "g.pdf", "link.txt", "gone.txt"]
    found = scan_at(root, compile_glob("**/*.txt"), [*paths, "way/secret.txt", "a.txt/below.txt"])
    assert sorted(file.path for file in found.files) == ["a.txt", "b/c.txt", "b/d/h.txt"]
    assert [(problem.item, problem.reason) for problem in found.problems] == [("link.txt", "outside")]


class Ahead(asyncio.SelectorEventLoop):
    """A loop whose clock a test sets forward."""

    ahead = 0.0

    def time(self) -> float:
        return super().time() + self.ahead


class Muffled(FileEvents):
    """Watches, and says nothing."""

    def dispatch(self, event: FileSystemEvent) -> None:
        pass


def run_ahead(root: Path, watch: Callable[[Path], DirectoryWatch], steps: Callable[[Quiet], Awaitable[None]]) -> None:
    async def run() -> None:
        quiet = Quiet(root, watch)
        await steps(quiet)
        await quiet.source.close()

    with asyncio.Runner(loop_factory=Ahead) as runner:
        runner.run(run())


class Quiet:
    """A small folder whose clock can be set forward."""

    def __init__(self, root: Path, watch: Callable[[Path], DirectoryWatch]) -> None:
        options = FolderOptions.model_validate({"path": str(root), "settle": "0s", "every": "20ms"})
        self.source = Folder("desk", options, InlineParser(), watch)
        self.memory: dict[str, str] = {}

    async def titles(self) -> list[str]:
        visit = await self.source.visit(dict(self.memory), datetime.now(UTC))
        self.memory |= visit.memory
        return [article.title for article in visit.articles]

    async def until(self, title: str) -> None:
        """Rest and visit until this comes."""
        async with asyncio.timeout(60):
            while title not in await self.titles():
                await self.source.rest()

    async def rests(self, seconds: float) -> bool:
        """Whether nothing ends a rest within so long."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Ahead)
        resting = asyncio.ensure_future(self.source.rest())
        await asyncio.sleep(0)
        loop.ahead += seconds
        await asyncio.sleep(0.3)  # a rest that has ended in between has ended
        ended = resting.done()
        resting.cancel()
        return not ended

    async def settle(self) -> None:
        """Nothing has happened here for long."""
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Ahead)
        assert await self.titles() == []
        loop.ahead += 60
        assert await self.titles() == []


def test_a_quiet_folder_is_not_scanned_each_second_and_its_events_are_read_at_once(root: Path) -> None:
    async def steps(quiet: Quiet) -> None:
        await quiet.settle()
        assert await quiet.rests(20)
        write(root / "news.txt", PROSE)
        await quiet.until("news")
        assert not await quiet.rests(1), "what comes beside it may come before it is watched"

    run_ahead(root, FileEvents, steps)


@pytest.mark.parametrize("way", ["no events", "another directory"])
def test_what_no_event_named_is_found_and_then_scans_come_as_often_as_before(root: Path, way: str) -> None:
    async def steps(quiet: Quiet) -> None:
        await quiet.settle()
        assert await quiet.rests(20)
        if way == "another directory":
            root.rename(root.with_name("gone"))
            root.mkdir()
        write(root / "silent.txt", PROSE)
        assert not await quiet.rests(20)
        await quiet.until("silent")
        assert not await quiet.rests(1)
        await quiet.titles()
        assert not await quiet.rests(1)

    run_ahead(root, Muffled if way == "no events" else FileEvents, steps)


def test_a_folder_without_complete_events_is_scanned_as_often_as_it_says(root: Path) -> None:
    async def steps(quiet: Quiet) -> None:
        await quiet.settle()
        assert not await quiet.rests(1)

    run_ahead(root, Hints, steps)


@pytest.mark.parametrize(
    ("mounts", "complete"),
    [
        ({"/": "ext4"}, True),
        ({"/": "nfs4"}, False),
        ({"/": "nfs4", "{root}": "xfs"}, True),
        ({"/": "ext4", "{root}": "cifs"}, False),
        ({"/": "ext4", "{root}": "cifs", "{root} ": "cifs"}, False),
        ({"/": "ext4", "{root}x": "cifs"}, True),
        ({"/": "ext4", "{root}/a b/c": "fuse.sshfs"}, False),
        ({"/": "ext4", "{root}/a b/c": "tmpfs"}, True),
        ({"/": "9p"}, False),
        ({}, False),
    ],
)
def test_events_are_complete_where_only_this_machine_writes(
    root: Path, tmp_path: Path, mounts: dict[str, str], complete: bool
) -> None:
    table = tmp_path / "mountinfo"
    lines = []
    for number, (point, kind) in enumerate(mounts.items()):
        place = point.replace("{root}", str(root.resolve())).replace(" ", "\\040")
        options = "shared:1 master:2 " if number % 2 else ""
        lines.append(f"{number} 1 0:{number} / {place} rw,relatime {options}- {kind} /dev/x rw\n")
    table.write_text("".join(lines), encoding="ascii")
    assert are_complete(root, table) is complete
    assert not are_complete(root, tmp_path / "absent")
