"""The identity of an installation, which outlives the store: in the memory of each process, and on its disk.

A store that comes back without it has lost its data (FLUSHALL, a cache, a new disk). From its secret the links in sent
mails are derived, so the secret must not be drawn again.
"""

from __future__ import annotations

import asyncio
import json
import os
import secrets
import time
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from watchpost.store import keys as store_keys
from watchpost.store.client import Store, json_argument

FILE = "identity.json"
_MOST_FORMER = 5
_LEFT_SECONDS = 3600.0


@dataclass(frozen=True, slots=True)
class Identity:
    """What must outlive the store. `born` is drawn each time that a store begins empty, so that a loss shows.

    `former` are secrets of earlier stores, whose links go on working. `unsubscribed` and `silences` are the hashes of
    these names: what readers and operators decided.
    """

    install: str
    born: str = ""
    secret: str = field(default="", repr=False)
    websub: str = field(default="", repr=False)
    former: tuple[str, ...] = field(default=(), repr=False)
    unsubscribed: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)
    silences: Mapping[str, str] = field(default_factory=dict, hash=False, repr=False)


@dataclass(frozen=True, slots=True)
class Settled:
    """The identity that the store has now. `emptied`: the file knew one, and the store had lost it."""

    identity: Identity
    emptied: bool = False


class IdentityFile:
    """The identity on disk, readable by this user alone: `identity.json` in the data directory."""

    def __init__(self, directory: Path) -> None:
        self._path = directory / FILE
        self.written: Identity | None = None

    def read(self) -> Identity | None:
        """Return what is stored; None if there is nothing, or nothing that can be read."""
        try:
            found: Any = json.loads(self._path.read_text("utf-8"))
            install, born_, secret, websub = (str(found[name]) for name in ("install", "born", "secret", "websub"))
            unsubscribed, silences = (
                {str(key): str(value) for key, value in found[name].items()} for name in ("unsubscribed", "silences")
            )
            former = tuple(map(str, found["former"]))
            return Identity(install, born_, secret, websub, former, unsubscribed, silences)
        except (OSError, ValueError, KeyError, TypeError, AttributeError):
            return None

    def write(self, identity: Identity) -> None:
        """Store it, whole or not at all, if it has changed. A disk that refuses is no reason to stop."""
        if identity == self.written:
            return
        scratch = self._path.with_suffix(f".{os.getpid()}.tmp")
        with suppress(OSError):
            self._path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(descriptor, "w", encoding="utf-8") as file:
                json.dump(asdict(identity), file)
                file.flush()
                os.fsync(file.fileno())
            scratch.replace(self._path)
            self.written = identity
            for left in self._path.parent.glob(f"{self._path.stem}.*.tmp"):  # by a process that was killed
                if time.time() - left.stat().st_mtime > _LEFT_SECONDS:
                    left.unlink()


async def born(store: Store) -> str:
    """Return which beginning of the store this is, "" if it is empty."""
    async with store.errors():
        (found,) = await store.ask(lambda pipe: pipe.hget(store.keys.meta, "born"))
    return str(found.decode()) if found else ""


async def settle(store: Store, file: IdentityFile, install: str) -> Settled:
    """Give the store its identity: what it has, else what the file has, else a new one, `install`; and write the file.

    Raises StoreError. A store of another schema is left alone.
    """
    kept = await asyncio.to_thread(file.read)
    async with store.errors():
        schema, present = await store.redis.hmget(store.keys.meta, "schema", "install")
    wanted = kept or Identity(install)
    if schema is not None and schema.decode() != store_keys.SCHEMA:
        return Settled(wanted)
    emptied = await restore(store, wanted, lost=kept is not None and present is None)
    found = await read(store, wanted)
    await write(file, found)
    return Settled(found, emptied)


async def restore(store: Store, identity: Identity, *, lost: bool) -> bool:
    """Add to the store what it lacks of the identity; return True if it was empty and nobody restored it before.

    `lost`: it had data before. Then its ledger is opened again, and the decisions of readers and operators are added.
    """
    keys = store.keys
    async with store.errors():
        present = await store.redis.hmget(keys.meta, "install", "born", "secret", "websub")
    if all(present) and not lost:
        return False  # read first: a full server refuses even a write that changes nothing
    meta = {
        "schema": store_keys.SCHEMA,
        "install": identity.install,
        "born": secrets.token_hex(8),
        "secret": identity.secret or secrets.token_hex(32),
        "websub": identity.websub or secrets.token_hex(32),
    }
    argument = json_argument(
        meta=_flat(meta),
        unsubscribed=_flat(identity.unsubscribed) if lost else [],
        silences=_flat(identity.silences) if lost else [],
        lost="1" if lost else "",
    )
    names = [keys.meta, keys.ledger, keys.articles, keys.open, keys.bucket(""), keys.boxes, keys.outbox(""), keys.retry]
    return bool(await store.run("restore", [*names, keys.unsubscribed, keys.silences, keys.later], [argument]))


async def read(store: Store, before: Identity) -> Identity:
    """Return the identity that the store has now; a secret of `before` that differs is remembered as a former one."""
    async with store.errors():
        pipe = store.redis.pipeline(transaction=False)
        pipe.hmget(store.keys.meta, "install", "born", "secret", "websub")
        pipe.hgetall(store.keys.unsubscribed)
        pipe.hgetall(store.keys.silences)
        texts, unsubscribed, silences = await pipe.execute()
    install, born_, secret, websub = (text.decode() if text else "" for text in texts)
    former = before.former
    if before.secret and before.secret != secret:
        former = tuple(dict.fromkeys((before.secret, *former)))[:_MOST_FORMER]
    return Identity(install, born_, secret, websub, former, _texts(unsubscribed), _texts(silences))


async def write(file: IdentityFile, identity: Identity) -> None:
    """Store the identity on disk if it has changed, without holding up the loop."""
    if identity != file.written:
        await asyncio.to_thread(file.write, identity)


def _flat(fields: Mapping[str, str]) -> list[str]:
    return [text for pair in fields.items() for text in pair]


def _texts(fields: Mapping[bytes, bytes]) -> dict[str, str]:
    return {key.decode("utf-8", "replace"): value.decode("utf-8", "replace") for key, value in fields.items()}
