"""Pure: what a digest writes about one story: topic, headline, byline, matched words, further outlets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchpost.model import SEVERITIES, Digest, Report, Story, TopicMatch
from watchpost.notify.render.i18n import phrases_of
from watchpost.notify.render.sanitize import clean, language_tag, names
from watchpost.notify.render.times import language_name, published_and_seen


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
        groups.setdefault(main_topic(story).name, []).append(story)
    return tuple(Section(topic_title(main_topic(group[0])), tuple(group), name) for name, group in groups.items())


def main_topic(story: Story) -> TopicMatch:
    """The topic that a story stands under: the first of the most severe ones."""
    nameless = TopicMatch("", "", "normal", ())
    return max(story.topics, key=lambda match: SEVERITIES.index(match.severity), default=nameless)


def topic_title(match: TopicMatch) -> str:
    """A topic as people call it."""
    return clean(match.title, 120) or clean(match.name, 120) or "—"


def other_topics(story: Story) -> tuple[str, ...]:
    """The further topics of a story, at most five."""
    return names((topic_title(match) for match in story.topics if match != main_topic(story)), 5)[0]


def headline(report: Report, limit: int = 300) -> str:
    """A report's title, never empty."""
    return clean(report.title, limit) or "—"


# ── a story ──────────────────────────────────────────────────────────────────────────────────────────────


def byline(digest: Digest, story: Story) -> str:
    """Who, in which language, when, and how many: "RFI Afrique, French, 07:42 (18 min ago, seen 07:44). 7 sources."."""
    lead = story.lead
    parts = (
        outlet(lead),
        language_name(lead.lang, phrases_of(digest).language),
        published_and_seen(digest, lead.published, lead.first_seen),
    )
    told = ". ".join([sources_in_words(digest, story), *changes(digest, story)])
    return ", ".join(part for part in parts if part) + f". {told}."


def changes(digest: Digest, story: Story) -> tuple[str, ...]:
    """What changed since the reader was told of it: "Headline changed", "Figures corrected: 30 → 45"."""
    say = phrases_of(digest)
    corrected = ", ".join(f"{clean(before, 20)} → {clean(now, 20)}" for before, now in story.change.figures[:3])
    return (
        *([say.headline_changed] if story.change.headline else []),
        *([say.figures_corrected.format(figures=corrected)] if corrected else []),
    )


def status_label(digest: Digest, story: Story) -> str:
    """NEW, UPDATE or CONTINUING; "UPDATE +3" if so many more voices tell it."""
    word = phrases_of(digest).status[story.status]
    return f"{word} +{story.change.sources}" if story.status == "updated" and story.change.sources else word


def severity_label(digest: Digest, story: Story) -> str:
    """LOW, NORMAL or HIGH: that of the topic it stands under."""
    return phrases_of(digest).severity[main_topic(story).severity]


def sources_in_words(digest: Digest, story: Story) -> str:
    """ "1 source", "7 sources", "7 sources, 3 independent"."""
    say, count = phrases_of(digest), count_sources(story)
    told = say.count(count, say.source)
    if not 0 < story.independent < count:
        return told
    return f"{told}, {say.count(story.independent, say.independent)}"


def matched_words(story: Story, limit: int = 6) -> str:
    """The words that matched, in the article's own form: `"Wagner", "Gao"`; "" if there are none."""
    told, more = names((word for match in story.topics for word in match.why), limit)
    return ", ".join(f'"{word}"' for word in told) + (f", +{more}" if more else "")


def further_reports(story: Story, limit: int = 4) -> tuple[tuple[Report, ...], int]:
    """One report of each further outlet, and how many more outlets there are."""
    others = {outlet(report): report for report in reversed(story.reports)}
    others.pop(outlet(story.lead), None)
    reports = tuple(reversed(others.values()))
    return reports[:limit], max(0, len(reports) - limit)


def further_outlets(story: Story) -> str:
    """The outlets of `further_reports` in one line: "РИА Новости (ru), TASS, +3"; "" if there are none."""
    reports, more = further_reports(story)
    return ", ".join([*(outlet_and_language(story, report) for report in reports), *([f"+{more}"] if more else [])])


def outlet_and_language(story: Story, report: Report) -> str:
    """A further report's name: the outlet, with its language where it is not the lead's."""
    lang = language_tag(report.lang)
    return outlet(report) + (f" ({lang})" if lang and lang != language_tag(story.lead.lang) else "")


def outlet(report: Report) -> str:
    """Who published it, as far as known."""
    return clean(report.outlet, 60) or clean(report.source, 60)


def count_sources(story: Story) -> int:
    """How many different outlets told the story so far."""
    return max(story.outlets, len({outlet(report) for report in (story.lead, *story.reports)}))
