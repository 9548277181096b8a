"""A disk of one's own for a test: an ext4 image on a loop device, which can fill up and lose its power."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

FILLER = "filler"


@contextmanager
def mounted(image: Path, place: Path) -> Iterator[Path]:
    """The image's file system at `place`; the test is skipped where this machine does not allow that."""
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root may mount an image")
    done = subprocess.run([mount, "-o", "loop", image, place], capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no loop device here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False)


@contextmanager
def in_memory(place: Path, megabytes: int) -> Iterator[Path]:
    """A small file system in memory at `place`; the test is skipped where this machine does not allow that."""
    place.mkdir()
    mount = shutil.which("mount")
    if os.geteuid() != 0 or mount is None:
        pytest.skip("only root may mount a file system")
    words = [mount, "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", str(place)]
    done = subprocess.run(words, capture_output=True, text=True, check=False)
    if done.returncode:
        pytest.skip(f"no file system in memory here: {done.stderr.strip()}")
    try:
        yield place
    finally:
        subprocess.run(["umount", "--lazy", place], check=False)


def make_image(path: Path, megabytes: int) -> Path:
    """An empty file system of that size."""
    if shutil.which("mkfs.ext4") is None:
        pytest.skip("no mkfs.ext4 here")
    with path.open("wb") as file:
        file.truncate(megabytes * 1024 * 1024)
    subprocess.run(["mkfs.ext4", "-q", "-F", "-m", "0", path], check=True)
    return path


def copy_image(image: Path, to: Path) -> Path:
    """What is on the disk at this very instant; what was only in memory is not in it."""
    subprocess.run(["cp", "--sparse=always", image, to], check=True)
    return to


def fill(place: Path) -> Path:
    """A file that takes all the room there is."""
    filler = place / FILLER
    descriptor = os.open(filler, os.O_WRONLY | os.O_CREAT)
    try:
        os.posix_fallocate(descriptor, 0, max(1, shutil.disk_usage(place).free - 64 * 1024))
        os.lseek(descriptor, 0, os.SEEK_END)
        with suppress(OSError):
            while True:
                os.write(descriptor, b"x" * 4096)
    finally:
        os.close(descriptor)
    return filler
