"""The receivers of this machine: terminal and directory."""

from __future__ import annotations

import asyncio
import io
import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from pydantic import ValidationError

from tests.notify.digests import delivery, digest, report, story, usual
from watchpost.model import Delivered, Digest, TryLater
from watchpost.notify.receivers import collect, kinds
from watchpost.notify.receivers.console import Console, ConsoleOptions
from watchpost.notify.receivers.file import File, FileOptions
from watchpost.notify.render import payload


class Terminal(io.StringIO):
    """A terminal with people in front of it, or a pipe."""

    def __init__(self, tty: bool) -> None:
        super().__init__()
        self._tty = tty

    def isatty(self) -> bool:
        return self._tty


def test_two_kinds_of_one_name_are_refused() -> None:
    kind = kinds()["file"]
    assert list(collect([kind])) == ["file"]
    with pytest.raises(ValueError, match="'file'"):
        collect([kind, kind])


@pytest.mark.parametrize(
    ("color", "tty", "no_color", "coloured"),
    [
        ("auto", True, "", True),
        ("auto", False, "", False),
        ("auto", True, "1", False),
        ("always", False, "1", True),
        ("never", True, "", False),
    ],
)
async def test_colours_are_for_people_at_a_terminal(
    color: str, tty: bool, no_color: str, coloured: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NO_COLOR", no_color)
    monkeypatch.setenv("TERM", "xterm-256color")
    terminal = Terminal(tty)
    console = Console("desk", ConsoleOptions.model_validate({"color": color}), terminal)
    (message,) = console.render(usual())
    assert await console.send(delivery(message)) == Delivered("written to the terminal")
    assert ("\x1b[1;33mWagner" in terminal.getvalue()) is coloured
    assert ("**Wagner**" in terminal.getvalue()) is not coloured


async def test_a_terminal_of_few_letters_gets_question_marks() -> None:
    raw = io.BytesIO()
    terminal = io.TextIOWrapper(raw, encoding="ascii")
    console = Console("desk", ConsoleOptions(), terminal)
    (message,) = console.render(usual())
    assert isinstance(await console.send(delivery(message)), Delivered)
    assert b"Explosion near Gao base" in raw.getvalue()
    assert b"???" in raw.getvalue()


async def test_a_terminal_that_nobody_reads_does_not_stop_the_service() -> None:
    out, into = os.pipe()
    with os.fdopen(into, "w") as terminal:
        console = Console("desk", ConsoleOptions(), terminal)
        (message,) = console.render(usual())
        big = message.renderings["text"] * 200  # more than a pipe holds
        full = delivery(replace(message, renderings={"text": big}))
        first = asyncio.ensure_future(console.send(full))
        while console._writing is None:
            await asyncio.sleep(0)
        assert await console.send(full) == TryLater("timeout", "the terminal does not accept output")
        with os.fdopen(out, "rb") as reading:
            taken = await asyncio.to_thread(reading.read, len(big.encode()) + 1)
            assert await first == Delivered("written to the terminal")
    assert taken.decode() == big + "\n"


def options(path: str, base: Path) -> FileOptions:
    return FileOptions.model_validate({"path": path}, context={"base": base, "env": {}})


async def test_three_files_per_digest_named_by_time_receiver_and_id(tmp_path: Path) -> None:
    receiver = File("desk", options("out/box", tmp_path))
    sample: Digest = usual()
    (message,) = receiver.render(sample)
    await receiver.send(delivery(message))
    stem = f"20261123T080000Z-desk-{'7f3a' * 8}"
    names = sorted(path.name for path in (tmp_path / "out" / "box").iterdir())
    assert names == [f"{stem}.html", f"{stem}.json", f"{stem}.txt"]
    raw = (tmp_path / "out" / "box" / f"{stem}.json").read_bytes()
    assert raw.decode() == payload.payload(sample)
    assert json.loads(raw)["id"] == f"dg_{sample.id}"
    before = {path.name: path.read_bytes() for path in (tmp_path / "out" / "box").iterdir()}
    assert isinstance(await receiver.send(delivery(message, attempt=2)), Delivered)
    assert {path.name: path.read_bytes() for path in (tmp_path / "out" / "box").iterdir()} == before


async def test_the_files_have_every_story(tmp_path: Path) -> None:
    stories = [story(number, lead=report(f"Headline {number}.")) for number in range(450)]
    (message,) = File("out", FileOptions(path=tmp_path)).render(digest(*stories))
    assert message.omitted == 0
    assert all(f"Headline {number}." in message.renderings["text"] for number in range(450))
    assert all(f"Headline {number}." in message.renderings["html"] for number in range(450))
    assert len(json.loads(message.renderings["json"])["data"]["stories"]) == 450


async def test_a_name_cannot_leave_the_directory(tmp_path: Path) -> None:
    receiver = File("../../etc/crön\x00 -rf", options("box", tmp_path))
    (message,) = receiver.render(usual())
    assert isinstance(await receiver.send(delivery(message)), Delivered)
    assert {path.parent for path in tmp_path.rglob("*.json")} == {tmp_path / "box"}
    assert [path.name for path in tmp_path.iterdir()] == ["box"]


async def test_a_directory_that_cannot_be_made_is_for_later(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    receiver = File("desk", options("file/box", tmp_path))
    (message,) = receiver.render(usual())
    outcome = await receiver.send(delivery(message))
    assert isinstance(outcome, TryLater)
    assert "Not a directory" in outcome.detail


async def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    receiver = File("desk", options(".", tmp_path))
    (message,) = receiver.render(usual())
    (tmp_path / f"20261123T080000Z-desk-{'7f3a' * 8}.txt").mkdir()  # the rename will fail
    assert isinstance(await receiver.send(delivery(message)), TryLater)
    assert [path.suffix for path in tmp_path.iterdir()] == [".txt"]


@pytest.mark.parametrize(
    ("options", "file_mode", "directory_mode"),
    [
        ({}, 0o600, 0o700),
        ({"mode": 640}, 0o640, 0o750),
        ({"mode": "0644"}, 0o644, 0o755),
        ({"mode": 660}, 0o660, 0o770),
    ],
)
async def test_files_are_for_their_owner_unless_a_mode_says_otherwise(
    tmp_path: Path, options: dict[str, object], file_mode: int, directory_mode: int
) -> None:
    path = tmp_path / "new"
    receiver = File("files", FileOptions.model_validate({"path": str(path), **options}))
    (message,) = receiver.render(usual())
    before = os.umask(0o077)
    try:
        assert isinstance(await receiver.send(delivery(message)), Delivered)
    finally:
        os.umask(before)
    assert {file.stat().st_mode & 0o777 for file in path.iterdir()} == {file_mode}
    assert path.stat().st_mode & 0o777 == directory_mode


async def test_a_directory_that_exists_keeps_its_mode(tmp_path: Path) -> None:
    tmp_path.chmod(0o755)
    receiver = File("files", FileOptions(path=tmp_path))
    (message,) = receiver.render(usual())
    assert isinstance(await receiver.send(delivery(message)), Delivered)
    assert tmp_path.stat().st_mode & 0o777 == 0o755


@pytest.mark.parametrize("mode", [777, "rw-r-----", 416, True, 604.0, "0444", "00640", None])
def test_a_mode_is_what_chmod_takes(mode: object) -> None:
    with pytest.raises(ValidationError, match="write it like 0640"):
        FileOptions.model_validate({"path": "out", "mode": mode})
