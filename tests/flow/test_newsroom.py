"""The newsroom in short: what its oracle finds, and that the oracle finds anything at all."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.flow.newsroom import Newsroom, Received, bulletin, findings, newsroom, plain
from tests.flow.rig import Rig

SECONDS = 45.0


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_every_published_article_is_named_to_its_readers_or_is_a_copy_of_a_named_one(rig: Rig, seed: int) -> None:
    room, wrong = newsroom(rig, SECONDS, seed)
    assert len(room.published) > 50
    assert not wrong, "\n".join(wrong[:40])


def message(number: int, *titles: str, omitted: int = 0, status: str = "new") -> Received:
    """A message as a reader receives it, a second after the one before."""
    document: dict[str, Any] = {
        "timestamp": datetime(2026, 1, 1, 8, 0, number, tzinfo=UTC).isoformat(),
        "data": {
            "stories": [{"title": title, "status": status, "sources": []} for title in titles],
            "counts": {"omitted": omitted},
        },
    }
    return Received(float(number), f"message-{number}", document)


def judged(*messages: Received, published: int = 2) -> list[str]:
    """What the oracle says where both readers received these, and the outlet published so many articles."""
    room = Newsroom(1)
    for _ in range(published):
        plain(room.outlets[0], room)
    titles = [entry.title for entry in room.published]
    for each in messages:
        for story in each.document["data"]["stories"]:
            story["title"] = titles[int(story["title"])] if story["title"].isdigit() else story["title"]
    return findings(room, {"/alerts": list(messages), "/digests": list(messages)})


def test_the_oracle_finds_a_bulletin_that_hides_behind_another() -> None:
    room = Newsroom(1)
    outlet = next(each for each in room.outlets if each.latest_only)
    for _ in range(2):
        bulletin(outlet, room)
        outlet.answered = 9
    messages = [message(number, entry.heading) for number, entry in enumerate(room.published, 1)]
    for each, entry in zip(messages, room.published, strict=True):
        each.document["data"]["stories"][0]["snippet"] = {"text": entry.text}
    assert findings(room, {"/alerts": messages, "/digests": messages}) == []
    wrong = findings(room, {"/alerts": messages, "/digests": messages[:1]})
    assert len(wrong) == 1
    assert "not named" in wrong[0]


def test_the_oracle_finds_what_is_missing_repeated_invented_and_out_of_order() -> None:
    assert judged(message(1, "0"), message(2, "1")) == []
    assert any("not named" in finding for finding in judged(message(1, "0")))
    assert judged(message(1, "0", omitted=1)) == []
    assert any("2 times new" in finding for finding in judged(message(1, "0", "1"), message(2, "1")))
    assert any("nobody published" in finding for finding in judged(message(1, "0", "1", "An invention")))
    assert any("arrived after" in finding for finding in judged(message(2, "0"), message(1, "1")))
