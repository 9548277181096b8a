"""Pure: the words of a text as queries compare them: folded one by one, with their offsets in the original.

Words are cut from the original text and folded one at a time, so every offset is one of the original.

A word is a run of letters, digits and their marks; apostrophes and hyphens end it (l’opération is two words). Soft
hyphens and other invisible characters inside it do not. In scripts that are written without spaces (Chinese, Japanese,
Thai, Lao, Khmer, Burmese) every character is a word; a term of several such characters matches where they are next to
each other, also across the end of a line.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from itertools import accumulate
from typing import NamedTuple

import regex

from watchpost.combining_marks import bound_marks
from watchpost.query.character_pages import Character, CharacterPages

# Letters of another alphabet that look the same. `Wаgner` with a Cyrillic а is how spam and copied text evade a search;
# `МALI` is how keyboards slip. A word that mixes Latin with Cyrillic or Greek letters is read in the one alphabet that
# can hold all of it, if there is one. A word of a single alphabet stays as it is: Роре is Cyrillic.
# Pairs of (foreign letter, Latin letter), by shape; the two cases of a letter may differ in what they look like.
_CYRILLIC = dict(zip("АВСЕНІЈКМОРЅТХУҮԌԚԜасеһіјкорѕхуԛԝԁѵ", "ABCEHIJKMOPSTXYYGQWacehijkopsxyqwdv", strict=True))
_GREEK = dict(zip("ΑΒΕΖΗΙΚΜΝΟΡΤΥΧαεικνορτυχ", "ABEZHIKMNOPTYXaeikvoptux", strict=True))


def _inverse(pairs: dict[str, str]) -> dict[int, str]:
    """Latin → foreign; of several that look alike the first one."""
    return str.maketrans({latin: foreign for foreign, latin in reversed(pairs.items())})


_TO_LATIN = str.maketrans(_CYRILLIC | _GREEK)
_TO_CYRILLIC = _inverse(_CYRILLIC)
_TO_GREEK = _inverse(_GREEK)
_LATIN_LETTER = re.compile("[A-Za-z]")
_CYRILLIC_LETTER = re.compile("[\u0400-\u052f\u1c80-\u1c8a\u2de0-\u2dff\ua640-\ua69f]")
_GREEK_LETTER = re.compile("[\u0370-\u03ff]")


def one_alphabet(word: str) -> str:
    """`word`, decomposed (NFKD), in one alphabet if its other letters all look like letters of that; else unchanged."""
    latin = _LATIN_LETTER.search(word)
    cyrillic = _CYRILLIC_LETTER.search(word)
    greek = _GREEK_LETTER.search(word)
    if (latin is not None) + (cyrillic is not None) + (greek is not None) < 2:
        return word
    as_latin = word.translate(_TO_LATIN)
    if not _CYRILLIC_LETTER.search(as_latin) and not _GREEK_LETTER.search(as_latin):
        return as_latin
    if cyrillic and not greek and not _LATIN_LETTER.search(as_cyrillic := word.translate(_TO_CYRILLIC)):
        return as_cyrillic
    if greek and not cyrillic and not _LATIN_LETTER.search(as_greek := word.translate(_TO_GREEK)):
        return as_greek
    return word


# Invisible characters that layout and copying leave inside words: soft hyphen, zero-width, direction marks.
_INVISIBLE = "\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff"
# What may be between two characters of one word in a script without spaces: nothing visible, one line end.
_SEAM = re.compile(rf"[{_INVISIBLE}]*+(?>(?:[ \t\u3000]*+\r?\n[ \t\u3000]*+)?)[{_INVISIBLE}]*+")
_LAYOUT = re.compile(rf"[{_INVISIBLE}\u0640]+")

# Letters or digits by category that are no part of a word: modifier apostrophes, superscripts, fractions.
_APART = "\u02b9\u02bb-\u02bf\u02c8¹²³⁰⁴-⁹¼-¾⅐-⅟"
_UNSPACED = r"[[\p{L}\p{Nl}]&&[\p{scx=Han}\p{scx=Hira}\p{scx=Kana}\p{Bopo}\p{Thai}\p{Lao}\p{Khmr}\p{Mymr}]]"
_SPACED = rf"[[\p{{L}}\p{{N}}]--[{_APART}]--{_UNSPACED}]"
_WORD = regex.compile(
    rf"{_UNSPACED}(?:[{_INVISIBLE}]*[\p{{M}}\uff9e\uff9f])*"  # U+FF9E/F: the voicing marks of half-width kana
    rf"|{_SPACED}(?:[{_INVISIBLE}]*[\p{{M}}{_SPACED}])*",
    regex.V1,
)
_IS_UNSPACED = regex.compile(_UNSPACED, regex.V1)

# A first, fast cut at characters that are never part of a word; most runs are words.
_RUN = re.compile(r"[^\s\0-/:-@\[-`{-\x7f«»\u2010-\u2027\u2030-\u205e\u3001\u3002\u3008-\u3011，。！？；：]+")

# Cutting and folding of ASCII text in one step: everything but letters and digits separates words.
_ASCII_FOLDED = "".join(chr(code).lower() if chr(code).isalnum() else " " for code in range(128))
# Words that need no cutting, and no folding except of case.
_PLAIN = re.compile("[\u0410-\u044f]+|[\u0627-\u063a\u0641-\u0648\u064a]+")

_NEVER_KEPT = re.compile(
    "["
    + _INVISIBLE
    + "\u0640"  # tatweel, which only stretches a word
    + "\u034f\ufe00-\ufe0f\U000e0100-\U000e01ef\u180b-\u180d\u180f"  # joiners and variation selectors
    + "\u115f\u1160\u3164\uffa0"  # Hangul fillers
    + "\u0591-\u05bd\u05bf\u05c1\u05c2\u05c4\u05c5\u05c7"  # Hebrew points and accents
    + "\u0610-\u061a\u064b-\u0652\u0656-\u065f\u0670\u06d6-\u06dc\u06df-\u06e4\u06e7\u06e8\u06ea-\u06ed"
    + "\u0898-\u089f\u08ca-\u08e1\u08e3-\u08ff"  # Arabic vowel signs and marks of recitation
    + "]+"
)
_LATIN_MARKS = regex.compile(r"([\p{Latin}\p{Greek}])\p{M}+")
# Stress marks on vowels, and the two dots of ё. All else (й, ў, ї, ѓ, ќ) makes another letter and stays.
_CYRILLIC_MARKS = re.compile("([аеиоуыэюяіє])(\u0308?)[\u0300\u0301\u030f\u0311]+")
_YO = "е\u0308"
_ALEF_MARKS = re.compile("ا[\u0653-\u0655]+")
_NOT_WORD = regex.compile(r"[^\p{L}\p{N}\p{M}]+")
# Letters that Unicode does not decompose, but people replace by plain ones.
_LETTERS = str.maketrans(
    {"ı": "i", "ł": "l", "ø": "o", "đ": "d", "ð": "d", "ħ": "h", "ŧ": "t", "þ": "th", "æ": "ae", "œ": "oe"}
    | {"ɓ": "b", "ɗ": "d", "ƙ": "k", "ƴ": "y"}
    | {"ٱ": "ا", "ى": "ي", "ی": "ي", "ک": "ك"}
)


class Word(NamedTuple):
    """A word of a text: folded, with its code-point offsets in the original."""

    folded: str
    start: int
    end: int


class WordPattern(NamedTuple):
    """One word of a clause, folded.

    `prefix`: it is the beginning of a word. `touching`: nothing visible may be between it and the word before. `forms`:
    other folded words that match as well. `exact`: the required spelling, see `spelling`. `capital`: it begins with a
    capital where the text has capitals and small letters. `accents`: the required spelling without regard to case.
    """

    folded: str
    prefix: bool = False
    touching: bool = False
    forms: tuple[str, ...] = ()
    exact: str = ""
    capital: bool = False
    accents: str = ""

    @property
    def checked(self) -> bool:
        """Whether the spelling in the text decides, too."""
        return bool(self.exact or self.accents) or self.capital

    def admits(self, written: str, cased: bool) -> bool:
        """Whether the word as it is `written` is spelt as it must be; `cased`: its text tells capitals apart."""
        if self.exact and spelling(written) != self.exact:
            return False
        if self.capital and cased and written[:1] != written[:1].upper():
            return False
        if not self.accents:
            return True
        small = spelling(written).lower()
        return small.startswith(self.accents) if self.prefix else small == self.accents


def fold(word: str) -> str:
    """The word without case, accents, width and presentation forms.

    It keeps what makes another word: Hangul syllables, kana voicing, the vowel signs of Indic scripts, й. Letters that
    look like those of the word's alphabet become them. The result may be empty (a lone tatweel). In terms of Unicode:
    NFKD, casefold, selected marks removed, NFC.
    """
    if word.isascii():
        return word.lower()
    folded = one_alphabet(unicodedata.normalize("NFKD", bound_marks(word)))
    folded = unicodedata.normalize("NFKD", folded.casefold())
    folded = bound_marks(_NEVER_KEPT.sub("", folded))  # of letters whose marks had something invisible between them
    folded = one_alphabet(folded.translate(_LETTERS))  # again, for letters that came from ß and æ
    folded = _LATIN_MARKS.sub(r"\1", folded)
    folded = _CYRILLIC_MARKS.sub(r"\1\2", folded).replace(_YO, "е")
    folded = _ALEF_MARKS.sub("ا", folded)
    return unicodedata.normalize("NFC", _NOT_WORD.sub("", folded))


def spelling(word: str) -> str:
    """The word as it is written, with case and accents, but without invisible characters and tatweel; NFC."""
    return word if word.isascii() else unicodedata.normalize("NFC", bound_marks(_LAYOUT.sub("", word)))


def words(text: str) -> list[Word]:
    """The words of `text` in order."""
    return [Word(folded, *span) for folded, span in zip(folded_words(text), spans(text), strict=True)]


def folded_words(text: str) -> list[str]:
    """The words of `text`, folded, without offsets."""
    return folded_text(text).split()


def folded_text(text: str) -> str:
    """The words of `text`, folded, with one space between any two."""
    return FoldedText(text).joined


class FoldedText:
    """The words of a text, folded. `joined` has one space between any two.

    `pieces` are the parts of the folded text between two spaces. If it is `aligned`, each is one word or "", and as
    long as in the original; else each is what became of a part of the original between two spaces.
    """

    __slots__ = ("aligned", "joined", "pieces")

    def __init__(self, text: str) -> None:
        folded = text.translate(_ASCII_FOLDED) if text.isascii() else _pages.fold(text)
        self.aligned = folded is not None
        if folded is None:
            self.pieces = list(map(_folded.__getitem__, text.split(" ")))
            self.joined = " ".join(filter(None, self.pieces))
        else:
            self.pieces = folded.split(" ")
            self.joined = _pages.spelt_out(" ".join(filter(None, self.pieces)))


def spans(text: str) -> list[tuple[int, int]]:
    """Start and end of the words of `text`, as code-point offsets."""
    runs: list[tuple[int, int]] = list(map(re.Match.span, _RUN.finditer(text)))
    if text.isascii():
        return runs
    result: list[tuple[int, int]] = []
    for start, end in runs:
        run = text[start:end]
        if run.isascii() or _PLAIN.fullmatch(run):
            result.append((start, end))
        else:
            result += [(start + first, start + last) for _, first, last in _cut_run(run)]
    return result


class WordSpans:
    """Start and end of the words of a text, like `spans`, but computed only when they are needed: few are."""

    __slots__ = ("_aligned", "_all", "_ends", "_known", "_pieces", "_text", "_until")

    def __init__(self, text: str, folded: FoldedText) -> None:
        self._text = text
        self._aligned = folded.aligned
        self._all: list[tuple[int, int]] | None = None
        if folded.aligned:
            self._pieces = folded.pieces
            counts: Iterable[int] = map(bool, folded.pieces)
        else:
            self._pieces = text.split(" ")
            counts = map(_counted.__getitem__, folded.pieces)
        self._until = list(accumulate(counts))  # the number of words up to the end of each piece
        self._ends = list(accumulate(map(len, self._pieces)))  # where each ends, without counting spaces
        self._known: dict[int, list[tuple[int, int]]] = {}

    def all(self) -> list[tuple[int, int]]:
        """The spans of all words."""
        if self._all is None and self._aligned:
            ends = [end + place for place, end in enumerate(self._ends)]
            self._all = [(end - len(word), end) for word, end in zip(self._pieces, ends, strict=True) if word]
        elif self._all is None:
            self._all = spans(self._text)
        return self._all

    def __len__(self) -> int:
        return self._until[-1]

    def __getitem__(self, number: int) -> tuple[int, int]:
        at = bisect_right(self._until, number)
        if self._aligned:
            end = self._ends[at] + at
            return end - len(self._pieces[at]), end
        places = self._known.get(at)
        if places is None:
            piece = self._pieces[at]
            start = self._ends[at] - len(piece) + at
            places = self._known[at] = [(start + first, start + last) for first, last in spans(piece)]
        return places[number - (self._until[at - 1] if at else 0)]


def _cut(run: str) -> tuple[Word, ...]:
    if _HAN.fullmatch(run):
        return tuple(Word(char, place, place + 1) for place, char in enumerate(run))
    found = (Word(_fold_cached(match[0]), *match.span()) for match in _WORD.finditer(run))
    return tuple(word for word in found if word.folded)


def _cut_run(run: str) -> tuple[Word, ...]:
    return _cut_cached(run) if len(run) <= _MEMORABLE else _cut(run)


_HARD = "\uffff"  # no character: stands for one that does not fold by itself


class _FoldedCharacters(dict[int, str]):
    """What each character folds to by itself, for str.translate; in scripts without spaces each is a word."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        if is_unspaced(char) and not _JOINS.match(unicodedata.normalize("NFKD", char)):
            folded = f" {fold(char)} "
        elif (character := _character(char)) is not None:
            folded = character.folded or " "
        else:
            folded = _HARD
        if len(self) >= _REMEMBERED:
            self.clear()
        self[code] = folded
        return folded


