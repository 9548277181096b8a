"""Pure: the queries behind `country:ML`, `place:ML`, `near:Gao/200km` and `entity:NAME`, made of the names library.

They are written as text in the query language and parsed like any other, so that they mean what they say.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from difflib import get_close_matches
from functools import cache

from watchpost.errors import QueryError
from watchpost.names import library
from watchpost.names.library import Entity, Place
from watchpost.query.inflection import LANGUAGES, fits
from watchpost.query.meaning import Ambiguous, Rule
from watchpost.query.tree import Node, Or
from watchpost.query.words import is_unspaced, word_patterns, words

KINDS = ("country", "place", "near", "entity")
"""What may be before the colon."""

FARTHEST = 2_000
"""The largest distance of near:, in km."""

CERTAIN_LETTERS, CERTAIN_POPULATION = 5, 15
"""A town whose name has as many letters and that has as many thousand people needs no support by other names."""

ALIAS_NEAR = 30
"""The words between an alias of an entity and a word of its `near`."""

CASES = ("ru", "uk", "pl", "cs", "hr", "sr", "fi", "ar", "he")
"""Languages whose names of countries take forms."""

Parse = Callable[[str, Mapping[str, str]], Node]
"""Parses the text of a query that may use these named ones."""


def part(kind: str, value: str, entities: Mapping[str, Entity], parse: Parse) -> Node:
    """What `kind:value` means. Raises QueryError without a column."""
    if kind == "country":
        return _country(_code(value), parse)
    if kind == "place":
        _refuse_town(value)
        return _in_country(_code(value), parse)
    if kind == "near":
        return _around(value, parse)
    if kind == "alias":
        return _alias(value, parse)
    entity = entities.get(value) or library.entities().get(value)
    if entity is None:
        known = sorted({*entities, *library.entities()})
        close = get_close_matches(value.lower(), known, n=1)
        cure = f"did you mean entity:{close[0]}" if close else f"the entities are {', '.join(known)[:200]}"
        raise QueryError(f"there is no entity {value[:40]}", 1, cure)
    return _entity(value, entity, parse)


def _code(value: str) -> str:
    """The code of a country, given that or its name in any language. Raises QueryError."""
    value = value.strip('"')
    code = value.upper()
    if code in library.countries():
        return code
    by_name = _codes()
    found = by_name.get(value.lower())
    if found is None:
        close = get_close_matches(value.lower(), by_name, n=1)
        cure = (
            f"did you mean {by_name[close[0]]}, {library.country_name(by_name[close[0]])}"
            if close
            else "write its two letters of ISO 3166, like ML"
        )
        raise QueryError(f"there is no country {value[:40]}", 1, cure)
    return found


def _refuse_town(value: str) -> None:
    """Refuse the name of a town where a country is asked for. Raises QueryError."""
    town = value.strip('"')
    found = () if town.lower() in _codes() or town.upper() in library.countries() else _bearers().get(town.lower(), ())
    if found:
        quoted = f'"{town}"' if " " in town else town
        country = max(found, key=lambda place: place.population).country
        cure = f"write near:{quoted}/50km, or place:{country} for every town in its country"
        raise QueryError(f"{town[:40]} is a town, and place: asks for a country", 1, cure)


@cache
def _codes() -> Mapping[str, str]:
    return {name.lower(): code for code, country in library.countries().items() for name in country.names}


_MARKS = str.maketrans("", "", "^=*")


def term(item: str, language: str = "") -> str:
    """A name as a term of a query. Each word written with a capital asks for one; `~fr` adds forms.

    `/…/` and `{…}` are what they are in a query.

    `language` are forms to add where the letters fit, if the name says none itself.
    """
    if item[:1] in ("/", "{"):
        return item
    name, _, own = item.partition("~")
    if not own and language and any(fits(pattern.folded, language) for pattern in word_patterns(name)):
        own = language
    parts = [part if part[:1] in ("=", "^") or not part[:1].isupper() else f"^{part}" for part in name.split()]
    accented = any("=" in part for part in parts)
    text = " ".join(part.replace('"', "") for part in parts)
    several = len(words(name)) > 1 and not all(is_unspaced(letter) for letter in name)
    if several or not text.translate(_MARKS).isalnum():
        text = f'"{text}"'
    return f"{text}~{own}" if own and not accented and "*" not in text else text


def either(items: Iterable[str]) -> str:
    """Names as one query, joined by OR."""
    return " OR ".join(dict.fromkeys(term(item) for item in items if word_patterns(item.partition("~")[0])))


@cache
def _country(code: str, parse: Parse) -> Node:
    """The country's name, people and adjectives."""
    table = library.known().get("country", {}).get(code, {})
    clear = library.listed(table.get("clear", ""))
    history = library.listed(table.get("history", ""))
    if "names" not in table:
        clear += _people(code)
        longer = [*_longer(code), *history]
        text = f"({either(clear)})" + (f" UNLESS ({either(longer)})" if longer else "")
        return parse(text, {})
    rule = Rule(
        support=_support(code, parse),
        never=_optional(table, "never", parse, history),
        sure=_optional(table, "sure", parse),
        doubt=_optional(table, "doubt", parse),
        state=_optional(table, "state", parse),
        ordinary=frozenset(library.listed(table.get("ordinary", ""))),
        opening=frozenset(library.listed(table.get("opening", ""))),
        initials=True,
    )
    names = Ambiguous(parse(either(library.listed(table["names"])), {}), rule)
    certain = f"({either(clear)}) UNLESS ({either(history)})" if history else either(clear)
    return Or((parse(certain, {}), names))


