"""Verdicts of people on hits: relevant or not. The page of a topic and the command line do it here."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

from watchpost import log as tm
from watchpost.errors import NotFound
from watchpost.model import Article, Hit, HitVerdict
from watchpost.store.client import Store
from watchpost.store.history import RetainedArticles
from watchpost.store.hit_records import HitRecords
from watchpost.store.verdicts import LONGEST_BODY, Verdicts

MOST_LOOKED_AT = 5_000
"""The newest articles that the text of a hit is looked for in."""

RELEVANT, NOT_RELEVANT, NONE = "relevant", "not-relevant", "none"
WORDS = (RELEVANT, NOT_RELEVANT, NONE)
"""What a person may say of a hit; `none` takes a verdict back."""


async def judge(store: Store, hit_id: str, word: str, by: str) -> Hit:
    """Keep the verdict `word` of the user `by` on a hit, and return the hit.

    Raises NotFound if no such hit is known or `word` is none of WORDS, and StoreError.
    """
    record = await HitRecords(store).record(hit_id)
    hit = record.hit if record is not None else None
    if hit is None or word not in WORDS:
        raise NotFound(f"no hit {hit_id} is known" if hit is None else f"no verdict {word}")
    verdicts = Verdicts(store)
    if word == NONE:
        await verdicts.remove(hit.topic, hit.article.id)
    else:
        article = await _with_text(store, hit)
        await verdicts.set(HitVerdict(hit.topic, article, word == RELEVANT, by, datetime.now(UTC)))
    tm.operator_acted(f"hit {word}", 1, by, topic=hit.topic, hit=hit_id)
    return hit


async def _with_text(store: Store, hit: Hit) -> Article:
    """The article with the text that was matched, as far as the store has it; else with its snippet."""
    looked_at = 0
    async for article in RetainedArticles(store).articles():
        looked_at += 1
        if article.id == hit.article.id:
            return replace(article, body=article.body[:LONGEST_BODY])
        if looked_at == MOST_LOOKED_AT:
            break
    return replace(hit.article, body=hit.article.body or hit.snippet.text)
