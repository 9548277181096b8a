"""Pure: a digest for chats as runs of text, before a chat gives them its own form; and that form as Markdown.

The text of a run is literal. Whoever writes it in a form with marks must escape it, so that none is read as a mark.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from watchpost.model import Digest, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.sanitize import cut, direction, link, marked, pieces

HEADLINES = 2  # other headlines of one story: a chat has less room than a mail
_LONGEST = 400  # code points of a sentence below the stories


@dataclass(frozen=True, slots=True)
class Run:
    """Some text, perhaps bold, perhaps a link to `url` (http or https, plain ASCII)."""

    text: str
    bold: bool = False
    url: str = ""


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class StoryText:
    """A story: its `topic` where that changes (else ""), then a line of `before`, `title` and `after`, then `rest`.

    `id` is the story's.
    """

    topic: str
    before: Line
    title: Run
    after: Line
    rest: tuple[Line, ...]
    id: str = ""

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines but the topic's."""
        return ((*self.before, self.title, *self.after), *self.rest)


def first_line(digest: Digest, number: int, of: int) -> str:
    """The notification, which a telephone shows and a screen reader reads: the top story, then topics and counts."""
    about = sentences.heading(digest) + _part(number, of)
    return f"{story_lines.headline(digest.stories[0].lead, 150)} · {about}" if digest.stories else about


def heading(digest: Digest, number: int, of: int) -> str:
    """The first line of a message: its top story; of a later message the topics and counts, and its number.

    It is "" for an alert of one story, which begins with that story.
    """
    if sentences.leads_alone(digest):
        return ""
    if number == 1 and digest.stories:
        return story_lines.headline(digest.stories[0].lead, 140)
    return cut(sentences.heading(digest), 140) + _part(number, of)


def opening(digest: Digest, number: int, of: int) -> tuple[str, ...]:
    """The lines below the heading of message `number`."""
    if number > 1 or sentences.leads_alone(digest):
        return ()
    counts = [sentences.heading(digest) + _part(number, of)] if digest.stories else []
    if digest.kind == "alert":
        return tuple(counts)
    summary = f" · {sentences.summary(digest)}" if digest.stories else ""
    lines = (*counts, sentences.dateline(digest) + summary, sentences.spikes(digest), sentences.lateness(digest))
    return tuple(filter(None, lines))


def story_text(digest: Digest, story: Story, number: int, *, above: str, brief: bool, limits: Limits) -> StoryText:
    """One story; one line of it if `brief` or if it is continuing. `above`: the topic of the story before it."""
    tr, page = translation(digest.language), story_lines.page(digest, story)
    title = Run(_title(digest, story, limits), True, link(story.lead.url, limits.url))
    whole = Run(tr.gettext("Whole story"), url=page) if 0 < len(page) <= limits.url else None
    topic, before = "", tuple[Run, ...]()
    rest: list[Line] = []
    if sentences.leads_alone(digest):
        rest.append(_first_words(digest, story))
    else:
        main = story_lines.main_topic(story)
        topic = "" if main.name == above else cut(story_lines.topic_title(main), 80).upper()
        if topic and (trend := sentences.trend_line(digest, main.name)):
            topic = f"{topic}  {trend}"
        severity = story_lines.severity_label(digest, story) + " · " if digest.kind == "alert" else ""
        before = (Run(f"{number}  {severity}"), Run(f"{story_lines.status_label(digest, story)}  ", bold=True))
    if brief or story.status == "continuing":
        after: Line = (Run(f" ({story_lines.sources_in_words(digest, story)})"),)
        after = (*after, Run(" · "), whole) if whole else after
        return StoryText(topic, before, title, after, tuple(rest), story.id)
    rest.append((Run(story_lines.byline(digest, story)),))
    if snippet := pieces(marked(story.snippet, limits.quote), limits.highlights):
        rest.append(tuple(Run(text, highlighted) for text, highlighted in snippet))
    if reasons := story_lines.reasons(digest, story, 300, HEADLINES):
        rest.append((Run(reasons),))
    if headlines := story_lines.headlines_in_words(digest, story, HEADLINES):
        rest.append((Run(headlines),))
    if whole:
        rest.append((whole,))
    return StoryText(topic, before, title, (), tuple(rest), story.id)


def _first_words(digest: Digest, story: Story) -> Line:
    """The line below the headline of an alert: severity, status unless it is new, topics."""
    tr, status = translation(digest.language), story_lines.status_label(digest, story)
    topics = tr.listing(
        [cut(story_lines.topic_title(story_lines.main_topic(story)), 80), *story_lines.other_topics(story)]
    )
    words = (story_lines.severity_label(digest, story), *([status] if story.status != "new" else []), topics)
    return (Run(" · ".join(words), bold=True),)


def closing(digest: Digest, limits: Limits) -> tuple[Line, ...]:
    """The lines below the last story: what is not shown or not read, remarks, and a link to watchpost's pages."""
    texts = (
        sentences.not_shown(digest),
        sentences.not_read(digest, 5),
        *sentences.remarks(digest),
        sentences.accounts(digest),
    )
    lines: list[Line] = [(Run(cut(text, _LONGEST)),) for text in texts if text]
    if 0 < len(url := sentences.pages_link(digest)) <= limits.url:
        lines.append((Run(translation(digest.language).gettext("Open watchpost"), url=url),))
    return tuple(lines)


def _part(number: int, of: int) -> str:
    return f" ({number}/{of})" if of > 1 else ""


def _title(digest: Digest, story: Story, limits: Limits) -> str:
    title = story_lines.headline(story.lead, limits.title)
    # A first strong isolate (UAX #9) around a title that runs the other way keeps the order of the line.
    return title if direction(title) == translation(digest.language).direction else f"\u2068{title}\u2069"


# Markdown. Each mark of CommonMark is escaped by a backslash. Mentions, emoji codes and addresses that become links by
# themselves are no Markdown; they are broken by a word joiner (U+2060), which is invisible.
JOINER = "\u2060"
_MARKS = regex.compile(r"[\\`*_{}\[\]()<>#+\-.!|~&=$^]")
_MENTIONS = regex.compile(r"@(?=[\w&!:])|:(?=[\w+\-]+:|//)")


def markdown(line: Line) -> str:
    """A line of runs as Markdown."""
    return "".join(map(_run_as_markdown, line))


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is: no style, no link, no list, no mention, no emoji."""
    return str(_MARKS.sub(r"\\\g<0>", _MENTIONS.sub(rf"\g<0>{JOINER}", text)))


def _run_as_markdown(run: Run) -> str:
    core = run.text.strip(" ")
    before, _, after = run.text.partition(core) if core else (run.text, "", "")
    text = escape(core)
    if run.url:
        url = run.url.replace("(", "%28").replace(")", "%29")
        return f"{before}[{f'**{text}**' if run.bold else text}]({url}){after}"
    # CommonMark does not read stars beside punctuation as bold in each case; then the text stays plain.
    if run.bold and core and core[0].isalnum() and core[-1].isalnum():
        text = f"**{text}**"
    return f"{before}{text}{after}"
