"""Silences: add one, end one. The command line, the pages and the API all do it here."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

from pydantic import BaseModel, ConfigDict

from watchpost import durations
from watchpost import log as tm
from watchpost.config.config import Config
from watchpost.config.errors import suggest
from watchpost.config.schema import moment
from watchpost.errors import FormError, NotFound
from watchpost.model import SEVERITIES, derive_id
from watchpost.schedules import Silence
from watchpost.store.client import Store
from watchpost.store.silences import Silences


class SilenceRequest(BaseModel):
    """A silence to add: at least one condition, a duration in `lasting` ("2h") or an end in `until`, and a reason."""

    model_config = ConfigDict(str_strip_whitespace=True)

    topic: str = ""
    source: str = ""
    severity: str = ""
    text: str = ""
    story: str = ""
    lasting: str = ""
    until: str = ""
    reason: str = ""


async def add_silence(config: Config, store: Store, request: SilenceRequest, by: str) -> Silence:
    """Stop notifications about hits that match the request. Raises FormError and StoreError."""
    now = datetime.now(UTC)
    silence = silence_from(request, config, by, now)
    await Silences(store).add(silence, now)
    tm.operator_acted("silence add", 1, by, silence=silence.id)
    return silence


async def end_silence(config: Config, store: Store, id_: str, by: str) -> Silence:
    """End a silence now. Raises NotFound if none with this id can be ended, and StoreError."""
    if any(silence.id == id_ for silence in config.silences):
        raise NotFound(f"silence {id_} is part of the configuration: remove it there")
    ended = await Silences(store).expire(id_, datetime.now(UTC))
    if ended is None:
        raise NotFound(f"no active silence {id_}")
    tm.operator_acted("silence expire", 1, by, silence=id_)
    return ended


def silence_from(request: SilenceRequest, config: Config, by: str, now: datetime) -> Silence:
    """The silence that a request describes. Raises FormError with a sentence for each wrong field."""
    mistakes = dict(_mistakes(request, config))
    until = _until(request, config.timezone, now, mistakes)
    if until is not None and until <= now:
        mistakes["lasting" if request.lasting else "until"] = "the end must be in the future"
    reason = " ".join(request.reason.split())[:200]
    if not reason:
        mistakes["reason"] = "give a reason"
    if mistakes or until is None:
        raise FormError(mistakes)
    conditions = request.topic, request.source, request.severity, request.text
    id_ = derive_id("silence", *conditions, request.story, until.isoformat(), reason)[:8]
    return Silence(id_, until, reason, by, *conditions, story=request.story)


def conditions_in_words(silence: Silence) -> str:
    """Which hits a silence stops: "topic mali, severity low"."""
    names = ("topic", "source", "severity", "text", "story")
    return ", ".join(f"{name} {value}" for name in names if (value := getattr(silence, name)))


def _mistakes(request: SilenceRequest, config: Config) -> Iterator[tuple[str, str]]:
    named = (
        ("topic", "topic", request.topic, [topic.name for topic in config.topics]),
        ("source", "source", request.source, [part.name for part in config.sources]),
        ("severity", "severity", request.severity, list(SEVERITIES)),
    )
    for field, what, name, known in named:
        if name and name not in known:
            yield field, f"no {what} '{name}'{suggest(name, known)}"
    if not any((request.topic, request.source, request.severity, request.text, request.story)):
        yield "topic", "set at least one of topic, source, severity and text; without any, everything would be silenced"


def _until(request: SilenceRequest, timezone: str, now: datetime, mistakes: dict[str, str]) -> datetime | None:
    if bool(request.lasting) == bool(request.until):
        mistakes["lasting"] = "give either a duration like 2h or an end like 2026-12-01"
        return None
    try:
        if request.lasting:
            return now + durations.parse(request.lasting)
        until = moment(request.until)
        return (until.replace(tzinfo=ZoneInfo(timezone)) if until.tzinfo is None else until).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        if request.lasting:
            mistakes["lasting"] = f"'{request.lasting}' is not a duration; write it like 30m, 6h or 7d"
        else:
            mistakes["until"] = str(error)
    return None
