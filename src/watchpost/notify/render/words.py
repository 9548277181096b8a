"""Still: what an edition says about itself and its stories, in sentences that all editions share.

The house's own words are English. Times are told in the digest's timezone (IANA name), languages by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchpost.model import SEVERITIES, Digest, Report, Story, TopicMatch
from watchpost.notify.render.foreign import clean, cut, language_tag, link, names

LANGUAGE = "en"
STATUS = {"new": "NEW", "updated": "UPDATE", "continuing": "CONTINUING"}
_SUBJECT = 90  # code points; mail clients show about that many
_LATE = timedelta(minutes=2)  # below that it is the work itself, not downtime
_GAP = timedelta(hours=6)  # published and first seen further apart than this: both are told


@dataclass(frozen=True, slots=True)
class Section:
    """The stories under one topic: each stands once, under its most severe topic."""

    title: str
    stories: tuple[Story, ...]


def sections(stories: Sequence[Story]) -> tuple[Section, ...]:
    """Stories by topic; topics in the order of their best story, stories in the order given."""
    groups: dict[str, list[Story]] = {}
    for story in stories:
        groups.setdefault(home(story).name, []).append(story)
    return tuple(Section(title(home(group[0])), tuple(group)) for group in groups.values())


def home(story: Story) -> TopicMatch:
    """The topic that a story stands under: the first of the most severe ones."""
    nameless = TopicMatch("", "", "normal", ())
    return max(story.topics, key=lambda match: SEVERITIES.index(match.severity), default=nameless)


def title(match: TopicMatch) -> str:
    """A topic as people call it."""
    return clean(match.title, 120) or clean(match.name, 120) or "(no topic)"


def other_topics(story: Story) -> tuple[str, ...]:
    """The further topics of a story, at most five."""
    return names((title(match) for match in story.topics if match != home(story)), 5)[0]


def headline(report: Report, limit: int = 300) -> str:
    """A report's title, never empty."""
    return clean(report.title, limit) or "(no title)"


def shorten(digest: Digest, stories: int) -> Digest:
    """The digest with at most so many stories; what is left out is counted as omitted."""
    kept = digest.stories[:stories]
    return replace(digest, stories=kept, omitted=digest.omitted + len(digest.stories) - len(kept))


# ── the edition ──────────────────────────────────────────────────────────────────────────────────────────


def subject(digest: Digest) -> str:
    """One line of at most 90 code points: a stable prefix, the count, the strongest headline."""
    prefix = f"[{clean(digest.install, 24) or 'watchpost'}] "
    told = len(digest.stories)
    if not told:
        return cut(prefix + nothing(digest), _SUBJECT)
    first = digest.stories[0]
    what = (
        f"{home(first).severity.upper()} {cut(title(home(first)), 24)}"
        if digest.kind == "alert"
        else plural(told, "story")
    )
    more = f" (+{told - 1})" if told > 1 else ""
    room = _SUBJECT - len(prefix) - len(what) - len(more) - 2
    return f"{prefix}{what}: {headline(first.lead, room)}{more}"


def heading(digest: Digest) -> str:
    """What the edition is about, in one line: "Wagner and Mali: 5 stories, 2 new"."""
    topics, more = names((section.title for section in sections(digest.stories)), 2, 40)
    if not topics:
        return nothing(digest)
    loud = home(digest.stories[0]).severity.upper() + " · " if digest.kind == "alert" else ""
    about = loud + (f"{', '.join(topics)} and {plural(more, 'more topic')}" if more else " and ".join(topics))
    new = sum(story.status == "new" for story in digest.stories)
    return f"{about}: {plural(len(digest.stories), 'story')}" + (f", {new} new" if new else "")


def summary(digest: Digest) -> str:
    """How much there is: "5 stories from 61 articles: 2 new, 1 updated, 2 continuing.\""""
    if not digest.stories:
        return nothing(digest)
    counts = [(sum(s.status == name for s in digest.stories), name) for name in ("new", "updated", "continuing")]
    states = ", ".join(f"{count} {name}" for count, name in counts if count)
    return f"{plural(len(digest.stories), 'story')} from {plural(digest.articles, 'article')}: {states}."


def nothing(digest: Digest) -> str:
    """The sentence of an edition without stories: a silent failure must not look like a quiet day."""
    failed, total = len(digest.unread), digest.sources_total
    if digest.omitted:
        return f"Nothing shown: {plural(digest.omitted, 'story')} left out."
    if total and failed >= total:
        return f"Nothing could be read: {failed} of {total} sources failed."
    if failed:
        known = f"{total - failed} of {total} sources" if total else "the other sources"
        return f"Nothing matched in what could be read: {known}."
    return "Nothing matched." + (f" {plural(total, 'source')} read." if total else "")


def dateline(digest: Digest) -> str:
    """When the edition was made: "Monday 23 November 2026, 08:00 Europe/Paris"."""
    zone = zone_of(digest)
    return f"{_say(digest.created.astimezone(zone), 'EEEE d MMMM y, HH:mm')} {zone}"


def window(digest: Digest) -> str:
    """The time that the edition covers: "Sun 22 Nov 18:00 - Mon 23 Nov 08:00"."""
    begin, end = (when.astimezone(zone_of(digest)) for when in (digest.window_start, digest.window_end))
    same = begin.date() == end.date()
    return f"{_say(begin, 'EEE d MMM HH:mm')} - {_say(end, 'HH:mm' if same else 'EEE d MMM HH:mm')}"


