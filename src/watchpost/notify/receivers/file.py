"""A directory: each digest as .txt, .html and .json, each file whole or not there."""

from __future__ import annotations

import asyncio
import os
import re
import secrets
from contextlib import suppress
from datetime import UTC
from pathlib import Path

from pydantic import ValidationInfo, field_validator
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Options
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater
from watchpost.notify.receiver import ReceiverKind
from watchpost.notify.render import html, payload, plain, sentences

# In the order in which they are written: once the .json exists, the others do.
_SUFFIXES = (("text", ".txt"), ("html", ".html"), ("json", ".json"))
_UNSAFE = re.compile(r"[^A-Za-z0-9_-]+")
_JSON_LIMIT = 64 * 1024 * 1024  # bytes; far more than AT_MOST_HITS of one digest need


class FileOptions(Options):
    """`path`: the directory, created if it is missing; a relative one starts at the configuration's directory."""

    path: Path

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
        self._directory.mkdir(parents=True, exist_ok=True)
        time = delivery.created.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
        stem = "-".join((time, _safe(self.name), _safe(delivery.digest)))
        path = self._directory / stem
        for form, suffix in _SUFFIXES:
            path = self._directory / f"{stem}{suffix}"
            _replace(path, delivery.message.renderings[form].encode())
        _sync(self._directory)
        return path


def _safe(name: str) -> str:
    """The name without separators, dots and whatever else a shell or another system treats specially."""
    return _UNSAFE.sub("_", name)[:80] or "_"


def _replace(path: Path, content: bytes) -> None:
    """Write a temporary file, flush it to disk and rename it, so that no reader sees half a file."""
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as file:
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
