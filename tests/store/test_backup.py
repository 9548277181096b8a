"""A copy of the data directory: the store as it was at one moment, whatever the server does meanwhile."""

from __future__ import annotations

import asyncio
import io
import os
import tarfile
import threading
from pathlib import Path

import pytest
import redis

from tests.store.embedding import client, make, write
from watchpost.errors import StoreUnfit, WatchpostError
from watchpost.store.server import backup
from watchpost.store.server.embedded import EmbeddedServer

COPIES = 8


def copied(data: Path) -> bytes:
    target = io.BytesIO()
    backup.write(data, target)
    return target.getvalue()


async def numbers_in(copy: bytes, place: Path) -> list[int]:
    """Unpack a copy and start a server on it; gives the numbers in its stream."""
    place.mkdir(mode=0o700)
    with tarfile.open(fileobj=io.BytesIO(copy)) as archive:
        archive.extractall(place, filter="data")
    server = make(place)
    await server.start()
    with client(server) as answers:
        found = [int(fields["n"]) for _, fields in answers.xrange("s")]
    await server.stop()
    return found


def keep_busy(server: EmbeddedServer, over: threading.Event) -> None:
    """Add numbers and rewrite the files again and again, as fast as the server can."""
    with client(server) as answers:
        number = int(answers.xlen("s"))
        while not over.is_set():
            for _ in range(50):
                answers.xadd("s", {"n": number})
                number += 1
            try:
                answers.bgrewriteaof()
            except redis.exceptions.ResponseError:  # one is in progress
                continue


async def test_copies_of_a_server_that_writes_and_rewrites_are_each_the_state_of_one_moment(
    data: Path, tmp_path: Path
) -> None:
    server = make(data)
    await server.start()
    write(data, 100)
    over = threading.Event()
    writer = threading.Thread(target=keep_busy, args=(server, over))
    writer.start()
    copies = []
    with client(server) as answers:
        for _ in range(COPIES):
            before = int(answers.xlen("s"))
            copies.append((before, await asyncio.to_thread(copied, data)))
            await asyncio.sleep(0.05)
    over.set()
    writer.join()
    await server.stop()
    assert any(b"seq 1 type b" not in copy for _, copy in copies), "the files were replaced meanwhile"
    for turn, (before, copy) in enumerate(copies):
        found = await numbers_in(copy, tmp_path / str(turn))
        assert found == list(range(len(found)))
        assert len(found) >= before


async def test_a_copy_holds_what_is_known_besides_for_this_user_alone(data: Path) -> None:
    server = make(data)
    await server.start()
    write(data, 1)
    await server.stop()
    names = {"identity.json": b"{}", "sent-20261126.journal": b"one\n", "sent-20261127.journal": b"two\n"}
    for name, content in names.items():
        (data / name).write_bytes(content)
    (data / "redis.log.1").write_bytes(b"old")
    target = io.BytesIO()
    done = backup.write(data, target)
    with tarfile.open(fileobj=io.BytesIO(target.getvalue())) as archive:
        assert {facts.mode for facts in archive} == {0o600}
        assert tuple(archive.getnames()) == done.files
        for name, content in names.items():
            file = archive.extractfile(name)
            assert file is not None
            assert file.read() == content
    assert done.store
    assert set(done.files) == {
        *names,
        "appendonlydir/appendonly.aof.1.base.rdb",
        "appendonlydir/appendonly.aof.1.incr.aof",
        "appendonlydir/appendonly.aof.manifest",
    }
    stored = [name for name in done.files if "/" in name]
    assert done.files[: len(stored)] == tuple(stored), "the journals are copied after the store"


def test_a_manifest_keeps_no_file_of_the_past(data: Path) -> None:
    folder = data / "appendonlydir"
    folder.mkdir(parents=True)
    lines = [b"file new.rdb seq 2 type b\n", b"file old.rdb seq 1 type h\n", b"file new.aof seq 2 type i\n"]
    (folder / "appendonly.aof.manifest").write_bytes(b"".join(lines))
    for name in ("new.rdb", "new.aof"):
        (folder / name).write_bytes(b"")
    with tarfile.open(fileobj=io.BytesIO(copied(data))) as archive:
        manifest = archive.extractfile("appendonlydir/appendonly.aof.manifest")
        assert manifest is not None
        assert manifest.read() == lines[0] + lines[2]


def test_there_is_nothing_to_copy_in_an_empty_directory(data: Path) -> None:
    with pytest.raises(WatchpostError, match="nothing to copy"):
        copied(data)


def test_a_manifest_that_names_a_missing_file_is_no_copy(data: Path) -> None:
    (data / "appendonlydir").mkdir(parents=True)
    (data / "appendonlydir" / "appendonly.aof.manifest").write_text("file gone.rdb seq 1 type b\n")
    with pytest.raises(StoreUnfit, match="names files that are not there"):
        backup.write(data, io.BytesIO(), patience_seconds=0.1)


@pytest.mark.skipif(os.getuid() == 0, reason="root reads every file")
def test_a_file_that_cannot_be_read_names_the_cure(data: Path) -> None:
    data.mkdir(exist_ok=True)
    (data / "identity.json").write_text("{}")
    (data / "identity.json").chmod(0)
    with pytest.raises(WatchpostError, match="as root or as the user of the service"):
        copied(data)
