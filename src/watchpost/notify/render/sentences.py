"""Pure: what an edition says about itself and its stories, in sentences that all editions share.

In the digest's language (phrases.py holds the words), with times in its timezone (IANA name).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

from watchpost.durations import short
from watchpost.model import SEVERITIES, Digest, Report, Snippet, Story, TopicMatch
from watchpost.notify.render.i18n import Phrases, phrases_for
from watchpost.notify.render.sanitize import clean, cut, language_tag, link, names
from watchpost.trend import Trend, bars

# moments, lengths of time and names of languages, in the language and timezone of a digest.


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
    ago, told = say.ago.format(duration=short(age, say.units)), moment(digest, published)
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


_SUBJECT = 90  # code points; mail clients show about that many
_LATE = timedelta(minutes=2)  # below that it is the work itself, not downtime


@dataclass(frozen=True, slots=True)
class Section:
    """The stories under one topic: each stands once, under its most severe topic."""

    title: str
    stories: tuple[Story, ...]
    name: str = ""


def sections(stories: Sequence[Story]) -> tuple[Section, ...]:
    """Stories by topic; topics in the order of their best story, stories in the order given."""
    groups: dict[str, list[Story]] = {}
    for story in stories:
        groups.setdefault(home(story).name, []).append(story)
    return tuple(Section(title(home(group[0])), tuple(group), name) for name, group in groups.items())


def home(story: Story) -> TopicMatch:
    """The topic that a story stands under: the first of the most severe ones."""
    nameless = TopicMatch("", "", "normal", ())
    return max(story.topics, key=lambda match: SEVERITIES.index(match.severity), default=nameless)


def title(match: TopicMatch) -> str:
    """A topic as people call it."""
    return clean(match.title, 120) or clean(match.name, 120) or "—"


def other_topics(story: Story) -> tuple[str, ...]:
    """The further topics of a story, at most five."""
    return names((title(match) for match in story.topics if match != home(story)), 5)[0]


def headline(report: Report, limit: int = 300) -> str:
    """A report's title, never empty."""
    return clean(report.title, limit) or "—"


def shorten(digest: Digest, stories: int) -> Digest:
    """The digest with at most so many stories; what is left out is counted as omitted."""
    kept, left = digest.stories[:stories], Counter[str](story.severity for story in digest.stories[stories:])
    omitted = digest.omitted + left.total()
    return replace(digest, stories=kept, omitted=omitted, left_out=Counter(digest.left_out) + left)


# ── the edition ──────────────────────────────────────────────────────────────────────────────────────────


def alert_sentence(digest: Digest) -> Phrases:
    """The words of the digest's language."""
    return phrases_for(digest.language)


def subject(digest: Digest) -> str:
    """One line of at most 90 code points: a stable prefix, the count, the strongest headline."""
    prefix = f"[{clean(digest.install, 24) or 'watchpost'}] " + (
        f"{alert_sentence(digest).test} · " if digest.test else ""
    )
    told = len(digest.stories)
    if not told:
        return cut(prefix + nothing(digest), _SUBJECT)
    first = digest.stories[0]
    what = alert_sentence(digest).count(told, alert_sentence(digest).story)
    if digest.kind == "alert":
        what = f"{severity(digest, first)} {cut(title(home(first)), 24)}"
    more = f" (+{told - 1})" if told > 1 else ""
    room = _SUBJECT - len(prefix) - len(what) - len(more) - 2
    return f"{prefix}{what}: {headline(first.lead, room)}{more}"


def heading(digest: Digest) -> str:
    """What the edition is about, in one line: "Wagner and Mali: 5 stories, 2 new"."""
    say = alert_sentence(digest)
    topics, more = names((section.title for section in sections(digest.stories)), 2, 40)
    if not topics:
        return nothing(digest)
    about = ", ".join(topics) if more or len(topics) == 1 else say.both.format(*topics)
    about = say.both.format(about, say.count(more, say.more_topics)) if more else about
    about = f"{severity(digest, digest.stories[0])} · {about}" if digest.kind == "alert" else about
    new = sum(story.status == "new" for story in digest.stories)
    counts = [say.count(len(digest.stories), say.story), *([say.count(new, say.counted["new"])] if new else [])]
    mark = f"{say.test} · " if digest.test else ""
    return f"{mark}{about}: {', '.join(counts)}"


