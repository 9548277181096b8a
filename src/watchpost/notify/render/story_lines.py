"""Pure: what a digest writes about one story: topic, headline, byline, matched words, further outlets."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from watchpost.model import SEVERITIES, Digest, Report, Severity, Snippet, Story, TopicMatch, story_path
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.sanitize import clean, cut, language_tag, link, marked, names, pieces
from watchpost.notify.render.times import language_name, published_and_seen
from watchpost.notify.story_choice import distinct
from watchpost.notify.story_links import link_path


@dataclass(frozen=True, slots=True)
class Section:
    """The stories under one topic, which has a `title` and a `name`. Each story is in one section only."""

    title: str
    stories: tuple[Story, ...]
    name: str = ""


def sections(stories: Sequence[Story]) -> tuple[Section, ...]:
    """Stories by main topic; topics in the order of their best story, stories in the order given."""
    groups: dict[str, list[Story]] = {}
    for story in stories:
        groups.setdefault(main_topic(story).name, []).append(story)
    return tuple(Section(topic_title(main_topic(group[0])), tuple(group), name) for name, group in groups.items())


def main_topic(story: Story) -> TopicMatch:
    """The topic that a story is listed under: the first of the most severe ones."""
    nameless = TopicMatch("", "", "normal", ())
    return max(story.topics, key=lambda match: SEVERITIES.index(match.severity), default=nameless)


def topic_title(match: TopicMatch) -> str:
    """A topic's title, else its name; never empty."""
    return clean(match.title, 120) or clean(match.name, 120) or "—"


def other_topics(story: Story) -> tuple[str, ...]:
    """The titles of a story's further topics, at most five."""
    return names((topic_title(match) for match in story.topics if match != main_topic(story)), 5)[0]


def headline(report: Report, limit: int = 300) -> str:
    """A report's title, never empty."""
    return clean(report.title, limit) or "—"


def headline_pieces(report: Report, limit: int = 300) -> tuple[tuple[str, bool], ...]:
    """The same as (text, matched) runs; joined they are the headline."""
    title = marked(Snippet(report.title[: 8 * limit + 64], report.highlights), limit)
    return pieces(title) or (("—", False),)


def page(digest: Digest, story: Story) -> str:
    """The address of the story's page; "" if the pages have no public address."""
    base = link(digest.public_url).rstrip("/")
    return f"{base}{story_path(story.id)}" if base else ""


def actions(digest: Digest, story: Story) -> tuple[tuple[str, str], ...]:
    """The links by which the recipient acts on the story: label and address. An alert has one for each action."""
    base = link(digest.public_url).rstrip("/")
    if not base or not digest.link_key:
        return ()
    tr, url = translation(digest.language), f"{base}{link_path(story.id, digest.link_key)}"
    if digest.kind != "alert":
        return ((tr.gettext("Claim, acknowledge or mute"), url),)
    return (
        (tr.gettext("Acknowledge"), f"{url}?do=acknowledge"),
        (tr.gettext("Claim"), f"{url}?do=claim"),
        (tr.gettext("Mute"), f"{url}?do=mute"),
        (tr.gettext("Relevant"), f"{url}?do=relevant"),
        (tr.gettext("Not relevant"), f"{url}?do=not-relevant"),
    )


def byline(digest: Digest, story: Story) -> str:
    """Who, in which language, when, and how many.

    For example "RFI Afrique, French, 07:42 (18 min ago, seen 07:44). 7 sources; the headline was "Blast in Gao".".
    """
    tr, lead = translation(digest.language), story.lead
    parts = (
        outlet(lead),
        tr.gettext("state media") if lead.publisher.state_media else "",
        language_name(lead.lang, digest.language),
        published_and_seen(digest, lead.published, lead.first_seen),
    )
    counts = tr.semicolon.join(
        [sources_in_words(digest, story), *languages(digest, story), *changes(digest, story), *differing(digest, story)]
    )
    return f"{tr.listing(part for part in parts if part)}. {counts}."


def languages(digest: Digest, story: Story) -> tuple[str, ...]:
    """ "the same event in French, English, Russian", if the reports of an event are in several languages."""
    named = list(dict.fromkeys(filter(None, (language_name(tag, digest.language) for tag in story.languages))))
    tr = translation(digest.language)
    return (tr.gettext("the same event in {languages}", languages=tr.listing(named)),) if len(named) > 1 else ()


def differing(digest: Digest, story: Story) -> tuple[str, ...]:
    """ "figures differ: 11 dead (Courier, RFI), 14 dead (Le Fleuve)", if the outlets of an event count differently."""
    tr = translation(digest.language)

    def counted(role: str, number: str) -> str:
        match role:
            case "killed":
                return tr.gettext("{number} dead", number=number)
            case "wounded":
                return tr.gettext("{number} wounded", number=number)
            case "taken":
                return tr.gettext("{number} taken", number=number)
            case "arrested":
                return tr.gettext("{number} arrested", number=number)
        return number

    def said(role: str, number: int, outlets: Sequence[str]) -> str:
        named, more = names(outlets, MOST_NAMED)
        voices = tr.listing([*named, *([f"+{more}"] if more else [])])
        return f"{counted(role, str(number))} ({voices})"

    figures = [
        said(one.role, number, outlets)
        for one in story.differences[:2]
        for number, outlets in one.numbers[-MOST_NUMBERS:]
    ]
    return (tr.gettext("figures differ: {figures}", figures=tr.listing(figures)),) if figures else ()


MOST_NUMBERS = 4
"""So many numbers that differ are shown, the last ones."""

MOST_NAMED = 2
"""So many outlets are named for each of them."""


