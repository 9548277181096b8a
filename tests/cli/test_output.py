"""Tables and messages, as they stand on a terminal and in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from watchpost.cli.output import table, unknown

HEADS = ("NAME", "STATE", "WHY", "URL")
ROWS = [("rfi", "ok", "every 10 minutes", "https://www.rfi.fr/rss"), ("北京日报", "gone", "", "https://b.example/")]

Shown = Callable[[], list[str]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[int], Shown]:
    """Makes stdout a terminal of so many columns; returns what was shown since, by lines."""

    def of(columns: int) -> Shown:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        return lambda: capsys.readouterr().out.splitlines()

    return of


def test_a_table_is_aligned_by_what_letters_take(terminal: Callable[[int], Shown]) -> None:
    shown = terminal(100)
    table(HEADS, ROWS, below=("URL", "WHY"))
    assert shown() == [
        "NAME      STATE  WHY               URL",
        "rfi       ok     every 10 minutes  https://www.rfi.fr/rss",
        "北京日报  gone                     https://b.example/",
    ]


def test_where_it_is_too_narrow_columns_go_below_one_after_the_other(terminal: Callable[[int], Shown]) -> None:
    shown = terminal(40)
    table(HEADS, ROWS, below=("URL", "WHY"))
    assert shown() == [
        "NAME      STATE  WHY",
        "    URL",
        "rfi       ok     every 10 minutes",
        "    https://www.rfi.fr/rss",
        "北京日报  gone",
        "    https://b.example/",
    ]
    shown = terminal(20)
    table(HEADS, ROWS, below=("URL", "WHY"))
    assert shown()[2:4] == ["rfi       ok", "    every 10 minutes  https://www.rfi.fr/rss"]


def test_in_a_pipe_there_are_tabs_and_no_heads_and_a_cell_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    table(HEADS, [("a", "b\nc\td", "\x1b[31m", "")])
    assert capsys.readouterr().out == "a\tb c d\t [31m\t\n"


def test_what_is_unknown_is_said_with_what_comes_close_or_what_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    unknown("topic", "mail", ["mali", "wagner"])
    unknown("topic", "zanzibar", ["mali", "wagner"])
    unknown("feed", "x", [f"feed-{number}" for number in range(12)])
    unknown("feed", "x", ())
    assert capsys.readouterr().err.splitlines() == [
        "watchpost: no topic 'mail'; did you mean 'mali'?",
        "watchpost: no topic 'zanzibar'; there are mali, wagner",
        "watchpost: no feed 'x'; there are " + ", ".join(f"feed-{n}" for n in range(10)) + " and 2 more",
        "watchpost: no feed 'x'; there is none",
    ]
