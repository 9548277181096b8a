"""Proposals for a topic out of the verdicts that the store keeps, and the change of the file that a person asks for."""

from __future__ import annotations

import asyncio
import os
import tempfile
from pathlib import Path
from typing import Literal

from watchpost.config.config import Config
from watchpost.config.routes import parsed
from watchpost.config.topic_edit import edited
from watchpost.errors import WatchpostError
from watchpost.match.suggestion import Proposal, suggest
from watchpost.model import HitVerdict, Topic
from watchpost.operations.tuning import recent_articles
from watchpost.store.client import Store
from watchpost.store.verdicts import Verdicts


async def proposals(config: Config, store: Store, topic: Topic) -> tuple[tuple[Proposal, ...], tuple[HitVerdict, ...]]:
    """What is proposed for the topic, the best first, and the verdicts that it is made of. Raises StoreError."""
    verdicts = await Verdicts(store).of(topic.name)
    articles = await recent_articles(store)
    entities = tuple(config.written.entities)
    found = await asyncio.to_thread(
        lambda: suggest(topic, verdicts, articles, lambda text, more: parsed(text, config.written, more), entities)
    )
    return found, verdicts


def write(config: Config, topic: str, proposal: Proposal) -> Path:
    """Write the proposal into the file that defines the topic, and return the file. All comments stay.

    Raises WatchpostError if a person has to do it.
    """
    if proposal.kind == "entity":
        cure = f"add to entities.{proposal.entity}.unless: {proposal.text}"
        raise WatchpostError(f"the guard of an entity is not written by a program; {cure}")
    key: Literal["query", "exclude"] = "exclude" if proposal.kind == "exclude" else "query"
    problem = f"no file of the configuration defines the topic {topic}"
    for path in config.written.files:
        if not path.is_file():
            continue
        text = path.read_bytes().decode("utf-8")
        try:
            changed = edited(text, str(path), topic, key, proposal.text)
        except WatchpostError as error:
            if "does not define" in str(error):
                continue
            raise
        _replace(path, changed)
        return path
    raise WatchpostError(problem)


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all, with the mode that it has."""
    real = path.resolve()
    descriptor, name = tempfile.mkstemp(dir=real.parent, prefix=f".{real.name}.")
    try:
        with os.fdopen(descriptor, "wb") as new:
            new.write(text.encode("utf-8"))
        Path(name).chmod(real.stat().st_mode & 0o7777)
        Path(name).replace(real)
    except OSError as error:
        Path(name).unlink(missing_ok=True)
        raise WatchpostError(f"{path} cannot be written: {error.strerror}") from error
