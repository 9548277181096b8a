"""Pure: what other search tools write, recognised in a query, and what to write here instead.

A sign of another tool is an error with its cure: taken as a word, it would make a query that never matches. Sources are
the vendors' own manuals: Factiva, Nexis, Westlaw, Ovid, EBSCO, PubMed, Web of Science, Meltwater, Brandwatch, Google.
"""

from __future__ import annotations

import html
import re
import unicodedata

from watchpost.errors import QueryError

FIELDS_ELSEWHERE = {
    **dict.fromkeys(("hd", "hl", "ti", "headline", "intitle", "allintitle", "heading"), "title"),
    **dict.fromkeys(("lp", "lead", "hlead", "leadpara", "first"), "first/50"),
    **dict.fromkeys(("te", "text", "intext", "inbody", "bdy", "fulltext"), "body"),
    **dict.fromkeys(("ab", "abstract", "snippet"), "summary"),
    **dict.fromkeys(("au", "by", "byline", "writer"), "author"),
    **dict.fromkeys(("sn", "so", "rst", "jn", "pub", "publication", "outlet", "sourcename", "srctitle"), "source"),
    **dict.fromkeys(("la", "lng", "language"), "lang"),
    **dict.fromkeys(("site", "inurl", "domain", "host", "link"), "url"),
}
"""Names of fields in other tools, in lower case, and the field that it is here."""

_DATES = frozenset({"date", "dates", "pd", "dp", "pubdate", "pubyear", "year", "yr", "py", "daterange"})
_DATES_BEFORE_COLONS = frozenset({"after", "before", "since", "until"})

ANYWHERE = frozenset(
    {"ts", "all", "tw", "mp", "kw", "allfields", "tiab", "mesh", "mh", "subject", "content", "hlp", "su"}
    | {"title-abs", "title-abs-key", "nocaps", "singular", "plural"}
)
"""Names of fields that mean the whole text there: leave them out."""

NO_DATES = "leave it out: a query has no dates; searches and tests have --since and --until"

