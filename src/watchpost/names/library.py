"""Pure: the names library: countries, places and entities, and what their names mean besides.

countries.tsv is cut out of Unicode CLDR, places.tsv and neighbours.tsv out of GeoNames (`make names`; see NOTICE.md).
additions.toml and entities.toml are written by hand: what those two lack, and what a name means besides. They belong
to the program, so what is read from them never changes; it is read when a query first asks for a name.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache
from importlib import resources
from math import asin, cos, radians, sin, sqrt
from typing import Any, NamedTuple

EARTH = 6371.0
"""The mean radius of the earth in km."""


class Country(NamedTuple):
    """A country by its ISO 3166 code, with its names in all languages and the codes of its neighbours.

    `languages` has the codes of the languages that each name is used in.
    """

    code: str
    names: tuple[str, ...]
    languages: tuple[tuple[str, ...], ...] = ()
    neighbours: tuple[str, ...] = ()


class Place(NamedTuple):
    """A town: its country's code, its population in thousands, its degrees north and east, and its names."""

    country: str
    population: int
    latitude: float
    longitude: float
    names: tuple[str, ...]

    def distance(self, other: Place) -> float:
        """The distance in km along a great circle."""
        north, south = radians(self.latitude), radians(other.latitude)
        east = radians(other.longitude - self.longitude)
        half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(east / 2) ** 2
        return 2 * EARTH * asin(min(1.0, sqrt(half)))


class Entity(NamedTuple):
    """Something with a name that is no country and no town: an organisation, a person, an operation.

    `names` mean it wherever they stand; `aliases` only in a text that has one of the names, or near a word of `near`.
    Both take the forms of the languages `forms`. `unless` are names of other things. `query` is a query of its own
    instead of all these.
    """

    kind: str
    title: str = ""
    names: tuple[str, ...] = ()
    aliases: tuple[str, ...] = ()
    forms: tuple[str, ...] = ()
    near: tuple[str, ...] = ()
    unless: tuple[str, ...] = ()
    query: str = ""


def _read(name: str) -> str:
    return resources.files(__package__).joinpath(name).read_text(encoding="utf-8")


@cache
def countries() -> Mapping[str, Country]:
    """All countries by their code, and the regions of the world by theirs (UN M.49: 002 is Africa)."""
    beside = {}
    for line in _read("neighbours.tsv").splitlines():
        code, _, neighbours = line.split("\t")
        beside[code] = tuple(neighbours.split(",")) if neighbours else ()
    found = {}
    for line in _read("countries.tsv").splitlines():
        code, *names = line.split("\t")
        pairs = [name.partition("=")[::2] for name in names]
        found[code] = Country(
            code,
            tuple(name for name, _ in pairs),
            tuple(tuple(languages.split(",")) for _, languages in pairs),
            beside.get(code, ()),
        )
    return found


@cache
def country_name(code: str, language: str = "en") -> str:
    """The name of a country in a language; its code if it has none there."""
    country = countries().get(code)
    if country is None:
        return code
    pairs = zip(country.names, country.languages, strict=True)
    return next((name for name, languages in pairs if language in languages), code)


@cache
def places() -> tuple[Place, ...]:
    """All places of GeoNames that are kept, those of one country together, the largest first."""
    found = []
    for line in _read("places.tsv").splitlines():
        country, population, degrees, *names = line.split("\t")
        latitude, longitude = degrees.split(",")
        found.append(Place(country, int(population), float(latitude), float(longitude), tuple(names)))
    return tuple(found)


@cache
def known() -> Mapping[str, Any]:
    """The tables of additions.toml."""
    return tomllib.loads(_read("additions.toml"))


@cache
def own_places(country: str) -> tuple[tuple[Place, bool], ...]:
    """The places of additions.toml in a country, and whether their names have no other meaning."""
    table = known().get("places", {}).get(country, {})
    found = []
    for key in ("clear", "shared"):
        for item in table.get(key, "").replace("\n", ";").split(";"):
            degrees, _, names = item.strip().partition(" ")
            if names:
                latitude, longitude = degrees.split(",")
                found.append(
                    (Place(country, 0, float(latitude), float(longitude), tuple(listed(names))), key == "clear")
                )
    return tuple(found)


@cache
def entities() -> Mapping[str, Entity]:
    """The entities that the library has."""
    tables = tomllib.loads(_read("entities.toml"))["entities"]
    return {
        name: Entity(table["kind"], table.get("title", name), query=table["query"]) for name, table in tables.items()
    }


@cache
def queries() -> Mapping[str, str]:
    """The named queries that the queries of entities use."""
    texts: Mapping[str, str] = tomllib.loads(_read("entities.toml"))["queries"]
    return texts


@cache
def beside(side: str) -> frozenset[str]:
    """Words that may be directly `before` or `after` a name with a capital, and make no longer name of it."""
    return frozenset(known()["beside"][side].split())


@cache
def where() -> frozenset[str]:
    """Words directly before the name of the place where something is or happens."""
    return frozenset(known()["where"]["before"].split())


@cache
def given_names() -> frozenset[str]:
    """Given names, in small letters without accents: a name directly after one is that of a person."""
    return frozenset(known()["given"]["names"].split())


@cache
def before_persons() -> frozenset[str]:
    """Words directly before the name of a person, an animal or a business, in small letters without accents."""
    return frozenset(known()["given"]["before"].split())


@cache
def aliases() -> Mapping[str, Mapping[str, str]]:
    """The names that stand alone for an entity of the library, and how to tell what they mean."""
    tables: Mapping[str, Mapping[str, str]] = tomllib.loads(_read("entities.toml"))["aliases"]
    return tables


def listed(text: str) -> list[str]:
    """The items of a list in additions.toml, which commas and line ends separate."""
    return [item.strip() for item in text.replace("\n", ",").split(",") if item.strip()]
