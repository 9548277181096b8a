"""The digest as text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest

from tests.notify.digests import BIDI, HOSTILE, digest, endless, hostile, usual
from watchpost.notify.render import plain
from watchpost.notify.render.sanitize import clean

USUAL = """\
Explosion near Gao base; JNIM claims attack [1]
Monday, 23 November 2026, 09:00 Europe/Paris
Period: Sun 22 Nov 19:00 – Mon 23 Nov 09:00
5 stories, 3 shown. 1 new, 1 updated, 1 continuing.
Sent 3 hours late: the service was not running.

== WAGNER / AFRICA CORPS ==

1. NEW  Explosion near Gao base; JNIM claims attack [1]
   RFI Afrique, French, 08:42 (18 min ago, seen 08:44). 2 sources.
   "…des combattants de **Wagner** ont été vus près de **Gao**, selon
   trois sources 🙂 Вагнер"
   Matched: "Gao", "Wagner", "ЧВК". Also in: РИА Новости (ru).
   Other topics: Mali security.
   Whole story [2]

== MALI SECURITY ==

2. UPDATE  انفجار قرب قاعدة غاو [3]
   الجزيرة, Arabic, no date, seen 08:44. 2 sources.
   "انفجار قرب قاعدة **غاو**"
   Matched: "غاو". Also in: РИА Новости (ru).
   Whole story [4]
3. CONTINUING  Kidal talks go on (2 sources) [1]
   Whole story [5]

Not shown: 2 stories.
https://watch.example.org/
Not read (2 of 41 sources): maliweb (HTTP 503 since 04:00), nrk
(certificate expired, never read).
You receive this as "desk".

[1] https://www.rfi.fr/afrique/gao?id=7
[2] https://watch.example.org/stories/00000000000000000000000000000001
[3] https://news.example/%D8%BA%D8%A7%D9%88
[4] https://watch.example.org/stories/00000000000000000000000000000002
[5] https://watch.example.org/stories/00000000000000000000000000000003
"""


def test_the_whole_text() -> None:
    assert plain.plain(usual(late=timedelta(hours=3))) == USUAL


def test_an_alert_is_one_compact_block_per_story() -> None:
    first, *_ = plain.plain(usual(kind="alert")).split("\n\n")
    assert first == (
        "Explosion near Gao base; JNIM claims attack\n"
        "  HIGH · Wagner / Africa Corps, Mali security\n"
        "  RFI Afrique, French, 08:42 (18 min ago, seen 08:44). 2 sources.\n"
        '  "…des combattants de **Wagner** ont été vus près de **Gao**, selon\n'
        '  trois sources 🙂 Вагнер"\n'
        '  Matched: "Gao", "Wagner", "ЧВК".\n'
        "  https://www.rfi.fr/afrique/gao?id=7\n"
        "  https://watch.example.org/stories/00000000000000000000000000000001"
    )


def test_the_terminal_has_colours_and_the_same_words() -> None:
    coloured = plain.ansi(usual())
    assert "\x1b[1;33mWagner\x1b[0m" in coloured
    without = re.sub(r"\x1b\[[0-9;]*m", "", coloured)
    assert without.split() == plain.plain(usual()).replace("**", "").split()


def test_an_empty_digest_says_so() -> None:
    assert "Nothing matched. All 41 sources were read." in plain.plain(digest())


@pytest.mark.parametrize("kind", ["digest", "alert"])
@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_nothing_hostile_gets_through(text: str, kind: str) -> None:
    shown = plain.plain(hostile(text, kind=kind))
    assert not set(shown) & set(BIDI)
    assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]", shown)
    assert "javascript:" not in shown.replace(clean(text), "")
    assert all(plain.columns(line) <= plain.WIDTH for line in shown.splitlines() if "://" not in line)
    assert set(re.findall(r"\x1b\[[0-9;]*m", plain.ansi(hostile(text)))) <= {"\x1b[1m", "\x1b[1;33m", "\x1b[0m"}
    shown.encode()


def test_wide_characters_count_double_and_endless_words_break() -> None:
    lines = plain.wrap("瓦格纳" * 40, "1. ", "   ")
    assert max(map(plain.columns, lines)) <= plain.WIDTH
    assert "".join(line[3:] for line in lines) == "瓦格纳" * 40


def test_five_hundred_stories_are_cut_and_counted() -> None:
    assert "Not shown: 300 stories (" in plain.plain(endless())


def test_a_headline_without_blanks_begins_in_the_line_of_its_status() -> None:
    title = "马里军队在加奥附近击毙十二名武装分子政府发布声明称局势已得到控制各国使馆发布安全提醒"
    for text in (f"NEW  {title}", "NEW  " + "x" * 200, f"NEW  https://desk.example/{'a' * 150} end"):
        lines = plain.wrap(text, "3. ", "   ")
        assert lines[0].startswith(f"3. {text[:20]}")
        assert all(plain.columns(line) <= 72 and line == line.rstrip() for line in lines)
        joined = "".join(line[3:] for line in lines)
        assert joined.replace(" ", "") == text.replace(" ", "")
    assert plain.wrap("x " * 30 + "y" * 60, "", "")[1] == "y" * 60, "a word that fits a line is not cut"