# Signs that other search languages put before a word, and what to write here.
_START = {"-": "NOT", "−": "NOT", "!": "NOT", "+": "AND", "&": "AND", "|": "OR"}
_INSIDE = {
    "|": "write OR between the words",
    "&&": "write AND between the words",
    ",": "write OR (or AND) between the words",
    ";": "write OR (or AND) between the words",
    "，": "write OR (or AND) between the words",
    "、": "write OR (or AND) between the words",
    "،": "write OR (or AND) between the words",
    "；": "write OR (or AND) between the words",
    "?": "write a * at the end of a word for any other letters",
    "#": "leave it out: a tag is found by its word; a # with spaces around it begins a comment",
    "<": "leave it out; a # with spaces around it begins a comment",
    ">": "leave it out; a # with spaces around it begins a comment",
}
_OPERATOR = re.compile(
    r"""(?P<plain>AND|OR|NOT)
    | (?P<slashed>O?NEAR|ATLEAST|SCORE)/[0-9.]+
    | (?P<near>NEAR(?:[0-9]+|/[0-9]+R)|WITHIN[/0-9]*|PROX[/0-9]*|N/[0-9]+|AROUND[/0-9]*)
    | (?P<adjacent>ADJ[0-9]*)
    | (?P<either>W/[0-9]+)
    | (?P<ordered>NEAR/[0-9]+F|(?:PRE|NEXT|FBY|ONEAR)/?[0-9]*)
    | (?P<paragraph>(?:W|PRE|NOT[ ]?W)/(?:P|S|PARA|SENT|SEG)|SENTENCE|PARAGRAPH)
    | (?P<count>(?:ATLEAST|ATL)[0-9]+|MINCOUNT[/0-9]*)
    | (?P<negated>(?:AND|BUT)_?NOT)
    """,
    re.VERBOSE | re.IGNORECASE,
)
_LOGIC = frozenset({"and", "or", "not"})
_WORDS = frozenset({"sentence", "paragraph", "onear", "pre", "next", "prox", "within", "adj", "around"})
"""Ordinary words, unless they are in capitals or have a number."""
_DIGITS = re.compile("[0-9]+")
_COMPARED = re.compile(r"(?P<field>[A-Za-z]{1,20})(?:=|[<>]=?(?=[0-9]))(?P<word>.*)", re.DOTALL)
_TAGGED = re.compile(r"(?P<word>[^\[\]]*)\[(?P<field>[A-Za-z]{1,20}).*", re.DOTALL)
_SUFFIXED = re.compile(r"(?P<word>.+)\.(?P<field>[a-z]{2})(?:,[a-z]{2})*\.")
_SLASHED = re.compile(r"(?P<word>.+)/(?P<field>ti|ab|au|de|jn|la)(?:,.*)?", re.IGNORECASE)  # Dialog, STN
_FIRST_WORDS = re.compile(r"(?P<word>.+)/F(?P<number>[0-9]{1,4})/?", re.IGNORECASE)
_TRUNCATED = re.compile(r"(?P<word>[^\W\d_][\w’'-]*?)[!$][0-9]*")
_CALL = re.compile(
    r"""(?P<name>O?NEAR)\(\s*(?P<left>"[^"]{1,80}"|[^\s",()]{1,80})\s*,\s*(?P<right>"[^"]{1,80}"|[^\s",()]{1,80})
        (?:\s*,\s*(?P<number>[0-9]{1,3}))?""",
    re.VERBOSE | re.IGNORECASE,
)
_REQUIRED = re.compile(r"(?<!\S)\+(\"[^\"]{1,80}\"|[^\s\"]{1,80})")
_SPACED = re.compile(r"(?P<letter>[NW])(?P<number>[0-9]{1,3})")
_CODE = re.compile("[A-Za-z]{2,3}")
_USUAL = {"ordered": "0", "count": "3"}
"""The number for an operator of another tool that has none: Factiva's NEXT allows no word between."""
_DISTANCE = re.compile(r"(?P<name>O?NEAR|AROUND|WITHIN)\((?P<number>[0-9]{1,3})\)", re.IGNORECASE)  # Google, Bing
_WESTLAW = re.compile(r"(?P<sign>[/+])(?P<number>[0-9]{1,3}|[sp])", re.IGNORECASE)
_ABUTTING = re.compile("[぀-ヿ㐀-鿿가-힣](AND|OR|NOT)|(AND|OR|NOT)[぀-ヿ㐀-鿿가-힣]")
_ELSEWHERE = {
    **dict.fromkeys(["ET", "UND", "Y", "E", "И", "І", "ТА", "VE", "EN", "OG", "OCH", "JA", "ORAZ"], "AND"),
    **dict.fromkeys(["OU", "ODER", "O", "ИЛИ", "АБО", "LUB", "NEBO", "VEYA", "ILI", "OF", "ELLER", "TAI", "XOR"], "OR"),
    **dict.fromkeys(["SAUF", "NICHT", "НЕ", "NO", "NON", "OHNE", "BEZ", "EXCEPT", "EXCLUDING", "SIN"], "NOT"),
    **dict.fromkeys(("BEFORE", "FOLLOWEDBY"), "ONEAR/4"),
}
"""Operators in the words of other languages and tools, and what they are here. Only in capitals between two words."""


def shortened(text: str) -> str:
    """At most 40 characters of `text`, for a message."""
    return text if len(text) <= 40 else text[:39] + "…"


