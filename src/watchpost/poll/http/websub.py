"""Subscribing at hubs: one bounded request that asks for a feed to be pushed to us (WebSub, 5.1)."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from urllib.parse import urlsplit

import httpx

from watchpost.guarded_http import guarded_client, proxied_client
from watchpost.net import check_literal, why_failed
from watchpost.poll.feed_options import WebOptions
from watchpost.store.websub import PushStore, Subscription, secret_of, token_of

LEASE = timedelta(days=10)
"""The lease that a hub is asked for; it grants what it likes."""


class Hubs:
    """Asks hubs to push to `public_url`, where our web server can be reached. A hub may take `seconds` to answer."""

    def __init__(self, pushes: PushStore, public_url: str, user_agent: str, *, seconds: float = 10.0) -> None:
        self._pushes = pushes
        self._public_url = public_url
        self._user_agent = user_agent
        self._seconds = seconds

    async def subscribe(self, feed: str, options: WebOptions, hub: str, topic: str) -> str:
        """Ask; returns "" if the hub accepted the request, else why not. It confirms at the callback.

        A hub's address comes from the feed, so from a stranger: a private one is asked only on the feed's own host.
        """
        key = await self._pushes.key()
        token = token_of(key, feed, topic)
        await self._pushes.expect(token, Subscription(feed, topic))  # a hub may confirm before it answers
        form = {
            "hub.mode": "subscribe",
            "hub.topic": topic,
            "hub.callback": f"{self._public_url}/websub/{token}",
            "hub.secret": secret_of(key, feed, topic),
            "hub.lease_seconds": str(int(LEASE.total_seconds())),
        }
        try:
            async with asyncio.timeout(self._seconds), self._client(options, hub) as client:
                request = client.build_request("POST", hub, data=form)
                answer = await client.send(request, stream=True)
                await answer.aclose()
        except TimeoutError:
            return f"the hub did not answer within {self._seconds:g} s"
        except (httpx.HTTPError, httpx.InvalidURL, OSError) as error:
            return f"the hub cannot be reached: {why_failed(error)}"
        return "" if answer.is_success else f"the hub answered HTTP {answer.status_code}"

    def _client(self, options: WebOptions, hub: str) -> httpx.AsyncClient:
        own = urlsplit(hub).hostname == urlsplit(options.url).hostname
        allow_private = options.allow_private if own else ()
        if options.proxy is not None:
            check_literal(urlsplit(hub).hostname or "", allow_private)
            return proxied_client(options.proxy.address.reveal(), user_agent=self._user_agent)
        return guarded_client(user_agent=self._user_agent, allow_private=allow_private)
