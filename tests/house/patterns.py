"""Every regular expression of the code, and texts made from it that are the worst for it.

A repeat is what makes a backtracking engine slow: it is tried at each start and given back character by character. The
texts therefore reach a repeat, feed it for long, and end in what fits nothing.
"""

from __future__ import annotations

import ast
import importlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from itertools import islice
from pathlib import Path
from types import ModuleType
from typing import Any

import regex

import watchpost

kinds: Any = importlib.import_module("re._constants")  # how the engine reads an expression; typed nowhere
parser: Any = importlib.import_module("re._parser")

_TABLE = Path(__file__).with_name("patterns.txt")
ROOT = Path(watchpost.__file__).parent
_CALLS = frozenset({"compile", "search", "match", "fullmatch", "sub", "subn", "split", "findall", "finditer"})
_ANCHORED = frozenset({"match", "fullmatch"})
_REPEATS = (kinds.MAX_REPEAT, kinds.MIN_REPEAT, kinds.POSSESSIVE_REPEAT)
_MOST_FED = 10  # characters of a set that are tried
_MANY = 16  # a repeat of fewer is no work
_LETTERS = "a0 .A\n\t-_<>&;:/\"'()[]{}#*=,|é\u0301ж中\u200b\u00a0!"
_SPACE, _WORD, _DIGIT = re.compile(r"\s"), re.compile(r"\w"), re.compile(r"\d")


@dataclass(frozen=True, slots=True)
class Pattern:
    """One expression of the code. `key` names its module and itself; `anchored`: it is only tried at one place.

    `compiled` is empty if its text is made when the code runs.
    """

    key: str
    anchored: bool
    whole: bool
    compiled: tuple[Any, ...]

    def run(self, text: str, *, fullmatch: bool = False) -> None:
        """Use the expression on the text as the code does, without looking at the result."""
        for each in self.compiled:
            given = text if isinstance(each.pattern, str) else text.encode("utf-8", "replace")
            if self.whole or fullmatch:
                each.fullmatch(given)
            elif self.anchored:
                each.match(given)
            else:
                each.subn("" if isinstance(given, str) else b"", given)


def patterns() -> Iterator[Pattern]:
    """All of them, module by module."""
    for path in sorted(ROOT.rglob("*.py")):
        source = path.read_text()
        if "re." not in source and "regex." not in source:
            continue
        tree = ast.parse(source)
        name = "watchpost." + ".".join(path.relative_to(ROOT).with_suffix("").parts)
        yield from _of_module(str(path.relative_to(ROOT)), tree, name)


@cache
def table() -> dict[str, str]:
    """By its key how long the texts are that an expression is given; see the table."""
    lines = [line for line in _TABLE.read_text().splitlines() if line and not line.startswith("#")]
    return {line[14:]: line[:14].strip() for line in lines}


def _of_module(where: str, tree: ast.Module, name: str) -> Iterator[Pattern]:
    calls = [node for node in ast.walk(tree) if isinstance(node, ast.Call) and _is_call(node)]
    if not calls:
        return
    module = importlib.import_module(name)
    named: dict[ast.AST, str] = {}
    for statement in tree.body:
        if isinstance(statement, ast.Assign | ast.AnnAssign) and statement.value is not None:
            targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
            variables = [leaf.id for target in targets for leaf in ast.walk(target) if isinstance(leaf, ast.Name)]
            for node in ast.walk(statement.value):
                named[node] = " ".join(variables)
    uses = _uses(tree)
    seen: dict[str, int] = {}
    for call in sorted(calls, key=lambda call: (call.lineno, call.col_offset)):
        method = call.func.attr  # type: ignore[attr-defined]
        label = named.get(call) or ast.unparse(call.args[0])[:60]
        seen[label] = seen.get(label, 0) + 1
        key = f"{where} {label}" + (f" {seen[label]}" if seen[label] > 1 else "")
        methods = {method} if method != "compile" else set().union(*(uses.get(each, set()) for each in label.split()))
        anchored = bool(methods) and methods <= _ANCHORED
        compiled = _compiled(call, module) or tuple(
            each for variable in named.get(call, "").split() for each in _held(getattr(module, variable))
        )
        yield Pattern(key, anchored, methods == {"fullmatch"}, compiled)


def _is_call(node: ast.AST) -> bool:
    return (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and node.func.value.id in ("re", "regex")
        and node.func.attr in _CALLS
    )


def _uses(tree: ast.Module) -> Mapping[str, set[str]]:
    """By name the methods that the module calls on it."""
    uses: dict[str, set[str]] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.attr in _CALLS:
            uses.setdefault(node.value.id, set()).add(node.attr)
    return uses


def _compiled(call: ast.Call, module: ModuleType) -> tuple[Any, ...]:
    """What the call compiles; nothing if it depends on what a function was given."""
    method = call.func.attr  # type: ignore[attr-defined]
    engine = {"re": re, "regex": regex}[call.func.value.id]  # type: ignore[attr-defined]
    flags = [word.value for word in call.keywords if word.arg == "flags"]
    if method == "compile":
        flags += call.args[1:2]
    names = vars(module) | {"key": "items"}
    try:
        text, *values = (
            eval(compile(ast.Expression(node), "pattern", "eval"), names) for node in [call.args[0], *flags]
        )
    except NameError:
        return ()
    return (engine.compile(text, *values),)


