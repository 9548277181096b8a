"""Folders without file events: network file systems, queues that overflow, systems that have no watches left."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from tests.poll.desk import PROSE, write
from watchpost.documents.parser_process import InlineParser
from watchpost.poll.folders.arrivals import Changes, DirectoryWatch
from watchpost.poll.sources.folder import Folder, FolderOptions


class Deaf:
    """Watches, and hears nothing: as inotify over NFS, or after its queue has overflowed."""

    def __init__(self, root: Path, *, refuses: int = 0) -> None:
        self.event = asyncio.Event()
        self._refuses = refuses

    def start(self) -> None:
        if self._refuses:
            raise OSError(self._refuses, "no watches left")

    def stop(self) -> None:
        pass

    def changes(self) -> Changes:
        return Changes()


def refused(root: Path) -> DirectoryWatch:
    return Deaf(root, refuses=errno.ENOSPC)


async def summary(root: Path, watch: Callable[[Path], DirectoryWatch]) -> list[str]:
    """The titles that come of files which appear in four ways while the folder is watched."""
    options = FolderOptions.model_validate({"path": str(root), "settle": "0s", "every": "20ms"})
    source = Folder("desk", options, InlineParser(), watch)
    memory: dict[str, str] = {}
    titles: list[str] = []

    async def look() -> None:
        visit = await source.visit(dict(memory), datetime.now(UTC))
        memory.update(visit.memory)
        titles.extend(article.title for article in visit.articles)

    await look()
    write(root / "plain.txt", f"{PROSE}1")
    write(root / "made" / "now" / "deep.txt", f"{PROSE}2")
    (root / "renamed.txt.part").write_text(f"{PROSE}3", encoding="utf-8")
    (root / "renamed.txt.part").rename(root / "renamed.txt")
    for i in range(200):
        write(root / f"burst-{i}.txt", f"{PROSE}burst {i}")
    async with asyncio.timeout(10):
        while len(titles) < 203:
            await source.rest()
            await look()
    await source.close()
    return titles


async def test_scans_find_what_no_event_told_of(root: Path) -> None:
    titles = await summary(root, Deaf)
    assert len(set(titles)) == len(titles) == 203


async def test_a_system_without_watches_to_give_is_scanned(root: Path) -> None:
    titles = await summary(root, refused)
    assert {"plain", "deep", "renamed"} < set(titles)
