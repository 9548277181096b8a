"""One file of a folder becomes articles: whole, once it has settled; JSON Lines from where the last visit stopped."""

from __future__ import annotations

import asyncio
import hashlib
from pathlib import Path, PurePosixPath

from watchpost.errors import FetchError
from watchpost.poll.documents.read import LINE_SUFFIXES, Reading, read_document, read_json_lines
from watchpost.poll.folders.haul import Haul
from watchpost.poll.folders.scan import read_part
from watchpost.poll.folders.settling import Look, Record
from watchpost.poll.source import Failure, Parser

_PART_BYTES = 8_000_000
_TAIL_BYTES = 1024


class FileReader:
    """Reads the files under `root` into hauls. `source` is the folder's name."""

    def __init__(
        self, root: Path, parser: Parser, *, source: str, lang: str = "", encoding: str = "", max_bytes: int
    ) -> None:
        self._root = root
        self._parser = parser
        self._source = source
        self._lang = lang
        self._encoding = encoding
        self._max_bytes = max_bytes

    async def read(self, look: Look, haul: Haul) -> tuple[Failure, ...] | None:
        """Add what is new in the file to `haul`. The failures of a file of which nothing could be read.

        None: it was read, or was not to be read now. Raises OSError.
        """
        try:
            return await (self._lines(look, haul) if grows(look) else self._whole(look, haul))
        except FetchError as error:
            return (Failure(look.shown, error.reason, error.detail),)

    async def _whole(self, look: Look, haul: Haul) -> tuple[Failure, ...] | None:
        if look.size > self._max_bytes:
            raise FetchError("too_large", f"{look.size:,} bytes; max_bytes is {self._max_bytes:,}")
        data = await asyncio.to_thread(read_part, self._root, look)
        if data is None:
            return None  # written to since the scan: the next look sees it
        digest = hashlib.sha256(data).hexdigest()[:32]
        before = haul.before(look)
        if digest in haul.digests:
            haul.note(look, Record(look.stamp, digest, flawed=haul.digests[digest]))
            return None
        reading = await self._parser.run(
            read_document,
            look.shown,
            data,
            now=haul.now,
            source=self._source,
            lang=self._lang,
            encoding=self._encoding,
            revised=before is not None and before.digest != digest,
        )
        if reading.failures and not reading.articles:
            return reading.failures
        start = (before.offset or 0) if before and before.digest == digest else 0
        part = reading.articles[start : start + haul.room]
        end = start + len(part)
        unfinished = end < len(reading.articles)
        haul.articles += part
        haul.failures += reading.failures if not start else ()
        haul.note(look, Record(look.stamp, digest, end if unfinished else None, flawed=bool(reading.failures)))
        if unfinished:
            haul.unfinished.append(look)
        return None

    async def _lines(self, look: Look, haul: Haul) -> tuple[Failure, ...] | None:
        """The complete lines after those already read; from the start if this is another file, or a shorter one."""
        before = haul.before(look)
        offset = (before.offset or 0) if before and before.stamp.rpartition(":")[2] == str(look.inode) else 0
        if offset > look.size:
            offset = 0
        tail = min(offset, _TAIL_BYTES)
        data = await asyncio.to_thread(read_part, self._root, look, offset - tail, tail + _PART_BYTES)
        if data is None:
            return None
        if offset and before and _tail_digest(data[:tail]) != before.digest:  # rewritten in place
            offset, tail = 0, 0
            data = await asyncio.to_thread(read_part, self._root, look, 0, _PART_BYTES) or b""
        reading: Reading = await self._parser.run(
            read_json_lines,
            look.shown,
            data[tail:],
            haul.now,
            source=self._source,
            lang=self._lang,
            limit=haul.room,
            start=offset,
        )
        if not reading.consumed:
            return ()  # half a line: until the file changes
        end = tail + reading.consumed
        haul.articles += reading.articles
        haul.failures += reading.failures
        haul.note(look, Record(look.stamp, _tail_digest(data[:end][-_TAIL_BYTES:]), offset + reading.consumed))
        if offset + reading.consumed < look.size:
            haul.unfinished.append(look)
        return None


def grows(look: Look) -> bool:
    """JSON Lines are read while they grow: a complete line is complete."""
    return PurePosixPath(look.path).suffix.lower() in LINE_SUFFIXES


def _tail_digest(tail: bytes) -> str:
    return hashlib.sha256(tail).hexdigest()[:32]
