"""Pure: a digest as text, 72 columns wide, for mail, files and terminals.

It is laid out for itself, not HTML without its tags: links are numbered, matched words stand between `**`. On a
terminal they have ANSI colours (ECMA-48 SGR) instead. Text of others goes through `sanitize.clean` first, so that the
only control characters in the result are our own.
"""

from __future__ import annotations

import unicodedata
from collections import deque
from collections.abc import Callable, Iterable, Mapping

import regex

from watchpost.model import Digest, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.sanitize import clean, link, marked, pieces

WIDTH = 72
_ROOM_MIN = 16  # columns in which an endless word begins
MAX_STORIES = 200

# Marks inside a laid-out line. Text of others never holds them, for `clean` removes control characters.
_LIT, _UNLIT, _BOLD, _UNBOLD = "\x01", "\x02", "\x03", "\x04"
_Theme = Mapping[str, str]
_STARS: _Theme = {_LIT: "**", _UNLIT: "**", _BOLD: "", _UNBOLD: ""}
_COLOURS: _Theme = {_LIT: "\x1b[1;33m", _UNLIT: "\x1b[0m", _BOLD: "\x1b[1m", _UNBOLD: "\x1b[0m"}


def plain(digest: Digest, *, whole: bool = False) -> str:
    """The digest as text for any program; ends in a newline. Only links are wider than 72 columns.

    It has at most 200 stories, or with `whole` every one.
    """
    return _render(digest if whole else fit(digest), _STARS, star_width=2)


def fit(digest: Digest) -> Digest:
    """The digest with as many stories as the texts show."""
    return limit_stories(digest, MAX_STORIES)


def ansi(digest: Digest) -> str:
    """The same for a terminal with colours: what matched is bold yellow, titles are bold."""
    return _render(fit(digest), _COLOURS, star_width=0)


def columns(text: str) -> int:
    """How many columns a terminal gives the text (UAX #11): wide characters two, combining marks none."""
    if text.isascii():
        return sum(char >= " " for char in text)
    return sum(_width(char) for char in text)


def wrap(text: str, first: str, rest: str, star_width: int = 0) -> list[str]:
    """The text in lines of at most 72 columns, broken at blanks; an endless word is broken between graphemes.

    An endless word, and one of a script without blanks, begins in the line before if that has room.
    `first` and `rest` open the first and the further lines. `star_width`: columns of a highlight's mark.
    """

    def measure(piece: str) -> int:
        return columns(piece) + star_width * (piece.count(_LIT) + piece.count(_UNLIT))

    lines: list[str] = []
    line, room = first, WIDTH - columns(first)
    empty = True
    whole = WIDTH - columns(rest)
    words = deque(text.split(" "))
    while words:
        word = words.popleft()
        left = room - (0 if empty else 1)
        if measure(word) > left and (measure(word) > whole or _is_unspaced(word)):
            bites = _bites(word, left if left >= _ROOM_MIN or empty else whole, measure)
            word = bites[0]
            words.extendleft(["".join(bites[1:])] if len(bites) > 1 else ())
        need = measure(word) + (0 if empty else 1)
        if need > room and not empty:
            lines.append(line.rstrip())
            line, room, empty, need = rest, WIDTH - columns(rest), True, need - 1
        line += word if empty else " " + word
        room -= need
        empty = False
    return [*lines, line.rstrip()]


def _is_unspaced(word: str) -> bool:
    """Whether most letters are of a script whose words have no blanks between them."""
    return columns(word) > 1.5 * len(word)


def _bites(word: str, width: int, measure: Callable[[str], int]) -> list[str]:
    if measure(word) <= width:
        return [word]
    bites, bite, used = [], "", 0
    for grapheme in regex.findall(r"\X", word):
        need = measure(grapheme)
        if used + need > width and bite:
            bites.append(bite)
            bite, used = "", 0
        bite += grapheme
        used += need
    return [*bites, bite]


def _width(char: str) -> int:
    if unicodedata.category(char) in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(char) in ("W", "F") else 1


class _Page:
    """A page that is being laid out: its lines, and the links that are numbered on the way."""

    def __init__(self, theme: _Theme, star_width: int) -> None:
        self.lines: list[str] = []
        self.links: list[str] = []
        self._theme = str.maketrans(dict(theme))
        self._star_width = star_width

    def add(self, text: str, first: str = "", rest: str = "") -> None:
        if text:
            self.lines += wrap(text, first, rest or " " * len(first), self._star_width)

    def gap(self) -> None:
        if self.lines and self.lines[-1]:
            self.lines.append("")

    def number(self, url: str) -> str:
        """ " [3]" for a link that is listed at the end of the page, "" for none."""
        if not url:
            return ""
        if url not in self.links:
            self.links.append(url)
        return f" [{self.links.index(url) + 1}]"

    def text(self) -> str:
        return ("\n".join(self.lines).rstrip("\n") + "\n").translate(self._theme)


