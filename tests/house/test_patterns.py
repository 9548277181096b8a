"""Every regular expression that sees text of a stranger is measured: a new one needs a line in the table."""

from __future__ import annotations

from tests.house.patterns import patterns, table


def test_the_table_lists_every_expression_and_no_other() -> None:
    used, listed = {pattern.key for pattern in patterns()}, table().keys()
    assert not used - listed, "write how long the texts are that it is given, in tests/house/patterns.txt"
    assert not listed - used, "it is not in the code any more: take it out of tests/house/patterns.txt"
