"""Pure: an edition for chats as runs of text, before any of them gives it its own form.

A run is literal: whoever writes it into a form that knows marks must take care that none of it is read as one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from types import MappingProxyType
from typing import Any, Literal, TypeVar

import regex

from watchpost.model import Digest, Story
from watchpost.notify.render import sentences
from watchpost.notify.render.sanitize import cut, direction, link, marked, pieces
from watchpost.notify.render.sentences import remarks, spikes, trend_line

# how much each target takes, in one table. Somewhat below what its makers say: some count otherwise.


Unit = Literal["bytes", "utf16", "points"]


@dataclass(frozen=True, slots=True)
class Limits:
    """One target's. `size` is for one message, counted in `unit` by `measure`; the other lengths are code points.

    An edition is at most `messages` messages of at most `stories` stories; `highlights` is how many words of a
    quotation may stand out.
    """

    unit: Unit
    size: int
    messages: int
    stories: int
    title: int = 150
    quote: int = 240
    url: int = 1000
    highlights: int = 10

    def measure(self, text: str) -> int:
        """How long the target says that the text is."""
        return _MEASURES[self.unit](text)


_MEASURES: Mapping[Unit, Callable[[str], int]] = MappingProxyType(
    {
        "bytes": lambda text: len(text.encode()),
        "utf16": lambda text: len(text.encode("utf-16-le", "surrogatepass")) // 2,
        "points": len,
    }
)

# docs.slack.dev/reference/block-kit/blocks; the sum of the blocks: slackapi/bolt-js#2509.
SLACK = Limits("bytes", 11_000, messages=3, stories=12)
# discord.com/developers/docs/resources/message#embed-object: 6000 over all embeds, 10 embeds (one is for the end).
DISCORD = Limits("utf16", 5_800, messages=3, stories=9)
DISCORD_CONTENT, DISCORD_TITLE, DISCORD_TEXT = 2000, 256, 4096
# learn.microsoft.com, "Create incoming webhooks": about 28 KB a message.
TEAMS = Limits("bytes", 26_000, messages=3, stories=20)
# Mattermost's server: a post has 16,383 characters.
MATTERMOST = Limits("points", 16_000, messages=3, stories=30)
# docs.ntfy.sh/publish: 4096 bytes, more becomes an attachment; since 2.28 also a title of 1 KB and tags of 512 bytes.
NTFY = Limits("bytes", 4_000, messages=1, stories=12, quote=160, url=300)
NTFY_TITLE, NTFY_TAGS = 1000, 500
# What is behind an Apprise address says itself how much it takes; this is the most that a short text should be.
APPRISE = Limits("points", 4_000, messages=1, stories=12, quote=160, url=300)


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
        lines.append((Run(sentences.alert_sentence(digest).open, url=url),))
    return tuple(lines)


def first_line(digest: Digest, number: int, of: int) -> str:
    """The notification: what a telephone shows and a screen reader reads."""
    top = ""
    if digest.stories:
        top = ". " + sentences.alert_sentence(digest).top.format(title=sentences.headline(digest.stories[0].lead, 150))
    return sentences.heading(digest) + (f" ({number}/{of})" if of > 1 else "") + top


def story_texts(digest: Digest, story: Story, number: int, above: str, brief: bool, limits: Limits) -> StoryText:
    """One story; one line of it if `brief` or if it only goes on. `above`: the topic that the story before is under."""
    home = sentences.home(story)
    topic = "" if home.name == above else cut(sentences.title(home), 80).upper()
    if topic and (line := trend_line(digest, home.name)):
        topic = f"{topic}  {line}"
    severity = sentences.severity(digest, story) + " · " if digest.kind == "alert" else ""
    before = (Run(f"{number}  {severity}"), Run(f"{sentences.status(digest, story)}  ", bold=True))
    title = Run(_title(story, limits), True, link(story.lead.url, limits.url))
    if brief or story.status == "continuing":
        return StoryText(topic, before, title, (Run(f" ({sentences.source_count(digest, story)})"),), ())
    rest: list[Line] = [(Run(sentences.byline(digest, story)),)]
    if quoted := pieces(marked(story.snippet, limits.quote), limits.highlights):
        rest.append(tuple(Run(text, lit) for text, lit in quoted))
    if last := _reasons(digest, story):
        rest.append((Run(last),))
    return StoryText(topic, before, title, (), tuple(rest))


def _title(story: Story, limits: Limits) -> str:
    title = sentences.headline(story.lead, limits.title)
    # First strong isolate: the line around a title that runs the other way keeps its order.
    return f"\u2068{title}\u2069" if direction(title) == "rtl" else title


def _reasons(digest: Digest, story: Story) -> str:
    others, more = sentences.also(story)
    also = ", ".join([sentences.other(story, report) for report in others] + ([f"+{more}"] if more else []))
    say, reasons = sentences.alert_sentence(digest), cut(sentences.why(story), 300)
    return sentences.listed(
        (say.why.format(words=reasons) if reasons else "", say.also.format(outlets=also) if also else "")
    )


# stories into messages that fit, for every target that has a size.


T = TypeVar("T")


def pack(
    stories: Sequence[Story],
    limits: Limits,
    *,
    lay: Callable[[Story, int, str, bool], T],
    cost: Callable[[T], int],
    room: Callable[[int], int],
) -> list[list[T]]:
    """The stories laid out, in pages that fit, in their order; the caller counts what is left over at the end.

    `lay(story, number, above, brief)` gives one story: `number` from 1, `above` the name of the topic that the story
    before it stands under ("" for a page's first), `brief` for one line. `cost` is its size, `room(page)` what that
    page (from 1) has for stories. One that is too long for any page is laid briefly; a page takes at least one.
    """
    pages: list[list[T]] = [[]]
    left, above = room(1), ""
    for number, story in enumerate(stories, 1):
        one = lay(story, number, above, False)
        if pages[-1] and (cost(one) > left or len(pages[-1]) == limits.stories):
            if len(pages) == limits.messages:
                break
            pages.append([])
            left = room(len(pages))
            one = lay(story, number, "", False)
        if cost(one) > left:
            one = lay(story, number, "", True)
        pages[-1].append(one)
        left, above = left - cost(one), sentences.home(story).name
    return pages


def pages(
    digest: Digest,
    limits: Limits,
    *,
    form: Callable[[StoryText], T],
    cost: Callable[[T], int],
    frame: Callable[[Digest, int, int], int],
) -> tuple[Digest, list[list[T]]]:
    """The digest as it will be shown, with what is left out counted, and its stories in the target's form, in pages.

    `frame(digest, page, pages)` is the size of what stands around the stories of a page.
    """
    full = sentences.shorten(digest, 0) if digest.stories else digest  # "Not shown" takes its room when it comes

    def room(page: int) -> int:
        return limits.size - frame(replace(digest, omitted=full.omitted), page, limits.messages)

    found = pack(
        digest.stories,
        limits,
        lay=lambda story, number, above, brief: form(story_texts(digest, story, number, above, brief, limits)),
        cost=cost,
        room=room,
    )
    return sentences.shorten(digest, sum(map(len, found))), found


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


# the last look at a payload before it is frozen.


class UnfitError(ValueError):
    """A payload that its target would refuse, or that would do there what nobody meant."""


def fit(payload: str, validate: Callable[[Mapping[str, Any]], tuple[str, ...]]) -> str:
    """The payload (JSON) itself. Raises UnfitError with the first thing that `validate` finds."""
    for problem in validate(json.loads(payload)):
        raise UnfitError(problem)
    return payload


# a short text without marks, for telephones and for services of which nothing is known.


@dataclass(frozen=True, slots=True)
class Brief:
    """`click`: where the first story stands, "" if nowhere. `omitted`: how many stories are only counted."""

    title: str
    text: str
    click: str
    omitted: int = 0


def brief(digest: Digest, limits: Limits, title: int = 250) -> Brief:
    """The digest as one message within `limits`: a story takes a few lines, the rest is counted.

    `title` is how long the title may be, in the unit of `limits`.
    """
    shown, found = pages(
        digest,
        limits,
        form=_story,
        cost=lambda text: limits.measure(text) + 2,
        frame=lambda one, number, of: _frame(one, limits),
    )
    parts = [
        *map(quiet, opening(shown, 1)),
        *(story for page in found for story in page),
        quiet(_closing(shown, limits)),
    ]
    click = next((url for story in shown.stories if (url := link(story.lead.url, limits.url))), "")
    text = "\n\n".join(part for part in parts if part) or quiet(sentences.heading(shown))
    heading = shorten(quiet(sentences.heading(shown)), limits, title)
    return Brief(heading, shorten(text, limits, limits.size), click, shown.omitted)


def shorten(text: str, limits: Limits, size: int) -> str:
    """The text so that it measures at most `size`."""
    limit = len(text)
    while limit > 0 and limits.measure(found := cut(text, limit)) > size:
        limit = min(limit - 1, limit * size // limits.measure(found))
    return cut(text, limit)


def quiet(text: str) -> str:
    """The text so that no service finds somebody to call in it (`@here`, `<!channel>`)."""
    return text.replace("@", f"@{JOINER}").replace("<!", f"<{JOINER}!")


def _story(told: StoryText) -> str:
    lines = ["".join(run.text for run in line) for line in told.lines]
    return quiet("\n".join([*lines, *([told.title.url] if told.title.url else [])]))


def _closing(digest: Digest, limits: Limits) -> str:
    return "\n".join("".join(run.url or run.text for run in line) for line in closing(digest, limits))


def _frame(digest: Digest, limits: Limits) -> int:
    return limits.measure("\n\n".join([*opening(digest, 1), _closing(digest, limits)])) + 60
