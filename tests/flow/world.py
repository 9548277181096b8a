"""The other side of the network for the flow tests: a feed, and an inbox that checks every signature."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler
from types import MappingProxyType
from typing import ClassVar

from standardwebhooks import Webhook

from tests.documents import list_pages

SECRET = "whsec_" + "d2F0Y2hwb3N0LXRlc3RzLXNlY3JldC0wMTIzNDU2Nzg5"


@dataclass
class World:
    """The other side of the network: `published` titles in a feed at /feed, and an inbox at /hook."""

    published: list[str] = field(default_factory=list)
    dropped: list[str] = field(default_factory=list)
    got: list[tuple[str, bytes]] = field(default_factory=list)
    fetches: list[float] = field(default_factory=list)
    window: int = 0  # only so many of the newest are in the feed; 0: all
    status: int = 200
    answers: list[tuple[int, dict[str, str]]] = field(default_factory=list)  # the next ones, before `status`
    posts: list[tuple[float, str, int]] = field(default_factory=list)  # when, which delivery, what was answered
    ops: list[bytes] = field(default_factory=list)
    replayed: list[str] = field(default_factory=list)  # what `watchpost-replay` said, where it was there
    hook_delay: float = 0.0
    hook_delays: list[float] = field(default_factory=list)  # the next ones, before `hook_delay`
    feed_delays: list[float] = field(default_factory=list)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def feed(self) -> bytes:
        """The feed as RSS 2.0."""
        with self.lock:
            items = "".join(
                f"<item><guid>{title}</guid><title>{title}</title><link>https://example.org/{title}</link>"
                f"<description>{title}: talks in Mali go on</description></item>"
                for title in self.published[-self.window :]
            )
        return f'<rss version="2.0"><channel><title>World</title>{items}</channel></rss>'.encode()

    def everything(self) -> list[str]:
        """Every title that there is to tell."""
        with self.lock:
            return [*self.published, *self.dropped]

    def told(self) -> list[str]:
        """Every title in every delivery, in the order of arrival; repeats of one delivery count once."""
        with self.lock:
            bodies = dict(self.got)
        return [title for body in bodies.values() for title in titles(body)]


def titles(body: bytes) -> tuple[str, ...]:
    """The titles in one delivery, in its order."""
    return tuple(story["title"] for story in json.loads(body)["data"]["stories"])


class Handler(BaseHTTPRequestHandler):
    world: ClassVar[World]

    def do_GET(self) -> None:
        with self.world.lock:
            self.world.fetches.append(time.monotonic())
            delay = self.world.feed_delays.pop(0) if self.world.feed_delays else 0
        time.sleep(delay)
        self._answer(200, list_pages.ministry() if self.path == "/press" else self.world.feed())

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        Webhook(SECRET).verify(body, {key.lower(): value for key, value in self.headers.items()})
        if b'"test":true' in body:
            self._answer(self.world.status, b"")
            return
        self.world.replayed += self.headers.get_all("watchpost-replay", [])
        if self.path == "/ops":
            self.world.ops.append(body)
            self._answer(200, b"")
            return
        delay = self.world.hook_delay
        with self.world.lock:
            delay = self.world.hook_delays.pop(0) if self.world.hook_delays else delay
            status, headers = self.world.answers.pop(0) if self.world.answers else (self.world.status, {})
            self.world.posts.append((time.monotonic(), self.headers["webhook-id"], status))
            if status == 200:
                self.world.got.append((self.headers["webhook-id"], body))
        time.sleep(delay)
        self._answer(status, b"", headers)

    def _answer(self, status: int, body: bytes, headers: Mapping[str, str] = MappingProxyType({})) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
        pass