def refuse_operator(word: str, column: int) -> None:
    """Refuse a word that is an operator in lower case, or one of another search language. Raises QueryError."""
    if word.isalpha() and not word.isupper() and (word.lower() not in _LOGIC or word.lower() in _WORDS):
        return  # most words
    match = _OPERATOR.fullmatch(word)
    if match is None or (match.lastgroup != "plain" and word.lower() in _WORDS and not word.isupper()):
        return
    digits = _DIGITS.search(word)
    number = digits[0] if digits else _USUAL.get(match.lastgroup or "", "5")
    instead = {
        "near": f"NEAR/{number}",
        "adjacent": f"NEAR/{_between(number)} (in either order) or ONEAR/{_between(number)} (in this order)",
        "either": f"NEAR/{number} (in either order) or ONEAR/{number} (in this order)",
        "ordered": f"ONEAR/{number}",
        "paragraph": "SAME (in one paragraph)",
        "count": f"ATLEAST/{number}",
        "negated": "NOT",
    }
    cure = f'write {instead.get(match.lastgroup or "", word.upper())}, or "{word}" if you mean the word'
    raise QueryError(f"{word} is not an operator", column, cure)


def _between(number: str) -> str:
    """Ovid's ADJn allows n - 1 words between the two, ADJ none."""
    return str(max(int(number) - 1, 0)) if number.isdigit() else "0"


def refuse_call(text: str, start: int) -> None:
    """Refuse `NEAR(a, b, 15)` at the offset `start`. Raises QueryError."""
    match = _CALL.match(text, start)
    if match is not None:
        operator = f"{match['name'].upper()}/{match['number'] or 5}"
        cure = f"write {match['left']} {operator} {match['right']}"
        raise QueryError(f"{match['name']} stands between its two sides", start + 1, cure)
    match = _DISTANCE.match(text, start)
    if match is not None:
        operator = f"{'ONEAR' if match['name'].upper() == 'ONEAR' else 'NEAR'}/{match['number']}"
        raise QueryError(f"{match['name']}(…) is not an operator", start + 1, f"write {operator}")


def refuse_abutting(word: str, column: int) -> None:
    """Refuse an operator that touches a word of a script without spaces: `马里AND瓦格纳`. Raises QueryError."""
    match = _ABUTTING.search(word)
    if match is not None:
        operator = match[1] or match[2]
        raise QueryError(f"{operator} touches the word beside it", column, "put a space on either side of it")


def westlaw(word: str) -> str:
    """What `/5`, `/s`, `/p`, `+5` and `+s` of Westlaw are here; "" for other words."""
    match = _WESTLAW.fullmatch(word)
    if match is None:
        return ""
    if not match["number"].isdigit():
        return "SAME"
    return f"{'NEAR' if match['sign'] == '/' else 'ONEAR'}/{match['number']}"


def refuse_signs(word: str, column: int, text: str = "") -> None:
    """Refuse signs in a word that mean something elsewhere; `text` is the whole query. Raises QueryError."""
    if "&quot;" in word or "&amp;" in word or "&nbsp;" in word:
        meant = shortened(html.unescape(word).replace("\xa0", " "))
        raise QueryError("a query has no entities", column, f'write "{meant}"' if " " in meant else f"write {meant}")
    operator = _START.get(word[0])
    if operator is not None and westlaw(word) and text[: column - 1].strip():
        raise QueryError(f"{word} is not an operator", column, f"write {westlaw(word)}")
    if operator is not None:
        rest = shortened(word.lstrip("".join(_START)))
        cure = f"write {operator} {rest}".rstrip()
        if operator == "AND" and not text[: column - 1].strip(" \t\r\n("):
            required = [shortened(each) for each in _REQUIRED.findall(text)[:4]]
            whole = rest or "".join(required)
            cure = f"write {' AND '.join(required)}" if len(required) > 1 else f"leave it out: {whole}".rstrip(": ")
        raise QueryError(f"{word[0]} is not an operator", column, cure)
    marks = len(word) - len(word.lstrip("^="))  # they ask for a capital and for the accents
    word, column = word[marks:], column + marks
    _refuse_fields(word, column)
    truncated = _TRUNCATED.fullmatch(word)
    if truncated is not None:
        sign = word[len(truncated["word"])]
        cure = f'write {shortened(truncated["word"])}* for every ending, or "{shortened(word)}" if you mean the sign'
        raise QueryError(f"{sign} does not shorten a word here", column + len(truncated["word"]), cure)
    for sign, cure in _INSIDE.items():
        place = word.find(sign)
        if place >= 0:
            cure_here = _INSIDE["?"] if sign == "#" and place else cure
            raise QueryError(f"a word cannot hold {sign}", column + place, cure_here)
    _refuse_symbols(word, column)


