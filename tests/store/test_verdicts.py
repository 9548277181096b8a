"""What people said of hits: one verdict for each article of a topic, the newest first, and not more than are kept."""

from __future__ import annotations

from datetime import timedelta

from tests.making import WHEN, article
from watchpost.model import HitVerdict
from watchpost.store.client import Store
from watchpost.store.verdicts import MOST_KEPT, Verdicts


def verdict(title: str, *, relevant: bool = True, minutes: int = 0, topic: str = "mali") -> HitVerdict:
    return HitVerdict(topic, article(title), relevant, "anna", WHEN + timedelta(minutes=minutes))


async def test_a_later_verdict_replaces_an_earlier_one_and_topics_do_not_mix(store: Store) -> None:
    kept = Verdicts(store)
    await kept.set(verdict("Gao", minutes=1))
    await kept.set(verdict("Kidal", minutes=2))
    await kept.set(verdict("Gao", relevant=False, minutes=3))
    await kept.set(verdict("Gao", topic="wagner"))
    assert await kept.of("mali") == (verdict("Gao", relevant=False, minutes=3), verdict("Kidal", minutes=2))
    assert len(await kept.of("wagner")) == 1
    assert await kept.remove("mali", article("Gao").id)
    assert not await kept.remove("mali", article("Gao").id)
    assert await kept.of("mali") == (verdict("Kidal", minutes=2),)
    assert await kept.of("none") == ()


async def test_a_topic_keeps_its_newest_verdicts(store: Store) -> None:
    kept = Verdicts(store)
    for number in range(MOST_KEPT + 3):
        await kept.set(verdict(f"report {number}", minutes=number))
    found = await kept.of("mali")
    assert len(found) == MOST_KEPT
    assert found[0].article.title == f"report {MOST_KEPT + 2}"
    assert found[-1].article.title == "report 3"


async def test_a_record_of_another_version_is_left_out(store: Store) -> None:
    kept = Verdicts(store)
    await kept.set(verdict("Gao"))
    await store.redis.hset(store.keys.verdicts("mali"), "x", b"v9not ours")
    assert await kept.of("mali") == (verdict("Gao"),)