def changes(digest: Digest, story: Story) -> tuple[str, ...]:
    """What changed since the last message about the story: the headline that it had then, the figures of both."""
    tr = translation(digest.language)
    figures = tr.listing(
        tr.gettext("{before} → {after}", before=clean(before, 20), after=clean(after, 20))
        for before, after in story.change.figures[:3]
    )
    former = clean(story.change.headline, 120)
    return (
        *([tr.gettext("the headline was {headline}", headline=tr.quote(former))] if former else []),
        *([tr.gettext("figures corrected: {figures}", figures=figures)] if figures else []),
    )


def status_label(digest: Digest, story: Story) -> str:
    """NEW, UPDATE or CONTINUING; "UPDATE +3" for three more independent sources."""
    tr = translation(digest.language)
    if story.status == "new":
        return tr.pgettext("status of a story", "NEW")
    if story.status == "continuing":
        return tr.pgettext("status of a story", "CONTINUING")
    more = f" +{story.change.sources}" if story.change.sources else ""
    return tr.pgettext("status of a story", "UPDATE") + more


def severity_label(digest: Digest, story: Story) -> str:
    """LOW, NORMAL or HIGH: the severity of the story's main topic."""
    tr = translation(digest.language)
    labels: dict[Severity, str] = {
        "low": tr.pgettext("severity", "LOW"),
        "normal": tr.pgettext("severity", "NORMAL"),
        "high": tr.pgettext("severity", "HIGH"),
    }
    return labels[main_topic(story).severity]


def sources_in_words(digest: Digest, story: Story) -> str:
    """ "1 source", "7 sources", "7 sources, 3 independent"."""
    tr, count = translation(digest.language), count_sources(story)
    if not 0 < story.independent < count:
        return tr.sources(count)
    independent = tr.ngettext("{number} independent", "{number} independent", story.independent)
    return tr.listing((tr.sources(count), independent))


def matched_words(digest: Digest, story: Story, limit: int = 6) -> str:
    """The words that matched, in the article's own form: `"Wagner", "Gao"`; "" if there are none."""
    words, more = names(distinct(word for match in story.topics for word in match.why), limit)
    tr = translation(digest.language)
    return tr.listing([*map(tr.quote, words), *([f"+{more}"] if more else [])])


def other_headlines(story: Story, limit: int = 4) -> tuple[tuple[Report, ...], int]:
    """The further reports whose headline is not the one shown, each headline once, and how many more there are."""
    others: dict[str, Report] = {}
    for report in story.reports:
        others.setdefault(_same_headline(report), report)
    others.pop(_same_headline(story.lead), None)
    reports = tuple(others.values())
    return reports[:limit], max(0, len(reports) - limit)


def named_articles(stories: Sequence[Story], headlines: int = 4) -> tuple[str, ...]:
    """The articles whose headlines these stories show, if they list so many other headlines each."""
    reports = ((story.lead, *other_headlines(story, headlines)[0]) for story in stories)
    return tuple(report.article for shown in reports for report in shown if report.article)


def _same_headline(report: Report) -> str:
    return headline(report).casefold()


def further_reports(story: Story, limit: int = 4, headlines: int = 4) -> tuple[tuple[Report, ...], int]:
    """One report of each further outlet, and how many more outlets there are.

    Outlets that are named with one of the first `headlines` other headlines are not among them.
    """
    others = {outlet(report): report for report in reversed(story.reports)}
    for report in (story.lead, *other_headlines(story, headlines)[0]):
        others.pop(outlet(report), None)
    reports = tuple(reversed(others.values()))
    return reports[:limit], max(0, len(reports) - limit)


def outlet_and_language(digest: Digest, story: Story, report: Report) -> str:
    """A further report's outlet, with its language where it is not the lead's: "РИА Новости (ru, state media)"."""
    tr, lang = translation(digest.language), language_tag(report.lang)
    facts = [lang] if lang and lang != language_tag(story.lead.lang) else []
    facts += [tr.gettext("state media")] if report.publisher.state_media else []
    return outlet(report) + (f" ({tr.listing(facts)})" if facts else "")


def headlines_in_words(digest: Digest, story: Story, limit: int = 4) -> str:
    """`Other headlines: TASS: "Two mines sold"; RFI (fr): "Mines".`, or ""."""
    tr = translation(digest.language)
    reports, more = other_headlines(story, limit)
    named = [f"{outlet_and_language(digest, story, one)}{tr.colon}{tr.quote(headline(one, 120))}" for one in reports]
    if not named:
        return ""
    return f"{tr.gettext('Other headlines:')} {tr.semicolon.join([*named, *([f'+{more}'] if more else [])])}."


def reasons(digest: Digest, story: Story, limit: int = 1000, headlines: int = 4) -> str:
    """The matched words and the further outlets: `Matched: "Gao". Also in: РИА Новости (ru), TASS, +3.`

    `headlines`: how many other headlines are listed elsewhere.
    """
    tr, words = translation(digest.language), cut(matched_words(digest, story), limit)
    reports, more = further_reports(story, headlines=headlines)
    outlets = [*(outlet_and_language(digest, story, report) for report in reports), *([f"+{more}"] if more else [])]
    matched, also = tr.gettext("Matched:"), tr.gettext("Also in:")
    sentences = (f"{matched} {words}." if words else "", f"{also} {tr.listing(outlets)}." if outlets else "")
    return " ".join(filter(None, sentences))


def outlet(report: Report) -> str:
    """The outlet that published a report, else the source that it came from."""
    return clean(report.outlet, 60) or clean(report.source, 60)


def count_sources(story: Story) -> int:
    """How many outlets have published the story so far."""
    return max(story.outlets, len({outlet(report) for report in (story.lead, *story.reports)}))
