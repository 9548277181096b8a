"""Pure: a moment as people read it: in one time zone, which is named."""

from __future__ import annotations

from datetime import datetime, tzinfo


def with_zone(moment: datetime | None, zone: tzinfo, *, seconds: bool = False) -> str:
    """A moment in this zone: "2026-11-27 03:12 CET", to the second if wanted; "" for None.

    A zone that has no abbreviation is named by its offset: "2026-11-27 05:42 UTC+0330".
    """
    if moment is None:
        return ""
    local = moment.astimezone(zone)
    name = local.tzname() or ""
    name = f"UTC{local:%z}" if not name or name[0] in "+-" else name
    return f"{local:%Y-%m-%d %H:%M:%S} {name}" if seconds else f"{local:%Y-%m-%d %H:%M} {name}"
