"""How many people came to harm, as voices count them."""

from __future__ import annotations

from watchpost.model import TollDifference
from watchpost.notify.tolls import differences, in_order


def test_numbers_that_differ_name_their_voices_in_order_of_report() -> None:
    said = [("army", [("killed", 11)]), ("Radio", [("wounded", 3), ("killed", 14)]), ("RFI", [("killed", 11)])]
    assert differences(said) == (TollDifference("killed", ((11, ("army", "RFI")), (14, ("Radio",)))),)


def test_what_one_voice_revises_is_no_difference() -> None:
    assert differences([("army", [("killed", 11)]), ("army", [("killed", 14)])]) == ()


def test_voices_that_agree_and_voices_that_count_others_do_not_differ() -> None:
    assert differences([("a", [("killed", 11)]), ("b", [("killed", 11)]), ("c", [("taken", 2)]), ("d", [])]) == ()


def test_tolls_are_in_the_order_of_their_roles_and_unknown_ones_are_last() -> None:
    assert in_order([("zapped", 1), ("taken", 2), ("killed", 3)]) == (("killed", 3), ("taken", 2), ("zapped", 1))
