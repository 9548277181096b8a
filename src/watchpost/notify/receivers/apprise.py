"""The door to everything else, by Apprise (extra `apprise`): some 170 services, each less well than by a kind of ours.

Apprise says only yes or no: no status, no wish to wait, no reason. So a failure is always worth another attempt.
Redirects are off, and it sends once: attempts are counted here. It has no guard against private addresses.
"""

from __future__ import annotations

import asyncio
from datetime import timedelta
from importlib.util import find_spec
from typing import Annotated, Any

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Duration, Secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater, Unknown
from watchpost.notify.receiver import DeliveryOptions, ReceiverKind
from watchpost.notify.render import sentences
from watchpost.notify.render.limits import APPRISE, Limits
from watchpost.notify.render.packing import brief, cut_to

_MISSING = "needs a package that is not installed: install watchpost with its extra `apprise`"
_ADDRESS = "Apprise does not know this kind of address, or finds a mistake in it"


def _service(url: Secret, seconds: float) -> Any:
    """Apprise's object for the address; None if it cannot make one."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="watchpost", async_mode=False, http_redirects=False, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    service = apprise.Apprise.instantiate(url.reveal(), asset=asset, suppress_exceptions=True)
    if service is not None:
        # Whatever the address says: these are ours to decide.
        service.redirects, service.retry = False, 0
        service.socket_connect_timeout = service.socket_read_timeout = max(1.0, seconds / 2)
    return service


def _check_address(url: Secret) -> Secret:
    if find_spec("apprise") is None:
        raise PydanticCustomError("apprise_missing", _MISSING)
    if _service(url, 1.0) is None:
        raise PydanticCustomError("apprise_url", _ADDRESS)
    return url


class AppriseOptions(DeliveryOptions):
    """`url`: an Apprise address, a secret. `max_length`: of the text, where the service does not want less."""

    url: Annotated[Secret, AfterValidator(_check_address)]
    max_length: Annotated[int, Field(ge=100, le=APPRISE.size)] = 2000
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] = timedelta(seconds=20)


class Apprise:
    """Sends one short text per edition."""

    def __init__(self, name: str, options: AppriseOptions) -> None:
        self.name = name
        self._seconds = options.timeout.total_seconds()
        self._service = _service(options.url, self._seconds)
        self._limits = Limits(
            "points",
            min(options.max_length, int(self._service.body_maxlen)),
            APPRISE.messages,
            APPRISE.stories,
            quote=APPRISE.quote,
            url=APPRISE.url,
        )
        self._title = int(self._service.title_maxlen)
        self._sending: asyncio.Future[bool] | None = None

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message, cut to what the service takes; where it knows no titles, the title is the first line."""
        told = brief(digest, self._limits, min(self._title, 250) or 250)
        editions = {"title": told.title, "text": told.text}
        if not self._title:
            editions = {"title": "", "text": cut_to(f"{told.title}\n{told.text}", self._limits, self._limits.size)}
        return (Message(part="", subject=sentences.subject(digest), renderings=editions, omitted=told.omitted),)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, in a thread, for Apprise blocks. While an attempt that was given up still runs: TryLater."""
        if self._sending is not None and not self._sending.done():
            return TryLater("timeout", "the attempt before is still running")
        self._sending = asyncio.ensure_future(asyncio.to_thread(self._notify, delivery))
        await asyncio.wait({self._sending}, timeout=self._seconds)
        if not self._sending.done():
            return Unknown("timeout", "Apprise did not come back", repeatable=False)
        if (error := self._sending.exception()) is not None:
            return TryLater("unknown", f"{type(error).__name__} in Apprise")
        if not self._sending.result():
            return TryLater("unknown", "Apprise says no, and not why")
        return Delivered("Apprise says yes")

    async def close(self) -> None:
        """Nothing stays open."""

    def _notify(self, delivery: Delivery) -> bool:
        from apprise import NotifyFormat

        editions = delivery.message.renderings
        return bool(self._service.notify(body=editions["text"], title=editions["title"], body_format=NotifyFormat.TEXT))


KIND = ReceiverKind("apprise", AppriseOptions, lambda name, options, context: Apprise(name, options))
