"""Foreign text in Markdown is literal: CommonMark's own parser is the judge."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from tests.notify.digests import HOSTILE, MENTION
from watchpost.notify.render.rich_text import JOINER, Run, escape, markdown
from watchpost.notify.render.sanitize import clean

PARSER = MarkdownIt("commonmark").enable(["strikethrough", "table"])
PIECES = st.lists(
    st.sampled_from([*"\\`*_{}[]()<>#+-.!|~&=$^@:'\" ж1a", "http://e.x", "@here", ":fire:", "&amp;", "~~", "1. ", "> "])
)


def seen(markdown: str) -> tuple[str, set[str]]:
    """What a reader sees, and every kind of mark that was found."""
    kinds: set[str] = set()
    text = ""
    for token in PARSER.parse(markdown):
        kinds.add(token.type)
        for child in token.children or ():
            kinds.add(child.type)
            text += child.content
    return text.replace(JOINER, ""), kinds - {"paragraph_open", "paragraph_close", "inline", "text", "text_special"}


@given(PIECES)
def test_every_text_is_shown_as_it_is(pieces: list[str]) -> None:
    text = clean("".join(pieces), 200)
    assert seen(escape(text)) == (text, set())


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_headlines_are_shown_as_they_are(text: str) -> None:
    line = clean(text, 150)
    assert seen(escape(line)) == (line, set())


def test_no_mention_and_no_emoji() -> None:
    assert "@here" not in escape(MENTION)
    assert "@channel" not in escape("@channel @all")
    assert ":fire:" not in escape(MENTION)
    assert "http://" not in escape("see http://evil.example")
    assert escape("at 08:00, a: b") == "at 08:00, a: b"


@given(PIECES)
def test_a_link_shows_its_text_and_leads_where_it_says(pieces: list[str]) -> None:
    text = clean("".join(pieces), 100) or "x"
    line = markdown((Run("1  "), Run(text, True, "https://e.x/a_(b)?c=*d*"), Run(" (2 sources)")))
    shown, kinds = seen(line)
    assert shown == f"1  {text} (2 sources)"
    assert kinds == {"link_open", "link_close", "strong_open", "strong_close"}
    assert "https://e.x/a_%28b%29?c=*d*" in line


@given(PIECES)
def test_bold_is_bold_or_left_out(pieces: list[str]) -> None:
    text = clean("".join(pieces), 100)
    shown, kinds = seen(markdown((Run("a "), Run(text, True), Run(" b"))))
    assert shown == f"a {text} b"
    assert kinds <= {"strong_open", "strong_close"}
    assert seen(markdown((Run("NEW  ", True), Run("x"))))[1] == {"strong_open", "strong_close"}
