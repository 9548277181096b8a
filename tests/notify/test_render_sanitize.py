"""Text and addresses from feeds: what a digest may show of them."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.notify.digests import BIDI, HOSTILE
from watchpost.model import Snippet
from watchpost.notify.render.sanitize import clean, cut, direction, language_tag, link, marked, pieces


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_clean_text_is_one_short_harmless_line(text: str) -> None:
    shown = clean(text, 150)
    assert len(shown) <= 150
    assert not set(shown) & set(BIDI)
    assert all(unicodedata.category(char) not in ("Cc", "Cs", "Zl", "Zp") for char in shown)
    assert "  " not in shown
    shown.encode()


def test_what_scripts_need_stays() -> None:
    for text in ("می‌خواهم", "क्‍ष", "👨‍👩‍👧‍👦 at home", "آیه \u06dd ۵", "Việt Nam", "שָׁלוֹם"):
        assert clean(text) == text


def test_cut_never_takes_a_grapheme_apart() -> None:
    family = "👨‍👩‍👧‍👦"
    assert cut(family * 3, 20) == family * 2 + "…"
    assert cut("x" * 10, 10) == "x" * 10
    assert cut("e" + "\u0301" * 50, 10) == "…"


@given(st.text(max_size=200), st.lists(st.tuples(st.integers(-5, 210), st.integers(-5, 210)), max_size=6))
def test_highlights_stay_inside_sorted_and_apart(text: str, spans: list[tuple[int, int]]) -> None:
    snippet = marked(Snippet(text, tuple(spans)), 60)
    flat = [at for span in snippet.highlights for at in span]
    assert flat == sorted(set(flat))
    assert all(0 <= at <= len(snippet.text) for at in flat)
    assert "".join(run for run, _ in pieces(snippet)) == snippet.text
    assert all(run for run, _ in pieces(snippet))


def test_highlights_move_with_the_text() -> None:
    text = "\u202e a\x00b  c\r\n Wagner\u200b  now"
    at = text.index("Wagner")
    snippet = marked(Snippet(text, ((at, at + 6),)))
    assert snippet.text == "ab c Wagner now"
    assert pieces(snippet) == (("ab c ", False), ("Wagner", True), (" now", False))


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://www.rfi.fr/a?x=1&y=%20#z", "https://www.rfi.fr/a?x=1&y=%20#z"),
        ("http://Example.ORG", "http://example.org/"),
        ("https://пример.рф/путь", "https://xn--e1afmkfd.xn--p1ai/%D0%BF%D1%83%D1%82%D1%8C"),
        ('https://e.x/"><b>', "https://e.x/%22%3E%3Cb%3E"),
        ("http://[2001:db8::1]:8080/", "http://[2001:db8::1]:8080/"),
        ("javascript:alert(1)", ""),
        ("JaVaScRiPt:alert(1)", ""),
        ("java\nscript:alert(1)", ""),
        ("data:text/html,<script>", ""),
        ("//evil.example/", ""),
        ("https://bank.example@evil.example/", ""),
        ("https://good.example\\@evil.example/", ""),
        ("https://e.x/\r\nSet-Cookie: a", ""),
        ("https://e.x/\u202etxt", ""),
        ("https://e.x:99999999/", ""),
        ("https://[::1/", ""),
        ("https:///path", ""),
        ("https://-bad-.example/", ""),
        ("https://e.x/" + "a" * 3000, ""),
        ("https://e.x/\ud800", ""),
        ("", ""),
    ],
)
def test_only_http_addresses_that_mean_what_they_show_are_links(url: str, shown: str) -> None:
    assert link(url) == shown


def test_direction_and_language() -> None:
    assert direction("… انفجار 2026") == "rtl"
    assert direction("2026 Gao") == direction("") == "ltr"
    assert language_tag("pt_BR") == "pt-BR"
    assert language_tag('fr" onload="x') == language_tag("") == language_tag("klingonese") == ""
