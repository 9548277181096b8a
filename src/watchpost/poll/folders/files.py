"""Files of a folder become articles: whole, once they have settled; JSON Lines from where the last visit stopped."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from watchpost.documents.parse import Reading, read_document, read_json_lines
from watchpost.documents.parser_process import Parser
from watchpost.documents.results import Failure
from watchpost.errors import FetchError
from watchpost.model import Article
from watchpost.poll.folders.scan import ScannedFile, read_part

ARTICLES_PER_VISIT = 100
TEXT_PER_VISIT = 10_000_000
"""Code points in the articles of one visit, give or take one article: they all are in memory at once."""

_PART_BYTES = 8_000_000
_TAIL_BYTES = 1024
_KEY = "f:"
_FLAWED = "flawed"


@dataclass(frozen=True, slots=True)
class FileRecord:
    """What is kept of a file: its stamp, a digest, and an offset while it is not read to its end.

    For JSON Lines the digest is of the last bytes before the offset, and the offset counts bytes; for other files it is
    of the whole, and the offset counts the articles already read (None: all). `flawed` says that something in a file
    read to its end was cut, replaced or skipped.
    """

    stamp: str
    digest: str
    offset: int | None = None
    flawed: bool = False

    def encode(self) -> str:
        """`size:mtime:inode:digest[:offset]`, or `…:flawed` in the place of the offset."""
        end = [str(self.offset)] if self.offset is not None else [_FLAWED] if self.flawed else []
        return ":".join([self.stamp, self.digest, *end])

    @classmethod
    def decode(cls, text: str) -> FileRecord | None:
        """The record in `text`; None for "" and for what no version of ours wrote."""
        parts = text.split(":")
        flawed = parts[4:] == [_FLAWED]
        numbers = parts[:3] if flawed else [*parts[:3], *parts[4:]]
        if len(parts) not in (4, 5) or not all(number.isdecimal() for number in numbers):
            return None
        return cls(":".join(parts[:3]), parts[3], int(parts[4]) if len(numbers) == 4 else None, flawed)


class FolderMemory:
    """What is kept of a folder: a record of each file, by the path as it is shown. `texts` is what the store has."""

    def __init__(self, texts: Mapping[str, str]) -> None:
        self._texts = texts

    def record(self, path: str) -> FileRecord | None:
        """What is kept of one file. Decoded on demand: a folder may have 100,000."""
        return FileRecord.decode(self._texts.get(_KEY + path, ""))

    def digests(self) -> dict[str, bool]:
        """Of every file read to its end: its digest, and whether it was flawed."""
        records = (FileRecord.decode(text) for key, text in self._texts.items() if key.startswith(_KEY))
        return {record.digest: record.flawed for record in records if record is not None and record.offset is None}

    def vanished(self, files: list[ScannedFile]) -> list[str]:
        """The paths of files that are gone; none if all are: then it is the disk that is gone."""
        here = {_KEY + file.shown for file in files}
        gone = (key for key in self._texts if key.startswith(_KEY) and key not in here)
        return [key.removeprefix(_KEY) for key in gone] if here else []


@dataclass(slots=True)
class FolderVisit:
    """What a visit has gathered so far. `digests` are FolderMemory's, and those of this visit.

    `changes` are the records to keep once the visit is committed, None to forget a file; `unfinished` are files of
    which more is to be read in the next visit.
    """

    memory: FolderMemory
    now: datetime
    digests: dict[str, bool]
    articles: list[Article] = field(default_factory=list)
    changes: dict[str, FileRecord | None] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    unfinished: list[ScannedFile] = field(default_factory=list)
    more: bool = False

    @property
    def room(self) -> int:
        """How many articles still fit in."""
        text = sum(len(article.body) + len(article.summary) for article in self.articles)
        return ARTICLES_PER_VISIT - len(self.articles) if text < TEXT_PER_VISIT else 0

    def before(self, file: ScannedFile) -> FileRecord | None:
        """What was kept of this file when the visit began."""
        return self.memory.record(file.shown)

    def keep(self, file: ScannedFile, record: FileRecord) -> None:
        """Keep this of the file, once the visit is committed."""
        self.changes[file.shown] = record
        if record.offset is None:
            self.digests[record.digest] = record.flawed

    def changes_as_text(self) -> dict[str, str]:
        """What to write to the store; "" deletes a key."""
        return {_KEY + path: record.encode() if record else "" for path, record in self.changes.items()}


class FileReader:
    """Reads files under `root` into a FolderVisit. `source` is the folder's name."""

    def __init__(
        self, root: Path, parser: Parser, *, source: str, lang: str = "", encoding: str = "", max_bytes: int
    ) -> None:
        self._root = root
        self._parser = parser
        self._source = source
        self._lang = lang
        self._encoding = encoding
        self._max_bytes = max_bytes

    async def read(self, file: ScannedFile, visit: FolderVisit) -> tuple[Failure, ...] | None:
        """Add what is new in the file to the visit. Returns the failures of a file of which nothing could be read.

        None: it was read, or was not to be read now. Raises OSError.
        """
        try:
            return await (self._read_lines(file, visit) if file.grows else self._read_whole(file, visit))
        except FetchError as error:
            return (Failure(file.shown, error.reason, error.detail),)

    async def _read_whole(self, file: ScannedFile, visit: FolderVisit) -> tuple[Failure, ...] | None:
        if file.size > self._max_bytes:
            raise FetchError("too_large", f"{file.size:,} bytes; max_bytes is {self._max_bytes:,}")
        data = await asyncio.to_thread(read_part, self._root, file)
        if data is None:
            return None  # written to since the scan: the next one sees it
        digest = hashlib.sha256(data).hexdigest()[:32]
        before = visit.before(file)
        if digest in visit.digests:  # a file that was moved or copied
            visit.keep(file, FileRecord(file.stamp, digest, flawed=visit.digests[digest]))
            return None
        reading = await self._parser.run(
            read_document,
            file.shown,
            data,
            now=visit.now,
            source=self._source,
            lang=self._lang,
            encoding=self._encoding,
            revised=before is not None and before.digest != digest,
        )
        if reading.failures and not reading.articles:
            return reading.failures
        start = (before.offset or 0) if before and before.digest == digest else 0
        articles = reading.articles[start : start + visit.room]
        end = start + len(articles)
        unfinished = end < len(reading.articles)
        visit.articles += articles
        visit.failures += reading.failures if not start else ()
        visit.keep(file, FileRecord(file.stamp, digest, end if unfinished else None, flawed=bool(reading.failures)))
        if unfinished:
            visit.unfinished.append(file)
        return None

    async def _read_lines(self, file: ScannedFile, visit: FolderVisit) -> tuple[Failure, ...] | None:
        """The complete lines after those already read; from the start if this is another file, or a shorter one."""
        before = visit.before(file)
        offset = (before.offset or 0) if before and before.stamp.rpartition(":")[2] == str(file.inode) else 0
        if offset > file.size:
            offset = 0
        tail = min(offset, _TAIL_BYTES)
        data = await asyncio.to_thread(read_part, self._root, file, offset - tail, tail + _PART_BYTES)
        if data is None:
            return None
        if offset and before and _tail_digest(data[:tail]) != before.digest:  # rewritten in place
            offset, tail = 0, 0
            data = await asyncio.to_thread(read_part, self._root, file, 0, _PART_BYTES) or b""
        reading: Reading = await self._parser.run(
            read_json_lines,
            file.shown,
            data[tail:],
            visit.now,
            source=self._source,
            lang=self._lang,
            limit=visit.room,
            start=offset,
        )
        if not reading.consumed:
            return ()  # half a line: until the file changes
        end = tail + reading.consumed
        visit.articles += reading.articles
        visit.failures += reading.failures
        digest = _tail_digest(data[:end][-_TAIL_BYTES:])
        visit.keep(file, FileRecord(file.stamp, digest, offset + reading.consumed))
        if offset + reading.consumed < file.size:
            visit.unfinished.append(file)
        return None


def _tail_digest(tail: bytes) -> str:
    return hashlib.sha256(tail).hexdigest()[:32]
