"""Still: file name patterns with `**`, `*`, `?`, `[…]` and `{a,b}`, as regular expressions."""

from __future__ import annotations

import re

_MOST = 1000


def expand_braces(pattern: str) -> tuple[str, ...]:
    """Every pattern that the brace sets in `pattern` stand for; ValueError for an unclosed brace or over 1,000."""
    done: list[str] = []
    todo = [pattern]
    while todo:
        current = todo.pop()
        match = re.search(r"\{([^{}]*)\}", current)
        if match is None:
            if "{" in current or "}" in current:
                raise ValueError(f"a brace is not closed in {pattern!r}")
            done.append(current)
        else:
            todo += [current[: match.start()] + one + current[match.end() :] for one in match[1].split(",")]
        if len(done) + len(todo) > _MOST:
            raise ValueError(f"the braces in {pattern!r} stand for more than {_MOST} patterns")
    return tuple(reversed(done))


def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole relative paths with `/`; letters match in either case.

    `**/` stands for any number of directories, none included; `*` and `?` do not cross a `/`.
    """
    return re.compile("|".join(f"(?:{_translate(one)})" for one in expand_braces(pattern)), re.IGNORECASE | re.DOTALL)


def _translate(pattern: str) -> str:
    out, i = [], 0
    while i < len(pattern):
        if pattern.startswith("**/", i):
            out.append("(?:[^/]+/)*")
            i += 3
        elif pattern.startswith("**", i):
            out.append(".*")
            i += 2
        elif pattern[i] == "*":
            out.append("[^/]*")
            i += 1
        elif pattern[i] == "?":
            out.append("[^/]")
            i += 1
        elif pattern[i] == "[" and (end := pattern.find("]", i + 2)) > 0:
            inside = pattern[i + 1 : end].replace("\\", "\\\\").replace("[", "\\[")
            out.append(f"(?!/)[{'^' + inside[1:] if inside.startswith('!') else inside}]")
            i = end + 1
        else:
            out.append(re.escape(pattern[i]))
            i += 1
    return "".join(out)
