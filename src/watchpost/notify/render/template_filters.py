"""Pure: filters of templates that can make long texts of short ones: they measure a result before they make it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from typing import Any

from jinja2 import pass_eval_context
from jinja2.filters import do_batch, do_replace, do_tojson, sync_do_join, sync_do_slice
from jinja2.nodes import Concat, EvalContext, Filter, List, Node
from jinja2.visitor import NodeTransformer

LARGEST = 1_000_000
"""Code points that a template, or a part of it, may write."""

LONG_MAKERS = frozenset({"expandtabs", "format", "format_map", "translate"})
"""Methods of texts that templates may not call: how long their result is cannot be measured before."""

_WIDTHS = frozenset({"ljust", "rjust", "center", "zfill"})
_WIDEST_INDENT = 8


class ResultTooLarge(ValueError):
    """A part of the template would write too much."""


def measure(size: int) -> None:
    """Raises ResultTooLarge for more than `LARGEST`."""
    if size > LARGEST:
        raise ResultTooLarge(f"the result has more than {LARGEST:,} characters")


def measure_call(method: Any, arguments: Sequence[Any]) -> None:
    """Raises ResultTooLarge if this call of a method of a text would make too long a text."""
    text, name = getattr(method, "__self__", None), getattr(method, "__name__", "")
    if not isinstance(text, str):
        return
    if name in _WIDTHS and arguments and isinstance(arguments[0], int):
        measure(arguments[0])
    elif name == "replace" and len(arguments) > 1:
        measure(len(text) + text.count(str(arguments[0])) * len(str(arguments[1])))
    elif name == "join" and arguments and isinstance(arguments[0], str | list | tuple):
        measure(len(text) * len(arguments[0]) + sum(len(str(each)) for each in arguments[0]))


@pass_eval_context
def _replace(context: EvalContext, text: str, old: str, new: str, count: int | None = None) -> str:
    text, old, new = str(text), str(old), str(new)
    times = text.count(old) if count is None else min(text.count(old), max(count, 0))
    measure(len(text) + times * len(new))
    return do_replace(context, text, old, new, count)


@pass_eval_context
def _join(context: EvalContext, values: Iterable[Any], d: str = "", attribute: str | int | None = None) -> str:
    values = list(values)
    measure(len(str(d)) * len(values) + sum(len(value) for value in values if isinstance(value, str)))
    return sync_do_join(context, values, d, attribute)


def _batch(value: Iterable[Any], linecount: int, fill_with: Any = None) -> Iterable[list[Any]]:
    measure(linecount)
    return do_batch(value, linecount, fill_with)


def _slice(value: Collection[Any], slices: int, fill_with: Any = None) -> Iterable[list[Any]]:
    measure(slices)
    return sync_do_slice(value, slices, fill_with)


@pass_eval_context
def _to_json(context: EvalContext, value: Any, indent: int | None = None) -> str:
    if indent is not None and not 0 <= indent <= _WIDEST_INDENT:
        raise ResultTooLarge(f"tojson indents by at most {_WIDEST_INDENT} spaces")
    return do_tojson(context, value, indent)


class JoinedInsteadOfConcatenated(NodeTransformer):
    """Turns `a ~ b` into `[a, b]|join`, which is measured."""

    def visit_Concat(self, node: Concat) -> Node:  # noqa: N802 - the library calls it
        self.generic_visit(node)
        return Filter(List(node.nodes, lineno=node.lineno), "join", [], [], None, None, lineno=node.lineno)


MEASURED: Mapping[str, Callable[..., Any]] = {
    "replace": _replace,
    "join": _join,
    "batch": _batch,
    "slice": _slice,
    "tojson": _to_json,
}
"""By the names of Jinja2's own."""
