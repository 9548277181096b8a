"""Plan → what the pages get of it. Builds and hands over, nothing else."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from watchpost import redaction
from watchpost.app.coming import PlanEditions
from watchpost.app.deeds import PlanDeeds
from watchpost.app.disk import PlanOnDisk
from watchpost.app.leaving import MailLeaving
from watchpost.match.routing import all_groups
from watchpost.model import Group, Immediate
from watchpost.notify.schedule import next_slot
from watchpost.plan.effective import effective
from watchpost.plan.plan import Part, Plan
from watchpost.poll.due import words
from watchpost.vitals import VITALS
from watchpost.web.reload import Door
from watchpost.web.server import House
from watchpost.web.watched import Watched
from watchpost.wire.store import Store

_LISTED = 30_000  # characters of the configuration on its page


def house(
    plan: Plan, store: Store, stop: asyncio.Event, door: Door | None = None, disk: PlanOnDisk | None = None
) -> House:
    """Everything that the web role is built from."""
    return House(
        store=store,
        watched=watched(plan),
        vitals=VITALS,
        access=plan.access,
        listen=plan.listen,
        next_edition=next_edition,
        stop=stop,
        door=door,
        deeds=PlanDeeds(plan, store),
        leaving=MailLeaving(plan, store),
        coming=PlanEditions(plan, store),
        disk=disk,
    )


def watched(plan: Plan) -> Watched:
    """The slice of the plan that the pages and probes get."""
    return Watched(
        feeds=tuple(part.name for part in plan.sources if part.kind == "feed"),
        folders=tuple(part.name for part in plan.sources if part.kind != "feed"),
        receivers=tuple(part.name for part in plan.receivers),
        topics=plan.topics,
        fingerprint=plan.fingerprint,
        groups=all_groups(plan.routes),
        places={part.name: _place(part) for part in plan.sources},
        paces={part.name: f"every {words(every)}" for part in plan.sources if (every := _every(part)) is not None},
        kinds={part.name: part.kind for part in plan.receivers},
        listing=tuple(_listing(plan)),
        warnings=tuple(str(warning) for warning in plan.warnings),
        silences=plan.silences,
        timezone=plan.timezone,
        public_url=plan.public_url,
    )


def next_edition(group: Group, opened: datetime | None, now: datetime) -> datetime | None:
    """When a group is told next; None for an alert for which nothing is parked."""
    if isinstance(group.schedule, Immediate):
        return None if opened is None else max(now, opened + group.schedule.group_wait)
    return next_slot(group.schedule, now)


def _every(part: Part) -> Any:
    return getattr(part.options, "every", None)


def _place(part: Part) -> str:
    """The URL without user and password, or the path."""
    url = getattr(part.options, "url", None)
    if isinstance(url, str):
        parts = urlsplit(url)
        return redaction.clean(parts._replace(netloc=parts.netloc.rpartition("@")[2]).geturl())
    path = getattr(part.options, "path", "")
    return str(path) if isinstance(path, Path | str) else ""


def _listing(plan: Plan) -> Iterator[str]:
    """The configuration as `watchpost config show` has it, without tokens, cut where a page would be too long."""
    text = redaction.clean(json.dumps(effective(plan), ensure_ascii=False, indent=2))
    shown = text if len(text) <= _LISTED else text[:_LISTED].rpartition("\n")[0]
    yield from shown.splitlines()
    if len(shown) < len(text):
        yield f"… and {text[len(shown) :].count(chr(10))} lines more: watchpost config show"