def _mixes_alphabets(text: str) -> bool:
    """Whether the text, perhaps one of its words, has letters of several of the alphabets that look alike."""
    return sum(pattern.search(text) is not None for pattern in _ALPHABETS.values()) > 1


class _Folded(dict[str, str]):
    """The folded words of each piece of a text, with spaces between; a few ten thousand make up most of the news."""

    def __missing__(self, piece: str) -> str:
        if piece.isascii():
            folded = " ".join(piece.translate(_ASCII_FOLDED).split())
        elif _PLAIN.fullmatch(piece):
            folded = piece.lower()
        elif _HARD not in (translated := piece.translate(_folded_characters)) and not _mixes_alphabets(translated):
            folded = " ".join(translated.split())
        else:
            folded = " ".join([word.folded for run in _RUN.findall(piece) for word in _cut_run(run)])
        if len(piece) <= _MEMORABLE:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[piece] = folded
        return folded


class _Counted(dict[str, int]):
    """The number of words in a folded piece."""

    def __missing__(self, folded: str) -> int:
        count = folded.count(" ") + 1 if folded else 0
        if len(folded) <= _MEMORABLE:
            if len(self) >= _REMEMBERED:
                self.clear()
            self[folded] = count
        return count


def _character(char: str) -> Character | None:
    """How a character folds wherever it is; None if that depends on its neighbours."""
    decomposed = unicodedata.normalize("NFKD", char)
    if _JOINS.match(decomposed) or _NEVER_KEPT.search(decomposed) or is_unspaced(char):
        return None
    folded = " ".join(word.folded for word in _cut(char)) if _RUN.match(char) else ""
    if " " in folded or (not folded and _WORD.match(char)):
        return None
    sides = [pattern.search(decomposed + folded) is not None for pattern in _ALPHABETS.values()]
    if sum(sides) > 1:
        return None
    return Character(folded, next((name for name, has in zip(_ALPHABETS, sides, strict=True) if has), ""))


