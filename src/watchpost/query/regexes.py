"""Still: regular expressions for queries, by RE2: time grows with the text, never with the expression's cleverness.

The expression is put to the text as it is written, with accents, but blind to case unless it begins with (?-i).
RE2 takes \\w, \\d, \\s and \\b for ASCII only; here they know all scripts: the first three are written out, and a \\b
at either end of the expression, or of one of its branches, is checked against the letters around the match.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

import re2

from watchpost.errors import QueryError

LONGEST = 500
"""The characters that an expression may have."""

MOST_MATCHES = 200
"""The matches that are looked for in one field."""

_MEMORY = 8 << 20  # bytes for the program and its automaton; RE2 refuses what does not fit
_LARGEST = 20_000  # instructions
# What does not belong to words: spaces and punctuation. Written out, because [\pL\pM\pN] makes a program ten times
# as large.
_APART = (
    r"\x00-/:-@\[-\^`{-\x{a9}\x{ab}-\x{b1}\x{b4}\x{b6}-\x{b8}\x{bb}\x{bf}\x{d7}\x{f7}\x{37e}\x{387}\x{55a}-\x{55f}"
    r"\x{589}\x{58a}\x{5be}\x{5f3}\x{5f4}\x{60c}\x{61b}\x{61f}\x{66a}-\x{66d}\x{6d4}\x{964}\x{965}\x{2000}-\x{2bff}"
    r"\x{3000}-\x{3004}\x{3008}-\x{3020}\x{3030}\x{30fb}\x{fd3e}\x{fd3f}\x{fe10}-\x{fe6f}\x{ff01}-\x{ff0f}"
    r"\x{ff1a}-\x{ff20}\x{ff3b}-\x{ff40}\x{ff5b}-\x{ff65}\x{1f000}-\x{1faff}"
)
_WRITTEN_OUT = {
    "w": f"[^{_APART}]",
    "W": f"[{_APART}]",
    "s": r"[\s\pZ]",
    "S": r"[^\s\pZ]",
    "d": r"\p{Nd}",
    "D": r"\P{Nd}",
}
_IN_BRACKETS = {"W": _APART, "s": r"\s\pZ", "d": r"\p{Nd}", "D": r"\P{Nd}", "w": r"\pL\pM\pN_"}
_FLAGS = re.compile(r"\(\?[ims]*(?:-[ims]+)?\)")
_PIECE = re.compile(
    r"""(?P<escape> \\[pP]\{\^?\w+\} | \\x\{[0-9a-fA-F]+\} | \\. )
    | (?P<posix> \[:\^?\w+:\] )
    | (?P<group> \( (?: \?P?<\w+> | (?!\?) ) )
    | (?P<plain> . )""",
    re.VERBOSE | re.DOTALL,
)


class Expression:
    """A compiled expression. Raises QueryError with the column in the expression, counted from 1."""

    __slots__ = ("_compiled",)

    def __init__(self, text: str) -> None:
        if len(text) > LONGEST:
            problem = f"the expression has {len(text)} characters, at most {LONGEST} are allowed"
            raise QueryError(problem, LONGEST + 1, "divide it into several, joined by OR")
        _compile(text, text)  # as it is written, because RE2 quotes what it complains of
        flags = _FLAGS.match(text)
        begin = flags.end() if flags else 0
        self._compiled = _compile(text[:begin] + _translated(text, begin), text)
        if self._compiled.programsize > _LARGEST:
            raise _too_large()
        if self._compiled.search(b"") is not None:
            raise QueryError("the expression also matches nothing at all", 1, "write what must stand there at least")

    def spans(self, text: bytes) -> Iterator[tuple[int, int]]:
        """Start and end of at most MOST_MATCHES matches in UTF-8 text, in order, none of them empty."""
        at = 0
        for _ in range(MOST_MATCHES):
            match = self._compiled.search(text, at)
            if match is None:
                return
            start, at = match.span(match.lastindex)
            yield start, at


def _compile(expression: str, written: str) -> re2._Regexp:
    """The expression compiled; the column of a complaint is the one in what was `written`."""
    options = re2.Options()
    options.log_errors = False
    options.case_sensitive = False
    options.max_mem = _MEMORY
    try:
        return re2.compile(expression, options)
    except (re2.error, UnicodeEncodeError) as error:
        raw = error.args[0] if isinstance(error, re2.error) else b"not text"
        reason, _, quoted = (raw.decode(errors="replace") if isinstance(raw, bytes) else str(raw)).partition(": ")
        if reason.startswith("pattern too large"):
            raise _too_large() from None
        place = written.find(quoted) + 1 if quoted else 1
        cure = 'look-around and back-references do not exist here; write \\( for a bracket, or "…" for plain text'
        raise QueryError(f"not a regular expression: {reason}", max(place, 1), cure) from None


def _translated(text: str, begin: int) -> str:
    """The expression from `begin` on, each branch in a group of its own, with \\w, \\d, \\s, \\b for all scripts."""
    branches: list[list[tuple[str, int]]] = [[]]
    depth = bracket = 0  # bracket: where the open [ stands, counted from 1
    for match in _PIECE.finditer(text, begin):
        piece, place = match[0], match.start() + 1
        if match["escape"]:
            piece = _escape(piece, place, bool(bracket), bool(depth))
        elif bracket:
            if piece == "]" and place > bracket + 1 + (text[bracket] == "^"):
                bracket = 0
        elif piece == "[":
            bracket = place
        elif match["group"]:
            depth, piece = depth + 1, "(?:"
        elif piece in ("(", ")"):
            depth += 1 if piece == "(" else -1
        elif piece == "|" and not depth:
            branches.append([])
            continue
        branches[-1].append((piece, place))
    return "|".join(map(_branch, branches))


def _escape(piece: str, place: int, bracket: bool, depth: bool) -> str:
    """What to write for an escaped letter; a \\b outside of brackets and groups stays."""
    letter = piece[1]
    if letter in "BQEC" or (letter == "b" and (bracket or depth)):
        raise _unknown(piece, place)
    if bracket and letter == "S":
        raise QueryError("\\S inside [ ]", place, "write what may stand there")
    if len(piece) > 2:
        return piece
    return (_IN_BRACKETS if bracket else _WRITTEN_OUT).get(letter, piece)


def _branch(pieces: list[tuple[str, int]]) -> str:
    before = after = ""
    if pieces and pieces[0][0] == r"\b":
        before, pieces = f"(?:^|[{_APART}])", pieces[1:]
    if pieces and pieces[-1][0] == r"\b":
        after, pieces = f"(?:$|[{_APART}])", pieces[:-1]
    for piece, place in pieces:
        if piece == r"\b":
            raise _unknown(piece, place)
    return before + "(" + "".join(piece for piece, _ in pieces) + ")" + after


def _too_large() -> QueryError:
    return QueryError("the expression is too large", 1, "write smaller numbers in its {}")


def _unknown(piece: str, place: int) -> QueryError:
    cure = "a \\b stands at the beginning or the end of the expression, or of one of its branches"
    return QueryError(f"{piece} is not possible here", place, cure if piece == "\\b" else "leave it out")
