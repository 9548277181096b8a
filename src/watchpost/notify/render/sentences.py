"""Pure: what an edition says about itself and its stories, in sentences that all editions share.

In the digest's language (phrases.py holds the words), with times in its timezone (IANA name).
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from watchpost.durations import short
from watchpost.model import SEVERITIES, Digest
from watchpost.notify.render.i18n import Phrases, phrases_of
from watchpost.notify.render.sanitize import clean, cut, link, names
from watchpost.notify.render.story_lines import (
    changes,
    headline,
    main_topic,
    outlet,
    sections,
    severity_label,
    topic_title,
)
from watchpost.notify.render.times import format_time, moment, zone_of
from watchpost.trend import Trend, bars

_SUBJECT = 90  # code points; mail clients show about that many
_LATE = timedelta(minutes=2)  # below that it is the work itself, not downtime


# ── the edition ──────────────────────────────────────────────────────────────────────────────────────────


def subject(digest: Digest) -> str:
    """One line of at most 90 code points: a stable prefix, the count, the strongest headline."""
    prefix = f"[{clean(digest.install, 24) or 'watchpost'}] " + (f"{phrases_of(digest).test} · " if digest.test else "")
    told = len(digest.stories)
    if not told:
        return cut(prefix + nothing(digest), _SUBJECT)
    first = digest.stories[0]
    what = phrases_of(digest).count(told, phrases_of(digest).story)
    if digest.kind == "alert":
        what = f"{severity_label(digest, first)} {cut(topic_title(main_topic(first)), 24)}"
    more = f" (+{told - 1})" if told > 1 else ""
    room = _SUBJECT - len(prefix) - len(what) - len(more) - 2
    return f"{prefix}{what}: {headline(first.lead, room)}{more}"


def heading(digest: Digest) -> str:
    """What the edition is about, in one line: "Wagner and Mali: 5 stories, 2 new"."""
    say = phrases_of(digest)
    topics, more = names((section.title for section in sections(digest.stories)), 2, 40)
    if not topics:
        return nothing(digest)
    about = ", ".join(topics) if more or len(topics) == 1 else say.both.format(*topics)
    about = say.both.format(about, say.count(more, say.more_topics)) if more else about
    about = f"{severity_label(digest, digest.stories[0])} · {about}" if digest.kind == "alert" else about
    new = sum(story.status == "new" for story in digest.stories)
    counts = [say.count(len(digest.stories), say.story), *([say.count(new, say.counted["new"])] if new else [])]
    mark = f"{say.test} · " if digest.test else ""
    return f"{mark}{about}: {', '.join(counts)}"


def summary(digest: Digest) -> str:
    """How much there is: "5 stories from 61 articles: 2 new, 1 updated, 2 continuing.\""""
    say = phrases_of(digest)
    if not digest.stories:
        return nothing(digest)
    counts = [(sum(story.status == name for story in digest.stories), noun) for name, noun in say.counted.items()]
    return say.summary.format(
        stories=say.count(len(digest.stories), say.story),
        articles=say.count(digest.articles, say.article),
        states=", ".join(say.count(count, noun) for count, noun in counts if count),
    )


def nothing(digest: Digest) -> str:
    """The sentence of an edition without stories: a silent failure must not look like a quiet day."""
    say = phrases_of(digest)
    failed, total = len(digest.unread), digest.sources_total
    if digest.flooded:
        return say.flood_only.format(hits=say.count(sum(count for _, count in digest.flooded), say.hit))
    if digest.omitted:
        return say.nothing_shown.format(stories=say.count(digest.omitted, say.story))
    if total and failed >= total:
        return say.nothing_read.format(failed=failed, total=total)
    if failed:
        known = say.part.format(number=total - failed, sources=say.count(total, say.source))
        return say.nothing_in_part.format(known=known if total else say.the_others)
    return say.nothing_of.format(sources=say.count(total, say.source)) if total else say.nothing


