"""Recipients of mail who unsubscribe by the link in it (RFC 8058), and who subscribe again."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime

from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.errors import NotFound
from watchpost.notify.receivers.email import EmailOptions, unsubscribe_token
from watchpost.notify.render import mime
from watchpost.store.client import Store
from watchpost.store.deliveries import DeliveryAdmin
from watchpost.store.receivers import UnsubscribedAddresses

READER = "the recipient"


@dataclass(frozen=True, slots=True)
class Subscription:
    """A recipient of mail. `active` is false once they have unsubscribed."""

    receiver: str
    address: str
    active: bool


async def find_subscription(config: Config, store: Store, token: str) -> Subscription:
    """Whose link this token belongs to. Raises NotFound for an unknown or outdated token, and StoreError."""
    secrets = (await store.secret(), *store.former_secrets)
    for part in config.receivers:
        if isinstance(part.options, EmailOptions):
            for text in part.options.to:
                address = mime.mailbox(text).addr_spec
                if any(unsubscribe_token(secret, part.name, address) == token for secret in secrets):
                    gone = await UnsubscribedAddresses(store).of(part.name)
                    return Subscription(part.name, address, address not in gone)
    raise NotFound("this link is not valid")


async def unsubscribe(config: Config, store: Store, token: str) -> None:
    """Send this recipient nothing more, and drop what is queued for them. Raises NotFound and StoreError."""
    found = await find_subscription(config, store, token)
    if not found.active:
        return
    await UnsubscribedAddresses(store).add(found.receiver, found.address, datetime.now(UTC))
    admin = DeliveryAdmin(store)
    for case in await admin.records(found.receiver):
        if case.message is not None and case.message.address == found.address and case.state != "dead":
            await admin.drop(case)
    tm.operator_acted("unsubscribe", 1, READER, receiver=found.receiver)


async def subscribe_again(config: Config, store: Store, token: str) -> None:
    """Send to this recipient again. Raises NotFound and StoreError."""
    found = await find_subscription(config, store, token)
    if not found.active:
        await UnsubscribedAddresses(store).remove(found.receiver, found.address)
        tm.operator_acted("subscribe", 1, READER, receiver=found.receiver)
