"""Requests from hubs (WebSub): they confirm subscriptions and push new content.

A push is stored before it is answered, and parsed later, so that a hub never waits for a parser.
"""

from __future__ import annotations

import asyncio
from time import monotonic

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.store.websub import Push, PushStore, Subscription, is_signed, secret_of
from watchpost.web.push_rates import PushRates
from watchpost.web.rendering import TooLongError, body_of

PATH = "/websub/"
_BODY_MAX = 5_000_000  # larger than any real feed
_TEXT_MAX = 500


def routes(pushes: PushStore) -> list[Route]:
    """The routes below PATH."""
    callbacks, path = _Callbacks(pushes), PATH + "{token:str}"
    return [
        Route(path, callbacks.confirm, methods=["GET"]),
        Route(path, callbacks.receive, methods=["POST"]),
    ]


class _Callbacks:
    """What hubs ask and send. A hub that sends too much in a minute gets 429, before its body is read."""

    def __init__(self, pushes: PushStore) -> None:
        self._pushes = pushes
        self._rates = PushRates()

    async def confirm(self, request: Request) -> Response:
        """Verification of intent (https://www.w3.org/TR/websub/#hub-verifies-intent): confirm only our own requests."""
        query = request.query_params
        try:
            subscription = await _subscription(self._pushes, request)
            if subscription is None or query.get("hub.topic") != subscription.topic:
                return PlainTextResponse("no such subscription\n", 404)
            if wait := self._rates.wait(subscription.feed, 0, monotonic()):
                return self._too_much(subscription, wait)
            mode = query.get("hub.mode")
            if mode == "denied":
                note = query.get("hub.reason", "")[:_TEXT_MAX]
                kept = await self._pushes.append(Push("denied", subscription.feed, note=note))
                return Response(status_code=204 if kept else 503)
            if mode != "subscribe" or not query.get("hub.challenge"):
                return PlainTextResponse("no such subscription\n", 404)
            seconds = _seconds(query.get("hub.lease_seconds", ""))
            kept = await self._pushes.append(Push("verified", subscription.feed, seconds, subscription.topic))
            return PlainTextResponse(query["hub.challenge"]) if kept else Response(status_code=503)
        except StoreError:
            return Response(status_code=503)

    async def receive(self, request: Request) -> Response:
        """Content (https://www.w3.org/TR/websub/#content-distribution). 204: stored. 202: wrong signature, ignored."""
        try:
            subscription = await _subscription(self._pushes, request)
            if subscription is None:
                return Response(status_code=410)  # the hub may drop the subscription
            if wait := self._rates.wait(subscription.feed, _declared(request), monotonic()):
                return self._too_much(subscription, wait)
            return Response(status_code=await self._keep(request, subscription))
        except TooLongError:
            return Response(status_code=413)
        except ClientDisconnect:
            return Response(status_code=400)
        except StoreError:
            return Response(status_code=503)

    async def _keep(self, request: Request, subscription: Subscription) -> int:
        """Read the body and store it, if its signature is right; returns the status of the answer."""
        body = await body_of(request, _BODY_MAX)
        secret = secret_of(await self._pushes.key(), subscription.feed, subscription.topic)
        if not await asyncio.to_thread(is_signed, secret, request.headers.get("x-hub-signature", ""), body):
            tm.pushes_unsigned.inc()
            if self._rates.is_to_tell(subscription.feed, monotonic()):
                tm.log().warning("push.unsigned", source=subscription.feed)
            return 202
        note = request.headers.get("content-type", "")[:_TEXT_MAX]
        return 204 if await self._pushes.append(Push("content", subscription.feed, note=note, body=body)) else 503

    def _too_much(self, subscription: Subscription, wait_seconds: int) -> Response:
        tm.pushes_refused.inc()
        if self._rates.is_to_tell(subscription.feed, monotonic()):
            tm.log().warning("push.refused", source=subscription.feed)
        return Response(status_code=429, headers={"retry-after": str(wait_seconds)})


async def _subscription(pushes: PushStore, request: Request) -> Subscription | None:
    token = request.path_params["token"]
    return await pushes.find(token) if token.isascii() and token.isalnum() and len(token) == 40 else None


def _declared(request: Request) -> int:
    """How many bytes the body may have; the most that is read, if nothing is declared."""
    declared = request.headers.get("content-length", "")
    return min(int(declared), _BODY_MAX) if declared.isdecimal() and len(declared) < 12 else _BODY_MAX


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
