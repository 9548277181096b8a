"""ntfy: notifications on telephones, through ntfy.sh or a server of your own (docs.ntfy.sh/publish).

Messages are published as JSON: in headers, ntfy's other way, foreign text would have to be encoded.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit

from pydantic_core import PydanticCustomError

from watchpost.config.fields import HeaderSecret, Secret, checked_secret
from watchpost.model import SEVERITIES, Delivery, Digest, Message, Outcome
from watchpost.notify.chat import compact_json
from watchpost.notify.http import JSON_TYPE, HttpOptions, Poster, TargetUrl, judge, judge_page
from watchpost.notify.receiver import ReceiverContext, ReceiverKind
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.limits import NTFY, NTFY_TAGS, NTFY_TITLE, checked
from watchpost.notify.render.packing import brief, cut_to, limit_stories
from watchpost.notify.render.sanitize import clean, names
from watchpost.notify.render.template import render_template
from watchpost.notify.templates import TextTemplates

_PRIORITY = {"low": 2, "normal": 3, "high": 4}  # 5 overrides "do not disturb", which is for people to decide
_MOST_TAGS = 5
_LONGEST_MESSAGE = 4096  # bytes
_TOPIC = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PACE = timedelta(seconds=1)


def _check_topic(url: Secret) -> Secret:
    parts = urlsplit(url.reveal())
    if not _TOPIC.fullmatch(parts.path.rpartition("/")[2]) or parts.query or parts.fragment:
        raise PydanticCustomError("ntfy_url", "the URL ends in the topic's name, like https://ntfy.sh/duty-desk")
    return url


class NtfyOptions(HttpOptions):
    """`url`: server and topic. `token`: an access token, if the server needs one."""

    url: Annotated[TargetUrl, checked_secret(_check_topic)]
    token: HeaderSecret | None = None
    template: TextTemplates | None = None


class Ntfy:
    """One notification per digest; its priority is that of the most severe story."""

    def __init__(self, name: str, options: NtfyOptions, context: ReceiverContext) -> None:
        self.name = name
        self._token = options.token
        self._template = options.template
        self._secrets = (options.url, *([options.token] if options.token else []))
        root, _, self._topic = options.url.reveal_or("/topic").rpartition("/")
        self._poster = Poster(Secret(f"{root}/", options.url.origin, options.url.why_absent), options, context, _PACE)

    def render(self, digest: Digest) -> tuple[Message, ...]:
        """One message. Raises TemplateFault, and UnfitError for what ntfy would refuse."""
        title = text = ""
        if (template := self._template) is not None and not digest.reduced:
            title = clean(render_template(template.subject, "text", digest), 200) if template.subject else ""
            text = render_template(template.text, "text", digest) if template.text else ""
        payload, omitted, named = message(digest, self._topic, title, text)
        renderings = {"json": checked(payload, validate_ntfy)}
        shown = limit_stories(digest, len(digest.stories) + digest.omitted - omitted)
        return (Message("", sentences.subject(shown), renderings, omitted=omitted, named=named),)

    async def send(self, delivery: Delivery) -> Outcome:
        """One attempt."""
        headers = {"content-type": JSON_TYPE}
        if self._token is not None:
            headers["authorization"] = f"Bearer {self._token.reveal()}"
        answer = await self._poster.post(delivery.message.renderings["json"].encode(), headers)
        return judge_page(answer) or judge(answer, repeatable=False, secrets=self._secrets)


def message(digest: Digest, topic: str, title: str = "", text: str = "") -> tuple[str, int, tuple[str, ...]]:
    """One notification: the payload as compact JSON, how many stories are only counted in it, and the articles named.

    `title` and `text`, where given, replace ours.
    """
    short = brief(digest, NTFY, NTFY_TITLE)
    severity = max((story.severity for story in digest.stories), key=SEVERITIES.index, default="low")
    topics = (story_lines.main_topic(story).name.replace(",", " ") for story in digest.stories)
    tags, _ = names(topics, _MOST_TAGS, 40)
    payload: dict[str, Any] = {
        "topic": topic,
        "title": cut_to(title, NTFY, NTFY_TITLE) or short.title,
        "message": cut_to(text, NTFY, NTFY.size) or short.text,
        "priority": _PRIORITY[severity],
    }
    payload |= {"tags": list(tags)} if tags else {}
    payload |= {"click": short.click} if short.click else {}
    if text:
        return compact_json(payload), digest.omitted, story_lines.named_articles(digest.stories)
    return compact_json(payload), short.omitted, short.named


def validate_ntfy(payload: Mapping[str, Any]) -> tuple[str, ...]:
    """Everything in a payload that ntfy would refuse or turn into an attachment."""
    problems = [
        f"unknown key {key}" for key in payload.keys() - {"topic", "title", "message", "priority", "tags", "click"}
    ]
    for key, limit in (("title", 1024), ("message", _LONGEST_MESSAGE)):
        text = payload.get(key)
        if not isinstance(text, str) or not 0 < len(text.encode()) <= limit:
            problems.append(f"{key} is empty or too long")
    if len(",".join(payload.get("tags", ())).encode()) > NTFY_TAGS:
        problems.append("tags are too long")
    if payload.get("priority") not in (1, 2, 3, 4, 5):
        problems.append("no priority")
    return tuple(problems)


KIND = ReceiverKind("ntfy", NtfyOptions, Ntfy)
