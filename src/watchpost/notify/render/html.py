"""Pure: a digest as a page of HTML for mail, from digest.html.j2, styles and pictures inlined.

Mail programs render HTML as browsers of 1999 did, but with a dark mode: hence the table, the inlined styles, and
`!important` in the one at-rule that they keep. Gmail cuts messages off at about 102 kB, so a page is at most 90 kB.
"""

from __future__ import annotations

import base64
import hashlib
import struct
import zlib
from collections.abc import Sequence
from functools import cache
from typing import TYPE_CHECKING, Any

from watchpost.model import Digest, Story
from watchpost.notify.render import sentences, story_lines
from watchpost.notify.render.i18n import translation
from watchpost.notify.render.packing import limit_stories
from watchpost.notify.render.sanitize import direction, language_tag, link, marked, pieces
from watchpost.trend import WALL

# The hits of the last 14 days as a picture of bars, for mail.
#
# Mail programs show the block characters in a font of their choice, hence a PNG with a palette (W3C PNG, 11.2.1 PLTE
# and tRNS) of about 200 bytes; its background is transparent, so that it fits light and dark.


WIDTH, HEIGHT = 112, 24  # CSS pixels; the picture itself has `_SCALE` times as many, for fine screens
_SCALE = 2
_BAR, _STEP = 6, 8
_PAST, _TODAY = 1, 2  # places in the palette; 0 is the background
_PALETTE = bytes((0, 0, 0)) + bytes((0x7F, 0xA8, 0xD6)) + bytes((0x2F, 0x7F, 0xD1))


def png(days: Sequence[int]) -> bytes:
    """The picture: a bar for each of up to 14 days, the last one darker; a day without hits is a hairline."""
    most = max(*days, WALL)
    heights = [max(1, round(day / most * HEIGHT * _SCALE)) for day in days[:14]]
    rows = []
    for y in range(HEIGHT * _SCALE, 0, -1):
        row = bytearray(WIDTH * _SCALE)
        for at, height in enumerate(heights):
            if height >= y:
                colour = _TODAY if at == len(heights) - 1 else _PAST
                left = at * _STEP * _SCALE
                row[left : left + _BAR * _SCALE] = bytes((colour,)) * (_BAR * _SCALE)
        rows.append(b"\0" + bytes(row))
    head = struct.pack(">IIBBBBB", WIDTH * _SCALE, HEIGHT * _SCALE, 8, 3, 0, 0, 0)
    return b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(name, data)
        for name, data in (
            (b"IHDR", head),
            (b"PLTE", _PALETTE),
            (b"tRNS", b"\0"),
            (b"IDAT", zlib.compress(b"".join(rows), 9)),
            (b"IEND", b""),
        )
    )


def content_id(days: Sequence[int]) -> str:
    """The Content-ID of the picture within a mail (RFC 2392), the same for the same bars."""
    return hashlib.blake2b(repr(tuple(days)).encode(), digest_size=12).hexdigest() + "@bars.watchpost"


def data_url(days: Sequence[int]) -> str:
    """The picture as an address for a page that is a file of its own (RFC 2397)."""
    return "data:image/png;base64," + base64.b64encode(png(days)).decode()


def _chunk(name: bytes, data: bytes) -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


if TYPE_CHECKING:
    from css_inline import CSSInliner
    from jinja2 import Template

LIMIT = 90_000


def page(digest: Digest, *, mailed: bool = False, whole: bool = False) -> str:
    """The digest as an HTML document of at most 90,000 bytes; stories that do not fit are counted in it.

    With `whole` it has every story, however long it becomes.

    Pictures are part of the document, or with `mailed` parts of the mail, which `pictures` returns.
    """
    if whole:
        return _render(digest, mailed=mailed)
    shown, document = _fitting(digest)
    return _render(shown, mailed=True) if mailed else document


def pictures(digest: Digest) -> dict[str, bytes]:
    """The PNG pictures of a mailed page by their Content-ID."""
    trends = (sentences.days(digest, section.name) for section in story_lines.sections(digest.stories))
    return {content_id(days): png(days) for days in trends if days}


def fit(digest: Digest) -> Digest:
    """The digest with as many stories as `page` shows, for the text that is sent beside it."""
    return _fitting(digest)[0]


