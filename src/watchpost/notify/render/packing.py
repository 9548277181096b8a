"""Pure: digests made shorter, and stories packed into messages that fit a chat."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TypeVar

from watchpost.model import Digest, Snippet, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.limits import Limits
from watchpost.notify.render.rich_text import HEADLINES, JOINER, StoryText, closing, opening, story_text
from watchpost.notify.render.sanitize import cut, link

T = TypeVar("T")


def limit_stories(digest: Digest, stories: int) -> Digest:
    """The digest with at most so many stories; the others are counted as omitted."""
    kept, left = digest.stories[:stories], Counter[str](story.severity for story in digest.stories[stories:])
    omitted = digest.omitted + left.total()
    return replace(digest, stories=kept, omitted=omitted, left_out=Counter(digest.left_out) + left)


def reductions(digest: Digest) -> tuple[Digest, ...]:
    """Plainer and plainer versions of a digest that cannot be rendered.

    First without the operator's templates, then headlines and links alone, then only the number of stories.
    """
    plain = replace(digest, reduced=True)
    bare = replace(plain, stories=tuple(map(_bare, digest.stories)), unread=())
    return (plain, bare, replace(limit_stories(plain, 0), unread=()))


def _bare(story: Story) -> Story:
    topics = tuple(replace(match, why=()) for match in story.topics)
    return replace(story, topics=topics, snippet=Snippet(""), reports=(story.lead,))


def pages(
    digest: Digest,
    limits: Limits,
    *,
    form: Callable[[StoryText], T],
    cost: Callable[[T], int],
    frame: Callable[[Digest, int, int], int],
) -> tuple[Digest, list[list[T]]]:
    """The digest with the stories that fit, and these in the chat's form, page by page.

    `cost` is the size of one story in that form, `frame(digest, page, pages)` that of everything around the stories
    of a page. A story that is too long for its page is one line; each page has at least one story.
    """
    # The line "Not shown" may be needed, and the counts of what is left out: they take their room from the beginning.
    nothing_shown = limit_stories(digest, 0)
    with_omissions = replace(digest, omitted=nothing_shown.omitted, left_out=nothing_shown.left_out)

    def room(page: int) -> int:
        return limits.size - frame(with_omissions, page, limits.messages)

    def lay_out(story: Story, number: int, above: str, *, brief: bool = False) -> T:
        return form(story_text(digest, story, number, above=above, brief=brief, limits=limits))

    packed: list[list[T]] = [[]]
    named: list[list[str]] = [[]]
    left, above = room(1), ""
    for number, story in enumerate(digest.stories, 1):
        text = lay_out(story, number, above)
        if packed[-1] and (cost(text) > left or len(packed[-1]) == limits.stories):
            if len(packed) == limits.messages:
                break
            packed.append([])
            named.append([])
            left, above = room(len(packed)), ""
            text = lay_out(story, number, above)
        is_brief = cost(text) > left
        if is_brief:
            text = lay_out(story, number, "", brief=True)
        packed[-1].append(text)
        headlines = 0 if is_brief or story.status == "continuing" else HEADLINES
        named[-1] += story_lines.named_articles([story], headlines)
        left, above = left - cost(text), story_lines.main_topic(story).name
    return replace(limit_stories(digest, sum(map(len, packed))), named=tuple(map(tuple, named))), packed


@dataclass(frozen=True, slots=True)
class Brief:
    """A digest as one short text. `click`: the first story's address, or ""; `omitted`: how many stories it lacks.

    `named` are the articles whose headlines it shows.
    """

    title: str
    text: str
    click: str
    omitted: int = 0
    named: tuple[str, ...] = ()


def brief(digest: Digest, limits: Limits, title: int = 250) -> Brief:
    """The digest as one message without markup, for telephones and for services of unknown form.

    `title` is how long the title may be, in the unit of `limits`.
    """
    shown, packed = pages(
        digest,
        limits,
        form=_brief_story,
        cost=lambda text: limits.measure(text) + 2,
        frame=lambda digest, page, pages: _brief_frame(digest, limits),
    )
    parts = [
        *map(quiet, opening(shown, 1, 1)),
        *(story for page in packed for story in page),
        quiet(_brief_closing(shown, limits)),
    ]
    top = story_lines.headline(shown.stories[0].lead) if shown.stories else sentences.heading(shown)
    heading = quiet(top)
    click = next((url for story in shown.stories if (url := link(story.lead.url, limits.url))), "")
    text = "\n\n".join(filter(None, parts)) or heading
    return Brief(
        cut_to(heading, limits, title), cut_to(text, limits, limits.size), click, shown.omitted, sum(shown.named, ())
    )


def cut_to(text: str, limits: Limits, size: int) -> str:
    """The text cut so that it measures at most `size`."""
    length = len(text)
    while length > 0 and (measured := limits.measure(cut(text, length))) > size:
        length = min(length - 1, length * size // measured)
    return cut(text, length)


def quiet(text: str) -> str:
    """The text with `@here` and `<!channel>` broken by an invisible sign, so that no service notifies anybody."""
    return text.replace("@", f"@{JOINER}").replace("<!", f"<{JOINER}!")


def _brief_story(story: StoryText) -> str:
    lines = ["".join(run.text for run in line if run is story.title or not run.url) for line in story.lines]
    links = [run.url for line in story.lines for run in line if run.url]
    return quiet("\n".join([*(line.removesuffix(" · ") for line in lines if line), *links]))


def _brief_closing(digest: Digest, limits: Limits) -> str:
    return "\n".join("".join(run.url or run.text for run in line) for line in closing(digest, limits))


def _brief_frame(digest: Digest, limits: Limits) -> int:
    return limits.measure("\n\n".join([*opening(digest, 1, 1), _brief_closing(digest, limits)])) + 60