def _refuse_fields(word: str, column: int) -> None:
    """Refuse `hd=mali`, `wagner[tiab]`, `wagner.ti.` and `mali/F50/`."""
    first = _FIRST_WORDS.fullmatch(word)
    if first is not None:
        cure = f"write first/{first['number']}:{shortened(first['word'])}"
        raise QueryError("/F does not name the first words here", column + len(first["word"]), cure)
    for pattern in (_COMPARED, _TAGGED, _SUFFIXED, _SLASHED):
        match = pattern.fullmatch(word)
        if match is None:
            continue
        name, rest = match["field"].lower(), shortened(match["word"])
        if pattern is _COMPARED and is_date(name):
            raise QueryError(f"{name} does not name a field here", column, NO_DATES)
        if pattern is _SUFFIXED and name not in FIELDS_ELSEWHERE and name not in ANYWHERE:
            continue
        field = FIELDS_ELSEWHERE.get(name, "" if name in ANYWHERE else name)
        cure = f"write {field}:{rest or '(…)'}" if field else f"write {rest or '(…)'} alone: it is searched everywhere"
        if not any(map(str.isalnum, rest)) and (rest or pattern is _TAGGED):
            cure = f"leave the signs out: {name}"
        elif field not in {*FIELDS_ELSEWHERE.values(), ""}:
            cure = "leave it out; the fields are title, summary, body, author, source, lang, url and first/50"
        form = {_COMPARED: f"{name}=", _TAGGED: f"[{name}]", _SUFFIXED: f".{name}.", _SLASHED: f"/{name}"}[pattern]
        raise QueryError(f"{form} does not name a field here", column + match.start("field"), cure)


def _refuse_symbols(word: str, column: int) -> None:
    """Refuse what would be dropped in silence: `C++`, `50%`, `a=b`. Letters with a sign need a regular expression."""
    for place, char in enumerate(word):
        if char in "%!\\[]" or (unicodedata.category(char)[0] == "S" and char not in "`´"):
            cure = f"signs are not searched: leave it out, or write /{re.escape(shortened(word))}/"
            raise QueryError(f"a word cannot hold {char}", column + place, cure)


def is_date(name: str, *, colon: bool = False) -> bool:
    """Whether a field elsewhere is a date; with a colon, also `after:` and the like."""
    return name in _DATES or (colon and name in _DATES_BEFORE_COLONS)


def operator_between(word: str) -> str:
    """The operator here for a word that stands between two others: `N5`, `W5` (EBSCO), `same`; "" for none."""
    match = _SPACED.fullmatch(word)
    if match is not None:
        return f"{'NEAR' if match['letter'] == 'N' else 'ONEAR'}/{match['number']}"
    if word.isupper() and word in _ELSEWHERE:
        return _ELSEWHERE[word]
    if word.lower() == "near":
        return "NEAR/4"
    return "SAME" if word.lower().partition("/")[0] == "same" else ""


def refuse_language(text: str, column: int) -> None:
    """Refuse what is not the code of a language after `lang:`. Raises QueryError."""
    if _CODE.fullmatch(text):
        return
    code = language_code(text)
    cure = f"write lang:{code}" if code else "write a code of two or three letters: lang:fr"
    raise QueryError(f"{shortened(text)} is not the code of a language", column, cure)


def language_code(text: str) -> str:
    """The code for `fr-FR` and `french`, "" if it is not known."""
    code = re.split("[-_]", text)[0].lower()
    if _CODE.fullmatch(code):
        return code
    from babel import Locale

    wanted = text.casefold()
    for known in ("en", "fr", "de", "es", "ru", "ar"):
        for code, name in Locale(known).languages.items():
            if name.casefold() == wanted:
                return str(code)
    return ""
