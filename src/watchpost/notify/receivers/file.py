"""A directory: each digest as .txt, .html and .json, each file whole or not there."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from contextlib import suppress
from datetime import UTC
from pathlib import Path
from typing import Annotated

from pydantic import BeforeValidator, ValidationInfo, WithJsonSchema, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Options
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import html, payload, plain, sentences

# In the order in which they are written: once the .json exists, the others do.
_SUFFIXES = (("text", ".txt"), ("html", ".html"), ("json", ".json"))
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_JSON_LIMIT = 64 * 1024 * 1024  # bytes; far more than AT_MOST_HITS of one digest need


_MODE = re.compile(r"0?6[046][04]")


def _mode(value: object) -> str:
    if isinstance(value, bool) or not _MODE.fullmatch(str(value)):
        problem = {"value": repr(value)}
        raise PydanticCustomError("mode", "{value} is not the mode of a file; write it like 0640", problem)
    return f"{value:>04}"


class FileOptions(Options):
    """`path`: the directory, created if it is missing; a relative one starts at the configuration's directory.

    `mode`: who may read the files, as chmod(1) writes it. In a directory that is created, the same people may enter.
    """

    path: Path
    mode: Annotated[str, BeforeValidator(_mode), WithJsonSchema({"type": ["string", "integer"]})] = "0600"

    @field_validator("path", mode="after")
    @classmethod
    def _resolve(cls, path: Path, info: ValidationInfo) -> Path:
        if "\0" in str(path):
            raise PydanticCustomError("path", "a path must not contain NUL")
        return Path((info.context or {}).get("base", ".")) / path.expanduser()


class File:
    """Writes three files per digest, named after its time, this receiver and its id."""

    def __init__(self, name: str, options: FileOptions) -> None:
        self.name = name
        self._directory = options.path
        self._mode = int(options.mode, 8)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message with all three files, which have every story."""
        renderings = {
            "json": payload.payload(digest, _JSON_LIMIT),
            "html": html.page(digest, whole=True),
            "text": plain.plain(digest, whole=True),
        }
        named = payload.named_articles(digest.stories)
        return (Message("", sentences.subject(digest), renderings, omitted=digest.omitted, named=named),)

    async def send(self, delivery: Delivery) -> Outcome:
        """Write the files; the same delivery gives the same files with the same bytes."""
        try:
            path = await asyncio.to_thread(self._write, delivery)
        except OSError as error:
            reason = "auth" if isinstance(error, PermissionError) else "unknown"
            return TryLater(reason, f"{self._directory}: {error.strerror or type(error).__name__}")
        return Delivered(f"written to {path}")

    def _write(self, delivery: Delivery) -> Path:
        if not self._directory.exists():
            self._directory.mkdir(parents=True, exist_ok=True)
            self._directory.chmod(0o700 | self._mode & 0o066 | (self._mode & 0o044) >> 2)
        time = delivery.created.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        stem = "-".join((time, _safe(self.name), _safe(delivery.digest)))
        path = self._directory / stem
        for form, suffix in _SUFFIXES:
            path = self._directory / f"{stem}{suffix}"
            _replace(path, delivery.message.renderings[form].encode(), self._mode)
        _sync(self._directory)
        return path


def _safe(name: str) -> str:
    """The name without separators, dots and whatever else a shell or another system treats specially."""
    return _UNSAFE.sub("_", name)[:80] or "_"


def _replace(path: Path, content: bytes, mode: int) -> None:
    """Write a temporary file, flush it to disk and rename it, so that no reader sees half a file."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with os.fdopen(os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            os.fchmod(file.fileno(), mode)
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)


def _sync(directory: Path) -> None:
    """Make the renames durable (POSIX). A directory that cannot be opened is left to the system."""
    with suppress(PermissionError):
        descriptor = os.open(directory, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)


KIND = ReceiverKind("file", FileOptions, lambda name, options, context: File(name, options))
