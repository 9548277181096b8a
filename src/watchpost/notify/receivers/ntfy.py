"""The door to ntfy: notifications on telephones, by ntfy.sh or a server of one's own (docs.ntfy.sh/publish)."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from watchpost.model import Delivery, Digest, Message, Outcome
from watchpost.notify.post import Poster, TargetUrl, judge
from watchpost.notify.receiver import DeliveryOptions, Kind, Workshop
from watchpost.notify.render import ntfy, words
from watchpost.notify.render.foreign import clean
from watchpost.notify.render.template import render
from watchpost.notify.render.unfit import fit
from watchpost.notify.templates import TextTemplates
from watchpost.plan.fields import Duration, Network, Secret

_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PACE = timedelta(seconds=1)


def _check_topic(url: Secret) -> Secret:
    parts = urlsplit(url.reveal())
    if not _TOPIC.fullmatch(parts.path.rpartition("/")[2]) or parts.query or parts.fragment:
        raise PydanticCustomError("ntfy_url", "the URL ends in the topic's name, like https://ntfy.sh/duty-desk")
    return url


class NtfyOptions(DeliveryOptions):
    """`url`: server and topic. `token`: an access token, where the server wants one."""

    url: Annotated[TargetUrl, AfterValidator(_check_topic)]
    token: Secret | None = None
    template: TextTemplates | None = None
    timeout: Annotated[Duration, Field(gt=timedelta(0), le=timedelta(minutes=5))] = timedelta(seconds=15)
    allow_private: tuple[Network, ...] = ()


class Ntfy:
    """One notification per edition; its priority is that of the most severe story."""

    def __init__(self, name: str, options: NtfyOptions, user_agent: str) -> None:
        self.name = name
        self._token = options.token
        self._template = options.template
        self._secrets = (options.url, *([options.token] if options.token else []))
        root, _, self._topic = options.url.reveal().rpartition("/")
        server = Secret(f"{root}/", options.url.origin)
        self._poster = Poster(server, user_agent, options.allow_private, options.timeout, _PACE)

    def compose(self, digest: Digest) -> tuple[Message, ...]:
        """One message. Raises TemplateFault, and UnfitError for what would be refused."""
        subject = text = ""
        if (template := self._template) is not None and not digest.reduced:
            subject = clean(render(template.subject, "text", digest), 200) if template.subject else ""
            text = render(template.text, "text", digest) if template.text else ""
        omitted, laid = ntfy.message(digest, self._topic, subject, text)
        editions = {"json": fit(laid, ntfy.validate_ntfy)}
        return (Message(part="", subject=words.subject(digest), editions=editions, omitted=omitted),)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt."""
        headers = {"content-type": "application/json; charset=utf-8"}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.reveal()}"
        answer = await self._poster.post(delivery.message.editions["json"].encode(), headers)
        return judge(answer, repeatable=False, secrets=self._secrets)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def _build(name: str, options: NtfyOptions, workshop: Workshop) -> Ntfy:
    return Ntfy(name, options, workshop.user_agent)


KIND = Kind("ntfy", NtfyOptions, _build)
