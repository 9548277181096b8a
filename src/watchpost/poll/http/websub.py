"""The door to hubs: one bounded request that asks for a feed to be pushed to us (WebSub, 5.1)."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime, timedelta
from urllib.parse import urlsplit

import httpx

from watchpost.guarded_http import guarded_client, proxied_transport
from watchpost.net import why_failed
from watchpost.poll.feed_options import FeedOptions
from watchpost.poll.schedule import LONGEST, MinimumWait
from watchpost.store.websub import PushStore, Subscription
from watchpost.websub import secret_of, token_of

# when a feed's hub is asked to push it (WebSub), and how far that is relied upon.
#
# A subscription is part of the feed's memory: `push_hub` and `push_topic` (what was asked for), `push_asked` (when),
# `push_said` (why it came to nothing); `push_granted` (the topic that the hub confirmed, perhaps before we had noted
# that we asked), `push_from` and `push_until` (its lease); `push_heard` (when it last pushed), `push_polled` (a visit
# was
# made since the hub is relied upon), `push_missed` (when a visit found an entry that the hub had not pushed).


LEASE = timedelta(days=10)
"""What a hub is asked for; it grants what it likes."""

_LONGEST_LEASE = timedelta(days=30)
_UNSAID = timedelta(days=1)  # a hub that does not say how long
_ASK_AGAIN = timedelta(hours=6)
_RENEW_AFTER, _RENEW_AGAIN = 0.8, 0.05
_SOONEST = timedelta(minutes=10)


def wanted(memory: Mapping[str, str], url: str, now: datetime) -> tuple[str, str] | None:
    """The hub to ask now, and the topic to ask for; None if nothing is to be asked. `url` is where the feed lies."""
    hub, topic = memory.get("hub", ""), memory.get("self") or memory.get("final") or url
    if not hub:
        return None
    asked, until = _moment(memory, "push_asked"), _end(memory, now)
    same = (hub, topic) == (memory.get("push_hub"), memory.get("push_topic"))
    if same and until is not None:
        if now < _renewal(memory, until):
            return None
        patience = _again(memory, until)
    else:
        patience = _ASK_AGAIN if same else _SOONEST
    return None if asked is not None and timedelta(0) <= now - asked < patience else (hub, topic)


def asked(hub: str, topic: str, problem: str, now: datetime) -> dict[str, str]:
    """What to remember of having asked; `problem` is why the hub would not, "" if it took the request."""
    return {"push_hub": hub, "push_topic": topic, "push_asked": _stamp(now), "push_said": problem}


def confirmed(topic: str, lease_seconds: int, now: datetime) -> dict[str, str]:
    """What to remember when the hub has confirmed a lease of so many seconds (0: it did not say)."""
    lease = min(timedelta(seconds=min(lease_seconds, 10**9)), _LONGEST_LEASE) if lease_seconds else _UNSAID
    return {
        "push_granted": topic,
        "push_from": _stamp(now),
        "push_until": _stamp(now + lease),
        "push_said": "",
        "push_polled": "",
    }


def denied(reason: str) -> dict[str, str]:
    """What to remember when the hub will not push."""
    return {"push_granted": "", "push_said": f"the hub refuses: {reason or 'no reason given'}"}


def heard(now: datetime) -> dict[str, str]:
    """What to remember of a push: whoever pushes is relied upon again."""
    return {"push_heard": _stamp(now), "push_missed": ""}


def visited(memory: Mapping[str, str], missed: bool, now: datetime) -> dict[str, str]:
    """What to remember of a visit. `missed`: it brought entries that nobody had pushed."""
    if not relied_upon(memory, now):
        return {}
    noted = {"push_polled": "1"}
    if missed and memory.get("push_polled"):
        noted["push_missed"] = _stamp(now)
    return noted


def relied_upon(memory: Mapping[str, str], now: datetime) -> bool:
    """Whether the hub pushes this feed: its lease runs, and it has missed nothing since it was last heard."""
    return _end(memory, now) is not None and not memory.get("push_missed")


def floor(memory: Mapping[str, str], now: datetime) -> MinimumWait | None:
    """How long a feed need not be polled because it is pushed: a day, or until the lease has to be renewed."""
    until = _end(memory, now)
    if until is None or not relied_upon(memory, now):
        return None
    left = _renewal(memory, until) - now
    pause = min(left if left > timedelta(0) else _again(memory, until), LONGEST)
    return MinimumWait(pause, "its hub pushes what is new; polled once a day all the same")


def _end(memory: Mapping[str, str], now: datetime) -> datetime | None:
    """The end of the lease that runs, None if none does."""
    until = _moment(memory, "push_until")
    return (
        until if until is not None and until > now and memory.get("push_granted") == memory.get("push_topic") else None
    )


def _renewal(memory: Mapping[str, str], until: datetime) -> datetime:
    start = _moment(memory, "push_from")
    return until if start is None else start + (until - start) * _RENEW_AFTER


def _again(memory: Mapping[str, str], until: datetime) -> timedelta:
    start = _moment(memory, "push_from")
    share = (until - start) * _RENEW_AGAIN if start is not None else _SOONEST
    return min(max(share, _SOONEST), _ASK_AGAIN)


def _stamp(at: datetime) -> str:
    return at.isoformat(timespec="seconds")


def _moment(memory: Mapping[str, str], key: str) -> datetime | None:
    try:
        moment = datetime.fromisoformat(memory.get(key, ""))
    except ValueError:
        return None
    return moment if moment.tzinfo else None


class Hubs:
    """Asks hubs to push to `public_url`, where our HTTP door can be reached. A hub may take `seconds` to answer."""

    def __init__(self, pushes: PushStore, public_url: str, user_agent: str, *, seconds: float = 10.0) -> None:
        self._pushes = pushes
        self._public_url = public_url
        self._user_agent = user_agent
        self._seconds = seconds

    async def subscribe(self, feed: str, options: FeedOptions, hub: str, topic: str) -> str:
        """Ask; returns "" if the hub took the request, else why not. Its confirmation comes to the callback.

        A hub's address comes from the feed, so from a stranger: private ones are asked only on the feed's own host.
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

    def _client(self, options: FeedOptions, hub: str) -> httpx.AsyncClient:
        if options.proxy is not None:
            transport = proxied_transport(options.proxy.address.reveal())
            return httpx.AsyncClient(transport=transport, headers={"user-agent": self._user_agent}, trust_env=False)
        own = urlsplit(hub).hostname == urlsplit(options.url).hostname
        return guarded_client(user_agent=self._user_agent, allow_private=options.allow_private if own else ())