def summary(digest: Digest) -> str:
    """How much there is: "5 stories from 61 articles: 2 new, 1 updated, 2 continuing.\""""
    say = alert_sentence(digest)
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
    say = alert_sentence(digest)
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
    mark = f"{alert_sentence(digest).test} · " if digest.test else ""
    return f"{mark}{written(digest, digest.created, 'EEEE d MMMM y, HH:mm')} {zone_of(digest)}"


def window(digest: Digest) -> str:
    """The time that the edition covers: "Window: Sun 22 Nov 18:00 - Mon 23 Nov 08:00"."""
    begin, end = (when.astimezone(zone_of(digest)) for when in (digest.window_start, digest.window_end))
    until = "HH:mm" if begin.date() == end.date() else "EEE d MMM HH:mm"
    span = f"{written(digest, begin, 'EEE d MMM HH:mm')} - {written(digest, end, until)}"
    return alert_sentence(digest).window.format(window=span)


def lateness(digest: Digest) -> str:
    """ "Closed 3 h late: the service was down.", or "" if the edition was in time."""
    say = alert_sentence(digest)
    return say.late.format(duration=short(digest.late, say.units)) if digest.late >= _LATE else ""


def not_shown(digest: Digest) -> str:
    """ "Not shown: 2 stories.", or ""."""
    say = alert_sentence(digest)
    if not digest.omitted:
        return ""
    left = [(digest.left_out.get(one, 0), say.severity[one].lower()) for one in reversed(SEVERITIES)]
    told = ", ".join(say.omitted.format(number=number, severity=word) for number, word in left if number)
    return say.not_shown.format(stories=say.count(digest.omitted, say.story) + (f" ({told})" if told else ""))


def not_read(digest: Digest, limit: int = 6) -> str:
    """ "Not read: 3 of 41 sources: maliweb (HTTP 503 since 03:10), nrk, svt (dns, never read yet)", or "".

    Sources with one trouble share one mention of it; at most `limit` of them are named.
    """
    say = alert_sentence(digest)
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
    why = alert_sentence(digest).colophon.format(receiver=clean(digest.receiver, 60), install=clean(digest.install, 60))
    return f"{accounts(digest)} {why}".lstrip()


def accounts(digest: Digest) -> str:
    """Yesterday by the ledger: "Yesterday: 41 sources, 2,016 articles read, 14 found: all accounted for.", or ""."""
    say, found = alert_sentence(digest), digest.accounts
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


# ── a story ──────────────────────────────────────────────────────────────────────────────────────────────


def byline(digest: Digest, story: Story) -> str:
    """Who, in which language, when, and how many: "RFI Afrique, French, 07:42 (18 min ago, seen 07:44). 7 sources."."""
    lead = story.lead
    parts = (
        outlet(lead),
        language_name(lead.lang, alert_sentence(digest).language),
        dated(digest, lead.published, lead.first_seen),
    )
    told = ". ".join([source_count(digest, story), *changes(digest, story)])
    return ", ".join(part for part in parts if part) + f". {told}."


def changes(digest: Digest, story: Story) -> tuple[str, ...]:
    """What changed since the reader was told of it: "Headline changed", "Figures corrected: 30 → 45"."""
    say = alert_sentence(digest)
    corrected = ", ".join(f"{clean(before, 20)} → {clean(now, 20)}" for before, now in story.change.figures[:3])
    return (
        *([say.headline_changed] if story.change.headline else []),
        *([say.figures_corrected.format(figures=corrected)] if corrected else []),
    )


