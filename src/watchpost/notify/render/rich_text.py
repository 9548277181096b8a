"""Pure: an edition for chats as runs of text, before any of them gives it its own form.

A run is literal: whoever writes it into a form that knows marks must take care that none of it is read as one.
"""

from __future__ import annotations

from dataclasses import dataclass

import regex

from watchpost.model import Digest, Story
from watchpost.notify.render import i18n, sentences, story_lines
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.sanitize import cut, direction, link, marked, pieces
from watchpost.notify.render.sentences import remarks, spikes, trend_line


@dataclass(frozen=True, slots=True)
class Run:
    """Some text, perhaps bold, perhaps leading to `url` (http or https, plain ASCII)."""

    text: str
    bold: bool = False
    url: str = ""


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class StoryText:
    """A story: its `topic` where that changes (else ""), then a line of `before`, `title` and `after`, then `rest`."""

    topic: str
    before: Line
    title: Run
    after: Line
    rest: tuple[Line, ...]

    @property
    def lines(self) -> tuple[Line, ...]:
        """All lines but the topic's."""
        return ((*self.before, self.title, *self.after), *self.rest)


def heading(digest: Digest, number: int, of: int) -> str:
    """What the edition is about, and which of how many messages this is."""
    return cut(sentences.heading(digest), 140) + (f" ({number}/{of})" if of > 1 else "")


def opening(digest: Digest, number: int) -> tuple[str, ...]:
    """What stands below the heading of message `number`."""
    if number > 1 or digest.kind == "alert":
        return ()
    told = f" · {sentences.summary(digest)}" if digest.stories else ""
    late = sentences.lateness(digest)
    return (sentences.dateline(digest) + told, *(text for text in (spikes(digest), late) if text))


def closing(digest: Digest, limits: Limits) -> tuple[Line, ...]:
    """What stands below the last story: what is not shown, what could not be read, where there is more."""
    lines: list[Line] = [
        (Run(text),)
        for text in (
            sentences.not_shown(digest),
            cut(sentences.not_read(digest, 5), 400),
            *(cut(remark, 400) for remark in remarks(digest)),
            cut(sentences.accounts(digest), 400),
        )
        if text
    ]
    if 0 < len(url := sentences.pages_link(digest)) <= limits.url:
        lines.append((Run(i18n.phrases_of(digest).open, url=url),))
    return tuple(lines)


def first_line(digest: Digest, number: int, of: int) -> str:
    """The notification: what a telephone shows and a screen reader reads."""
    top = ""
    if digest.stories:
        top = ". " + i18n.phrases_of(digest).top.format(title=story_lines.headline(digest.stories[0].lead, 150))
    return sentences.heading(digest) + (f" ({number}/{of})" if of > 1 else "") + top


def story_texts(digest: Digest, story: Story, number: int, above: str, brief: bool, limits: Limits) -> StoryText:
    """One story; one line of it if `brief` or if it only goes on. `above`: the topic that the story before is under."""
    home = story_lines.main_topic(story)
    topic = "" if home.name == above else cut(story_lines.topic_title(home), 80).upper()
    if topic and (line := trend_line(digest, home.name)):
        topic = f"{topic}  {line}"
    severity = story_lines.severity_label(digest, story) + " · " if digest.kind == "alert" else ""
    before = (Run(f"{number}  {severity}"), Run(f"{story_lines.status_label(digest, story)}  ", bold=True))
    title = Run(_title(story, limits), True, link(story.lead.url, limits.url))
    if brief or story.status == "continuing":
        return StoryText(topic, before, title, (Run(f" ({story_lines.sources_in_words(digest, story)})"),), ())
    rest: list[Line] = [(Run(story_lines.byline(digest, story)),)]
    if quoted := pieces(marked(story.snippet, limits.quote), limits.highlights):
        rest.append(tuple(Run(text, lit) for text, lit in quoted))
    if last := _reasons(digest, story):
        rest.append((Run(last),))
    return StoryText(topic, before, title, (), tuple(rest))


def _title(story: Story, limits: Limits) -> str:
    title = story_lines.headline(story.lead, limits.title)
    # First strong isolate: the line around a title that runs the other way keeps its order.
    return f"\u2068{title}\u2069" if direction(title) == "rtl" else title


def _reasons(digest: Digest, story: Story) -> str:
    others, more = story_lines.further_reports(story)
    also = ", ".join(
        [story_lines.outlet_and_language(story, report) for report in others] + ([f"+{more}"] if more else [])
    )
    say, reasons = i18n.phrases_of(digest), cut(story_lines.matched_words(story), 300)
    return sentences.listed(
        (say.why.format(words=reasons) if reasons else "", say.also.format(outlets=also) if also else "")
    )


# runs as Markdown for chats that know no other form (Discord, Mattermost), all foreign text literal.
#
# Every mark of CommonMark is escaped by a backslash. What is no Markdown but acts all the same (mentions, emoji codes,
# addresses that become links by themselves) is broken by a word joiner (U+2060), which nobody sees.


JOINER = "\u2060"
_MARKS = regex.compile(r"[\\`*_{}\[\]()<>#+\-.!|~&=$^]")
_ACTORS = regex.compile(r"@(?=[\w&!:])|:(?=[\w+\-]+:|//)")


def escape(text: str) -> str:
    """The text so that Markdown shows it as it is: no style, no link, no list, no mention, no emoji."""
    return str(_MARKS.sub(r"\\\g<0>", _ACTORS.sub(rf"\g<0>{JOINER}", text)))


def write(line: Line) -> str:
    """A line of runs as Markdown."""
    return "".join(map(_write, line))


def _write(run: Run) -> str:
    core = run.text.strip(" ")
    before, _, after = run.text.partition(core) if core else (run.text, "", "")
    text = escape(core)
    if run.url:
        url = run.url.replace("(", "%28").replace(")", "%29")
        return f"{before}[{f'**{text}**' if run.bold else text}]({url}){after}"
    # Stars beside a sign that is no letter may not be read as a style: then plain is better than stars in the text.
    if run.bold and core and core[0].isalnum() and core[-1].isalnum():
        text = f"**{text}**"
    return f"{before}{text}{after}"
