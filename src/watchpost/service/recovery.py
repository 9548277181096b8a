"""Recovery: a store that came back empty is noticed by its identity, and given back what this process knows."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

from watchpost import log as tm
from watchpost.plurals import count
from watchpost.store import identity as identities
from watchpost.store.client import Store
from watchpost.store.identity import Identity, IdentityFile
from watchpost.store.ledger import Ledger
from watchpost.store.local_copy import LocalCopy, PutBack

_OTHERS_SECONDS = 5.0  # in which the others put back by what repeats are known, before this process reads feeds
_WHOLE_ROUNDS = 30  # looks between two readings of what readers and operators decided


@dataclass(frozen=True, slots=True)
class Loss:
    """The store lost its data: how much was known to wait here, and how much of it this process put back.

    `running` is False if it was lost before this process started, which knows nothing then.
    """

    known: PutBack = field(default_factory=PutBack)
    put_back: PutBack = field(default_factory=PutBack)
    running: bool = True

    def __str__(self) -> str:
        if not self.running:
            return "the store lost what waited: it is empty, and it was not when watchpost last ran here"
        known = f"{count(self.known.hits, 'hit')} and {_deliveries(self.known.deliveries)} were known to this process"
        back = f"it put back {self.put_back.hits} and {self.put_back.deliveries} of them"
        return f"the store lost what waited, because it came back empty; {known}, and {back}"


class Recovery:
    """Keeps the copy of this process, a few seconds old, and gives it back. `copy` is None if it knows no messages."""

    def __init__(self, store: Store, identity: Identity, file: IdentityFile, copy: LocalCopy | None) -> None:
        self._store = store
        self._identity = identity
        self._file = file
        self._copy = copy
        self._rounds = 0

    async def look(self) -> Loss | None:
        """Notice a loss and recover from it, else bring the copy up to date. Raises StoreError."""
        reading = [self._copy.read()] if self._copy is not None else []
        born, *_ = await asyncio.gather(identities.born(self._store), *reading)
        if born != self._identity.born:
            return await self._recover()
        whole = self._rounds % _WHOLE_ROUNDS == 0
        found = await identities.read(self._store, self._identity) if whole else self._identity
        if await identities.born(self._store) != self._identity.born:
            return await self._recover()  # it was lost while it was read: what was read does not count
        self._rounds += 1
        if self._copy is not None:
            self._copy.adopt()
        await self._keep(found)
        return None

    async def _keep(self, found: Identity) -> None:
        self._identity = found
        self._store.former_secrets, self._store.born = found.former, found.born
        await identities.write(self._file, found)

    async def _recover(self) -> Loss:
        known = self._copy.known if self._copy is not None else PutBack()
        await identities.restore(self._store, self._identity, lost=True)
        await self._store.prepare(self._identity.install)
        await Ledger(self._store).open()
        if self._copy is None:
            await asyncio.sleep(_OTHERS_SECONDS)
        put_back = await self._copy.put_back() if self._copy is not None else PutBack()
        self._store.interruptions += 1
        loss = Loss(known, put_back)
        tm.store_losses.inc()
        tm.log().error("redis.emptied", detail=str(loss))
        await self._keep(await identities.read(self._store, self._identity))
        return loss


def _deliveries(number: int) -> str:
    return count(number, "delivery", "deliveries")
