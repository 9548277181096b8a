"""Bad neighbours: each failure is said with its reason, counted, and stops nobody else."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

from tests.http_server import Answer, HttpServer, hang

GOOD = b"""<rss version="2.0"><channel><title>Good</title><item><guid>1</guid><title>Mali talks</title>
<description>Talks in Mali.</description></item></channel></rss>"""
LAUGHS = (
    b'<?xml version="1.0"?><!DOCTYPE lolz [<!ENTITY a "lol">'
    + b"".join(b'<!ENTITY %c "%s">' % (c, b"&%c;" % (c - 1) * 10) for c in range(ord("b"), ord("k")))
    + b"]><rss version='2.0'><channel><title>&j;</title><item><title>&j;</title></item></channel></rss>"
)


async def half() -> AsyncIterator[bytes]:
    """A body that breaks off."""
    yield GOOD[:60]


FEEDS = {
    "html": Answer(200, {"content-type": "text/html"}, b"<!doctype html><html><body>No feed here</body></html>"),
    "missing": Answer(404),
    "truncated": Answer(200, {"Content-Length": "100000"}, chunks=half),
    "laughs": Answer(200, body=LAUGHS),
    "empty": Answer(200, body=b""),
    "good": Answer(200, body=GOOD),
}


async def test_each_is_told_and_the_good_ones_are_read(tmp_path: Path) -> None:
    drop = tmp_path / "drop"
    drop.mkdir()
    (drop / "binary.txt").write_bytes(os.urandom(4096))
    (drop / "empty.txt").touch()
    with (drop / "huge.txt").open("wb") as huge:
        huge.truncate(50 * 1024 * 1024)
    (drop / "broken.pdf").write_bytes(b"%PDF-1.7\nthis is not one\n")
    (drop / "good.txt").write_text("Bamako votes\n\nMali votes on Sunday, the commission said in this sample.\n")
    async with HttpServer() as http:
        for name, answer in FEEDS.items():
            http.on(f"/{name}", answer)
        http.on("/hangs", hang)
        feeds = "".join(
            f"  {name}: {{url: '{http.url(f'/{name}')}', timeout: 2s, allow_private: [127.0.0.0/8]}}\n"
            for name in (*FEEDS, "hangs")
        )
        (tmp_path / "watchpost.yaml").write_text(
            f"version: 1\nfeeds:\n{feeds}  nowhere: {{url: 'http://127.0.0.1:9/', timeout: 2s}}\n"
            "folders: {drop: drop}\ntopics: {mali: mali}\nreceivers: {out: {type: file, path: out}}\n"
            "routes: [{to: out, digest: {every: 1h}}]\n"
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchpost", "run", "--once", "--config", "watchpost.yaml", "--data", "data"),
            cwd=tmp_path,
            env={**os.environ, "WATCHPOST_LOG_FORMAT": "json"},
            stderr=asyncio.subprocess.PIPE,
        )
        _, said = await asyncio.wait_for(process.communicate(), 60)
    assert process.returncode == 0, said.decode()
    lines = [json.loads(line) for line in said.splitlines()]
    feeds_failed = {line["source"]: line["reason"] for line in lines if line["event"] == "source.failed"}
    assert feeds_failed == {
        "html": "not_a_feed",
        "missing": "not_found",
        "truncated": "truncated",
        "empty": "empty",
        "laughs": "malformed",
        "hangs": "timeout",
        "nowhere": "blocked",
    }
    items = {line["item"]: line["reason"] for line in lines if line["event"] == "source.item_failed"}
    assert set(items) == {"binary.txt", "empty.txt", "huge.txt", "broken.pdf"}
    assert items["huge.txt"] == "too_large"
    assert items["binary.txt"] == "binary"
    (edition,) = (tmp_path / "out").glob("*.json")
    data = json.loads(edition.read_text())["data"]
    assert {story["title"] for story in data["stories"]} == {"Mali talks", "Bamako votes"}
    assert {unread["source"] for unread in data["unread"]} == set(feeds_failed), "the edition says what is missing"
