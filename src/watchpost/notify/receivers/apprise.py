"""Apprise (extra `apprise`): some 170 further services, each with less than a kind of our own offers.

Apprise answers only yes or no: no status, no wait, no reason. So every failure is tried again. It follows no
redirects and sends once, because attempts are counted here. It has no guard against private addresses.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import timedelta
from importlib.util import find_spec
from threading import Thread
from typing import Annotated, Any

from pydantic import Field
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Duration, Secret, checked_secret
from watchpost.model import Delivered, Delivery, Digest, Message, Outcome, TryLater, Unknown
from watchpost.notify.receiver import DeliveryOptions, ReceiverKind
from watchpost.notify.render import sentences
from watchpost.notify.render.limits import APPRISE, Limits
from watchpost.notify.render.packing import brief, cut_to, limit_stories

_MISSING = "needs a package that is not installed: install watchpost with its extra `apprise`"
_TITLE = 250  # characters
_BAD_URL = "Apprise does not know this kind of address, or the address has a mistake"


def _service(url: Secret, seconds: float) -> Any:
    """Apprise's object for the address; None if it cannot make one."""
    import apprise

    asset = apprise.AppriseAsset(
        app_id="watchpost", async_mode=False, http_redirects=False, storage_mode=apprise.PersistentStoreMode.MEMORY
    )
    service = apprise.Apprise.instantiate(url.reveal(), asset=asset, suppress_exceptions=True)
    if service is not None:
        # The address may set these, too, but they are not its operator's choice here.
        service.redirects, service.retry = False, 0
        service.socket_connect_timeout = service.socket_read_timeout = max(1.0, seconds / 2)
    return service


def _check_url(url: Secret) -> Secret:
    if find_spec("apprise") is None:
        raise PydanticCustomError("apprise_missing", _MISSING)
    if _service(url, 1.0) is None:
        raise PydanticCustomError("apprise_url", _BAD_URL)
    return url


class AppriseOptions(DeliveryOptions):
    """`url`: an Apprise address, a secret. `max_length`: of the text, unless the service takes less."""

    url: Annotated[Secret, checked_secret(_check_url)]
    max_length: Annotated[int, Field(ge=100, le=APPRISE.size)] = 2000
    timeout: Annotated[Duration, Field(ge=timedelta(seconds=2), le=timedelta(minutes=5))] = timedelta(seconds=20)


class Apprise:
    """Sends one short text per digest."""

    def __init__(self, name: str, options: AppriseOptions) -> None:
        self.name = name
        self._url = options.url
        self._seconds = options.timeout.total_seconds()
        self._service: Any = None if options.url.is_absent else _service(options.url, self._seconds)
        self._limits = Limits(
            "points",
            min(options.max_length, APPRISE.size if self._service is None else int(self._service.body_maxlen)),
            APPRISE.messages,
            APPRISE.stories,
            quote=APPRISE.quote,
            url=APPRISE.url,
        )
        self._longest_title = _TITLE if self._service is None else int(self._service.title_maxlen)
        self._sending: asyncio.Future[bool] | None = None

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message, cut to what the service takes; if it has no titles, the title is the first line of the text."""
        short = brief(digest, self._limits, min(self._longest_title, _TITLE) or _TITLE)
        renderings = {"title": short.title, "text": short.text}
        if not self._longest_title:
            renderings = {"title": "", "text": cut_to(f"{short.title}\n{short.text}", self._limits, self._limits.size)}
        shown = limit_stories(digest, len(digest.stories) + digest.omitted - short.omitted)
        subject = sentences.subject(shown)
        return (Message("", subject, renderings, omitted=short.omitted, named=short.named),)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt, in a thread, because Apprise blocks. TryLater while an attempt that timed out still runs."""
        self._url.reveal()  # previews need no address, but sending does
        if self._sending is not None and not self._sending.done():
            return TryLater("timeout", "the attempt before is still running")
        self._sending = in_a_daemon(lambda: self._notify(delivery))
        await asyncio.wait({self._sending}, timeout=self._seconds)
        if not self._sending.done():
            return Unknown("timeout", "no answer from Apprise in time", repeatable=False)
        if (error := self._sending.exception()) is not None:
            return TryLater("unknown", f"{type(error).__name__} in Apprise")
        if not self._sending.result():
            return TryLater("unknown", "Apprise reports a failure, without a reason")
        return Delivered("Apprise reports success")

    def _notify(self, delivery: Delivery) -> bool:
        from apprise import NotifyFormat

        texts = delivery.message.renderings
        return bool(self._service.notify(body=texts["text"], title=texts["title"], body_format=NotifyFormat.TEXT))


def in_a_daemon(work: Callable[[], bool]) -> asyncio.Future[bool]:
    """The result of `work` in a thread of its own, which neither the end of the process nor other work waits for.

    A service may send its answer byte by byte without end, and a thread cannot be stopped.
    """
    loop = asyncio.get_running_loop()
    future: asyncio.Future[bool] = loop.create_future()

    def settle(result: bool, error: Exception | None) -> None:
        if future.cancelled():
            return
        if error is None:
            future.set_result(result)
        else:
            future.set_exception(error)

    def run() -> None:
        result, failure = False, None
        try:
            result = work()
        except Exception as error:
            failure = error
        with suppress(RuntimeError):  # the loop has ended
            loop.call_soon_threadsafe(settle, result, failure)

    Thread(target=run, name="apprise", daemon=True).start()
    return future


KIND = ReceiverKind("apprise", AppriseOptions, lambda name, options, context: Apprise(name, options))
