"""Readers who want no more mail (RFC 8058): whose token it is, and what then is done."""

from __future__ import annotations

from datetime import UTC, datetime

from watchpost.config.config import Config
from watchpost.notify.receivers.email import EmailOptions, way_out
from watchpost.notify.render import mime
from watchpost.operations.actions import audit
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryAdmin
from watchpost.store.receivers import UnsubscribedAddresses

READER = "the reader"


class MailUnsubscriber:
    """The ways out of a plan's mails. All raise StoreError."""

    def __init__(self, config: Config, store: Store) -> None:
        self._config = config
        self._store = store
        self._unsubscribed = UnsubscribedAddresses(store)

    async def whose(self, token: str) -> tuple[str, str, bool] | None:
        """Receiver, address, and whether it has left; None for a token that is none (any more)."""
        secret = await self._store.secret()
        for part in self._config.receivers:
            if isinstance(part.options, EmailOptions):
                for text in part.options.to:
                    address = mime.mailbox(text).addr_spec
                    if way_out(secret, part.name, address) == token:
                        return part.name, address, address in await self._unsubscribed.of(part.name)
        return None

    async def leave(self, token: str) -> bool:
        """Write to this reader no more, nor send what waits for them. False for a token that is none."""
        found = await self.whose(token)
        if found is None:
            return False
        receiver, address, gone = found
        if not gone:
            await self._unsubscribed.add(receiver, address, datetime.now(UTC))
            desk = DeliveryAdmin(self._store)
            for case in await desk.records(receiver):
                if case.message is not None and case.message.address == address and case.state != "dead":
                    await desk.drop(case)
            audit("unsubscribe", 1, READER, receiver=receiver)
        return True

    async def come_back(self, token: str) -> bool:
        """Write to this reader again. False for a token that is none."""
        found = await self.whose(token)
        if found is None:
            return False
        if found[2]:
            await self._unsubscribed.remove(found[0], found[1])
            audit("subscribe", 1, READER, receiver=found[0])
        return True