def _people(code: str) -> list[str]:
    """The country's names, its people and adjectives."""
    return [*_inflected(code), *_adjectives(code)]


def _adjectives(code: str) -> list[str]:
    return library.listed(library.known().get("country", {}).get(code, {}).get("people", ""))


def _inflected(code: str) -> list[str]:
    """The country's names, with the forms of the languages whose names have cases."""
    country = library.countries()[code]
    return [
        f"{name}~{form}" if form else name
        for name, languages in zip(country.names, country.languages, strict=True)
        for form in ("", *(each for each in languages if each in CASES))
    ]


def _longer(code: str) -> list[str]:
    """Names and people of other countries that one of this country is a part of, such as South Sudan."""
    own = {_plain(item) for item in (*library.countries()[code].names, *_adjectives(code))}
    return sorted(
        {
            item
            for other, country in library.countries().items()
            if other != code and not other.isdigit()
            for item in (*country.names, *_adjectives(other))
            if any(f" {each} " in f" {_plain(item).replace('-', ' ')} " for each in own) and _plain(item) not in own
        }
    )


def _plain(item: str) -> str:
    return item.partition("~")[0].lower()


def _optional(table: Mapping[str, str], key: str, parse: Parse, more: Iterable[str] = ()) -> Node | None:
    items = [*library.listed(table.get(key, "")), *more]
    return parse(either(items), {}) if items else None


@cache
def _support(code: str, parse: Parse) -> Node:
    """What makes a doubtful name of a country certain: its people, clear towns, neighbours, and words of the region."""
    items = _own_support(code, "words", "wide")
    for neighbour in library.countries()[code].neighbours:
        beside = library.known().get("country", {}).get(neighbour, {})
        items += library.listed(beside.get("clear", "")) if "names" in beside else _people(neighbour)
    return parse(either(items), {})


def _own_support(code: str, *keys: str) -> list[str]:
    """The country's people and clear towns, and words of its region by these keys."""
    table = library.known().get("country", {}).get(code, {})
    items = [*library.listed(table.get("clear", "")), *_towns(code)[0]]
    if "names" not in table:
        items += _people(code)
    for region in library.known().get("region", {}).values():
        if code in library.listed(region["countries"]):
            items += [item for key in keys for item in library.listed(region[key])]
    return items


@cache
def _towns(code: str) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The names of a country's places: those that need no support, and the others."""
    clear: list[str] = []
    shared: list[str] = []
    for place in library.places():
        if place.country == code:
            for name in place.names:
                (clear if is_clear(place, name) else shared).append(name)
    for place, alone in library.own_places(code):
        (clear if alone else shared).extend(place.names)
    certain = dict.fromkeys(clear)
    return tuple(certain), tuple(name for name in dict.fromkeys(shared) if name not in certain)


def is_clear(place: Place, name: str) -> bool:
    """Whether a name of a place has no other meaning: a town of some size, a longer name, in one country alone."""
    letters = sum(map(str.isalpha, name))
    if place.population < CERTAIN_POPULATION or letters < CERTAIN_LETTERS or name in _ordinary():
        return False
    return len({other.country for other in _bearers().get(name.lower(), ())}) == 1


@cache
def _ordinary() -> frozenset[str]:
    """Names of towns that are also names of something else."""
    return frozenset(library.listed(library.known().get("towns", {}).get("shared", "")))


@cache
def _bearers() -> Mapping[str, tuple[Place, ...]]:
    """The places by each of their names in small letters."""
    found: dict[str, list[Place]] = defaultdict(list)
    for place in library.places():
        for name in place.names:
            found[name.lower()].append(place)
    return {name: tuple(places) for name, places in found.items()}


@cache
def _in_country(code: str, parse: Parse) -> Node:
    """Any place in a country."""
    clear, shared = _towns(code)
    return _placed(code, clear, shared, parse)