def dateline(digest: Digest) -> str:
    """When the edition was made: "Monday 23 November 2026, 08:00 Europe/Paris"."""
    mark = f"{phrases_of(digest).test} · " if digest.test else ""
    return f"{mark}{format_time(digest, digest.created, 'EEEE d MMMM y, HH:mm')} {zone_of(digest)}"


def period(digest: Digest) -> str:
    """The time that the edition covers: "Window: Sun 22 Nov 18:00 - Mon 23 Nov 08:00"."""
    begin, end = (when.astimezone(zone_of(digest)) for when in (digest.window_start, digest.window_end))
    until = "HH:mm" if begin.date() == end.date() else "EEE d MMM HH:mm"
    span = f"{format_time(digest, begin, 'EEE d MMM HH:mm')} - {format_time(digest, end, until)}"
    return phrases_of(digest).window.format(window=span)


def lateness(digest: Digest) -> str:
    """ "Closed 3 h late: the service was down.", or "" if the edition was in time."""
    say = phrases_of(digest)
    return say.late.format(duration=short(digest.late, say.units)) if digest.late >= _LATE else ""


def not_shown(digest: Digest) -> str:
    """ "Not shown: 2 stories.", or ""."""
    say = phrases_of(digest)
    if not digest.omitted:
        return ""
    left = [(digest.left_out.get(one, 0), say.severity[one].lower()) for one in reversed(SEVERITIES)]
    told = ", ".join(say.omitted.format(number=number, severity=word) for number, word in left if number)
    return say.not_shown.format(stories=say.count(digest.omitted, say.story) + (f" ({told})" if told else ""))


def not_read(digest: Digest, limit: int = 6) -> str:
    """ "Not read: 3 of 41 sources: maliweb (HTTP 503 since 03:10), nrk, svt (dns, never read yet)", or "".

    Sources with one trouble share one mention of it; at most `limit` of them are named.
    """
    say = phrases_of(digest)
    if not digest.unread:
        return ""
    troubles: dict[str, list[str]] = {}
    for unread in digest.unread:
        reason = clean(unread.reason, 60) or say.no_reason
        trouble = say.never_read.format(reason=reason)
        if unread.since:
            trouble = say.since.format(reason=reason, moment=moment(digest, unread.since))
        troubles.setdefault(trouble, []).append(clean(unread.source, 40))
    told = [f"{', '.join(_first(names, limit, say))} ({trouble})" for trouble, names in list(troubles.items())[:limit]]
    if hidden := sum(len(names) for names in list(troubles.values())[limit:]):
        told.append(say.further.format(number=hidden))
    part = str(len(digest.unread))
    if digest.sources_total:
        part = say.part.format(number=part, sources=say.count(digest.sources_total, say.source))
    return say.not_read.format(part=part, told=", ".join(told))


def _first(names: list[str], limit: int, say: Phrases) -> list[str]:
    """All names, or the first ones and how many more there are."""
    if len(names) <= limit:
        return names
    return [*names[:limit], say.further.format(number=len(names) - limit)]


def footer(digest: Digest) -> str:
    """Why the reader gets this; before it, once a day, whether everything of yesterday is accounted for."""
    why = phrases_of(digest).colophon.format(receiver=clean(digest.receiver, 60), install=clean(digest.install, 60))
    return f"{accounts(digest)} {why}".lstrip()


def accounts(digest: Digest) -> str:
    """Yesterday by the ledger: "Yesterday: 41 sources, 2,016 articles read, 14 found: all accounted for.", or ""."""
    say, found = phrases_of(digest), digest.accounts
    if found is None:
        return ""
    verdict = say.unaccounted.format(gaps="; ".join(found.gaps)) if found.gaps else say.accounted
    return say.yesterday.format(
        sources=say.count(found.sources, say.source),
        articles=say.count(found.articles, say.article),
        hits=found.hits,
        verdict=verdict,
    )


def pages_link(digest: Digest) -> str:
    """The operator's own pages; "" if they have no public address."""
    return link(digest.public_url)


def listed(parts: Iterable[str]) -> str:
    """The non-empty parts, one blank between."""
    return " ".join(part for part in parts if part)