def _held(value: object) -> Iterator[Any]:
    """The expressions in a value."""
    if isinstance(value, re.Pattern):
        yield value
    elif isinstance(value, dict):
        yield from (found for each in value.values() for found in _held(each))
    elif isinstance(value, list | tuple):
        yield from (found for each in value for found in _held(each))


def worst_texts(pattern: Any, size: int) -> Iterator[str]:
    """Texts of about `size` characters that make the expression work most."""
    text = pattern.pattern if isinstance(pattern.pattern, str) else pattern.pattern.decode("latin-1")
    yield from (letter * size for letter in _LETTERS)
    try:
        tree = parser.parse(text, pattern.flags & ~re.UNICODE if isinstance(pattern.pattern, bytes) else 0)
    except (re.error, OverflowError):  # the other engine has a language of its own
        return
    for before, fed in _pumps(list(tree), ""):
        if fed:
            yield from (before + fed * (size // len(fed)) + end for end in ("", "\x01", "!"))
            yield (before + fed) * (size // len(before + fed)) + "\x01"
        if before:
            yield before * (size // len(before)) + "\x01"
            yield (before + "a") * (size // (len(before) + 1)) + "\x01"
    if whole := _sample(list(tree)):
        yield whole * (size // len(whole))
        yield whole[:-1] * (size // len(whole)) if len(whole) > 1 else ""


def _pumps(items: list[Any], before: str) -> Iterator[tuple[str, str]]:
    """For each repeat the text that leads to it, and one that feeds it."""
    for kind, value in items:
        if kind in _REPEATS:
            _, most, inner = value
            if most is kinds.MAXREPEAT or most >= _MANY:
                yield from ((before, fed) for fed in _samples(list(inner)))
            yield from _pumps(list(inner), before)
        elif kind is kinds.BRANCH:
            for branch in value[1]:
                yield from _pumps(list(branch), before)
        elif kind is kinds.SUBPATTERN:
            yield from _pumps(list(value[3]), before)
        elif kind in (kinds.ASSERT, kinds.ASSERT_NOT):
            yield from _pumps(list(value[1]), before)
        elif kind is kinds.ATOMIC_GROUP:
            yield from _pumps(list(value), before)
        before += _sample([(kind, value)])


def _samples(items: list[Any]) -> Iterator[str]:
    """Some texts that fit; of a set the most different characters."""
    if len(items) == 1 and items[0][0] in (kinds.IN, kinds.NOT_LITERAL, kinds.ANY):
        yield from _members(items[0])
        return
    if len(items) == 1 and items[0][0] is kinds.BRANCH:
        yield from (_sample(list(branch)) for branch in items[0][1][1])
        return
    if len(items) == 1 and items[0][0] is kinds.SUBPATTERN:
        yield from _samples(list(items[0][1][3]))
        return
    if len(items) == 1 and items[0][0] in _REPEATS:
        yield from _samples(list(items[0][1][2]))
        return
    yield _sample(items)
    if len(items) > 1:
        firsts = list(_samples(items[:1]))
        rest = _sample(items[1:])
        yield from (first + rest for first in firsts)


def _sample(items: list[Any]) -> str:
    """One short text that fits."""
    return "".join(map(_piece, items))


def _piece(item: Any) -> str:
    kind, value = item
    if kind is kinds.LITERAL:
        return chr(value)
    if kind in (kinds.IN, kinds.NOT_LITERAL, kinds.ANY):
        return next(_members(item), "")
    if kind in _REPEATS:
        return _sample(list(value[2])) * int(min(value[0], 5_000))
    if kind is kinds.BRANCH:
        return _sample(list(value[1][0]))
    if kind is kinds.SUBPATTERN:
        return _sample(list(value[3]))
    if kind is kinds.ATOMIC_GROUP:
        return _sample(list(value))
    return ""


def _members(item: Any) -> Iterator[str]:
    kind, value = item
    own: list[str] = []
    if kind is kinds.IN:
        own = [chr(each) for name, each in value if name is kinds.LITERAL]
        own += [chr(each[0]) for name, each in value if name is kinds.RANGE]
    found = dict.fromkeys(letter for letter in [*own[:4], *_LETTERS] if _fits(kind, value, letter))
    yield from islice(found, _MOST_FED)


def _fits(kind: Any, value: Any, letter: str) -> bool:
    if kind is kinds.ANY:
        return letter != "\n"
    if kind is kinds.NOT_LITERAL:
        return letter != chr(value)
    inside, negated = False, False
    for name, each in value:
        if name is kinds.NEGATE:
            negated = True
        elif name is kinds.LITERAL:
            inside |= letter == chr(each)
        elif name is kinds.RANGE:
            inside |= each[0] <= ord(letter) <= each[1]
        elif name is kinds.CATEGORY:
            inside |= _in_category(str(each), letter)
    return inside != negated


def _in_category(name: str, letter: str) -> bool:
    among = _SPACE if "SPACE" in name else _DIGIT if "DIGIT" in name else _WORD
    return (among.match(letter) is not None) != ("NOT" in name)