def status(digest: Digest, story: Story) -> str:
    """NEW, UPDATE or CONTINUING; "UPDATE +3" if so many more voices tell it."""
    word = alert_sentence(digest).status[story.status]
    return f"{word} +{story.change.sources}" if story.status == "updated" and story.change.sources else word


def severity(digest: Digest, story: Story) -> str:
    """LOW, NORMAL or HIGH: that of the topic it stands under."""
    return alert_sentence(digest).severity[home(story).severity]


def source_count(digest: Digest, story: Story) -> str:
    """ "1 source", "7 sources", "7 sources, 3 independent"."""
    say, count = alert_sentence(digest), sources(story)
    told = say.count(count, say.source)
    if not 0 < story.independent < count:
        return told
    return f"{told}, {say.count(story.independent, say.independent)}"


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
    """How many different outlets told the story so far."""
    return max(story.outlets, len({outlet(report) for report in (story.lead, *story.reports)}))


def listed(parts: Iterable[str]) -> str:
    """The non-empty parts, one blank between."""
    return " ".join(part for part in parts if part)


# what an edition says of what it does not tell: silenced and counted hits, corrections, what comes next.


_MOST = 5


def remarks(digest: Digest) -> tuple[str, ...]:
    """All that there is to remark, as sentences, in the order of their weight."""
    return tuple(text for text in (*floods(digest), corrections(digest), silenced(digest), following(digest)) if text)


def floods(digest: Digest) -> tuple[str, ...]:
    """ "Flood on Wagner: 9700 further hits were counted and are not listed."; for each topic, at most five."""
    say = alert_sentence(digest)
    return tuple(
        say.flood.format(topic=clean(topic, 60), hits=say.count(count, say.further_hit))
        for topic, count in digest.flooded[:_MOST]
    )


def silenced(digest: Digest) -> str:
    """ "Silenced: 3 hits.", or ""."""
    say = alert_sentence(digest)
    return say.silenced.format(hits=say.count(digest.silenced, say.hit)) if digest.silenced else ""


def corrections(digest: Digest) -> str:
    """What outlets changed of what was told: "Corrections: Courier: Figures corrected: 9 → 10 (Ten burn)", or ""."""
    say = alert_sentence(digest)
    told = [
        f"{outlet(story.lead)}: {', '.join(found)} ({headline(story.lead, 80)})"
        for story in digest.stories
        if (found := changes(digest, story))
    ]
    more = [say.further.format(number=len(told) - _MOST)] if len(told) > _MOST else []
    return say.corrections.format(told="; ".join([*told[:_MOST], *more])) if told else ""


def following(digest: Digest) -> str:
    """When the next one comes: "Next edition: 18:00.", or ""."""
    if digest.following is None or digest.test:
        return ""
    return alert_sentence(digest).following.format(moment=moment(digest, digest.following))


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
    say = alert_sentence(digest)
    told = [
        say.spike_of.format(topic=clean(section.title, 60), count=trend.count, usual=_plain(trend.usual))
        for section in sections(digest.stories)
        if (trend := digest.trends.get(section.name)) is not None and trend.spike and trend.usual is not None
    ]
    more = [say.further.format(number=len(told) - _MOST_trends)] if len(told) > _MOST_trends else []
    return say.spikes.format(topics=", ".join([*told[:_MOST_trends], *more])) if told else ""


def _numbers(digest: Digest, trend: Trend) -> str:
    say = alert_sentence(digest)
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


# plainer and plainer editions of a digest, for when the proper one cannot be laid out.


def reductions(digest: Digest) -> tuple[Digest, ...]:
    """First without the operator's templates, then headlines and links alone, then only how many stories there are."""
    plain = replace(digest, reduced=True)
    bare = replace(plain, stories=tuple(map(_bare, digest.stories)), unread=())
    return (plain, bare, replace(shorten(plain, 0), unread=()))


def _bare(story: Story) -> Story:
    topics = tuple(replace(match, why=()) for match in story.topics)
    return replace(story, topics=topics, snippet=Snippet(""), reports=(story.lead,))
