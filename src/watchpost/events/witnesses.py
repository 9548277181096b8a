"""Pure: what an article says about its event: the values by which two articles are compared.

Each is weak by itself. Places and names may be in the background of a text, and figures repeat by chance. A vector says
that two texts are about like things, not about the same one. events/decision.py weighs them.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from math import sqrt
from operator import mul
from typing import Literal

from watchpost.events import lexicon
from watchpost.events.figures import figures
from watchpost.events.lexicon import Text
from watchpost.match.event_country import event_countries, named
from watchpost.match.places import Mention, usual_name
from watchpost.model import Article
from watchpost.query.document import Document, Index
from watchpost.query.words import is_unspaced

TEXT = 2_500
"""The characters from the beginning of a text that are read: what comes later is seldom about the event."""

LEAD = 60
"""The words after the title, in which the event and its place are named."""

EMBEDDED = 1_000
"""The characters from the beginning of a text that become a vector."""

MOST_NAMES = 60
SHORTEST_NAME = 3  # consonants; fewer are shared by chance
SHORTEST_ARABIC = 4  # consonants of a word in a script without capitals

Vector = bytes
"""A direction in as many dimensions as it has bytes; each is a signed number from -127 to 127. Empty if unknown."""


@dataclass(frozen=True, slots=True)
class Town:
    """A place that an article names: its name, country, degrees north and east, and whether title or lead name it."""

    name: str
    country: str
    latitude: float
    longitude: float
    early: bool


@dataclass(frozen=True, slots=True)
class Witnesses:
    """What an article says about its event.

    `countries` are those in which it happened, as far as the text says. `kinds` are the kinds of events that title and
    lead name. `names` are the consonants of names, so that they are the same in all alphabets. `harm` are the numbers
    of people by what became of them, `first_harm` the first of each kind, `numbers` all figures. `days` are the days
    of the week that title and lead name, as dates. `looks_back` is where the text says that it is about the
    anniversary of an event, if it does. `vector` is empty without an embedding.
    """

    article: str
    language: str
    outlet: str
    published: datetime
    towns: tuple[Town, ...] = ()
    countries: tuple[str, ...] = ()
    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    harm: frozenset[tuple[str, int]] = frozenset()
    first_harm: frozenset[tuple[str, int]] = frozenset()
    numbers: frozenset[int] = frozenset()
    days: frozenset[int] = frozenset()
    looks_back: Literal["", "title", "lead"] = ""
    vector: Vector = b""


def witnesses(article: Article, about: frozenset[str] = frozenset(), vector: Vector = b"") -> Witnesses:
    """What an article with its text says about its event.

    `about` are codes of countries that it is known to be about, `vector` is that of `embedded_text`.
    """
    text = f"{article.summary}\n\n{article.body}"[:TEXT] if article.summary else article.body[:TEXT]
    document = Document.of({"title": article.title, "summary": "", "body": text, "lang": article.lang})
    title, body = document.index("title"), document.index("body")
    found = named(document, about)
    language = next((code for code in document.languages), "")
    head, rest = Text(title.folded, language, title.written), Text(body.folded, language, body.written)
    lead = _lead(head, rest)
    published = article.published or article.fetched
    read = (*figures(head), *figures(rest))
    past = lexicon.anniversaries()
    return Witnesses(
        article=article.id,
        language=language,
        outlet=article.outlet,
        published=published,
        towns=tuple(_towns(found)),
        countries=event_countries(document, found),
        kinds=frozenset(kind for _, kind in lexicon.kinds().meanings(lead)),
        names=frozenset(_names(title, body)),
        harm=frozenset((one.role, one.value) for one in read if one.role),
        first_harm=frozenset({one.role: (one.role, one.value) for one in reversed(read) if one.role}.values()),
        numbers=frozenset(one.value for one in read),
        days=frozenset(_days(lead, published)),
        looks_back="title" if past.meanings(head) else "lead" if past.meanings(lead) else "",
        vector=vector,
    )


def _lead(title: Text, body: Text) -> Text:
    """The title with the first words of the text."""
    length = len(title.words)
    return Text(
        [*title.words, *body.words[:LEAD]],
        title.language,
        lambda at: title.written(at) if at < length else body.written(at - length),
    )


def embedded_text(article: Article) -> str:
    """The text of an article that becomes its vector."""
    text = f"{article.summary} {article.body}".strip()
    return f"{article.title}. {text}"[:EMBEDDED]


def alike(one: Vector, other: Vector) -> float:
    """The cosine of the angle between two vectors: 1 for the same direction; 0 if one of them is empty."""
    if not one or not other:
        return 0.0
    mine, theirs = array("b", one), array("b", other)
    product: int = sum(map(mul, mine, theirs))
    return product / (_length(one) * _length(other))


@lru_cache(20_000)
def _length(vector: Vector) -> float:
    numbers = array("b", vector)
    return sqrt(sum(map(mul, numbers, numbers))) or 1.0


def _towns(found: Iterable[Mention]) -> Iterator[Town]:
    """Each town that is named, once; it is early if title or lead name it."""
    early: dict[tuple[str, str], bool] = {}
    places = {}
    for one in found:
        if one.is_town:
            key = usual_name(one.place), one.place.country
            places[key] = one.place
            early[key] = early.get(key, False) or one.field == "title" or one.at < LEAD
    for (name, country), place in places.items():
        yield Town(name, country, place.latitude, place.longitude, early[name, country])


def _days(lead: Text, published: datetime) -> Iterator[int]:
    """The last day of that name before the article, as a proleptic ordinal; the day itself counts, too."""
    names = lexicon.weekdays(lead.language)
    if not names:
        return
    today = published.date()
    text = f" {' '.join(lead.words)} "
    for name, number in names.items():
        if f" {name} " in text:
            yield (today - timedelta(days=(today.weekday() - number) % 7)).toordinal()


_CYRILLIC = dict(
    zip(
        "бвгджзйклмнпрстфхцчшщ",
        ("b", "v", "g", "d", "j", "z", "", "k", "l", "m", "n", "p", "r", "s", "t", "f", "h", "s", "s", "s", "s"),
        strict=True,
    )
)
_ARABIC = dict(zip("بتثجحخدذرزسشصضطظغفقكلمنه", "btsghhdzrzsssdtzgfkklmnh", strict=True))
_LATIN = {letter: letter for letter in "bdfghjklmnprstvz"} | {"c": "k", "q": "k", "x": "s", "p": "b", "j": "g"}
_CONSONANTS = {ord(one): to for table in (_CYRILLIC, _ARABIC, _LATIN) for one, to in table.items()}


def consonants(word: str) -> str:
    """The consonants of a folded word in Latin letters, doubled ones once: what is left of a name in any alphabet.

    Sounds that alphabets mix up are one: p and b, k and q, s and sh, j and g.
    """
    letters = "".join(
        _CONSONANTS.get(ord(letter), "") for letter in word.replace("sh", "s").replace("ch", "s").replace("ph", "f")
    )
    letters = letters.replace("p", "b").replace("j", "g").replace("v", "f").replace("h", "")
    return "".join(letter for at, letter in enumerate(letters) if at == 0 or letters[at - 1] != letter)


def _names(title: Index, body: Index) -> Iterator[str]:
    """The consonants of words that may be names: those with a capital inside of a sentence, all of other scripts."""
    counted: Counter[str] = Counter()
    for index in (title, body):
        for at, word in enumerate(index.folded):
            if len(word) < 4 or word[0].isdigit() or is_unspaced(word[0]):
                continue
            if index.cased and not _is_name(index, at):
                continue
            for form in lexicon.forms_of(word):
                key = consonants(form)
                least = SHORTEST_NAME if index.cased and word[0] < "\u0600" else SHORTEST_ARABIC
                if len(key) >= least:
                    counted[key] += 1
    yield from (key for key, _ in counted.most_common(MOST_NAMES))


def _is_name(index: Index, at: int) -> bool:
    written = index.written(at)
    return written[:1].isupper() and not _begins_sentence(index.between(at))


def _begins_sentence(before: str) -> bool:
    return any(mark in before for mark in '.!?\n:«“"')
