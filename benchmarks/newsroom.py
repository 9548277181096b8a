"""A world to be watched: articles in five languages with Zipf's distribution of words, and queries on its names.

Nothing is real, all is drawn from seeds. A name has an alias in every script. Queries are what media analysts write:
aliases of one or two names, with words that must or must not stand beside them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import accumulate
from random import Random

LANGUAGES = {"en": 0.45, "fr": 0.22, "ru": 0.15, "ar": 0.1, "zh": 0.08}
VOCABULARY, NAMES = 30_000, 20_000
_SMALL = {
    "en": "the of and to in a is that for it was on as with by at from are this be have not has were their an".split(),
    "fr": "de la le à et les des en un une du que est pour qui dans par sur au pas plus ne se ce il été".split(),
    "ru": "и в не на что с как по это из за к но его от для же так все был она они мы только ещё".split(),
    "ar": "في من على أن إلى التي عن مع هذا كان ما لا هذه ذلك بين بعد قال كما الذي قبل".split(),
    "zh": list("的一是不了在人有我他这为之大来以个中上们"),
}
_ONSETS = {
    "en": "b c d f g h j k l m n p r s t v w br cr dr fr gr pr tr st sp pl cl sh th".split(),
    "fr": "b c d f g j l m n p r s t v bl br ch cl cr fl gr pl pr tr vr qu".split(),
    "ru": "б в г д ж з к л м н п р с т ф х ц ч ш ст пр тр кр сл".split(),
}
_VOWELS = {
    "en": "a e i o u ai ea ou io".split(),
    "fr": "a e i o u é è ê ou ai eu au an on".split(),
    "ru": list("аеиоуыяюй"),
}
_CODAS = {
    "en": ["", "", "", "n", "r", "s", "t", "nd", "nt"],
    "fr": ["", "", "", "n", "r", "s", "l"],
    "ru": ["", "", "", "л", "н", "м"],
}
_ARABIC = "بتثجحخدذرزسشصضطظعغفقكلمنهوي"
_HAN = [chr(code) for code in range(0x4E00, 0x4E00 + 3_000)]


class Newsroom:
    """Vocabularies and names. The same seed gives the same ones."""

    def __init__(self, seed: int = 7) -> None:
        rng = Random(seed)
        self.words = {language: _vocabulary(language, rng) for language in LANGUAGES}
        self._weights = {
            language: list(accumulate(1 / (rank + 2.7) ** 1.05 for rank in range(len(words))))
            for language, words in self.words.items()
        }
        self.names = [{language: _name(language, rng) for language in LANGUAGES} for _ in range(NAMES)]
        self._name_weights = list(accumulate(1 / (rank + 20) ** 0.8 for rank in range(NAMES)))

    def article(self, number: int, words: int = 700) -> dict[str, str]:
        """The fields of an article, of about so many words."""
        rng = Random(number * 7_919 + 3)
        (language,) = rng.choices(list(LANGUAGES), list(LANGUAGES.values()))
        people = rng.choices(self.names, cum_weights=self._name_weights, k=rng.randint(4, 12))
        length = max(40, round(rng.gauss(words, words / 4)))
        sentences: list[str] = []
        written = 0
        while written < length:
            size = rng.randint(8, 30)
            sentences.append(self._sentence(language, size, people, rng))
            written += size
        paragraphs = ["".join(sentences[place : place + 4]) for place in range(0, len(sentences), 4)]
        title = self._sentence(language, 9, people, rng).strip()
        return {"title": title, "body": "\n\n".join(paragraphs), "lang": language, "source": f"outlet{number % 50}"}

    def queries(self, number: int, seed: int = 5) -> dict[str, str]:
        """The texts of so many queries, by name."""
        rng = Random(seed)
        return {f"q{each}": self._query(rng) for each in range(number)}

    def _sentence(self, language: str, size: int, people: Sequence[Mapping[str, str]], rng: Random) -> str:
        words = rng.choices(self.words[language], cum_weights=self._weights[language], k=size)
        if rng.random() < 0.5:
            words[rng.randrange(size)] = rng.choice(people)[language]
        if language == "zh":
            return "".join(words) + "。"
        text = " ".join(words)
        return f"{text[:1].upper()}{text[1:]}{rng.choice(('. ', '. ', ', '))}"

    def _query(self, rng: Random) -> str:
        name = rng.choice(self.names)
        languages = [language for language in LANGUAGES if language == "en" or rng.random() < 0.45]
        aliases = [_quoted(name[language]) for language in languages]
        if rng.random() < 0.5:
            aliases.append(_quoted(rng.choice(self.names)["en"]))
        about = _joined(dict.fromkeys(aliases))
        language = rng.choice([each for each in languages if each != "zh"])
        context = [rng.choice(self.words[language][60:4_000]) for _ in range(rng.randint(3, 9))]
        if rng.random() < 0.3 and language != "ar":
            context.append(rng.choice(self.words[language][300:9_000])[:5].ljust(3, "a") + "*")
        beside = _joined(dict.fromkeys(context))
        english = self.words["en"]
        kind = rng.random()
        if kind < 0.35:
            return about
        if kind < 0.7:
            return (
                f'{about} NOT ("{rng.choice(english[60:])} {rng.choice(english[60:])}" OR {rng.choice(english[800:])})'
            )
        if kind < 0.87:
            return f"{about} AND {beside}"
        if kind < 0.95:
            return f"{about} NEAR/10 {beside}"
        phrase = f'"{rng.choice(english[:200])} {rng.choice(english[:200])}"'
        return f"{rng.choice(english[100:])} AND {rng.choice(english[200:])} AND {phrase}"


def _vocabulary(language: str, rng: Random) -> list[str]:
    words = dict.fromkeys(_SMALL[language])
    if language == "zh":
        return list(words | dict.fromkeys(_HAN))
    coin = _coiner(language, rng)
    while len(words) < VOCABULARY:
        words[coin()] = None
    return list(words)


def _coiner(language: str, rng: Random) -> Callable[[], str]:
    if language == "ar":
        return lambda: "".join(rng.choices(_ARABIC, k=rng.randint(3, 6)))
    onsets, vowels, codas = _ONSETS[language], _VOWELS[language], _CODAS[language]
    return lambda: "".join(
        rng.choice(onsets) + rng.choice(vowels) + rng.choice(codas) for _ in range(rng.choice((1, 2, 2, 3, 3, 4)))
    )


def _name(language: str, rng: Random) -> str:
    if language == "zh":
        return "".join(rng.choices(_HAN[200:], k=3))
    coin = _coiner(language, rng)
    parts: list[str] = []
    for _ in range(rng.choice((1, 2, 2))):
        while len(part := coin()) < 5:
            pass
        parts.append(part.capitalize())
    return " ".join(parts)


def _quoted(name: str) -> str:
    return f'"{name}"' if " " in name else name


def _joined(parts: Mapping[str, None]) -> str:
    return f"({' OR '.join(parts)})" if len(parts) > 1 else "".join(parts)
