"""The seam between the poller and what all pollers know together; store/polling.py is the real one."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from watchpost.store.polling import NewIds


class Registry(Protocol):
    """What the pollers know together: which articles were read before, and whose turn it is at a host."""

    async def find_new(self, marks: Mapping[str, str]) -> NewIds:
        """Which of the ids are new, and which were read under a headline with another mark ("": it does not count)."""
        ...

    async def claim_host(self, host: str, holder: str, feed: str, hold_ms: int) -> int:
        """0: the host is `holder`'s for `hold_ms` at the most. Else in how many ms to ask again."""
        ...

    async def release_host(self, host: str, holder: str) -> None:
        """The request is over."""
        ...
