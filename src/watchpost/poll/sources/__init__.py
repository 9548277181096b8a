"""The kinds of source."""

from __future__ import annotations

from collections.abc import Mapping

from watchpost.poll.source import SourceKind


def kinds() -> Mapping[str, SourceKind]:
    """Every kind by its name in the configuration."""
    from watchpost.poll.sources import feed, folder, mailbox, page

    return {kind.name: kind for kind in (feed.KIND, folder.KIND, mailbox.KIND, page.KIND)}
