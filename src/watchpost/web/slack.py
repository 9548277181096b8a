"""`/slack/actions`: the requests that Slack sends when somebody presses a button on a message.

Slack signs them, so there is no login. It waits 3 seconds for an answer; the message is edited after it.
"""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime

from starlette.background import BackgroundTask
from starlette.requests import ClientDisconnect, Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.errors import StoreError
from watchpost.notify.receivers.slack import SlackOptions
from watchpost.notify.slack_interactions import PATH, ButtonPress, read_press
from watchpost.operations.slack_actions import edit, press, signer_of, signing_receivers
from watchpost.store.client import Store
from watchpost.web.rendering import TooLongError, body_of

_BODY_BYTES = 500_000  # a message has about 11 kB, and its form thrice as many
_ANSWER_SECONDS = 2.0


def routes(config: Config, store: Store) -> list[Route]:
    """The endpoint; none unless a Slack receiver has a signing secret."""
    receivers = signing_receivers(config)
    if not receivers:
        return []

    async def take(request: Request) -> Response:
        now, headers = datetime.now(UTC), request.headers
        try:
            body = await body_of(request, _BODY_BYTES)
        except (TooLongError, ClientDisconnect):
            return PlainTextResponse("the body is too long or incomplete\n", 413)
        timestamp, signature = headers.get("x-slack-request-timestamp", ""), headers.get("x-slack-signature", "")
        signer = signer_of(receivers, timestamp, signature, body, now)
        if signer is None:
            return PlainTextResponse("no signature of Slack, or an old one\n", 401)
        pressed = read_press(body)
        if pressed is None:
            return Response(status_code=200)  # something else that the app sends: nothing to do
        work = asyncio.ensure_future(press(config, store, pressed))
        done, _ = await asyncio.wait({work}, timeout=_ANSWER_SECONDS)
        if done and isinstance(work.exception(), StoreError):
            return PlainTextResponse("please try again in a few minutes\n", 503)
        return Response(status_code=200, background=BackgroundTask(_finish, config, store, pressed, signer, work))

    return [Route(PATH, take, methods=["POST"])]


async def _finish(
    config: Config, store: Store, pressed: ButtonPress, signer: SlackOptions, work: asyncio.Future[None]
) -> None:
    """Edit the message when the action is done."""
    try:
        await work
        result = await edit(config, store, pressed, signer)
        detail = "" if result.done else result.detail
    except StoreError as error:
        detail = str(error)
    except Exception as error:
        tm.log().exception("page.failed", error=type(error).__name__)
        return
    if detail:
        tm.log().warning("slack.message_not_edited", story=pressed.story, detail=detail)
