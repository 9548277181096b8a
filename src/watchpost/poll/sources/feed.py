"""Feeds: RSS, Atom and JSON Feed over HTTP, with conditional requests.

RFC 9110, 13 for the validators, RFC 9111, 5.2 for max-age; a well-behaved reader sends back exactly what it got.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from collections.abc import Mapping
from datetime import datetime, timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from watchpost.errors import FetchError
from watchpost.plan.fields import Duration, Network, Options, Secret
from watchpost.plan.schema import Several, Tag
from watchpost.poll.documents.read import Reading, read_feed_document
from watchpost.poll.due import LONGEST
from watchpost.poll.fetcher import Fetched, Fetcher, HttpFetcher, Validators
from watchpost.poll.source import Kind, Parser, Visit, Workshop

_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_MAX_AGE = re.compile(r"(?:^|[\s,])max-age\s*=\s*\"?(\d{1,12})", re.IGNORECASE)
_NOT_OURS = frozenset({"host", "content-length", "transfer-encoding", "connection", "accept-encoding", "if-none-match"})


def _web_address(url: str) -> str:
    try:
        parts = urlsplit(url)
        usable = (
            parts.scheme in ("http", "https") and parts.hostname and (parts.port or 1) and not re.search(r"\s", url)
        )
    except ValueError:
        usable = False
    if not usable:
        raise PydanticCustomError("feed_url", "a feed's url begins with http:// or https:// and names a host")
    if parts.username or parts.password:
        raise PydanticCustomError("feed_url_secret", "a password has no place in a url: use headers with {env: NAME}")
    return url


def _header_names(headers: Mapping[str, str | Secret]) -> Mapping[str, str | Secret]:
    for name, value in headers.items():
        if not re.fullmatch(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+", name) or name.lower() in _NOT_OURS:
            raise PydanticCustomError("feed_header", "{name} cannot be set as a header", {"name": name})
        text = value.reveal() if isinstance(value, Secret) else value
        if not text.isascii() or not text.isprintable():
            raise PydanticCustomError("feed_header_value", "{name}: only printable ASCII", {"name": name})
    return headers


class FeedOptions(Options):
    """What an operator may say about a feed."""

    url: Annotated[str, AfterValidator(_web_address)]
    every: Duration = Field(timedelta(minutes=10), gt=timedelta(0))
    timeout: Duration = Field(timedelta(seconds=20), gt=timedelta(0))
    lang: str = ""
    headers: Annotated[Mapping[str, str | Secret], AfterValidator(_header_names)] = Field(default_factory=dict)
    allow_private: tuple[Network, ...] = ()
    max_items: int = Field(200, ge=1, le=10_000)
    tags: Several[Tag] = ()
    weight: float = Field(1.0, gt=0, le=100)


FULL_READ_EVERY = timedelta(days=3)
"""Less than half of the shortest `retention.dedup` that the configuration allows."""


class Feed:
    """One feed. Its memory: `url`, `final` (where the answer came from), `etag`, `modified`, `body` (SHA-256), `read`.

    `read` is when the whole feed was last read. "Not modified" tells nobody that its entries are still there; so
    that they are not forgotten and announced anew, the feed is read whole each FULL_READ_EVERY.
    """

    shared = True

    def __init__(self, name: str, options: FeedOptions, parser: Parser, fetcher: Fetcher) -> None:
        self.name = name
        self.every = options.every
        self._options = options
        self._parser = parser
        self._fetcher = fetcher

    async def visit(self, memory: Mapping[str, str], now: datetime) -> Visit:
        """One conditional GET. Validators are remembered only with a body that could be read."""
        known = memory if memory.get("url") == self._options.url and not _stale(memory, now) else {}
        try:
            answer = await self._fetcher.get(
                self._options.url,
                headers=self._headers(),
                validators=Validators(
                    known.get("final") or self._options.url, known.get("etag", ""), known.get("modified", "")
                ),
                timeout=self._options.timeout,
            )
            return await self._read(answer, known, now)
        except FetchError as error:
            after = error.retry_after_seconds
            wait = None if after is None else min(max(timedelta(0), timedelta(seconds=min(after, 1e6))), LONGEST)
            return Visit("failed", reason=error.reason, detail=error.detail, wait=wait)

    async def rest(self) -> None:
        """Feeds are visited when they are due; nobody rests on one. Sleeps for `every`."""
        await asyncio.sleep(self.every.total_seconds())

    async def close(self) -> None:
        """Nothing stays open between visits."""

    async def _read(self, answer: Fetched, known: Mapping[str, str], now: datetime) -> Visit:
        wait = _asked_for(answer.headers)
        memory = self._memory(answer, known)
        if answer.status == 304:
            return Visit("unchanged", memory=memory, wait=wait, detail=_moved(answer))
        digest = hashlib.sha256(answer.body).hexdigest()
        if digest == known.get("body"):
            return Visit("unchanged", memory=memory, wait=wait, detail=_moved(answer))
        reading = await self._parse(answer, now)
        detail = "; ".join(part for part in (reading.note, _moved(answer)) if part)
        return Visit(
            "read",
            reading.articles,
            memory | {"body": digest, "read": now.isoformat(timespec="seconds")},
            wait=wait,
            failures=reading.failures,
            detail=detail,
        )

    async def _parse(self, answer: Fetched, now: datetime) -> Reading:
        if not answer.body.strip():
            raise FetchError("empty", "the answer has no content")
        charset = _CHARSET.search(answer.headers.get("content-type", ""))
        return await self._parser.run(
            read_feed_document,
            answer.body,
            now=now,
            source=self.name,
            url=answer.url,
            charset=charset[1] if charset else "",
            lang=self._options.lang,
            limit=self._options.max_items,
        )

    def _memory(self, answer: Fetched, known: Mapping[str, str]) -> dict[str, str]:
        """What to send next time, byte for byte. A 304 may bring new validators, and need not repeat old ones."""
        kept = known if answer.status == 304 else {}
        return {
            "url": self._options.url,
            "final": answer.url if answer.url != self._options.url else "",
            "etag": answer.headers.get("etag", kept.get("etag", "")),
            "modified": answer.headers.get("last-modified", kept.get("modified", "")),
        }

    def _headers(self) -> dict[str, str]:
        return {
            name: value.reveal() if isinstance(value, Secret) else value
            for name, value in self._options.headers.items()
        }


def _asked_for(headers: Mapping[str, str]) -> timedelta | None:
    """How long the answer says it stays fresh: max-age less Age, at most 24 h; None if it does not say."""
    match = _MAX_AGE.search(headers.get("cache-control", ""))
    if match is None:
        return None
    age = headers.get("age", "").strip()
    seconds = int(match[1]) - (int(age) if age.isascii() and age.isdigit() and len(age) < 12 else 0)
    return timedelta(seconds=min(max(seconds, 0), LONGEST.total_seconds()))


def _stale(memory: Mapping[str, str], now: datetime) -> bool:
    """The feed was not read whole for long. (A time ahead of us was written while a clock was wrong.)"""
    try:
        age = now - datetime.fromisoformat(memory.get("read", ""))
    except ValueError:
        return False
    return age > FULL_READ_EVERY or age < -FULL_READ_EVERY


def _moved(answer: Fetched) -> str:
    return f"moved for good to {answer.moved_to}" if answer.moved_to else ""


def build(name: str, options: FeedOptions, workshop: Workshop) -> Feed:
    """A feed source; nothing is opened before the first visit."""
    fetcher = HttpFetcher(user_agent=workshop.user_agent, allow_private=options.allow_private)
    return Feed(name, options, workshop.parser, fetcher)


KIND = Kind("feed", FeedOptions, build)
