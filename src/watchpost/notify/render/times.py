"""Pure: moments, ages and names of languages, in the language and the time zone of a digest."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from typing import Literal
from zoneinfo import ZoneInfo

from watchpost.model import Digest
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.sanitize import language_tag

_APART = timedelta(hours=6)
# Up to that length an age is written in this unit: "119 min ago", then "2 hours ago".
_UNITS: tuple[tuple[Literal["minute", "hour", "day", "month", "year"], timedelta], ...] = (
    ("minute", timedelta(minutes=119)),
    ("hour", timedelta(days=2)),
    ("day", timedelta(days=60)),
    ("month", timedelta(days=730)),
    ("year", timedelta.max),
)


def moment(digest: Digest, when: datetime) -> str:
    """A moment as the digest writes it: "07:42" on its own day, "Sun 22 Nov 18:03" in its year, else with the year."""
    local, today = (each.astimezone(zone_of(digest)) for each in (when, digest.created))
    if local.date() == today.date():
        return f"{local:%H:%M}"
    return day_and_time(digest, local, with_year=local.year != today.year)


def day_and_time(digest: Digest, when: datetime, *, with_year: bool = False) -> str:
    """ "Sun 22 Nov 18:03", or "1 Jul 2025 12:00"."""
    from babel.dates import format_skeleton

    local = when.astimezone(zone_of(digest))
    day = format_skeleton("yMMMd" if with_year else "MMMEd", local, locale=translation(digest.language).locale)
    return f"{day} {local:%H:%M}"


def full_date(digest: Digest) -> str:
    """When the digest was made: "Monday, 23 November 2026, 08:00 Europe/Paris"."""
    from babel.dates import format_date

    tr, local = translation(digest.language), digest.created.astimezone(zone_of(digest))
    return f"{tr.listing([format_date(local, 'full', tr.locale), f'{local:%H:%M}'])} {zone_of(digest)}"


def published_and_seen(digest: Digest, published: datetime | None, seen: datetime) -> str:
    """When an article was published, and when it was seen: "07:42 (18 min ago, seen 07:44)".

    One moment that stands for both is written once. Where they are more than six hours apart, each has its verb.
    """
    tr, seen_at = translation(digest.language), moment(digest, seen)
    if published is None:
        return tr.gettext("no date, seen {seen}", seen=seen_at)
    times = {"published": moment(digest, published), "ago": ago(digest, published), "seen": seen_at}
    if abs(seen - published) > _APART:
        return tr.gettext("published {published} ({ago}), seen {seen}", **times)
    if times["published"] == seen_at:
        return tr.gettext("{published} ({ago})", **times)
    return tr.gettext("{published} ({ago}, seen {seen})", **times)


def ago(digest: Digest, when: datetime) -> str:
    """How long before the digest something was: "just now", "18 min ago", "3 years ago"."""
    age = digest.created - when
    if age < timedelta(minutes=1):
        return translation(digest.language).gettext("just now")
    return _in_words(digest, -age, add_direction=True)


def duration(digest: Digest, length: timedelta) -> str:
    """A length of time in its largest unit: "18 minutes", "3 hours", "2 days"."""
    return _in_words(digest, length, add_direction=False)


def zone_of(digest: Digest) -> tzinfo:
    """The digest's time zone; UTC if this machine does not know it."""
    return _zone(digest.timezone)


@lru_cache(maxsize=64)
def language_name(lang: str, shown_in: str = "en") -> str:
    """A language's name in another one ("fr" → "French"); the tag itself if it has none; "" if it is no tag."""
    tag = language_tag(lang)
    return str(translation(shown_in).locale.languages.get(tag.split("-")[0].lower(), tag))


def _in_words(digest: Digest, length: timedelta, *, add_direction: bool) -> str:
    from babel.dates import format_timedelta

    unit = next(name for name, most in _UNITS if abs(length) <= most)
    # Babel takes the first unit that the length reaches `threshold` times; an endless threshold leaves the choice to
    # `granularity`. So weeks are never named: CLDR lacks the past of the Arabic week.
    return format_timedelta(
        length,
        granularity=unit,
        threshold=float("inf"),
        add_direction=add_direction,
        format="short" if add_direction and unit == "minute" else "long",
        locale=translation(digest.language).locale,
    )


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return UTC