def _render(digest: Digest, theme: _Theme, star_width: int) -> str:
    page = _Page(theme, star_width)
    if digest.kind == "alert":
        for story in digest.stories:
            _alert(page, digest, story)
            page.gap()
    else:
        if digest.stories:
            top = digest.stories[0]
            page.add(f"{_bold(story_lines.headline(top.lead))}{page.number(link(top.lead.url))}")
        page.add(_bold(sentences.dateline(digest)))
        page.add(sentences.period(digest))
        page.add(f"{sentences.summary(digest)} {sentences.spikes(digest)}".rstrip())
    page.add(sentences.lateness(digest))
    if digest.kind == "digest":
        _stories(page, digest)
        page.gap()
    page.add(sentences.not_shown(digest))
    if digest.omitted and (url := sentences.pages_link(digest)):
        page.lines.append(url)
    page.add(sentences.not_read(digest))
    for remark in sentences.remarks(digest):
        page.add(remark)
    if digest.kind == "digest":
        page.add(sentences.footer(digest))
        page.gap()
        page.lines += [f"[{number}] {url}" for number, url in enumerate(page.links, 1)]
    return page.text()


def _stories(page: _Page, digest: Digest) -> None:
    number = 0
    for section in story_lines.sections(digest.stories):
        page.gap()
        page.add(_bold(f"== {section.title.upper()} =="))
        page.add(sentences.trend_line(digest, section.name))
        for story in section.stories:
            number += 1
            if story.status != "continuing":
                page.gap()
            _story(page, digest, story, f"{number}. ")


def _story(page: _Page, digest: Digest, story: Story, number: str) -> None:
    indent = " " * len(number)
    status = story_lines.status_label(digest, story)
    link_number = page.number(link(story.lead.url))
    if story.status == "continuing":
        title = f"{status}  {_lit(story_lines.headline_pieces(story.lead))}"
        page.add(f"{title} ({story_lines.sources_in_words(digest, story)}){link_number}", number, indent)
        page.add(story_lines.headlines_in_words(digest, story), indent)
        page.add(_whole_story(page, digest, story), indent)
        return
    page.add(f"{_bold(f'{status}  ')}{_title(story)}{link_number}", number, indent)
    page.add(story_lines.byline(digest, story), indent)
    page.add(_quote(digest, story), indent)
    page.add(story_lines.reasons(digest, story), indent)
    page.add(story_lines.headlines_in_words(digest, story), indent)
    if topics := story_lines.other_topics(story):
        tr = translation(digest.language)
        page.add(tr.gettext("Other topics:") + f" {tr.listing(topics)}.", indent)
    page.add(_whole_story(page, digest, story), indent)


def _whole_story(page: _Page, digest: Digest, story: Story) -> str:
    """ "Whole story [4]": the numbers of the links to the story's page and to what can be done, or ""."""
    whole = translation(digest.language).gettext("Whole story"), story_lines.page(digest, story)
    links = [f"{label}{page.number(url)}" for label, url in (whole, *story_lines.actions(digest, story)) if url]
    return " · ".join(links)


def _alert(page: _Page, digest: Digest, story: Story) -> None:
    """One compact block: headline; severity, topics; byline; snippet; matched words; addresses."""
    tr, main = translation(digest.language), clean(story_lines.topic_title(story_lines.main_topic(story)), 60)
    topics = tr.listing([main, *story_lines.other_topics(story)])
    status = f"{story_lines.status_label(digest, story)} · " if story.status != "new" else ""
    page.add(_title(story), "", "  ")
    page.add(f"{_bold(story_lines.severity_label(digest, story))} · {status}{topics}", "  ")
    page.add(story_lines.byline(digest, story), "  ")
    page.add(_quote(digest, story), "  ")
    if words := story_lines.matched_words(digest, story):
        page.add(tr.gettext("Matched:") + f" {words}.", "  ")
    page.add(story_lines.headlines_in_words(digest, story), "  ")
    page.lines += [f"  {url}" for url in (link(story.lead.url), story_lines.page(digest, story)) if url]
    page.lines += [f"  {label}{tr.colon}{url}" for label, url in story_lines.actions(digest, story)]


def _quote(digest: Digest, story: Story) -> str:
    text = _lit(pieces(marked(story.snippet)))
    return translation(digest.language).quote(text) if text else ""


def _lit(runs: Iterable[tuple[str, bool]]) -> str:
    return "".join(f"{_LIT}{run}{_UNLIT}" if highlighted else run for run, highlighted in runs)


def _title(story: Story) -> str:
    """The headline in bold; what matched in it has the highlight instead, which ends what is bold."""
    runs = story_lines.headline_pieces(story.lead)
    return "".join(f"{_LIT}{run}{_UNLIT}" if highlighted else _bold(run) for run, highlighted in runs)


def _bold(text: str) -> str:
    return f"{_BOLD}{text}{_UNBOLD}"
