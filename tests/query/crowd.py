"""Crowds of random queries and of random articles in several scripts that many of them match."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from random import Random

from watchpost.names.library import Entity
from watchpost.query.document import FIELDS, Document
from watchpost.query.operators import AtLeast, Near, Same, Score, Unless, Weighted
from watchpost.query.parser import parse
from watchpost.query.terms import Exact, Phrase, Prefix, Regex, Term
from watchpost.query.tree import And, Field, Named, Node, Not, Or, Query

COMMON = {
    "en": "the of and to in a is that junta said president army talks Mali Wagner group mission border",
    "fr": "le la de l’opération Barkhane armée malienne du Mali groupe été où Élysée cœur Goïta d'État",
    "ru": "в на и Вагнер Вагнера вагнеровцы Мали Малибу группа группы ЧВК мой йод ёлка",
    "ar": "في من مالي ومالي المالي مَالِي فاغنر مجموعة الجيش باماكو",
    "zh": "马里 瓦格纳 集团 索马里 马里乌波尔 军政府 巴马科 的 在 国家",
    "ja": "マリ ソマリア マリウポリ ワグネル の 軍 ｶﾞ",
    "misc": "말리 माली straße STRASSE İstanbul ΜΆΛΙ Wаgner МALI 24/7 AT&T Franco-Malian anti-Wagner Go&iuml;ta ไทย",
}
STEMS = ["mali", "mal", "malien", "wagn", "gro", "juntas", "bark", "franco", "вагне", "мал", "stra", "말리"]
INFLECTED = [("Вагнер", "ru"), ("группа", "ru"), ("مالي", "ar"), ("Mali", "de"), ("말리", "ko"), ("мой", "uk")]
INFLECTED += [("Wagner", "pl"), ("Wagner", "cs"), ("grupa", "hr"), ("група", "sr"), ("Mali", "tr"), ("Mali", "fi")]
INFLECTED += [
    ("مالی", "fa"),
    ("מאלי", "he"),
    ("malien", "fr"),
    ("maliano", "es"),
    ("malinês", "pt"),
    ("malijski", "pl"),
]
KNOWN = ["country:ML", "country:NE", "country:SD", "place:ML", "near:Gao/200km", "entity:wagner-group", "entity:own"]
KNOWN += ["entity:operation-barkhane", "entity:africa-corps", "country:ML", "place:NE"]
OWN = Entity("Own", names=("groupe Mali", "Élysée"), aliases=("Goïta",), near=("armée", "Mali"), forms=("fr",))
MARKED = ["in ^Mali", "=Goïta ^mali", "^le ^=Mali", "=malienne du", "^Вагнер мой"]
NAMED = """
au Mali|in Mali|Mali GPU|Siniša Mali|Mali:|le Mali empire|Burkina Faso|in Gao|Gao|Bamako|Kayes|gunmen in Kati
Niger|Nigerien|South Sudan|Sudan|Wagner boss|Richard Wagner|Wagner|mercenaries|Prigozhin|force Barkhane
Barkhane|dune barkhane|Africa Corps|Rommel|Russian|Tinzaouaten|Tombouctou|шахта в Мали|Малі|Гао|باماكو|في مالي
دعم مالي|مالي:|马里总统|马里兰|ワグネル|Goïta|la armée|malinês|Malines
"""
REGEXES = [r"mal\w+", r"wagn.r", r"\b24\b", "马.", r"(?-i)Mali", r"го?й"]
SEAMS = [" ", " ", " ", " ", " ", " ", ", ", ". ", "\n\n", "-\n", "- \n", "\u00ad\n", "’", "", "\n", "\u200b", "&nbsp;"]
WEIGHTS = [Decimal(text) for text in ("0.5", "1", "2", "3")]


class Crowd:
    """A source of random queries and articles. The same seed gives the same ones."""

    def __init__(self, seed: int) -> None:
        self._rng = Random(seed)
        self._rare = [self._coined() for _ in range(60)]
        self._all = [word for words in COMMON.values() for word in words.split()] + self._rare
        self._known = [parse(text, entities={"own": OWN}).root for text in KNOWN]
        self._named = NAMED.strip().replace("\n", "|").split("|")

    def queries(self, number: int) -> dict[str, Query]:
        """Queries by name; some are true of articles that hold nothing of them."""
        made = {}
        for each in range(number):
            node = self._node(self._rng.choice((0, 1, 2, 2, 3, 3, 4)))
            if not node.positive and self._rng.random() < 0.9:
                node = And((self._leaf(), node))
            made[f"query {each}"] = Query(str(node), node)
        return made

    def fields(self) -> dict[str, str]:
        """The texts of one article."""
        rng = self._rng
        language = rng.choice(list(COMMON))
        return {
            "title": self._text(language, rng.randint(0, 9)),
            "summary": self._text(language, rng.choice((0, 0, 12))),
            "body": self._text(language, rng.choice((0, 5, 30, 90))),
            "author": rng.choice(("", "Mali Goïta", "Wagner")),
            "source": rng.choice(("", "Радио Мали", "Le Monde le-monde")),
            "lang": rng.choice(("", "fr", "ru", "zh-Hans")),
            "url": rng.choice(("", "https://example.org/mali/wagner-group?a=1&copy=2")),
        }

    def document(self) -> Document:
        """One article."""
        return Document.of(self.fields())

    def _coined(self) -> str:
        letters = self._rng.choice(("abeghiklmnorstu", "абвгейклмнорст", "بتجدرسعفقكلمن", "中国人民军事新闻"))
        return "".join(self._rng.choice(letters) for _ in range(self._rng.randint(2, 6)))

    def _text(self, language: str, length: int) -> str:
        rng = self._rng
        near = COMMON[language].split()
        chosen = [rng.choice(near if rng.random() < 0.75 else self._all) for _ in range(length)]
        if length and rng.random() < 0.4:
            chosen[rng.randrange(length) :] = rng.sample(self._named, rng.randint(1, 4))
        parts: list[str] = []
        for word in chosen:
            cased = rng.choice((str, str, str.upper, str.title, lambda text: f"{text[:2]}-\n{text[2:]}"))(word)
            parts += (cased, rng.choice(SEAMS))
        return "".join(parts)

    def _leaf(self) -> Node:
        rng = self._rng
        kind = rng.random()
        if kind < 0.05:
            return rng.choice(self._known)
        if kind < 0.07:
            return Phrase(rng.choice(MARKED))
        if kind < 0.4:
            return Term(rng.choice(self._all))
        if kind < 0.45:
            return Term(rng.choice(("^", "=", "^=")) + rng.choice([word for word in self._all if word[0].isalnum()]))
        if kind < 0.55:
            return Prefix(rng.choice(STEMS))
        if kind < 0.75:
            words = [rng.choice(self._all) for _ in range(rng.randint(1, 4))]
            if rng.random() < 0.3:
                words[rng.randrange(len(words))] = rng.choice(STEMS) + "*"
            return Phrase(" ".join(words))
        if kind < 0.83:
            return Term(*rng.choice(INFLECTED))
        if kind < 0.88:
            return Phrase(f"{rng.choice(self._all)} {rng.choice(INFLECTED)[0]}", "ru")
        if kind < 0.96:
            return Exact(" ".join(rng.choice(self._all) for _ in range(rng.randint(1, 2))))
        return Regex(rng.choice(REGEXES))

    def _places(self) -> Node:
        rng = self._rng
        kind = rng.random()
        if kind < 0.4:
            return self._leaf()
        if kind < 0.6:
            return Or((self._leaf(), self._leaf(), self._leaf()))
        if kind < 0.75:
            return Near(self._leaf(), Or((self._leaf(), self._leaf())), rng.randint(0, 12), rng.random() < 0.3)
        return rng.choice((Same, Unless))(self._leaf(), self._leaf())

    def _node(self, depth: int) -> Node:
        rng = self._rng
        if depth == 0:
            return self._leaf()
        inner: Callable[[], Node] = lambda: self._node(rng.randrange(depth))  # noqa: E731
        kind = rng.random()
        if kind < 0.25:
            return And((inner(), inner()))
        if kind < 0.45:
            return Or((inner(), inner(), inner()))
        if kind < 0.55:
            return And((inner(), Not(inner())))
        if kind < 0.65:
            return Field(rng.choice((*FIELDS, "title", "title", "first/3", "first/20")), self._places())
        if kind < 0.7:
            return Named("name", self._places())
        if kind < 0.75:
            return AtLeast(rng.randint(1, 3), self._places())
        if kind < 0.85:
            parts = (Weighted(inner(), rng.choice(WEIGHTS)), inner(), Weighted(inner(), rng.choice(WEIGHTS)))
            return Score(rng.choice(WEIGHTS), parts)
        return self._places()
