"""Pure: what a digest writes about itself: heading, counts, times, trends, and what is missing from it."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from watchpost.model import NOT_YET, SEVERITIES, Digest
from watchpost.notify.render.i18n import Translation, translation
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
from watchpost.notify.render.times import day_and_time, duration, full_date, moment, zone_of
from watchpost.trend import Trend, bars

_SUBJECT = 90  # code points; mail programs show about that many
_LATE = timedelta(minutes=2)  # a shorter delay is the work itself, not downtime
_LEAST_HEADLINE = 12  # code points; less of a headline says nothing
_REMARKS = 5
_SPIKES = 3


def subject(digest: Digest) -> str:
    """One line of at most 90 code points: the strongest headline, the count, the installation.

    Of an alert it has the severity and the topic instead of the count. What is left out must be seen: the headline is
    cut first, and the name of the installation is left out before the headline is.
    """
    test, install = _test_mark(digest), f" [{clean(digest.install, 24) or 'watchpost'}]"
    if not digest.stories:
        return cut(test + nothing(digest), _SUBJECT - len(install)) + install
    first, about = digest.stories[0], counted(digest)
    if digest.kind == "alert":
        about = f"{severity_label(digest, first)} {cut(topic_title(main_topic(first)), 24)}"
        others = len(digest.stories) + digest.omitted - 1
        about += f" (+{others})" if others else ""
    for end in (f" · {about}{install}", f" · {about}"):
        if (room := _SUBJECT - len(test) - len(end)) >= _LEAST_HEADLINE:
            return test + headline(first.lead, room) + end
    return cut(test + about, _SUBJECT)


def counted(digest: Digest) -> str:
    """How many stories there are, and what is left out: "1,161 stories, 72 shown; 918 high among those left out"."""
    tr, shown = translation(digest.language), len(digest.stories)
    if not digest.omitted:
        return tr.stories(shown)
    of_all = tr.ngettext(
        "{stories}, {number} shown", "{stories}, {number} shown", shown, stories=tr.stories(shown + digest.omitted)
    )
    if not (high := digest.left_out.get("high", 0)):
        return of_all
    left_out = tr.ngettext("{number} high among those left out", "{number} high among those left out", high)
    return of_all + tr.semicolon + left_out


def leads_alone(digest: Digest) -> bool:
    """Whether this is an alert of one story: its message begins with the story itself."""
    return digest.kind == "alert" and len(digest.stories) == 1


def heading(digest: Digest) -> str:
    """The topics and the counts in one line: "Wagner and Mali: 5 stories, 2 new"; of an alert the severity first.

    An alert of one story has no counts: "HIGH · Wagner".
    """
    tr = translation(digest.language)
    topics, more = names((section.title for section in sections(digest.stories)), 2, 40)
    if not topics:
        return nothing(digest)
    *first, last = [*topics, tr.ngettext("{number} more topic", "{number} more topics", more)] if more else topics
    about = tr.gettext("{first} and {last}", first=tr.listing(first), last=last) if first else tr.isolate(last)
    about = f"{severity_label(digest, digest.stories[0])} · {about}" if digest.kind == "alert" else about
    if leads_alone(digest) and not digest.omitted:
        return f"{_test_mark(digest)}{about}"
    new = sum(story.status == "new" for story in digest.stories)
    counts = [counted(digest), *([_new(tr, new)] if new and not digest.omitted else [])]
    return f"{_test_mark(digest)}{about}{tr.colon}{tr.listing(counts)}"


def summary(digest: Digest) -> str:
    """The counts in a sentence: "5 stories from 61 articles: 2 new, 1 updated, 2 continuing."."""
    if not digest.stories:
        return nothing(digest)
    tr, statuses = translation(digest.language), [story.status for story in digest.stories]
    new, updated, continuing = (statuses.count(status) for status in ("new", "updated", "continuing"))
    counts = (
        _new(tr, new) if new else "",
        tr.ngettext("{number} updated", "{number} updated", updated) if updated else "",
        tr.ngettext("{number} continuing", "{number} continuing", continuing) if continuing else "",
    )
    if digest.omitted:
        return f"{counted(digest)}. {tr.listing(filter(None, counts))}."
    return tr.gettext(
        "{stories} from {articles}: {counts}.",
        stories=tr.stories(len(digest.stories)),
        articles=tr.articles(digest.articles),
        counts=tr.listing(filter(None, counts)),
    )


def nothing(digest: Digest) -> str:
    """The sentence of a digest without stories. It tells a quiet day from one on which sources could not be read."""
    tr = translation(digest.language)
    failed, total = len(digest.unread), digest.sources_total
    if digest.flooded:
        hits = sum(count for _, count in digest.flooded)
        return tr.ngettext(
            "{number} hit over the hourly limit, counted but not listed.",
            "{number} hits over the hourly limit, counted but not listed.",
            hits,
        )
    if digest.omitted:
        return tr.ngettext(
            "{number} story matched, but could not be shown.",
            "{number} stories matched, but could not be shown.",
            digest.omitted,
        )
    if digest.paused:
        return pause(digest)
    if total and failed >= total:
        return tr.ngettext(
            "Nothing matched: the only source could not be read.",
            "Nothing matched: none of the {number} sources could be read.",
            total,
        )
    if total and failed:
        return tr.gettext(
            "Nothing matched. Only {read} of {total} sources could be read.",
            read=tr.decimal(total - failed),
            total=tr.decimal(total),
        )
    if failed:
        return tr.gettext("Nothing matched in the sources that could be read.")
    if total:
        return tr.ngettext(
            "Nothing matched. {number} source was read.", "Nothing matched. All {number} sources were read.", total
        )
    return tr.gettext("Nothing matched.")


def pause(digest: Digest) -> str:
    """ "Nothing was read: the disk of the service is nearly full; …", or what was read before; "" without a pause."""
    if not digest.paused:
        return ""
    tr = translation(digest.language)
    reasons = {
        "disk": tr.gettext("the disk of the service is nearly full; it needs at least 256 MiB free"),
        "backlog": tr.gettext("too many articles wait to be matched"),
        "store": tr.gettext("the store of the service does not accept data"),
    }
    reason = reasons.get(digest.paused) or clean(digest.paused, 60)
    if digest.last_read is None or digest.last_read <= digest.window_start:
        return tr.gettext("Nothing was read: {reason}.", reason=reason)
    return tr.gettext(
        "Nothing has been read since {time}: {reason}.", time=moment(digest, digest.last_read), reason=reason
    )


def dateline(digest: Digest) -> str:
    """When the digest was made: "Monday, 23 November 2026, 08:00 Europe/Paris"."""
    return _test_mark(digest) + full_date(digest)


def period(digest: Digest) -> str:
    """The time that the digest covers: "Period: Sun 22 Nov 18:00 – Mon 23 Nov 08:00"."""
    begin, end = (when.astimezone(zone_of(digest)) for when in (digest.window_start, digest.window_end))
    return translation(digest.language).gettext(
        "Period: {begin} – {end}",
        begin=day_and_time(digest, begin),
        end=f"{end:%H:%M}" if begin.date() == end.date() else day_and_time(digest, end),
    )


def lateness(digest: Digest) -> str:
    """ "Sent 3 hours late: the service was not running.", or "" if the digest is in time."""
    if digest.late < _LATE:
        return ""
    late = duration(digest, digest.late)
    return translation(digest.language).gettext("Sent {duration} late: the service was not running.", duration=late)


def not_shown(digest: Digest) -> str:
    """ "Not shown: 3 stories (1 high, 2 normal).", or ""."""
    if not digest.omitted:
        return ""
    tr = translation(digest.language)
    low, normal, high = (digest.left_out.get(severity, 0) for severity in SEVERITIES)
    counts = (
        tr.ngettext("{number} high", "{number} high", high) if high else "",
        tr.ngettext("{number} normal", "{number} normal", normal) if normal else "",
        tr.ngettext("{number} low", "{number} low", low) if low else "",
    )
    stories, by_severity = tr.stories(digest.omitted), tr.listing(filter(None, counts))
    if not by_severity:
        return tr.gettext("Not shown: {stories}.", stories=stories)
    return tr.gettext("Not shown: {stories} ({by_severity}).", stories=stories, by_severity=by_severity)


def not_read(digest: Digest, limit: int = 6) -> str:
    """ "Not read (3 of 41 sources): maliweb (HTTP 503 since 03:10), nrk, svt (DNS failure, never read).", or "".

    Sources that fail for one reason are named together; at most `limit` sources and `limit` reasons are named.
    """
    if not digest.unread:
        return ""
    tr = translation(digest.language)
    by_reason: dict[str, list[str]] = {}
    for unread in digest.unread:
        reason = clean(unread.reason, 60) or tr.gettext("reason unknown")
        if unread.reason == NOT_YET:
            reason = tr.gettext("not visited yet")
        elif unread.since:
            reason = tr.gettext("{reason} since {time}", reason=reason, time=moment(digest, unread.since))
        else:
            reason = tr.gettext("{reason}, never read", reason=reason)
        by_reason.setdefault(reason, []).append(clean(unread.source, 40))
    failures = [
        f"{tr.listing(_first(tr, sources, limit))} ({reason})" for reason, sources in list(by_reason.items())[:limit]
    ]
    if hidden := sum(map(len, list(by_reason.values())[limit:])):
        failures.append(tr.more(hidden))
    if not digest.sources_total:
        return tr.gettext("Not read: {failures}.", failures=tr.listing(failures))
    return tr.ngettext(
        "Not read ({failed} of {number} source): {failures}.",
        "Not read ({failed} of {number} sources): {failures}.",
        digest.sources_total,
        failed=tr.decimal(len(digest.unread)),
        failures=tr.listing(failures),
    )


def footer(digest: Digest) -> str:
    """Which receiver the digest is for; before it, once a day, whether every article of yesterday is accounted for."""
    receiver = clean(digest.receiver, 60)
    why = translation(digest.language).gettext('You receive this as "{receiver}".', receiver=receiver)
    return f"{accounts(digest)} {why}".lstrip()


def accounts(digest: Digest) -> str:
    """ "Yesterday: 2,016 articles from 41 sources, 14 hits; all accounted for.", or ""."""
    if digest.accounts is None:
        return ""
    tr, yesterday = translation(digest.language), digest.accounts
    counts = {
        "articles": tr.articles(yesterday.articles),
        "sources": tr.sources(yesterday.sources),
        "hits": tr.hits(yesterday.hits),
    }
    if not yesterday.gaps:
        return tr.gettext("Yesterday: {articles} from {sources}, {hits}; all accounted for.", **counts)
    return tr.gettext(
        "Yesterday: {articles} from {sources}, {hits}; NOT ALL ACCOUNTED FOR ({gaps}). Tell your administrator.",
        **counts,
        gaps=tr.semicolon.join(yesterday.gaps),
    )


def pages_link(digest: Digest) -> str:
    """The address of watchpost's own pages; "" if they have no public one."""
    return link(digest.public_url)


