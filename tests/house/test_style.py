"""Documents and user-visible strings keep to the list of words in docs/style.md."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
CODE = ROOT / "src" / "watchpost"
STYLE = ROOT / "docs" / "style.md"
DOCUMENTS = [*ROOT.glob("*.md"), *ROOT.glob("docs/**/*.md"), *ROOT.glob("deploy/**/*.md")]
SHIPPED = [
    *(ROOT / name for name in ("Dockerfile", "Makefile", "docker-compose.yml")),
    *(CODE / "operations").glob("*.yaml"),
    *(
        path
        for folder in ("config", "deploy")
        for path in (ROOT / folder).rglob("*")
        if path.suffix in {".yaml", ".service"}
    ),
]


def _banned() -> dict[str, str]:
    """The words of docs/style.md, each with what to write instead."""
    block = re.findall(r"```text\n(.*?)```", STYLE.read_text("utf-8"), re.DOTALL)[-1]
    return dict(re.split(r"\s{2,}", line, maxsplit=1) for line in block.splitlines())


BANNED = _banned()
PATTERN = re.compile(
    r"\b(" + "|".join(r"\s+".join(map(re.escape, phrase.split())) for phrase in BANNED) + r")s?\b", re.IGNORECASE
)


def _blank(text: str, pattern: str) -> str:
    """The text with each match replaced by as many signs that are no word, so that places stay what they are."""
    return re.sub(pattern, lambda match: re.sub(r"[^\n]", "`", match[0]), text, flags=re.DOTALL | re.MULTILINE)


def _findings(text: str, where: str, line: int = 1) -> Iterator[str]:
    """`where:line: "phrase"; write …` for each banned phrase, also for one that runs over the end of a line."""
    for match in PATTERN.finditer(text):
        phrase = " ".join(match[1].lower().split())
        yield f'{where}:{line + text.count(chr(10), 0, match.start())}: "{phrase}"; write: {BANNED[phrase]}'


def _strings(tree: ast.Module) -> Iterator[tuple[str, int]]:
    """Each string literal that a person may read, with its line: not docstrings, and not single lower-case words."""
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if not isinstance(node, ast.Constant) or not isinstance(node.value, str) or id(node) in docstrings:
            continue
        if " " in node.value or node.value[:1].isupper():
            yield node.value, node.lineno


def _newest(changelog: str) -> str:
    """The changelog up to the second heading of a version."""
    headings = [match.start() for match in re.finditer(r"^## ", changelog, re.MULTILINE)]
    return changelog[: headings[1]] if len(headings) > 1 else changelog


def test_the_list_is_short_and_sorted_out() -> None:
    assert 20 <= len(BANNED) <= 40
    assert not [phrase for phrase in BANNED if phrase != phrase.lower() or not BANNED[phrase]]
    assert [*_findings("An edition\nthat was\ntold.", "x.md", 5)] == [
        'x.md:5: "edition"; write: digest; digest or alert: message',
        'x.md:7: "told"; write: sent, delivered, reported',
    ]


def test_documents_keep_to_the_style() -> None:
    wrong: list[str] = []
    for path in DOCUMENTS:
        name = path.relative_to(ROOT).as_posix()
        text = path.read_text("utf-8")
        text = _newest(text) if path.name == "CHANGELOG.md" else text
        text = text.partition("keeps documents and")[0] if path == STYLE else text
        wrong += _findings(_blank(_blank(text, r"```.*?\n```"), r"`[^`\n]*`|\]\([^)]*\)"), name)
    assert not wrong, "\n".join(wrong)


def test_comments_in_shipped_files_keep_to_the_style() -> None:
    wrong: list[str] = []
    for path in SHIPPED:
        wrong += _findings(_blank(path.read_text("utf-8"), r"^[^#\n]*"), path.relative_to(ROOT).as_posix())
    assert not wrong, "\n".join(wrong)


def test_strings_keep_to_the_style() -> None:
    wrong: list[str] = []
    for path in sorted(CODE.rglob("*")):
        name = path.relative_to(ROOT).as_posix()
        if path.suffix == ".py":
            for text, line in _strings(ast.parse(path.read_text("utf-8"))):
                wrong += _findings(_blank(text, r"\{\w*\}"), name, line)
        elif path.suffix in {".html", ".po", ".j2"}:
            shown = _blank(path.read_text("utf-8"), r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}")
            shown = _blank(shown, r"\b(?:href|action|class|id|name|value|src|for)=\"[^\"]*\"")
            wrong += _findings(shown, name)
    assert not wrong, "\n".join(wrong)
