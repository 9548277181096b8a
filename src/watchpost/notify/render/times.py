"""Still: moments, lengths of time and names of languages, in the language and timezone of a digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchpost.model import Digest
from watchpost.notify.render.foreign import language_tag
from watchpost.notify.render.phrases import phrases_for

_GAP = timedelta(hours=6)


def moment(digest: Digest, when: datetime) -> str:
    """A moment seen from the edition: "07:42" on its day, "Sun 22 Nov 18:03" in its year, else with year."""
    local, today = (each.astimezone(zone_of(digest)) for each in (when, digest.created))
    if local.date() == today.date():
        return written(digest, local, "HH:mm")
    return written(digest, local, "EEE d MMM HH:mm" if local.year == today.year else "d MMM y HH:mm")


def dated(digest: Digest, published: datetime | None, seen: datetime) -> str:
    """When an article was published, and when it was seen if that is another moment: "07:42 (18 min ago, seen 07:44)".

    Further apart than six hours both are told in full. A missing date is said, not guessed.
    """
    say = phrases_for(digest.language)
    found = moment(digest, seen)
    if published is None:
        return say.undated.format(seen=found)
    age = max(timedelta(0), digest.created - published)
    ago, told = say.ago.format(duration=duration(age, say.units)), moment(digest, published)
    if abs(seen - published) > _GAP:
        return say.published.format(published=told, ago=ago, seen=found)
    return f"{told} ({ago})" if told == found else say.seen.format(published=told, ago=ago, seen=found)


def written(digest: Digest, when: datetime, pattern: str) -> str:
    """A moment in the digest's timezone and language; `pattern` is one of Unicode's (UTS #35)."""
    from babel.dates import format_datetime

    return str(format_datetime(when, pattern, tzinfo=zone_of(digest), locale=phrases_for(digest.language).language))


def zone_of(digest: Digest) -> tzinfo:
    """The digest's timezone; UTC if this machine does not know it."""
    return _zone(digest.timezone)


DAYS_ALONE = 7
"""Of what is so many days old nobody asks for the hour."""


def duration(length: timedelta, units: tuple[str, str, str] = ("d", "h", "min")) -> str:
    """A length of time as people say it: "25 min", "3 h 20 min", "2 d 4 h"; from `DAYS_ALONE` on whole days."""
    minutes = round(length.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    if days >= DAYS_ALONE:
        return f"{days} {units[0]}"
    counted = (days, hours, 0 if days else rest)
    parts = [f"{n} {unit}" for n, unit in zip(counted, units, strict=True) if n]
    return " ".join(parts) or f"0 {units[2]}"


@lru_cache(maxsize=64)
def language_name(lang: str, told_in: str = "en") -> str:
    """A language's name in another ("fr" → "French"); the tag itself if it has none; "" if it is no tag."""
    from babel import Locale

    tag = language_tag(lang)
    return str(Locale(told_in).languages.get(tag.split("-")[0].lower(), tag))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return UTC
