"""What a group knows of a story survives the store, and nothing that is not ours is taken for it."""

from __future__ import annotations

import pytest

from tests.making import hit
from watchpost.notify.notification_log import NotificationRecord, read, write


def test_what_is_written_is_read_again() -> None:
    told = NotificationRecord().after([hit("Мали", voice="AFP", figures=("9",)), hit("b", topic="wagner")])
    assert told.topics == ("mali", "wagner")
    assert read(write(told)) == told


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"voices":[],"topics":[],"outlets":{"a":"b"}}', "{"])
def test_what_nobody_wrote_counts_as_never_told(text: str) -> None:
    assert read(text) is None
