"""Pure: whole texts folded character by character, at the speed of C, with every character in its place.

Most texts have fewer than 256 different characters, and each of them folds to the same letter wherever it is. A page
gives each character a byte: a text is encoded to these bytes, the bytes are translated to those of the folded letters,
and decoded again. Pages learn the characters that come. A text that needs more is left to the caller: one with
combining or invisible marks, with words that mix alphabets, or in a script without spaces.
"""

from __future__ import annotations

import codecs
from collections.abc import Callable
from typing import NamedTuple

_SIZE = 256
_PAGES_MAX = 6  # a desk reads a handful of scripts
_LEARNED_FROM = 100  # characters of a text; to learn from a shorter one costs more than it saves
_ASTRAL_MAX = 16  # different characters beyond U+FFFF that one text may have; a page has no place for them
_REMEMBERED = 50_000  # characters of which it is known how they fold; more than any news has
_NOTHING = "\ufffe"  # for codecs: this byte stands for no character
_FIRST_STAND_IN = 0xE000  # the private use area of Unicode


class Character(NamedTuple):
    """How one character folds, wherever it is: to `folded`, "" if it separates words.

    `alphabet` is L, C or G for letters that belong to the Latin, Cyrillic or Greek alphabet, "" for all others.
    """

    folded: str
    alphabet: str


class _Page:
    """At most 256 characters that occur together. `known` are those that it has."""

    def __init__(self) -> None:
        self.known: dict[str, Character] = {}
        self._folded = bytes(_SIZE)
        self._alphabets = bytes(_SIZE)
        self._without_alphabet = b""
        self._mixable = False
        self._encoding = codecs.charmap_build(_NOTHING * _SIZE)
        self._decoding = ""

    def learn(self, characters: dict[str, Character], stand_in: Callable[[str], str]) -> None:
        """Add characters. `stand_in` returns the one character that stands for a longer folded text."""
        self.known |= characters
        letters = [stand_in(character.folded or " ") for character in self.known.values()]
        distinct = list(dict.fromkeys(letters))
        alphabets = [character.alphabet or ("x" if character.folded else " ") for character in self.known.values()]
        self._encoding = codecs.charmap_build("".join(self.known).ljust(_SIZE, _NOTHING))
        self._decoding = "".join(distinct).ljust(_SIZE, _NOTHING)
        places = {letter: place for place, letter in enumerate(distinct)}
        self._folded = bytes(places[letter] for letter in letters).ljust(_SIZE, b"\0")
        self._alphabets = "".join(alphabets).encode().ljust(_SIZE, b" ")
        self._without_alphabet = bytes(place for place, name in enumerate(alphabets) if name == "x")
        self._mixable = len({"L", "C", "G"}.intersection(alphabets)) > 1

    def fold(self, text: str) -> str | None:
        """The text folded; None if a word mixes alphabets. Raises UnicodeEncodeError for what the page does not have.

        Separators are spaces.
        """
        encoded = codecs.charmap_encode(text, "strict", self._encoding)[0]
        if self._mixable:
            alphabets = encoded.translate(self._alphabets, self._without_alphabet)
            if any(pair in alphabets for pair in (b"LC", b"CL", b"LG", b"GL", b"CG", b"GC")):
                return None
        return codecs.charmap_decode(encoded.translate(self._folded), "strict", self._decoding)[0]


class CharacterPages:
    """Folds texts by pages. `read` says how a character folds; None if that depends on its neighbours."""

    def __init__(self, read: Callable[[str], Character | None]) -> None:
        self._read = read
        self._pages: list[_Page] = []  # the one that was used last first
        self._characters: dict[str, Character | None] = {}
        self._stand_ins: dict[str, str] = {}

    def fold(self, text: str) -> str | None:
        """The text folded, as long as it was: separators are spaces, and stand-ins are to be replaced by `spelt_out`.

        None if the characters of the text do not fold by themselves, or are too many, or are new and the text is short.
        """
        for _ in range(_ASTRAL_MAX):
            missing = "\0"
            for page in self._pages:
                try:
                    folded = page.fold(text)
                except UnicodeEncodeError as error:
                    missing = text[error.start]
                    if missing > "\uffff":
                        break
                    continue
                if page is not self._pages[0]:
                    self._pages.remove(page)
                    self._pages.insert(0, page)
                return folded
            if missing <= "\uffff":
                return self._fold_and_learn(text, missing)
            if (character := self._character(missing)) is None or character.folded:
                return None
            text = text.replace(missing, " ")
        return None

    def spelt_out(self, folded: str) -> str:
        """A folded text with what its stand-ins stand for."""
        if not folded.isascii():
            for long, stand_in in self._stand_ins.items():
                if stand_in in folded:
                    folded = folded.replace(stand_in, long)
        return folded

    def _fold_and_learn(self, text: str, missing: str) -> str | None:
        if len(text) < _LEARNED_FROM or self._character(missing) is None:
            return None
        characters = {char: self._character(char) for char in sorted(set(text)) if char <= "\uffff"}
        known = {char: character for char, character in characters.items() if character is not None}
        if len(known) < len(characters):
            return None
        page = next((page for page in self._pages if len(page.known.keys() | known.keys()) <= _SIZE), None)
        if page is None:
            page = _Page()
            known = {chr(code): character for code in range(128) if (character := self._character(chr(code)))} | known
            if len(known) > _SIZE:
                return None
            del self._pages[_PAGES_MAX - 1 :]
            self._pages.insert(0, page)
        page.learn({char: known[char] for char in known if char not in page.known}, self._stand_in)
        return self.fold(text)

    def _character(self, char: str) -> Character | None:
        if char not in self._characters:
            if len(self._characters) >= _REMEMBERED:
                self._characters.clear()
            self._characters[char] = None if char == _NOTHING else self._read(char)
        return self._characters[char]

    def _stand_in(self, folded: str) -> str:
        if len(folded) == 1:
            return folded
        if folded not in self._stand_ins:
            self._stand_ins[folded] = chr(_FIRST_STAND_IN + len(self._stand_ins))
        return self._stand_ins[folded]
