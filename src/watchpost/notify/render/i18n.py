"""Pure: translations of what digests say: gettext catalogues, plural forms by the rules of CLDR.

English is the source text. Each other language is a file, locale/LANGUAGE/LC_MESSAGES/watchpost.po, read once when a
digest first needs it. `make catalogues` brings the files up to date with the messages in the code.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from functools import cache
from gettext import GNUTranslations, NullTranslations
from io import BytesIO, StringIO
from typing import Literal

LANGUAGES = ("en", "fr", "ru", "ar")


class Translation:
    """The sentences of one language. A message that its catalogue lacks stays English.

    `language` is a BCP 47 tag, `locale` the CLDR locale of its dates and numbers, `direction` the way it is written.
    """

    def __init__(self, language: str, catalogue: NullTranslations) -> None:
        from babel import Locale

        self.language = language
        # CLDR's plain "en" is American: "Monday, November 23, 2026".
        self.locale = Locale.parse("en_GB" if language == "en" else language)
        self.direction: Literal["ltr", "rtl"] = "rtl" if self.locale.text_direction == "rtl" else "ltr"
        self._catalogue = catalogue

    def gettext(self, message: str, /, **values: str) -> str:
        """The message in this language, its placeholders filled in by `str.format`."""
        return self._fill(self._catalogue.gettext(message), values)

    def pgettext(self, context: str, message: str, /, **values: str) -> str:
        """The same for a message that is translated in different ways; `context` tells which is meant."""
        return self._fill(self._catalogue.pgettext(context, message), values)

    def ngettext(self, singular: str, plural: str, number: int, /, **values: str) -> str:
        """The form of the message for so many; {number} is written as the language does: "2,016 articles"."""
        values = {"number": self.decimal(number), **values}
        return self._fill(self._catalogue.ngettext(singular, plural, number), values)

    def isolate(self, text: str) -> str:
        """The text, isolated (UAX #9) if it runs from left to right in a sentence from right to left.

        Otherwise a number or a comma beside a Latin name would change sides with it.
        """
        kinds = {unicodedata.bidirectional(char) for char in text} if self.direction == "rtl" else set()
        return f"\u2066{text}\u2069" if "L" in kinds and kinds.isdisjoint({"R", "AL", "LRI"}) else text

    def stories(self, number: int) -> str:
        """ "1 story", "3 stories"."""
        return self.ngettext("{number} story", "{number} stories", number)

    def articles(self, number: int) -> str:
        """ "1 article", "61 articles"."""
        return self.ngettext("{number} article", "{number} articles", number)

    def sources(self, number: int) -> str:
        """ "1 source", "7 sources"."""
        return self.ngettext("{number} source", "{number} sources", number)

    def hits(self, number: int) -> str:
        """ "1 hit", "12 hits"."""
        return self.ngettext("{number} hit", "{number} hits", number)

    def more(self, number: int) -> str:
        """What follows a list that was cut: "3 more"."""
        return self.ngettext("{number} more", "{number} more", number)

    @property
    def comma(self) -> str:
        """What separates the parts of a list: a comma and a blank."""
        return self.pgettext("between the parts of a list", ", ")

    @property
    def semicolon(self) -> str:
        """What separates parts that have commas themselves: a semicolon and a blank."""
        return self.pgettext("between parts that have commas", "; ")

    @property
    def colon(self) -> str:
        """What separates a heading from what follows: a colon and a blank."""
        return self.pgettext("after a heading", ": ")

    def listing(self, parts: Iterable[str]) -> str:
        """The parts with commas between them."""
        return self.comma.join(map(self.isolate, parts))

    def quote(self, text: str) -> str:
        """The text in quotation marks."""
        return self.gettext('"{text}"', text=text)

    def decimal(self, number: float, pattern: str | None = None) -> str:
        """The number as the language writes it: "2,016"; `pattern` is one of CLDR's (UTS #35, part 3)."""
        from babel.numbers import format_decimal

        return format_decimal(number, pattern, self.locale)

    def _fill(self, message: str, values: dict[str, str]) -> str:
        return message.format(**{name: self.isolate(value) for name, value in values.items()})


def translation(language: str) -> Translation:
    """The sentences of that language (a BCP 47 tag); English where there is no catalogue."""
    name = language.split("-")[0].lower()
    return _load(name if name in LANGUAGES else "en")


def read_catalogue(language: str, text: str) -> Translation:
    """The sentences of a catalogue in the form of a .po file. Raises ValueError for one that cannot be read."""
    from babel.messages.mofile import write_mo
    from babel.messages.pofile import read_po

    compiled = BytesIO()
    write_mo(compiled, read_po(StringIO(text), language, abort_invalid=True))
    compiled.seek(0)
    return Translation(language, GNUTranslations(compiled))


@cache
def _load(language: str) -> Translation:
    if language == "en":
        return Translation(language, NullTranslations())
    from importlib.resources import files

    path = files(__package__) / "locale" / language / "LC_MESSAGES" / "watchpost.po"
    return read_catalogue(language, path.read_text("utf-8"))
