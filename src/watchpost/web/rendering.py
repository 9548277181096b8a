"""Templates and forms: the HTML of a page, and the fields that a browser sends. Everything in a page is escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from functools import partial
from importlib import resources
from typing import Any
from urllib.parse import parse_qsl
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from starlette.requests import Request
from starlette.responses import JSONResponse

from watchpost import __version__, durations, plurals
from watchpost.config.diff import brief
from watchpost.control_characters import in_json, on_lines
from watchpost.notify import story_choice
from watchpost.web import formatting

MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


def _shown(value: Any) -> Any:
    """Text in a page with control characters written out; markup is our own."""
    return on_lines(value) if isinstance(value, str) and not isinstance(value, Markup) else value


class Rendering:
    """The templates of the pages with times in one zone, and the static files."""

    def __init__(self, timezone: str, install: str = "", *, searchable: bool = False) -> None:
        """`install` is the name of this installation, which subjects end with; `searchable`: there is an archive."""
        zone = ZoneInfo(timezone)
        folder = resources.files("watchpost.web") / "static"
        self.static: Mapping[str, bytes] = {
            one.name: one.read_bytes() for one in folder.iterdir() if one.name.rpartition(".")[2] in MEDIA
        }
        version = hashlib.blake2b(b"".join(self.static.values()), digest_size=6).hexdigest()
        self._environment = Environment(
            autoescape=True,
            loader=PackageLoader("watchpost.web", "templates"),
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_shown,
        )
        self._environment.filters |= {
            "local": lambda moment, now: formatting.day_and_time(moment.astimezone(zone), now.astimezone(zone)),
            "full": lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
            "iso": lambda moment: moment.isoformat(timespec="seconds"),
            "ago": durations.ago,
            "link": formatting.safe_link,
            "pieces": formatting.pieces,
            "why": story_choice.why_places,
            "plain_subject": partial(formatting.plain_subject, install=install),
            "plural": plurals.count,
            "first_upper": lambda text: text[:1].upper() + text[1:],
            "brief": brief,
            "span": durations.short,
        }
        self._environment.globals |= {"asset_version": version, "program_version": __version__, "zone": timezone}
        self._environment.globals["searchable"] = searchable

    def page(self, template: str, now: datetime, values: Mapping[str, Any]) -> str:
        """The HTML of a page."""
        return self._environment.get_template(f"{template}.html").render(now=now, **values)


class PlainJSON(JSONResponse):
    """JSON in which control characters and direction marks of strangers are escaped."""

    def render(self, content: Any) -> bytes:
        return in_json(super().render(content).decode()).encode()


FORM_BYTES = 400_000  # the text to try has up to 100,000 characters of any script


class TooLongError(Exception):
    """A body or form that is too long."""


BODY_BYTES = FORM_BYTES * 3  # a form encodes a non-ASCII byte as three


async def body_of(request: Request, most: int = BODY_BYTES) -> bytes:
    """The whole body. Raises TooLongError beyond `most` bytes, before any are read if its length is declared."""
    declared = request.headers.get("content-length", "0")
    if not declared.isdecimal() or len(declared) > 12 or int(declared) > most:
        raise TooLongError
    body = bytearray()
    async for part in request.stream():
        body += part
        if len(body) > most:
            raise TooLongError
    return bytes(body)


async def form_of(request: Request, most: int = BODY_BYTES) -> dict[str, str]:
    """A form's fields (application/x-www-form-urlencoded), of each the last value. Raises TooLongError."""
    body = await body_of(request, most)
    try:
        return dict(parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=50))
    except ValueError:  # more fields than any of our forms has
        return {}
