"""Templates → pages. Everything is escaped unless a template of ours says otherwise, and none does."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from datetime import datetime
from importlib import resources
from typing import Any
from zoneinfo import ZoneInfo

from jinja2 import Environment, PackageLoader, StrictUndefined

from watchpost import __version__
from watchpost.web import shaping

MEDIA = {"css": "text/css; charset=utf-8", "js": "text/javascript; charset=utf-8", "svg": "image/svg+xml"}


class Rendering:
    """The pages' templates and static files, times in one zone."""

    def __init__(self, timezone: str) -> None:
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
        )
        self._environment.filters |= {
            "local": lambda moment, now: shaping.day_and_time(moment.astimezone(zone), now.astimezone(zone)),
            "full": lambda moment: f"{moment.astimezone(zone):%Y-%m-%d %H:%M:%S %Z}",
            "iso": lambda moment: moment.isoformat(timespec="seconds"),
            "ago": shaping.ago,
            "link": shaping.safe_link,
            "pieces": shaping.pieces,
            "plain_subject": shaping.plain_subject,
            "span": shaping.span_words,
        }
        self._environment.globals |= {"asset_version": version, "program_version": __version__, "zone": timezone}

    def page(self, template: str, now: datetime, values: Mapping[str, Any]) -> str:
        """The page."""
        return self._environment.get_template(f"{template}.html").render(now=now, **values)
