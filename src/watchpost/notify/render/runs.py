"""Still: an edition for chats as runs of text, before any of them gives it its own form.

A run is literal: whoever writes it into a form that knows marks must take care that none of it is read as one.
"""

from __future__ import annotations

from dataclasses import dataclass

from watchpost.model import Digest, Story
from watchpost.notify.render import words
from watchpost.notify.render.foreign import cut, direction, link, marked, pieces
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.remarks import remarks
from watchpost.notify.render.trends import spikes, trend_line


@dataclass(frozen=True, slots=True)
class Run:
    """Some text, perhaps bold, perhaps leading to `url` (http or https, plain ASCII)."""

    text: str
    bold: bool = False
    url: str = ""


Line = tuple[Run, ...]


@dataclass(frozen=True, slots=True)
class Told:
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
    return cut(words.heading(digest), 140) + (f" ({number}/{of})" if of > 1 else "")


def opening(digest: Digest, number: int) -> tuple[str, ...]:
    """What stands below the heading of message `number`."""
    if number > 1 or digest.kind == "alert":
        return ()
    told = f" · {words.summary(digest)}" if digest.stories else ""
    late = words.lateness(digest)
    return (words.dateline(digest) + told, *(text for text in (spikes(digest), late) if text))


def closing(digest: Digest, limits: Limits) -> tuple[Line, ...]:
    """What stands below the last story: what is not shown, what could not be read, where there is more."""
    lines: list[Line] = [
        (Run(text),)
        for text in (
            words.not_shown(digest),
            cut(words.not_read(digest, 5), 400),
            *(cut(remark, 400) for remark in remarks(digest)),
            cut(words.accounts(digest), 400),
        )
        if text
    ]
    if 0 < len(url := words.pages_link(digest)) <= limits.url:
        lines.append((Run(words.speak(digest).open, url=url),))
    return tuple(lines)


def first_line(digest: Digest, number: int, of: int) -> str:
    """The notification: what a telephone shows and a screen reader reads."""
    top = ""
    if digest.stories:
        top = ". " + words.speak(digest).top.format(title=words.headline(digest.stories[0].lead, 150))
    return words.heading(digest) + (f" ({number}/{of})" if of > 1 else "") + top


def tell(digest: Digest, story: Story, number: int, above: str, brief: bool, limits: Limits) -> Told:
    """One story; one line of it if `brief` or if it only goes on. `above`: the topic that the story before is under."""
    home = words.home(story)
    topic = "" if home.name == above else cut(words.title(home), 80).upper()
    if topic and (line := trend_line(digest, home.name)):
        topic = f"{topic}  {line}"
    severity = words.severity(digest, story) + " · " if digest.kind == "alert" else ""
    before = (Run(f"{number}  {severity}"), Run(f"{words.status(digest, story)}  ", bold=True))
    title = Run(_title(story, limits), True, link(story.lead.url, limits.url))
    if brief or story.status == "continuing":
        return Told(topic, before, title, (Run(f" ({words.source_count(digest, story)})"),), ())
    rest: list[Line] = [(Run(words.byline(digest, story)),)]
    if quoted := pieces(marked(story.snippet, limits.quote), limits.highlights):
        rest.append(tuple(Run(text, lit) for text, lit in quoted))
    if last := _reasons(digest, story):
        rest.append((Run(last),))
    return Told(topic, before, title, (), tuple(rest))


def _title(story: Story, limits: Limits) -> str:
    title = words.headline(story.lead, limits.title)
    # First strong isolate: the line around a title that runs the other way keeps its order.
    return f"\u2068{title}\u2069" if direction(title) == "rtl" else title


def _reasons(digest: Digest, story: Story) -> str:
    others, more = words.also(story)
    also = ", ".join([words.other(story, report) for report in others] + ([f"+{more}"] if more else []))
    say, reasons = words.speak(digest), cut(words.why(story), 300)
    return words.listed(
        (say.why.format(words=reasons) if reasons else "", say.also.format(outlets=also) if also else "")
    )