def remarks(digest: Digest) -> tuple[str, ...]:
    """Sentences on a pause, what is over a limit, corrected or silenced, and the next digest, the weightiest first."""
    paused = pause(digest) if digest.stories else ""  # without stories it is the first line
    return tuple(
        filter(
            None,
            (
                unanswered(digest),
                paused,
                *floods(digest),
                corrections(digest),
                silenced(digest),
                waiting(digest),
                next_digest(digest),
            ),
        )
    )


def unanswered(digest: Digest) -> str:
    """ "Nobody has answered this alert for 20 minutes.", or ""."""
    if digest.unanswered is None:
        return ""
    tr = translation(digest.language)
    return tr.gettext("Nobody has answered this alert for {duration}.", duration=duration(digest, digest.unanswered))


def floods(digest: Digest) -> tuple[str, ...]:
    """ "Wagner: 9,700 more hits over the hourly limit, counted but not listed." for each topic, at most five."""
    tr = translation(digest.language)
    return tuple(
        tr.ngettext(
            "{topic}: {number} more hit over the hourly limit, counted but not listed.",
            "{topic}: {number} more hits over the hourly limit, counted but not listed.",
            count,
            topic=clean(topic, 60),
        )
        for topic, count in digest.flooded[:_REMARKS]
    )