def _placed(code: str, clear: Iterable[str], shared: Iterable[str], parse: Parse) -> Node:
    """Names of places in one country, of which the shared ones need support."""
    saying = library.known().get("places", {}).get(code, {}).get("saying", "")
    certain, doubtful = either(clear), either(shared)
    nodes: list[Node] = []
    if certain:
        nodes.append(parse(f"({certain}) UNLESS ({either(library.listed(saying))})" if saying else certain, {}))
    if doubtful:
        table = library.known().get("country", {}).get(code, {})
        sure = either(library.listed(table.get("sure", "")))
        support = parse(either(_own_support(code, "words")), {})
        if sure:
            support = Or((support, parse(sure, {})))
        if "names" in table:
            support = Or((support, _country(code, parse)))
        never = _optional(library.known().get("places", {}).get(code, {}), "never", parse)
        nodes += _doubtful_places(code, shared, Rule(support, never, alone=True, whole=True), parse)
    if not nodes:
        raise QueryError(f"the library has no place in {code}", 1, "write its names")
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def _doubtful_places(code: str, names: Iterable[str], rule: Rule, parse: Parse) -> list[Node]:
    """Names of places that need support; one of no larger place elsewhere may also be where something happens."""
    towns = library.known().get("towns", {})
    own = [name for name in names if _largest(name) == code]
    scene = replace(
        rule,
        events=parse(either(library.listed(towns["events"])), {}),
        within=frozenset(library.listed(towns["within"])),
    )
    others = [name for name in names if name not in frozenset(own)]
    return [
        Ambiguous(parse(either(group), {}), each) for group, each in ((own, scene), (others, rule)) if either(group)
    ]


def _largest(name: str) -> str:
    """The code of the country with the largest place of that name, "" if there is none."""
    bearers = _bearers().get(name.lower(), ())
    return max(bearers, key=lambda place: place.population).country if bearers else ""


@cache
def _around(value: str, parse: Parse) -> Node:
    """Any place within a distance: `Gao/200km`, `"Léré, TD"/50km`."""
    name, _, written = value.rpartition("/")
    digits = written.lower().removesuffix("km").strip()
    if not name or not digits.isdigit() or not 1 <= int(digits) <= FARTHEST:
        cure = f"write near:Gao/200km, with at most {FARTHEST} km"
        raise QueryError(f"near:{value[:40]} has no distance", 1, cure)
    town, _, code = name.strip('"').partition(",")
    middle = _find(town.strip(), code.strip().upper())
    by_country: dict[str, tuple[list[str], list[str]]] = {}
    for place in library.places():
        if middle.distance(place) <= int(digits):
            clear, shared = by_country.setdefault(place.country, ([], []))
            for each in place.names:
                (clear if is_clear(place, each) else shared).append(each)
    for country in {*by_country, middle.country}:
        clear, shared = by_country.setdefault(country, ([], []))
        for place, alone in library.own_places(country):
            if middle.distance(place) <= int(digits):
                (clear if alone else shared).extend(place.names)
    nodes = [_placed(country, *names, parse) for country, names in sorted(by_country.items()) if any(names)]
    return nodes[0] if len(nodes) == 1 else Or(tuple(nodes))


def _find(town: str, code: str) -> Place:
    """The largest place of that name, in a country if a code is given. Raises QueryError."""
    own = [place for country in library.known().get("places", {}) for place, _ in library.own_places(country)]
    bare = town.lower()
    found = [
        place
        for place in (*_bearers().get(bare, ()), *own)
        if code in ("", place.country) and bare in (name.partition("~")[0].lower() for name in place.names)
    ]
    if not found:
        close = get_close_matches(bare, _bearers(), n=1)
        cure = (
            f"did you mean {_bearers()[close[0]][0].names[0]}" if close else "write the name of a larger place nearby"
        )
        raise QueryError(f"the library has no place {town[:40]}{f' in {code}' if code else ''}", 1, cure)
    return max(found, key=lambda place: place.population)


@cache
def _alias(name: str, parse: Parse) -> Node:
    """A name of the library's own entities that stands alone. Operators have no such names."""
    table = library.aliases()[name]
    rule = Rule(
        never=parse(table["never"], library.queries()),
        sure=parse(table["sure"], library.queries()),
        whole=True,
        beside=frozenset(library.listed(table["beside"])),
    )
    return Ambiguous(parse(either(library.listed(table["names"])), {}), rule)


def _entity(name: str, entity: Entity, parse: Parse) -> Node:
    """What an entity's names mean."""
    if entity.query:
        return parse(entity.query, library.queries())
    unknown = next((language for language in entity.forms if language not in LANGUAGES), None)
    if unknown is not None:
        raise QueryError(f"entity:{name} asks for forms of {unknown}", 1, f"the languages are {', '.join(LANGUAGES)}")
    names, aliases = _formed(entity.names, entity.forms), _formed(entity.aliases, entity.forms)
    clauses = [names] if names else []
    if aliases:
        alias = f"(({aliases}) UNLESS ({either(entity.unless)}))" if entity.unless else f"({aliases})"
        if names:
            clauses.append(f"({alias} AND ({names}))")
        if entity.near:
            clauses.append(f"({alias} NEAR/{ALIAS_NEAR} ({either(entity.near)}))")
    return parse(" OR ".join(clauses), {})


def _formed(items: Iterable[str], forms: tuple[str, ...]) -> str:
    """The items in all forms of these languages, joined by OR."""
    return " OR ".join(dict.fromkeys(term(item, language) for item in items for language in forms or ("",)))
