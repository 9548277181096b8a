"""Pure: the query languages of Nexis, Factiva and Google: their signs, fields, and which operator binds tighter.

Sources: "Terms & Connectors Quick Reference" and "How multiple search connectors are evaluated" (help.lexisnexis.com);
"Search Statement Operators" of the Factiva Developer's Kit and "Advanced Search" (developer.dowjones.com); "Refine web
searches" (support.google.com/websearch) and the Search Protocol Reference of the Google Search Appliance.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import Enum, auto
from typing import NamedTuple

from watchpost.errors import QueryError
from watchpost.query.lexer import LONGEST
from watchpost.query.other_tools import FIELDS_ELSEWHERE


class Kind(Enum):
    """What a sign is."""

    OPEN = auto()
    CLOSE = auto()
    WORD = auto()
    PHRASE = auto()
    FIELD = auto()
    REST = auto()
    LOST = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    NEAR = auto()
    SAME = auto()
    FIRST = auto()
    END = auto()


class Sign(NamedTuple):
    """A piece of the query: `text` as it is written, at the offset `start`; `number` is that of an operator."""

    kind: Kind
    text: str
    start: int
    number: int = 0


@dataclass(frozen=True, slots=True)
class Dialect:
    """A query language.

    `pattern` cuts one sign and names its kind by the group. `fields` are names in small letters and what is written
    before the part here; None for a field that watchpost has not. `levels` are the kinds of operators, the loosest
    first. `phrases` says whether words side by side are a phrase; else all of them must occur. `endings` are the
    signs for any ending, `letters` those for letters inside a word, each as a regular expression.
    """

    title: str
    pattern: re.Pattern[str]
    fields: Mapping[str, str | None]
    levels: tuple[frozenset[Kind], ...]
    phrases: bool
    endings: str
    letters: Mapping[str, str]
    smallest_first: bool = False
    """Whether of several nearness operators in a row the one with the smallest number is the tightest."""


_ANYWHERE = dict.fromkeys(("ts", "all", "text", "fulltext", "allfields", "allintext"), "")
_OURS = {name: f"{field}:" for name, field in FIELDS_ELSEWHERE.items()}

FACTIVA = Dialect(
    title="Factiva",
    pattern=re.compile(
        r"""\s*(?:
          (?P<LOST> date\s+(?:from\s+\S+\s+to\s+\S+ | (?:after|before|last|is)\s+[^\s()]+ | [0-9][^\s()]*)
            | wc\s*[<>=]+\s*[0-9]+ )
        | (?P<FIELD> [A-Za-z]{2,8}= )
        | (?P<OPEN> [(\[] ) | (?P<CLOSE> [)\]] ) | "(?P<PHRASE>[^"]*)"
        | (?P<NEAR> (?:near|adj)[0-9]{0,3}(?![^\s()\[\]]) | w/[0-9]{1,3}(?![^\s()\[\]]) | /N[0-9]{1,3}/? )
        | /F(?P<FIRST> [0-9]{1,3} )/?
        | (?P<SAME> same(?![^\s()\[\]]) )
        | (?P<COUNT> atleast[0-9]{1,2}(?![^\s()\[\]]) )
        | (?P<AND> and(?![^\s()\[\]]) ) | (?P<OR> or(?![^\s()\[\]]) ) | (?P<NOT> not(?![^\s()\[\]]) )
        | (?P<WORD> (?: (?!/[NF][0-9]) [^\s()\[\]"] )+ )
        )""",
        re.VERBOSE | re.IGNORECASE,
    ),
    fields=_OURS
    | _ANYWHERE
    | {
        "hlp": "first/50:",
        "td": "body:",
        "sn": "source:",
        "co": None,
        "fds": None,
        "in": None,
        "ns": None,
        "re": None,
        "rst": None,
        "pst": None,
        "sc": None,
        "art": None,
        "an": None,
        "clm": None,
        "cr": None,
        "ct": None,
        "de": None,
        "pd": None,
        "ipc": None,
        "ipd": None,
        "se": None,
        "vol": None,
    },
    levels=(frozenset({Kind.OR}), frozenset({Kind.AND}), frozenset({Kind.NOT}), frozenset({Kind.NEAR, Kind.SAME})),
    phrases=True,
    endings="*$",
    letters={"?": r"\w", "*": r"\w*", "$": r"\w*"},
)

NEXIS = Dialect(
    title="Nexis",
    pattern=re.compile(
        r"""\s*(?:
          (?P<LOST> (?:date|length|load-date)\s*(?:\([^()]*(?:\([^()]*\)[^()]*)*\)
            | (?:is|aft|bef|after|before|geq|leq|[<>=]+)\s*[^\s()]+) )
        | (?P<FIELD> (?!(?:and|or|not|andnot|butnot)\b) [A-Za-z][A-Za-z-]{1,20}[0-9]{0,3}(?=\s?\() )
        | (?P<OPEN> \( ) | (?P<CLOSE> \) ) | "(?P<PHRASE>[^"]*)"
        | (?P<UNLESS> not\s+(?:w|near)?/[0-9]{1,3} )
        | (?P<SAME> (?:not\s+)?(?:w|pre|near)?/(?:seg|sent|sentence|para|paragraph|s|p)(?![^\s()]) )
        | (?P<NEAR> (?:w|pre|near|onear|\+)?/[0-9]{1,3}(?![^\s()]) | \+[0-9]{1,3}(?![^\s()]) )
        | (?P<NOT> (?:(?:and|but)\s+not|andnot|butnot|not)(?![^\s()]) )
        | (?P<AND> (?:and|&)(?![^\s()]) ) | (?P<OR> or(?![^\s()]) )
        | (?P<WORD> [^\s()"]+ )
        )""",
        re.VERBOSE | re.IGNORECASE,
    ),
    fields=_OURS
    | _ANYWHERE
    | {
        "hlead": "first/50:",
        "lead": "first/50:",
        "title": "title:",
        "body": "body:",
        "source": "source:",
        "singular": "",
        "plural": "",
        "allcaps": "{",
        "caps": "^",
        "nocaps": "",
        "section": None,
        "subject": None,
        "company": None,
        "ticker": None,
        "terms": None,
        "geographic": None,
        "country": None,
        "city": None,
        "state": None,
        "organization": None,
        "person": None,
        "industry": None,
        "graphic": None,
        "dateline": None,
        "publication-type": None,
        "document-type": None,
        "series": None,
    },
    levels=(
        frozenset({Kind.NOT}),
        frozenset({Kind.AND}),
        frozenset({Kind.SAME}),
        frozenset({Kind.NEAR}),
        frozenset({Kind.OR}),
    ),
    phrases=True,
    endings="!*",
    letters={"?": r"\w", "*": r"\w*", "!": r"\w*"},
    smallest_first=True,
)

GOOGLE = Dialect(
    title="Google",
    pattern=re.compile(
        r"""\s*(?:
          (?P<LOST> -?(?:before|after|filetype|ext|related|cache|link|define|location|inanchor|allinanchor|info|numrange
            |daterange|imagesize|lang):\S* | -?[$€£]?[0-9]*\.\.[$€£]?[0-9]* )
        | (?P<REST> all(?:intitle|intext|inurl):\s* )
        | (?P<FIELD> (?:intitle|intext|inurl|site|source|author):\s* )
        | (?P<OPEN> \( ) | (?P<CLOSE> \) ) | "(?P<PHRASE>[^"]*)"
        | (?-i:(?P<NEAR> AROUND\s*\(\s*[0-9]{1,3}\s*\) ))
        | (?-i:(?P<AND> (?:AND|[+])(?![^\s()]) )) | (?-i:(?P<OR> OR(?![^\s()]) | \| ))
        | (?P<NOT> -(?=[^\s)-]) )
        | (?P<WORD> [^\s()"|]+ )
        )""",
        re.VERBOSE | re.IGNORECASE,
    ),
    fields={
        "intitle": "title:",
        "allintitle": "title:",
        "intext": "",
        "allintext": "",
        "inurl": "url:",
        "allinurl": "url:",
        "site": "url:",
        "source": "source:",
        "author": "author:",
    },
    levels=(frozenset({Kind.AND}), frozenset({Kind.OR}), frozenset({Kind.NEAR})),
    phrases=False,
    endings="",
    letters={},
)

DIALECTS = {"nexis": NEXIS, "factiva": FACTIVA, "google": GOOGLE}
"""The query languages by their names."""

_SQUARE = str.maketrans({"“": '"', "”": '"', "„": '"', "«": '"', "»": '"', "＂": '"', "（": "(", "）": ")"})
_NUMBER = re.compile("[0-9]+")
_NAMED = {"COUNT": Kind.FIELD, "UNLESS": Kind.NEAR}


def signs(text: str, dialect: Dialect) -> Iterator[Sign]:
    """The signs of a query; the last one is of kind END. Raises QueryError with a column that counts from 1."""
    if len(text) > LONGEST:
        cure = "divide it into several topics"
        raise QueryError(f"the query has {len(text)} characters; at most {LONGEST} are allowed", LONGEST + 1, cure)
    text = text.translate(_SQUARE)
    at = 0
    while text[at:].strip():
        match = dialect.pattern.match(text, at)
        if match is None or match.lastgroup is None:
            column = len(text) - len(text[at:].lstrip()) + 1
            raise QueryError("this quote is never closed", column, 'write " at the end of the phrase')
        name = match.lastgroup
        number = _NUMBER.search(match[name])
        kind = _NAMED.get(name) or Kind[name]
        written = " ".join(match[name].split())
        yield Sign(kind, written, match.start(name), int(number[0]) if number else 0)
        at = match.end()
    yield Sign(Kind.END, "", len(text))
