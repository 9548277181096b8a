"""Pure: sources of one owner are one voice."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace

from watchpost.model import Hit, Publisher
from watchpost.notify.notification_log import outlet, voice


def with_owners(hits: Sequence[Hit], publishers: Mapping[str, Publisher]) -> Sequence[Hit]:
    """The hits in their order; the voice of a text of its outlet's own is the owner of its source, if that is known.

    `publishers` are by source. A text that another outlet copied has the owner of that outlet, if a source here or one
    of these hits says who that is.
    """
    owners = {name: one.owner for name, one in publishers.items() if one.owner}
    if not owners:
        return hits
    names = owners | {outlet(hit): owners[hit.article.source] for hit in hits if hit.article.source in owners}
    return tuple(_with_owner(hit, owners, names) for hit in hits)


def _with_owner(hit: Hit, owners: Mapping[str, str], names: Mapping[str, str]) -> Hit:
    written_by = voice(hit)
    is_own = written_by in (outlet(hit), hit.article.source)
    owner = owners.get(hit.article.source, "") if is_own else names.get(written_by, "")
    return replace(hit, voice=owner) if owner else hit