def corrections(digest: Digest) -> str:
    """`Corrections: Courier, "Ten burn" (figures corrected: 9 → 10).`, or ""."""
    tr = translation(digest.language)
    corrected = [
        f"{tr.listing((outlet(story.lead), tr.quote(headline(story.lead, 80))))} ({tr.listing(changed)})"
        for story in digest.stories
        if (changed := changes(digest, story))
    ]
    if not corrected:
        return ""
    return tr.gettext("Corrections: {corrections}.", corrections=tr.semicolon.join(_first(tr, corrected, _REMARKS)))


def silenced(digest: Digest) -> str:
    """ "Silenced: 3 hits.", or ""."""
    tr = translation(digest.language)
    return tr.gettext("Silenced: {hits}.", hits=tr.hits(digest.silenced)) if digest.silenced else ""


def waiting(digest: Digest) -> str:
    """ "Left out until another voice reports them: 3 stories.", or ""."""
    if not digest.waiting:
        return ""
    tr = translation(digest.language)
    return tr.gettext("Left out until another voice reports them: {stories}.", stories=tr.stories(digest.waiting))


def next_digest(digest: Digest) -> str:
    """ "Next digest: 18:00.", or ""."""
    if digest.following is None or digest.test:
        return ""
    return translation(digest.language).gettext("Next digest: {time}.", time=moment(digest, digest.following))


