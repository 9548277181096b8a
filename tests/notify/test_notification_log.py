"""A record of what a group was sent survives the store, and no other text is taken for one."""

from __future__ import annotations

import pytest

from tests.making import hit
from watchpost.notify.notification_log import NotificationRecord, read, write


def test_what_is_written_is_read_again() -> None:
    record = NotificationRecord().after([hit("Мали", voice="AFP", figures=("9",)), hit("b", topic="wagner")])
    assert record.topics == ("mali", "wagner")
    assert read(write(record)) == record


@pytest.mark.parametrize("text", ["", "null", "[]", "{}", '{"voices":[],"topics":[],"outlets":{"a":"b"}}', "{"])
def test_any_other_text_counts_as_never_sent(text: str) -> None:
    assert read(text) is None
