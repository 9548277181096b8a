"""A service in a process of its own on a directory that is kept, and the other side of its network.

The feeds are asked through a proxy, so that their addresses stay the same wherever the stage's server listens: what is
remembered of a feed belongs to its address. Everything goes by way of what watchpost promises to outsiders: commands,
HTTP, files, keys in Redis.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import os
import re
import signal
import socket
import string
import sys
import time
from asyncio.subprocess import PIPE, Process
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import Any
from xml.sax.saxutils import escape

import redis

from tests.http_server import HttpServer, Request
from tests.mail_server import MailServer

SECRET = "whsec_" + "dXBncmFkZS1maXh0dXJlLXNlY3JldC0wMTIzNDU2Nzg="
HOOKS = ("archive", "desk", "evening", "refusing", "busy", "closed")
"""The webhooks of the configuration, each at a path of its name."""


@dataclass(frozen=True, slots=True)
class Post:
    """What a webhook was sent, and what it answered."""

    hook: str
    id: str
    body: bytes
    replays: str
    status: int

    @property
    def stories(self) -> list[dict[str, Any]]:
        """The stories that it tells."""
        found: list[dict[str, Any]] = json.loads(self.body)["data"]["stories"]
        return found

    @property
    def titles(self) -> list[str]:
        """Their headlines."""
        return [story["title"] for story in self.stories]

    @property
    def facts(self) -> dict[str, Any]:
        """It for a manifest."""
        digest = hashlib.sha256(self.body).hexdigest()
        return {"hook": self.hook, "id": self.id, "status": self.status, "titles": self.titles, "sha256": digest}


@dataclass(frozen=True, slots=True)
class Entry:
    """An entry of a feed."""

    id: str
    title: str
    text: str


class Stage:
    """The directory `root` with `config`, and servers on loopback while its `async with` lasts."""

    def __init__(self, root: Path, config: str) -> None:
        """`config` is the text of a configuration in which `${http}`, `${smtp}` and `${web}` stand for ports."""
        self.root, self.data = root, root / "var"
        self.http, self.mail = HttpServer(), MailServer()
        self.posts: list[Post] = []
        self.asked: list[Request] = []
        self.statuses: dict[str, int] = {}
        self.env = {key: value for key, value in os.environ.items() if not key.startswith("WATCHPOST_")}
        self.env["HOOK_SECRET"] = SECRET
        self.store = ""
        self.web = 0
        self._config = config
        self._started: list[Process] = []

    async def __aenter__(self) -> Stage:
        await self.http.__aenter__()
        await self.mail.__aenter__()
        self.web = _free_port()
        for hook in HOOKS:
            self.http.on(f"/{hook}", self._take)
        ports = {"http": self.http.port, "smtp": self.mail.port, "web": self.web}
        (self.root / "watchpost.yaml").write_text(string.Template(self._config).substitute(ports), "utf-8")
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for process in self._started:
            if process.returncode is None:
                process.kill()
                await process.wait()
        with suppress(redis.RedisError), self.client() as client:  # the embedded server outlives who started it
            os.kill(int(client.info("server")["process_id"]), signal.SIGKILL)
        await self.mail.__aexit__(kind, error, trace)
        await self.http.__aexit__(kind, error, trace)

    def feed(self, name: str, entries: Sequence[Entry], *, etag: str = "", modified: str = "") -> None:
        """From now on the feed has these entries and validators; who has them already hears "not modified"."""
        items = "".join(
            f"<item><guid>{entry.id}</guid><title>{escape(entry.title)}</title>"
            f"<link>http://{name}.example.org/{entry.id}</link><description>{escape(entry.text)}</description></item>"
            for entry in entries
        )
        body = f'<rss version="2.0"><channel><title>{name}</title>{items}</channel></rss>'.encode()
        given = {"ETag": etag} if etag else {}
        given |= {"Last-Modified": modified} if modified else {}

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            self.asked.append(request)
            known = (etag and request.headers.get("if-none-match") == etag) or (
                modified and request.headers.get("if-modified-since") == modified
            )
            await _say(writer, 304 if known else 200, given, b"" if known else body)

        self.http.on(_feed(name), answer)

    def failing(self, name: str, status: int) -> None:
        """From now on the feed answers nothing but this."""

        async def answer(request: Request, writer: asyncio.StreamWriter) -> None:
            self.asked.append(request)
            await _say(writer, status, {}, b"")

        self.http.on(_feed(name), answer)

    def requests(self, feed: str) -> list[Request]:
        """What the feed's server was asked for it."""
        return [request for request in self.asked if request.target == _feed(feed)]

    def to(self, *hooks: str) -> list[Post]:
        """What these webhooks were sent."""
        return [post for post in self.posts if post.hook in hooks]

    async def ask(self, *words: str, code: int = 0) -> str:
        """`watchpost …`, as an operator types it; it ends with this exit code. Returns what it printed."""
        process = await self._spawn(words, PIPE, {})
        out, err = await process.communicate()
        assert process.returncode == code, (words, out.decode(), err.decode(), self.log())
        return out.decode()

    async def ask_json(self, *words: str, code: int = 0) -> Any:
        """The same with `--json`."""
        return json.loads(await self.ask(*words, "--json", code=code))

    async def start(self, *words: str, env: Mapping[str, str] | None = None) -> Process:
        """`watchpost run …`; what it says goes to a log file."""
        with (self.root / "log.txt").open("ab") as log:
            process = await self._spawn(("run", *words), log, env or {})
        self._started.append(process)
        return process

    async def stop(self, process: Process) -> None:
        """As a supervisor stops it."""
        process.send_signal(signal.SIGTERM)
        await self.until(lambda: process.returncode is not None, 30)
        assert process.returncode == 0, self.log()

    async def until(self, condition: Callable[[], object], seconds: float = 20) -> None:
        """Wait for something to become true."""
        end = time.monotonic() + seconds
        while not condition():
            assert time.monotonic() < end, f"waited {seconds} s for nothing\n{self.log()}"
            await asyncio.sleep(0.02)

    async def page(self, path: str, form: bytes | None = None) -> int:
        """The status of a page of the running service; with a form it is posted."""
        reader, writer = await asyncio.open_connection("127.0.0.1", self.web)
        kind = "content-type: application/x-www-form-urlencoded\r\n" if form is not None else ""
        head = f"{'GET' if form is None else 'POST'} {path} HTTP/1.1\r\nhost: 127.0.0.1:{self.web}\r\n{kind}"
        writer.write(f"{head}content-length: {len(form or b'')}\r\nconnection: close\r\n\r\n".encode() + (form or b""))
        status = int((await reader.read()).split(b" ")[1])
        writer.close()
        return status

    async def ready(self) -> None:
        """Return when the service answers for itself."""
        end = time.monotonic() + 30
        while True:
            try:
                if await self.page("/readyz") == 200:
                    return
            except OSError:
                pass
            assert time.monotonic() < end, self.log()
            await asyncio.sleep(0.05)

    def client(self) -> redis.Redis:
        """A client of the store that the service uses."""
        near, recorded = self.data / "redis.sock", self.data / "redis.sock.path"
        url = self.store or f"unix://{recorded.read_text().strip() if recorded.exists() else near}"
        return redis.Redis.from_url(url)

    def log(self) -> str:
        """The end of what the services said."""
        path = self.root / "log.txt"
        return path.read_text("utf-8", "replace")[-6000:] if path.exists() else ""

    async def _spawn(self, words: Sequence[str], output: Any, env: Mapping[str, str]) -> Process:
        where = ["--config", str(self.root / "watchpost.yaml"), "--data", str(self.data)]
        store = {"WATCHPOST_REDIS_URL": self.store} if self.store else {}
        return await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "watchpost", *words, *where),
            env={**self.env, **store, **env},
            stdin=asyncio.subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    async def _take(self, request: Request, writer: asyncio.StreamWriter) -> None:
        hook = request.target.strip("/")
        status = self.statuses.get(hook, 200)
        replays = request.headers.get("watchpost-replay", "")
        self.posts.append(Post(hook, request.headers["webhook-id"], request.body, replays, status))
        await _say(writer, status, {}, b"")


def _feed(name: str) -> str:
    """The address of a feed, which a proxy is asked for as a whole."""
    return f"http://{name}.example.org/feed.rss"


def way_out(mail: bytes) -> str:
    """The path with which the reader of a mail leaves."""
    found = re.search(rb"https://watch\.example\.org(/u/[\w.=-]+)", mail.replace(b"=\r\n", b""))
    assert found, mail
    return found[1].decode()


async def _say(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str], body: bytes) -> None:
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    head = f"HTTP/1.1 {status} Said\r\n{lines}Content-Length: {len(body)}\r\nConnection: close\r\n\r\n"
    writer.write(head.encode() + body)
    await writer.drain()


def _free_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])
