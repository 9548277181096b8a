"""A stranger who may write to a folder swaps files and directories for links while they are moved or deleted."""

from __future__ import annotations

import contextlib
import hashlib
import shutil
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from watchpost.poll.folders.removals import delete, move
from watchpost.poll.folders.scan import ScannedFile, compile_glob, read_part, scan

ALL = compile_glob("**/*.txt")
ROUNDS = 150
TEXT = b"what was read, and is to be moved"


@contextlib.contextmanager
def swapping(swap: Callable[[], None]) -> Iterator[None]:
    """Swap and swap back without a pause in a thread of its own."""
    over = threading.Event()

    def run() -> None:
        while not over.is_set():
            with contextlib.suppress(OSError):
                swap()

    thread = threading.Thread(target=run)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()


@pytest.fixture
def outside(tmp_path: Path) -> Path:
    """A directory that is none of the service's business, with files of the same names."""
    place = tmp_path / "outside"
    place.mkdir()
    (place / "a.txt").write_bytes(b"a secret of somebody else")
    return place


def seen(root: Path) -> ScannedFile:
    (file,) = scan(root, ALL).files
    return file


@pytest.mark.parametrize("what", ["the file", "its directory"])
@pytest.mark.parametrize("deed", ["read", "move", "delete"])
def test_nothing_outside_is_read_moved_or_deleted(tmp_path: Path, outside: Path, what: str, deed: str) -> None:
    root, held = tmp_path / "drop", tmp_path / "held"
    secret = outside / "a.txt"
    swapped, target = ("sub/a.txt", secret) if what == "the file" else ("sub", outside)
    digest = hashlib.sha256(TEXT).hexdigest()

    def swap() -> None:
        place = root / swapped
        place.rename(held)
        place.symlink_to(target)
        place.unlink()
        held.rename(place)

    for _ in range(ROUNDS):
        for place in (root, held):
            shutil.rmtree(place, ignore_errors=True)
            place.unlink(missing_ok=True)
        (root / "sub").mkdir(parents=True)
        (root / "sub" / "a.txt").write_bytes(TEXT)
        file = seen(root)
        with swapping(swap), contextlib.suppress(OSError):
            if deed == "read":
                assert read_part(root, file) in (None, TEXT)
            elif deed == "move":
                move(root, file, digest, None)
            else:
                delete(root, file, digest)
        assert secret.read_bytes() == b"a secret of somebody else"
        assert [path.name for path in outside.iterdir()] == ["a.txt"]
        for path in root.rglob("*"):
            if path.is_file() and not path.is_symlink():
                assert path.read_bytes() == TEXT