def trend_line(digest: Digest, topic: str) -> str:
    """ "▂▂▁▃▅▂▁▁▁▁▂▂▃█  12 hits, usually 4: SPIKE 3.0×" for a topic by name; "" if none of its hits are counted.

    A bar is a day, the last one today so far; the numbers are of the digest's hours and of the same hours before.
    """
    words = trend_words(digest, topic)
    return f"{bars(days(digest, topic))}  {words}" if words else ""


def trend_words(digest: Digest, topic: str) -> str:
    """ "12 hits, usually 4: SPIKE 3.0×": the trend without its bars, for a page that has a picture of them."""
    if not days(digest, topic):
        return ""
    tr, trend = translation(digest.language), digest.trends[topic]
    if trend.usual is None:
        return tr.hits(trend.count)
    if trend.spike and not trend.usual:
        return tr.gettext("{hits}, usually 0: SPIKE", hits=tr.hits(trend.count))
    usual = tr.gettext("{hits}, usually {usual}", hits=tr.hits(trend.count), usual=_usual(tr, trend))
    if not trend.spike:
        return usual
    return tr.gettext("{usual}: SPIKE {times}×", usual=usual, times=tr.decimal(trend.count / trend.usual, "#,##0.0"))


def days(digest: Digest, topic: str) -> tuple[int, ...]:
    """The numbers of the bars; empty if there are none."""
    trend = digest.trends.get(topic)
    return trend.days if trend is not None and any(trend.days) else ()


def spikes(digest: Digest) -> str:
    """ "Much more than usual: Wagner 12 (usually 4).", or ""; at most three topics, in the digest's order."""
    tr = translation(digest.language)
    topics = [
        tr.gettext(
            "{topic} {count} (usually {usual})",
            topic=clean(section.title, 60),
            count=tr.decimal(trend.count),
            usual=_usual(tr, trend),
        )
        for section in sections(digest.stories)
        if (trend := digest.trends.get(section.name)) is not None and trend.spike and trend.usual is not None
    ]
    if not topics:
        return ""
    return tr.gettext("Much more than usual: {topics}.", topics=tr.listing(_first(tr, topics, _SPIKES)))


def _usual(tr: Translation, trend: Trend) -> str:
    return tr.decimal(round(trend.usual or 0))


def _new(tr: Translation, number: int) -> str:
    return tr.ngettext("{number} new", "{number} new", number)


def _test_mark(digest: Digest) -> str:
    return translation(digest.language).gettext("TEST MESSAGE") + " · " if digest.test else ""


def _first(tr: Translation, parts: list[str], limit: int) -> Iterable[str]:
    """The first parts, and how many more there are."""
    return parts if len(parts) <= limit else [*parts[:limit], tr.more(len(parts) - limit)]