# What becomes a part of the letter before it: marks, and the vowels and finals of Hangul.
_JOINS = regex.compile(rf"[\p{{M}}\uff9e\uff9f{_INVISIBLE}\u1160-\u11ff]", regex.V1)
_ALPHABETS = {"L": _LATIN_LETTER, "C": _CYRILLIC_LETTER, "G": _GREEK_LETTER}
_pages = CharacterPages(_character)
_REMEMBERED = 50_000
_folded_characters = _FoldedCharacters()
_folded = _Folded()
_counted = _Counted()
_HAN = re.compile("[\u4e00-\u9fff]+")  # unified ideographs: folding leaves them as they are
_MEMORABLE = 32
# The same few thousand words make up most of the news.
_fold_cached = lru_cache(maxsize=20_000)(fold)
_cut_cached = lru_cache(maxsize=20_000)(_cut)


def word_patterns(text: str) -> tuple[WordPattern, ...]:
    """The patterns of a clause's words; in its text a star may end a word, and signs of MARKS may begin one.

    Empty if the text has neither letters nor digits.
    """
    if text.isalnum() and text.isascii():
        return (WordPattern(text.lower()),)
    patterns: list[WordPattern] = []
    for part in text.split():
        starred = part.endswith("*")
        bare = part[:-1] if starred else part
        if bare[0:1] in MARKS and bare:
            patterns += _marked(bare, starred)
            continue
        if bare.isascii() and bare.isalnum():
            patterns.append(WordPattern(bare.lower(), starred))
            continue
        before = None
        cut = _cut_run(bare) if _RUN.fullmatch(bare) else words(bare)
        for folded, start, end in cut:
            unspaced = is_unspaced(bare[start])
            touching = before is not None and unspaced and touches(bare, before, start)
            patterns.append(WordPattern(folded, False, touching))
            before = end if unspaced else None
        if cut and starred:
            patterns[-1] = patterns[-1]._replace(prefix=True)
    return tuple(patterns)


