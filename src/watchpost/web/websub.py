"""Requests from hubs (WebSub): they confirm subscriptions and push new content.

A push is stored before it is answered, and parsed later, so that a hub never waits for a parser.
"""

from __future__ import annotations

from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.errors import StoreError
from watchpost.store.websub import Push, PushStore, Subscription, is_signed, secret_of
from watchpost.web.rendering import TooLongError, body_of

PATH = "/websub/"
_BODY_MAX = 5_000_000  # larger than any real feed
_TEXT_MAX = 500


def routes(pushes: PushStore) -> list[Route]:
    """The routes below PATH."""

    async def confirm(request: Request) -> Response:
        """Verification of intent (https://www.w3.org/TR/websub/#hub-verifies-intent): confirm only our own requests."""
        query = request.query_params
        try:
            subscription = await _subscription(pushes, request)
            if subscription is None or query.get("hub.topic") != subscription.topic:
                return PlainTextResponse("no such subscription\n", 404)
            mode = query.get("hub.mode")
            if mode == "denied":
                note = query.get("hub.reason", "")[:_TEXT_MAX]
                kept = await pushes.append(Push("denied", subscription.feed, note=note))
                return Response(status_code=204 if kept else 503)
            if mode != "subscribe" or not query.get("hub.challenge"):
                return PlainTextResponse("no such subscription\n", 404)
            seconds = _seconds(query.get("hub.lease_seconds", ""))
            kept = await pushes.append(Push("verified", subscription.feed, seconds, subscription.topic))
            return PlainTextResponse(query["hub.challenge"]) if kept else Response(status_code=503)
        except StoreError:
            return Response(status_code=503)

    async def receive(request: Request) -> Response:
        """Content (https://www.w3.org/TR/websub/#content-distribution). 204: stored. 202: wrong signature, ignored."""
        try:
            subscription = await _subscription(pushes, request)
            if subscription is None:
                return Response(status_code=410)  # the hub may drop the subscription
            try:
                body = await body_of(request, _BODY_MAX)
            except TooLongError:
                return Response(status_code=413)
            secret = secret_of(await pushes.key(), subscription.feed, subscription.topic)
            if not is_signed(secret, request.headers.get("x-hub-signature", ""), body):
                tm.pushes_unsigned.inc()
                tm.log().warning("push.unsigned", source=subscription.feed)
                return Response(status_code=202)
            note = request.headers.get("content-type", "")[:_TEXT_MAX]
            kept = await pushes.append(Push("content", subscription.feed, note=note, body=body))
            return Response(status_code=204 if kept else 503)
        except ClientDisconnect:
            return Response(status_code=400)
        except StoreError:
            return Response(status_code=503)

    path = PATH + "{token:str}"
    return [Route(path, confirm, methods=["GET"]), Route(path, receive, methods=["POST"])]


async def _subscription(pushes: PushStore, request: Request) -> Subscription | None:
    token = request.path_params["token"]
    return await pushes.find(token) if token.isascii() and token.isalnum() and len(token) == 40 else None


def _seconds(text: str) -> int:
    return int(text) if text.isascii() and text.isdigit() and len(text) < 12 else 0
