"""Tables and messages, on a terminal and in a pipe."""

from __future__ import annotations

import sys
from collections.abc import Callable

import pytest

from watchpost.cli.output import CommandError, echo_table, pick

HEADINGS = ("NAME", "STATE", "WHY", "URL")
ROWS = [("rfi", "ok", "every 10 minutes", "https://www.rfi.fr/rss"), ("北京日报", "gone", "", "https://b.example/")]

Printed = Callable[[], list[str]]


@pytest.fixture
def terminal(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Callable[[int], Printed]:
    """Makes stdout a terminal of so many columns; returns a function that gives the lines printed since."""

    def of(columns: int) -> Printed:
        monkeypatch.setattr(sys.stdout, "isatty", lambda: True)
        monkeypatch.setenv("COLUMNS", str(columns))
        return lambda: capsys.readouterr().out.splitlines()

    return of


def test_a_table_is_aligned_by_the_width_of_its_letters(terminal: Callable[[int], Printed]) -> None:
    printed = terminal(100)
    echo_table(HEADINGS, ROWS)
    assert printed() == [
        "NAME      STATE  WHY               URL",
        "rfi       ok     every 10 minutes  https://www.rfi.fr/rss",
        "北京日报  gone                     https://b.example/",
    ]


def test_on_a_narrow_terminal_columns_go_below_one_after_the_other(terminal: Callable[[int], Printed]) -> None:
    printed = terminal(40)
    echo_table(HEADINGS, ROWS, ("URL", "WHY"))
    assert printed() == [
        "NAME      STATE  WHY",
        "    URL",
        "rfi       ok     every 10 minutes",
        "    https://www.rfi.fr/rss",
        "北京日报  gone",
        "    https://b.example/",
    ]
    printed = terminal(20)
    echo_table(HEADINGS, ROWS, ("URL", "WHY"))
    assert printed()[2:4] == ["rfi       ok", "    every 10 minutes  https://www.rfi.fr/rss"]


def test_in_a_pipe_there_are_headings_and_tabs_and_each_row_is_one_line(capsys: pytest.CaptureFixture[str]) -> None:
    echo_table(HEADINGS, [("a", "b\nc\td", "\x1b[31m", ""), ("x" * 200, "", "", "")])
    assert capsys.readouterr().out == "NAME\tSTATE\tWHY\tURL\na\tb c d\t [31m\t\n" + "x" * 200 + "\t\t\t\n"


@pytest.mark.parametrize(
    ("name", "names", "message"),
    [
        ("mail", ["mali", "wagner"], "no feed 'mail'; did you mean 'mali'?"),
        ("zanzibar", ["mali", "wagner"], "no feed 'zanzibar'; there are mali, wagner"),
        (
            "x",
            [f"f-{n}" for n in range(12)],
            f"no feed 'x'; there are {', '.join(f'f-{n}' for n in range(10))} and 2 more",
        ),
        ("x", [], "no feed 'x'; there is none"),
    ],
)
def test_an_unknown_name_is_an_error_with_the_nearest_name_or_a_list(name: str, names: list[str], message: str) -> None:
    with pytest.raises(CommandError, match=message.replace("?", r"\?")):
        pick("feed", name, dict.fromkeys(names, 1))
    assert pick("feed", "mali", {"mali": 1}) == 1
