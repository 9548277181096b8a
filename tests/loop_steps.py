"""How long the event loop works on one thing, in its thread's time of the processor: a busy machine is no finding."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")
_LOOK_SECONDS = 0.005


@dataclass(frozen=True)
class Steps(Generic[T]):
    """What a coroutine returned, the longest step of the loop meanwhile, and what the whole process worked."""

    result: T
    longest_seconds: float
    whole_seconds: float


async def steps(work: Coroutine[Any, Any, T]) -> Steps[T]:
    """Run it, and look at the loop every few milliseconds."""
    begun = time.process_time()
    longest, before = 0.0, time.thread_time()
    running = asyncio.ensure_future(work)
    while not running.done():
        await asyncio.sleep(_LOOK_SECONDS)
        now = time.thread_time()
        longest, before = max(longest, now - before), now
    return Steps(running.result(), longest, time.process_time() - begun)
