"""Damaged append-only files: the server comes back with everything before the damage, and a copy is kept."""

from __future__ import annotations

import os
import re
import signal
from pathlib import Path

import pytest

from tests.servers import servers_on
from tests.store.embedding import Telling, client, make, until_in_file, write
from watchpost.errors import StoreUnfit

COUNT = 500


async def filled(data: Path) -> Path:
    """Fill a server and kill it; gives its last append-only file."""
    server = make(data)
    await server.start()
    write(data, COUNT)
    await until_in_file(server)
    os.kill(server.pid, signal.SIGKILL)
    await server.stop()
    return data / "appendonlydir" / "appendonly.aof.1.incr.aof"


async def boot(data: Path) -> tuple[list[int], Telling]:
    """Start on what is there; gives the numbers that survived, and the log."""
    telling = Telling()
    server = make(data, log=telling)
    await server.start()
    with client(server) as answers:
        numbers = [int(fields["n"]) for _, fields in answers.xrange("s")]
    await server.stop()
    return numbers, telling


def copies(data: Path) -> list[Path]:
    return sorted(data.glob("appendonlydir.damaged-*"))


async def test_a_truncated_tail_loses_the_half_command_only(data: Path) -> None:
    file = await filled(data)
    os.truncate(file, file.stat().st_size - 17)
    numbers, telling = await boot(data)
    assert numbers == list(range(COUNT - 1))
    assert copies(data) == []
    assert "redis.damaged" not in telling.events


async def test_zeros_at_the_end_lose_nothing(data: Path) -> None:
    file = await filled(data)
    with file.open("ab") as tail:
        tail.write(bytes(300))
    damaged = file.read_bytes()
    numbers, telling = await boot(data)
    assert numbers == list(range(COUNT))
    (copy,) = copies(data)
    assert (copy / file.name).read_bytes() == damaged
    assert telling.levels["redis.repaired"] == "error"
    assert telling.facts["redis.repaired"]["lost_bytes"] == 300
    assert telling.facts["redis.repaired"]["copy"] == str(copy)


@pytest.mark.parametrize("gaps", [(1,), (2109, 17), (3 * 1024 * 1024, 4096, 1)], ids=str)
async def test_zeros_between_commands_lose_nothing(data: Path, gaps: tuple[int, ...]) -> None:
    file = await filled(data)
    content = file.read_bytes()
    for number, gap in enumerate(gaps, 1):  # after so many commands, from the end
        place = [found.start() for found in re.finditer(rb"\*\d+\r\n\$4\r\nXADD", content)][-7 * number]
        content = content[:place] + bytes(gap) + content[place:]
    file.write_bytes(content)
    numbers, telling = await boot(data)
    assert numbers == list(range(COUNT))
    facts = telling.facts["redis.repaired"]
    assert (facts["gap_bytes"], facts["lost_bytes"]) == (sum(gaps), 0)
    (copy,) = copies(data)
    assert (copy / file.name).read_bytes() == content
    assert "redis.damaged" not in (await boot(data))[1].events


async def test_zeros_inside_a_command_are_not_taken_out_of_it(data: Path) -> None:
    """What followed them would be joined to the beginning of another command."""
    file = await filled(data)
    content = file.read_bytes()
    place = content.index(b"XADD", len(content) // 2)
    before = content.count(b"XADD", 0, place)
    file.write_bytes(content[:place] + bytes(100) + content[place:])
    numbers, telling = await boot(data)
    assert numbers == list(range(before))
    assert telling.facts["redis.repaired"]["gap_bytes"] == 0


async def test_without_room_to_close_a_gap_nothing_is_cut(data: Path) -> None:
    file = await filled(data)
    content = file.read_bytes()
    place = [found.start() for found in re.finditer(rb"\*\d+\r\n\$4\r\nXADD", content)][-7]
    file.write_bytes(content[:place] + bytes(100) + content[place:])
    damaged = file.read_bytes()
    file.with_suffix(".closed").mkdir()  # so that it cannot be written, for root as well
    with pytest.raises(StoreUnfit, match="make room"):
        await make(data).start()
    assert file.read_bytes() == damaged


async def test_flipped_bytes_in_the_middle_lose_what_follows_and_nothing_before(data: Path) -> None:
    file = await filled(data)
    content = bytearray(file.read_bytes())
    place = content.index(b"*", len(content) // 2)  # the head of a command in the middle
    before = content.count(b"XADD", 0, place)
    content[place : place + 4] = bytes(byte ^ 0xFF for byte in content[place : place + 4])
    file.write_bytes(content)
    numbers, _ = await boot(data)
    assert numbers == list(range(before))
    assert before > COUNT // 3
    (copy,) = copies(data)
    assert (copy / file.name).read_bytes() == bytes(content)
    again, telling = await boot(data)
    assert again == numbers
    assert "redis.damaged" not in telling.events


async def test_each_repair_keeps_its_own_copy(data: Path) -> None:
    file = await filled(data)
    for _ in range(2):
        with file.open("ab") as tail:
            tail.write(bytes(100))
        assert (await boot(data))[0] == list(range(COUNT))
    assert len(copies(data)) == 2


@pytest.mark.parametrize("part", ["appendonly.aof.1.base.rdb", "appendonly.aof.manifest"])
async def test_what_no_repair_helps_is_said_and_nothing_is_touched(data: Path, part: str) -> None:
    await filled(data)
    file = data / "appendonlydir" / part
    file.write_bytes(b"VALKEY or not, this is no such file\n" * 4)
    before = {path.name: path.read_bytes() for path in (data / "appendonlydir").iterdir()}
    server = make(data)
    with pytest.raises(StoreUnfit, match=r"cannot read its data.*Nothing was deleted. Restore a backup"):
        await server.start()
    assert {path.name: path.read_bytes() for path in (data / "appendonlydir").iterdir()} == before
    assert servers_on(data) == ()


async def test_without_room_for_the_copy_nothing_is_cut(data: Path) -> None:
    file = await filled(data)
    with file.open("ab") as tail:
        tail.write(bytes(300))
    damaged = file.read_bytes()
    server = make(data, free_bytes=lambda _: 1000)
    with pytest.raises(StoreUnfit, match="make room"):
        await server.start()
    assert file.read_bytes() == damaged
    assert copies(data) == []


async def test_damage_before_the_last_file_is_left_to_a_person(data: Path) -> None:
    """A cut there would leave a hole in the middle of the history."""
    file = await filled(data)
    with file.open("ab") as tail:
        tail.write(bytes(300))
    newer = file.with_name("appendonly.aof.2.incr.aof")
    newer.write_bytes(b"")
    manifest = file.with_name("appendonly.aof.manifest")
    manifest.write_text(manifest.read_text() + f"file {newer.name} seq 2 type i\n")
    with pytest.raises(StoreUnfit, match="not the last of its files"):
        await make(data).start()
    assert file.read_bytes().endswith(bytes(300))
    assert copies(data) == []


async def test_copies_of_damaged_files_are_kept_of_the_last_three_times(data: Path) -> None:
    file = await filled(data)
    before = [data / f"appendonlydir.damaged-2026010{day}T000000.000000Z" for day in (1, 2, 3)]
    for path in before:
        path.mkdir()
    with file.open("ab") as tail:
        tail.write(bytes(300))
    await boot(data)
    assert copies(data)[:2] == before[1:]
    assert len(copies(data)) == 3