MARKS = ("^", "=")
"""Signs before a word of a clause: it begins with a capital; its accents count."""


def _marked(part: str, starred: bool) -> list[WordPattern]:
    """The patterns of a part that begins with signs of MARKS: its first word has the capital, all have the accents."""
    bare = part.lstrip("".join(MARKS))
    signs = part[: len(part) - len(bare)]
    patterns = list(word_patterns(bare + "*" * starred))
    if "=" in signs:
        kept = [spelling(bare[word.start : word.end]).lower() for word in words(bare)]
        patterns = [each._replace(accents=accents) for each, accents in zip(patterns, kept, strict=True)]
    if patterns and "^" in signs:
        patterns[0] = patterns[0]._replace(capital=True)
    return patterns


def touches(text: str, end: int, start: int) -> bool:
    """Whether nothing visible but one line end is between the offsets `end` and `start` of two words."""
    return end == start or _SEAM.fullmatch(text, end, start) is not None


def is_unspaced(letter: str) -> bool:
    """Whether the letter's script is written without spaces between words."""
    return not letter.isascii() and _IS_UNSPACED.match(letter) is not None


def letters(folded: str) -> int:
    """The number of letters for a reader; a Hangul syllable has two or three."""
    return sum(len(unicodedata.normalize("NFD", char)) if "가" <= char <= "힣" else 1 for char in folded)
