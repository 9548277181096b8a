"""Python's search for objects that refer to each other in a circle, which stops every thread while it runs."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager

_inside: list[None] = []  # one for each that is inside


@contextmanager
def uncollected() -> Iterator[None]:
    """Do not search meanwhile: for what makes hundreds of thousands of objects, none of them in a circle.

    A search looks at all of them, for 0.3 s where a digest has thousands of hits. It may be entered again, by tasks of
    one event loop; the last one to leave lets the searches go on.
    """
    _inside.append(None)
    gc.disable()
    try:
        yield
    finally:
        _inside.pop()
        if not _inside:
            gc.enable()