def _fitting(digest: Digest) -> tuple[Digest, str]:
    shown = limit_stories(digest, 150)  # a story takes 900 bytes and more, so that more never fit
    document = _render(shown)
    # Mail ends its lines in CR LF: one byte more for each.
    while (size := len(document.encode()) + document.count("\n")) > LIMIT and shown.stories:
        stories = len(shown.stories)
        shown = limit_stories(digest, min(stories - 1, stories * LIMIT // size))
        document = _render(shown)
    return shown, document


def _render(digest: Digest, *, mailed: bool = False) -> str:
    return _inliner().inline(_template().render(_variables(digest, mailed)))


def _variables(digest: Digest, mailed: bool) -> dict[str, Any]:
    tr = translation(digest.language)
    return {
        "labels": {
            "words": tr.gettext("Matched:"),
            "outlets": tr.gettext("Also in:"),
            "headlines": tr.gettext("Other headlines:"),
            "topics": tr.gettext("Other topics:"),
            "open": tr.gettext("Open watchpost"),
            "whole": tr.gettext("Whole story"),
            "comma": tr.comma,
            "colon": tr.colon,
            "semicolon": tr.semicolon,
        },
        "language": tr.language,
        "direction": tr.direction,
        "width": WIDTH,
        "height": HEIGHT,
        "subject": sentences.subject(digest),
        "heading": sentences.heading(digest),
        "alone": sentences.leads_alone(digest),
        "top": _top(digest),
        "dateline": sentences.dateline(digest),
        "summary": sentences.summary(digest),
        "lateness": sentences.lateness(digest),
        "spikes": sentences.spikes(digest),
        "omitted": sentences.not_shown(digest),
        "pages": sentences.pages_link(digest),
        "unread": sentences.not_read(digest),
        "remarks": sentences.remarks(digest),
        "footer": sentences.footer(digest),
        "sections": [_section(digest, section, mailed) for section in story_lines.sections(digest.stories)],
    }


def _top(digest: Digest) -> dict[str, Any]:
    """The headline that the page begins with: that of the first story."""
    if not digest.stories:
        return {}
    lead = digest.stories[0].lead
    return {
        "title": story_lines.headline_pieces(lead),
        "url": link(lead.url),
        "lang": language_tag(lead.lang),
        "direction": direction(story_lines.headline(lead)),
    }


def _section(digest: Digest, section: story_lines.Section, mailed: bool) -> dict[str, Any]:
    days = sentences.days(digest, section.name)
    return {
        "title": section.title,
        "direction": direction(section.title),
        "trend": sentences.trend_words(digest, section.name),
        "days": " ".join(map(str, days)),
        "picture": "" if not days else f"cid:{content_id(days)}" if mailed else data_url(days),
        "stories": [_story(digest, story) for story in section.stories],
    }


def _story(digest: Digest, story: Story) -> dict[str, Any]:
    title = story_lines.headline(story.lead)
    severity = f"{story_lines.severity_label(digest, story)} · " if digest.kind == "alert" else ""
    view: dict[str, Any] = dict.fromkeys(("count", "byline", "quote", "words", "outlets", "topics"), "") | {
        "headlines": _headlines(digest, story),
        "status": severity + story_lines.status_label(digest, story),
        "title": story_lines.headline_pieces(story.lead),
        "url": link(story.lead.url),
        "page": story_lines.page(digest, story),
        "actions": story_lines.actions(digest, story),
        "lang": language_tag(story.lead.lang),
        "direction": direction(title),
    }
    if story.status == "continuing":
        return view | {"count": story_lines.sources_in_words(digest, story)}
    reports, more = story_lines.further_reports(story)
    outlets = [(story_lines.outlet_and_language(digest, story, report), link(report.url, 500)) for report in reports]
    return view | {
        "byline": story_lines.byline(digest, story),
        "quote": pieces(marked(story.snippet)),
        "words": story_lines.matched_words(digest, story),
        "outlets": outlets + ([(f"+{more}", "")] if more else []),
        "topics": translation(digest.language).listing(story_lines.other_topics(story)),
    }


def _headlines(digest: Digest, story: Story) -> list[tuple[str, str, str]]:
    """Outlet, headline and address of the reports under another headline; ("+3", "", "") for three more."""
    reports, more = story_lines.other_headlines(story)
    listed = [
        (story_lines.outlet_and_language(digest, story, one), story_lines.headline(one, 120), link(one.url, 500))
        for one in reports
    ]
    return listed + ([(f"+{more}", "", "")] if more else [])


@cache
def _template() -> Template:
    from importlib.resources import files

    from jinja2 import Environment, StrictUndefined

    environment = Environment(autoescape=True, trim_blocks=True, lstrip_blocks=True, undefined=StrictUndefined)
    return environment.from_string((files(__package__) / "digest.html.j2").read_text("utf-8"))


@cache
def _inliner() -> CSSInliner:
    from css_inline import CSSInliner

    return CSSInliner(keep_at_rules=True, load_remote_stylesheets=False, minify_css=True)
