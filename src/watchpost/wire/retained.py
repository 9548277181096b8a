"""The articles that the matcher saw last, whatever came of them: what a changed topic is tried on."""

from __future__ import annotations

from collections.abc import AsyncIterator

from watchpost.errors import CodecError
from watchpost.model import Article
from watchpost.wire.codec import ARTICLE
from watchpost.wire.store import Store

_PAGE = 200


class Retained:
    """Looks, and changes nothing. MATCHED fills it."""

    def __init__(self, store: Store) -> None:
        self._store = store

    async def count(self) -> int:
        """How many there are."""
        async with self._store.errors():
            return int(await self._store.redis.xlen(self._store.keys.retained))

    async def articles(self) -> AsyncIterator[Article]:
        """The newest first. One that this version cannot read is left out."""
        before = "+"
        while True:
            async with self._store.errors():
                page = await self._store.redis.xrevrange(self._store.keys.retained, max=before, count=_PAGE)
            for _, fields in page:
                try:
                    yield ARTICLE.decode(fields.get(b"a", b""))
                except CodecError:
                    continue
            if len(page) < _PAGE:
                return
            before = f"({page[-1][0].decode()}"
