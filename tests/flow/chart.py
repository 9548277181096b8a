"""Small line charts as SVG: one above the other, with the same hours below."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from html import escape

_WIDTH, _HEIGHT, _LEFT, _GAP = 720, 96, 84, 40  # pixels


def chart(title: str, hours: Sequence[float], series: Mapping[str, Sequence[float]]) -> str:
    """One panel for each series: its name with its unit, its least and greatest value, and the line between."""
    panels = "".join(
        _panel(_GAP + number * (_HEIGHT + _GAP), name, hours, values)
        for number, (name, values) in enumerate(series.items())
    )
    height = 2 * _GAP + len(series) * (_HEIGHT + _GAP)
    last = f"{hours[-1]:.0f} h"
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {_LEFT + _WIDTH + 16} {height}" role="img" '
        f'font-family="sans-serif" font-size="12" fill="#444"><title>{escape(title)}</title>'
        f'<rect width="100%" height="100%" fill="#fff"/>{panels}'
        f'<text x="{_LEFT}" y="{height - _GAP}">0 h</text>'
        f'<text x="{_LEFT + _WIDTH}" y="{height - _GAP}" text-anchor="end">{last}</text></svg>\n'
    )


def _panel(top: int, name: str, hours: Sequence[float], values: Sequence[float]) -> str:
    span, most = max(hours[-1], 1e-9), max(*values, 1e-9) * 1.1
    points = " ".join(
        f"{_LEFT + _WIDTH * hour / span:.1f},{top + _HEIGHT * (1 - value / most):.1f}"
        for hour, value in zip(hours, values, strict=True)
    )
    bottom = top + _HEIGHT
    return (
        f'<text x="{_LEFT}" y="{top - 6}" font-weight="bold">{escape(name)}</text>'
        f'<text x="{_LEFT - 6}" y="{top + 10}" text-anchor="end">{most:,.0f}</text>'
        f'<text x="{_LEFT - 6}" y="{bottom}" text-anchor="end">0</text>'
        f'<path d="M{_LEFT} {top}V{bottom}H{_LEFT + _WIDTH}" fill="none" stroke="#bbb"/>'
        f'<polyline points="{points}" fill="none" stroke="#1a5fb4" stroke-width="1.5"/>'
    )