def lateness(digest: Digest) -> str:
    """ "Closed 3 h late: the service was down.", or "" if the edition was in time."""
    return f"Closed {duration(digest.late)} late: the service was down." if digest.late >= _LATE else ""


def not_shown(digest: Digest) -> str:
    """ "Not shown: 2 stories.", or ""."""
    return f"Not shown: {plural(digest.omitted, 'story')}." if digest.omitted else ""


def not_read(digest: Digest, limit: int = 12) -> str:
    """ "Not read: 2 of 41 sources: maliweb (HTTP 503 since 03:10), nrk (dns, never read yet)", or ""."""
    if not digest.unread:
        return ""
    told = [
        f"{clean(unread.source, 40)} ({clean(unread.reason, 60) or 'no reason known'}"
        + (f" since {moment(digest, unread.since)})" if unread.since else ", never read yet)")
        for unread in digest.unread[:limit]
    ]
    if len(digest.unread) > limit:
        told.append(f"{len(digest.unread) - limit} more")
    of = f" of {plural(digest.sources_total, 'source')}" if digest.sources_total else ""
    return f"Not read: {len(digest.unread)}{of}: " + ", ".join(told)


def colophon(digest: Digest) -> str:
    """Why the reader gets this."""
    return f"You get this because you are on {clean(digest.receiver, 60)} of {clean(digest.install, 60)}."


def edition_link(digest: Digest) -> str:
    """Where the edition stands on the operator's own pages; "" if they have no public address."""
    return link(f"{digest.public_url.rstrip('/')}/e/dg_{digest.id}") if digest.public_url else ""


# ── a story ──────────────────────────────────────────────────────────────────────────────────────────────


def byline(digest: Digest, story: Story) -> str:
    """Who, in which language, when, and how many: "RFI Afrique, French, 07:42 (seen 07:44). 7 sources."."""
    lead = story.lead
    parts = (outlet(lead), language_name(lead.lang), _when(digest, lead))
    return ", ".join(part for part in parts if part) + f". {plural(sources(story), 'source')}."


def why(story: Story, limit: int = 6) -> str:
    """The words that matched, in the article's own form: `"Wagner", "Gao"`; "" if there are none."""
    told, more = names((word for match in story.topics for word in match.why), limit)
    return ", ".join(f'"{word}"' for word in told) + (f", +{more}" if more else "")


def also(story: Story, limit: int = 4) -> tuple[tuple[Report, ...], int]:
    """One report of each further outlet, and how many more outlets there are."""
    others = {outlet(report): report for report in reversed(story.reports)}
    others.pop(outlet(story.lead), None)
    reports = tuple(reversed(others.values()))
    return reports[:limit], max(0, len(reports) - limit)


def other(story: Story, report: Report) -> str:
    """A further report's name: the outlet, with its language where it is not the lead's."""
    lang = language_tag(report.lang)
    return outlet(report) + (f" ({lang})" if lang and lang != language_tag(story.lead.lang) else "")


def outlet(report: Report) -> str:
    """Who published it, as far as known."""
    return clean(report.outlet, 60) or clean(report.source, 60)


def sources(story: Story) -> int:
    """How many different outlets told the story."""
    return len({outlet(report) for report in (story.lead, *story.reports)})


def _when(digest: Digest, report: Report) -> str:
    seen = moment(digest, report.first_seen)
    if report.published is None:
        return f"no date, seen {seen}"
    published = moment(digest, report.published)
    if abs(report.first_seen - report.published) > _GAP:
        return f"published {published}, seen {seen}"
    return published if published == seen else f"{published} (seen {seen})"


# ── times and numbers ────────────────────────────────────────────────────────────────────────────────────


def moment(digest: Digest, when: datetime) -> str:
    """A moment seen from the edition: "07:42" on its day, "Sun 22 Nov 18:03" in its year, else with year."""
    local, today = (each.astimezone(zone_of(digest)) for each in (when, digest.created))
    if local.date() == today.date():
        return _say(local, "HH:mm")
    return _say(local, "EEE d MMM HH:mm" if local.year == today.year else "d MMM y HH:mm")


def zone_of(digest: Digest) -> tzinfo:
    """The digest's timezone; UTC if this machine does not know it."""
    return _zone(digest.timezone)


def duration(length: timedelta) -> str:
    """A length of time in its two largest units: "3 h", "2 d 4 h", "25 min"."""
    minutes = round(length.total_seconds() / 60)
    days, hours, rest = minutes // 1440, minutes // 60 % 24, minutes % 60
    parts = [f"{n} {unit}" for n, unit in ((days, "d"), (hours, "h"), (rest, "min")) if n]
    return " ".join(parts[:2]) or "0 min"


def plural(number: int, noun: str) -> str:
    """ "1 story", "2 stories", "0 sources"."""
    if number != 1:
        noun = noun[:-1] + "ies" if noun.endswith("y") else noun + "s"
    return f"{number} {noun}"


def listed(parts: Iterable[str]) -> str:
    """The non-empty parts, one blank between."""
    return " ".join(part for part in parts if part)


@lru_cache(maxsize=64)
def language_name(lang: str) -> str:
    """A language's English name ("fr" → "French"); the tag itself if it has none; "" if it is no tag."""
    from babel import Locale

    tag = language_tag(lang)
    return str(Locale(LANGUAGE).languages.get(tag.split("-")[0].lower(), tag))


@lru_cache(maxsize=64)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # ZoneInfoNotFoundError is a KeyError
        return UTC


def _say(when: datetime, pattern: str) -> str:
    from babel.dates import format_datetime

    return str(format_datetime(when, pattern, tzinfo=when.tzinfo, locale=LANGUAGE))
