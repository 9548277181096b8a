"""A search of the archive, as people ask for it: its fields, the mistakes in them, and what is wanted.

The pages, the API and the command of saved searches ask here. A search is saved by its fields.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, cast
from zoneinfo import ZoneInfo

from watchpost import durations
from watchpost.config.config import Config
from watchpost.config.routes import parsed
from watchpost.errors import QueryError
from watchpost.model import SEVERITIES, Severity

if TYPE_CHECKING:
    from watchpost.archive.search import Wanted

FIELDS = ("q", "since", "until", "source", "lang", "topic", "severity", "muted")
"""The fields of a search, which are the parameters of its address."""

MUTED = {"": None, "yes": True, "no": False}
"""What the field `muted` means: with or without hits that a silence covers, or both."""

_LONGEST = 2_000  # characters of a field in an address


@dataclass(frozen=True, slots=True)
class SearchForm:
    """What was asked, by field; the mistakes in it; and what is wanted, None if there are mistakes."""

    asked: Mapping[str, str]
    mistakes: Mapping[str, str]
    wanted: Wanted | None


def search_form(config: Config, query: Mapping[str, str], now: datetime) -> SearchForm:
    """What these fields ask for; those that are missing ask for nothing, and others are ignored."""
    from watchpost.archive.archive import ReadBetween  # not imported where there is no archive
    from watchpost.archive.search import Wanted

    asked = {name: query.get(name, "").strip()[: _LONGEST + 1] for name in FIELDS}
    mistakes = {
        name: f"{name.title()}: more than {_LONGEST:,} characters are not possible here"
        for name, value in asked.items()
        if len(value) > _LONGEST
    }
    if mistakes:
        return SearchForm(asked, mistakes, None)
    moments: dict[str, datetime | None] = {"since": None, "until": None}
    for name in moments:
        try:
            moments[name] = durations.since(asked[name], now, ZoneInfo(config.timezone)) if asked[name] else None
        except ValueError as error:
            mistakes[name] = f"{name.title()}: {error}"
    try:
        tree = parsed(asked["q"], config.written) if asked["q"] else None
    except QueryError as error:
        tree, mistakes["q"] = None, f"Query: {error}"
    if asked["topic"] and all(topic.name != asked["topic"] for topic in config.topics):
        mistakes["topic"] = f"Topic: there is no topic '{asked['topic']}'"
    for name, choices in (("severity", ("", *SEVERITIES)), ("muted", tuple(MUTED))):
        if asked[name] not in choices:
            mistakes[name] = f"{name.title()}: choose one of {', '.join(filter(None, choices))}"
    if mistakes:
        return SearchForm(asked, mistakes, None)
    between = ReadBetween.of(moments["since"], moments["until"])
    severity, muted = cast("Severity", asked["severity"]), MUTED[asked["muted"]]
    wanted = Wanted(tree, between, asked["source"], asked["lang"].lower(), asked["topic"], severity, muted)
    return SearchForm(asked, {}, wanted)
