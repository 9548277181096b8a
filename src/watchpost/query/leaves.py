"""Still: the leaves of a query, which are what is looked for in the text itself."""

from __future__ import annotations

from dataclasses import dataclass, field

from watchpost.query.evidence import Occurrence
from watchpost.query.forms import inflected
from watchpost.query.regexes import Expression
from watchpost.query.text import Document
from watchpost.query.tree import Node, in_scope
from watchpost.query.unspaced import is_kana, longer_names, stands_alone
from watchpost.query.words import Step, spelling, steps, words


@dataclass(frozen=True, slots=True)
class Leaf(Node):
    """Words that stand one after the other. `text` is as the operator wrote it, without quotes, star or braces."""

    text: str
    steps: tuple[Step, ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", steps(self.text))

    @property
    def placed(self) -> bool:
        """Always: a leaf is true exactly where it occurs."""
        return True

    @property
    def keys(self) -> frozenset[str] | None:
        """The forms of its longest word, or of its longest beginning if all its words have a star."""
        if not self.steps:
            return None
        step = self.steps[0]
        if len(self.steps) > 1:
            step = max(self.steps, key=lambda step: (not step.prefix, len(step.folded)))
        return frozenset((step.folded + "*" * step.prefix, *step.forms))

    def find(self, document: Document, scope: str = "") -> tuple[Occurrence, ...] | None:
        """Every occurrence in the fields of the scope."""
        places = self.places(document, scope)
        if not places:
            return None
        clause = in_scope(self, scope)
        return tuple(Occurrence(name, first, last, clause) for name, first, last in places)

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """Field, first and last word of every occurrence."""
        return document.view(scope).find(self.steps)


@dataclass(frozen=True, slots=True)
class Term(Leaf):
    """A bare word: `mali`, with a language in all its forms: `вагнер~ru`.

    A word of several tokens (`franco-malian`) means them one after the other. In scripts without spaces a term is
    not found inside the longer names that are known to contain it (`unspaced`); a phrase is.
    """

    language: str = ""
    _alone: bool = field(init=False, repr=False, compare=False)
    _longer: tuple[tuple[Step, ...], ...] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        found = steps(self.text)
        object.__setattr__(self, "steps", inflected(found, self.language) if self.language else found)
        unspaced = len(found) > 1 and not self.text.isascii()
        object.__setattr__(self, "_alone", unspaced and stands_alone(found))
        object.__setattr__(self, "_longer", longer_names(found) if unspaced else ())

    def __str__(self) -> str:
        return f"{self.text}~{self.language}" if self.language else self.text

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """Those that are not part of a longer name."""
        view = document.view(scope)
        found = view.find(self.steps)
        if found and self._alone:
            found = [place for place in found if not any(map(is_kana, document.index(place[0]).neighbours(*place[1:])))]
        if found and self._longer:
            longer = [place for name in self._longer for place in document.view("").find(name)]
            longer += [place for name in self._longer for place in view.find(name)] if scope else []
            found = [place for place in found if not any(_inside(place, name) for name in longer)]
        return found


@dataclass(frozen=True, slots=True)
class Prefix(Leaf):
    """The beginning of a word: `malien*`."""

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", steps(self.text + "*"))

    def __str__(self) -> str:
        return self.text + "*"


@dataclass(frozen=True, slots=True)
class Phrase(Leaf):
    """Words one after the other: `"Africa Corps"`; a word in it may end with a star: `"groupe wagn*"`.

    With a language each word may stand in any of its forms: `"Евгений Пригожин"~ru`.
    """

    language: str = ""

    def __post_init__(self) -> None:
        found = steps(self.text)
        object.__setattr__(self, "steps", inflected(found, self.language) if self.language else found)

    def __str__(self) -> str:
        return f'"{self.text}"~{self.language}' if self.language else f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Exact(Leaf):
    """Words in this very spelling, with its capitals and accents: `{Mali}`."""

    def __post_init__(self) -> None:
        found = tuple(
            step._replace(exact=spelling(part[word.start : word.end]))
            for part in self.text.split()
            for step, word in zip(steps(part), words(part), strict=True)
        )
        object.__setattr__(self, "steps", found)

    def __str__(self) -> str:
        return f"{{{self.text}}}"


@dataclass(frozen=True, slots=True)
class Regex(Leaf):
    """A regular expression, put to the text as it is written: `/prigo[zž]h?in/`. See `regexes`."""

    expression: Expression = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "steps", ())
        object.__setattr__(self, "expression", Expression(self.text))

    def __str__(self) -> str:
        return f"/{self.text}/"

    def places(self, document: Document, scope: str) -> list[tuple[str, int, int]]:
        """The words that the matches touch."""
        return document.view(scope).search(self.expression.spans)


def _inside(place: tuple[str, int, int], name: tuple[str, int, int]) -> bool:
    return place[0] == name[0] and name[1] <= place[1] and place[2] <= name[2]