# what an edition says of what it does not tell: silenced and counted hits, corrections, what comes next.


_MOST = 5


def remarks(digest: Digest) -> tuple[str, ...]:
    """All that there is to remark, as sentences, in the order of their weight."""
    return tuple(text for text in (*floods(digest), corrections(digest), silenced(digest), next_digest(digest)) if text)


def floods(digest: Digest) -> tuple[str, ...]:
    """ "Flood on Wagner: 9700 further hits were counted and are not listed."; for each topic, at most five."""
    say = phrases_of(digest)
    return tuple(
        say.flood.format(topic=clean(topic, 60), hits=say.count(count, say.further_hit))
        for topic, count in digest.flooded[:_MOST]
    )


def silenced(digest: Digest) -> str:
    """ "Silenced: 3 hits.", or ""."""
    say = phrases_of(digest)
    return say.silenced.format(hits=say.count(digest.silenced, say.hit)) if digest.silenced else ""


def corrections(digest: Digest) -> str:
    """What outlets changed of what was told: "Corrections: Courier: Figures corrected: 9 → 10 (Ten burn)", or ""."""
    say = phrases_of(digest)
    told = [
        f"{outlet(story.lead)}: {', '.join(found)} ({headline(story.lead, 80)})"
        for story in digest.stories
        if (found := changes(digest, story))
    ]
    more = [say.further.format(number=len(told) - _MOST)] if len(told) > _MOST else []
    return say.corrections.format(told="; ".join([*told[:_MOST], *more])) if told else ""


def next_digest(digest: Digest) -> str:
    """When the next one comes: "Next edition: 18:00.", or ""."""
    if digest.following is None or digest.test:
        return ""
    return phrases_of(digest).following.format(moment=moment(digest, digest.following))


# how much there is about a topic, as bars and in words.


_MOST_trends = 3


def trend_line(digest: Digest, topic: str) -> str:
    """ "▂▂▁▃▅▂▁▁▁▁▂▂▃█  12, usually 4: SPIKE 3.0×" for a topic by name; "" where nothing is counted of it.

    A bar is a day, the last one today so far; the numbers are of the edition's hours and of the same hours before.
    """
    told = trend_words(digest, topic)
    return f"{bars(days(digest, topic))}  {told}" if told else ""


def trend_words(digest: Digest, topic: str) -> str:
    """ "12, usually 4: SPIKE 3.0×": the same without its bars, for where they are a picture."""
    trend = digest.trends.get(topic)
    return "" if trend is None or not any(trend.days) else _numbers(digest, trend)


def days(digest: Digest, topic: str) -> tuple[int, ...]:
    """The numbers that the bars stand for; empty where there are none."""
    trend = digest.trends.get(topic)
    return trend.days if trend is not None and any(trend.days) else ()


def spikes(digest: Digest) -> str:
    """ "Much more than usual: Wagner 12 (usually 4).", or ""; at most three topics, in the edition's order."""
    say = phrases_of(digest)
    told = [
        say.spike_of.format(topic=clean(section.title, 60), count=trend.count, usual=_plain(trend.usual))
        for section in sections(digest.stories)
        if (trend := digest.trends.get(section.name)) is not None and trend.spike and trend.usual is not None
    ]
    more = [say.further.format(number=len(told) - _MOST_trends)] if len(told) > _MOST_trends else []
    return say.spikes.format(topics=", ".join([*told[:_MOST_trends], *more])) if told else ""


def _numbers(digest: Digest, trend: Trend) -> str:
    say = phrases_of(digest)
    if trend.usual is None:
        return say.count_only.format(count=trend.count)
    told = say.count_usual.format(count=trend.count, usual=_plain(trend.usual))
    if not trend.spike:
        return told
    return (
        f"{told}{say.spike.format(times=say.decimal(trend.count / trend.usual))}"
        if trend.usual
        else told + say.spike_new
    )


def _plain(number: float | None) -> str:
    return f"{number or 0:.0f}"
