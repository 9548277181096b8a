"""Pure: moments, ages and names of languages, in the language and the time zone of a digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchpost.durations import short
from watchpost.model import Digest
from watchpost.notify.render.i18n import phrases_for
from watchpost.notify.render.sanitize import language_tag

# moments, lengths of time and names of languages, in the language and timezone of a digest.


_GAP = timedelta(hours=6)


def moment(digest: Digest, when: datetime) -> str:
    """A moment seen from the edition: "07:42" on its day, "Sun 22 Nov 18:03" in its year, else with year."""
    local, today = (each.astimezone(zone_of(digest)) for each in (when, digest.created))
    if local.date() == today.date():
        return format_time(digest, local, "HH:mm")
    return format_time(digest, local, "EEE d MMM HH:mm" if local.year == today.year else "d MMM y HH:mm")


def published_and_seen(digest: Digest, published: datetime | None, seen: datetime) -> str:
    """When an article was published, and when it was seen if that is another moment: "07:42 (18 min ago, seen 07:44)".

    Further apart than six hours both are told in full. A missing date is said, not guessed.
    """
    say = phrases_for(digest.language)
    found = moment(digest, seen)
    if published is None:
        return say.undated.format(seen=found)
    age = max(timedelta(0), digest.created - published)
    ago, told = say.ago.format(duration=short(age, say.units)), moment(digest, published)
    if abs(seen - published) > _GAP:
        return say.published.format(published=told, ago=ago, seen=found)
    return f"{told} ({ago})" if told == found else say.seen.format(published=told, ago=ago, seen=found)


def format_time(digest: Digest, when: datetime, pattern: str) -> str:
    """A moment in the digest's timezone and language; `pattern` is one of Unicode's (UTS #35)."""
    from babel.dates import format_datetime

    return str(format_datetime(when, pattern, tzinfo=zone_of(digest), locale=phrases_for(digest.language).language))


def zone_of(digest: Digest) -> tzinfo:
    """The digest's timezone; UTC if this machine does not know it."""
    return _zone(digest.timezone)


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
