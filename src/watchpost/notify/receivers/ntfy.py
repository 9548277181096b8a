"""The door to ntfy: notifications on telephones, by ntfy.sh or a server of one's own (docs.ntfy.sh/publish)."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic import AfterValidator, Field
from pydantic_core import PydanticCustomError

from watchpost.config.fields import Duration, Network, Secret
from watchpost.model import SEVERITIES, Delivery, Digest, Message, Outcome
from watchpost.notify.http import Poster, TargetUrl, judge
from watchpost.notify.receiver import DeliveryOptions, ReceiverContext, ReceiverKind
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.limits import NTFY, NTFY_TAGS, NTFY_TITLE, checked
from watchpost.notify.render.packing import brief, cut_to
from watchpost.notify.render.sanitize import clean, names
from watchpost.notify.render.template import render_template
from watchpost.notify.templates import TextTemplates

# the ntfy edition: its JSON publish form (docs.ntfy.sh/publish), which no header encoding can spoil.


_PRIORITY = {"low": 2, "normal": 3, "high": 4}  # 5 rings through "do not disturb": that is not ours to decide
_TAGS = 5
_MOST = 4096


def message(digest: Digest, topic: str, title: str = "", text: str = "") -> tuple[int, str]:
    """How many stories are only counted, and the payload as compact JSON: one notification.

    `title` and `text`, where given, stand instead of ours.
    """
    told = brief(digest, NTFY, NTFY_TITLE)
    severity = max((story.severity for story in digest.stories), key=SEVERITIES.index, default="low")
    tags, _ = names((story_lines.main_topic(story).name.replace(",", " ") for story in digest.stories), _TAGS, 40)
    payload: dict[str, Any] = {
        "topic": topic,
        "title": cut_to(title, NTFY, NTFY_TITLE) or told.title,
        "message": cut_to(text, NTFY, NTFY.size) or told.text,
        "priority": _PRIORITY[severity],
    }
    payload |= {"tags": list(tags)} if tags else {}
    payload |= {"click": told.click} if told.click else {}
    omitted = digest.omitted if text else told.omitted
    return omitted, json.dumps(payload, ensure_ascii=False, separators=(",", ":"))


def validate_ntfy(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that ntfy would refuse or turn into an attachment; empty if it is fit."""
    problems = [
        f"unknown key {key}" for key in payload.keys() - {"topic", "title", "message", "priority", "tags", "click"}
    ]
    for key, limit in (("title", 1024), ("message", _MOST)):
        text = payload.get(key)
        if not isinstance(text, str) or not 0 < len(text.encode()) <= limit:
            problems.append(f"{key} is empty or too long")
    if len(",".join(payload.get("tags", ())).encode()) > NTFY_TAGS:
        problems.append("tags are too long")
    if payload.get("priority") not in (1, 2, 3, 4, 5):
        problems.append("no priority")
    return tuple(problems)


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

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message. Raises TemplateFault, and UnfitError for what would be refused."""
        subject = text = ""
        if (template := self._template) is not None and not digest.reduced:
            subject = clean(render_template(template.subject, "text", digest), 200) if template.subject else ""
            text = render_template(template.text, "text", digest) if template.text else ""
        omitted, laid = message(digest, self._topic, subject, text)
        editions = {"json": checked(laid, validate_ntfy)}
        return (Message(part="", subject=sentences.subject(digest), renderings=editions, omitted=omitted),)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt."""
        headers = {"content-type": "application/json; charset=utf-8"}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.reveal()}"
        answer = await self._poster.post(delivery.message.renderings["json"].encode(), headers)
        return judge(answer, repeatable=False, secrets=self._secrets)

    async def close(self) -> None:
        """Close the connections."""
        await self._poster.close()


def _build(name: str, options: NtfyOptions, context: ReceiverContext) -> Ntfy:
    return Ntfy(name, options, context.user_agent)


KIND = ReceiverKind("ntfy", NtfyOptions, _build)
