"""The house inspects itself: what import contracts cannot see."""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

from watchpost import crash
from watchpost.notify import receivers
from watchpost.poll import sources
from watchpost.telemetry import SENTENCES
from watchpost.wire.keys import Keys

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "watchpost"
MODULES = sorted(path for path in HOUSE.rglob("*.py"))
TEXTS = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
# What a still module may ask of nobody: the time, chance, the outside.
RESTLESS = re.compile(r"\.(now|today|utcnow|time|monotonic|perf_counter)\(|\brandom\b|\bopen\(|\bprint\(")


def dotted(path: Path) -> str:
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


STILL = sorted(dotted(path) for path in MODULES if docstring(path).startswith("Still:"))


def test_the_still_modules_are_the_ones_that_the_contract_watches() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))
    (contract,) = (c for c in config["tool"]["importlinter"]["contracts"] if c["name"].startswith("Still"))
    assert sorted(contract["source_modules"]) == STILL


@pytest.mark.parametrize("name", STILL)
def test_a_still_module_asks_nobody_for_time_or_chance_and_leans_on_still_ones_only(name: str) -> None:
    path = HOUSE.parent / Path(*name.split(".")).with_suffix(".py")
    tree = ast.parse(path.read_text("utf-8"))
    code = ast.unparse(tree)
    assert not RESTLESS.search(code), RESTLESS.search(code)
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and node.module and node.module.startswith("watchpost."):
            targets = {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
            assert targets & {*STILL, "watchpost.errors"}, f"{name} imports {node.module}, which is not still"


@pytest.mark.parametrize("path", TEXTS, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_room_is_longer_than_three_hundred_lines(path: Path) -> None:
    assert len(path.read_text("utf-8").splitlines()) <= 300


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_room_says_what_it_is_for_and_has_a_name_of_its_own(path: Path) -> None:
    assert path.stem not in FORBIDDEN_NAMES
    if path.name != "__init__.py":
        assert docstring(path)
    elif path.parent.name not in {"sources", "receivers", "watchpost"}:
        assert path.read_text("utf-8") == "", "only the two that collect kinds, and the package's own, say anything"


def test_the_kinds_are_these() -> None:
    assert sorted(sources.kinds()) == ["feed", "folder"]
    assert sorted(receivers.kinds()) == [
        "apprise",
        "console",
        "discord",
        "email",
        "file",
        "mattermost",
        "ntfy",
        "slack",
        "teams",
        "webhook",
    ]


def test_every_key_is_described_and_every_crash_point_is_placed() -> None:
    table = (HOUSE / "wire" / "keys.py").read_text("utf-8")
    for name in (n for n in vars(Keys) if not n.startswith("_") and n not in {"prefix", "parked"}):
        assert re.search(rf"^\| {name}[ :]", table, re.MULTILINE), name
    code = "".join(path.read_text("utf-8") for path in MODULES)
    for point in crash.POINTS:
        assert code.count(f'crash.point("{point}")') >= 1, point


def test_nothing_names_a_machine_or_a_registry() -> None:
    unwelcome = re.compile(r"pyp[i]\.org|pythonhoste[d]|deb\.debia[n]\.org|(^|[^\w.])/(wor[k]|roo[t])/")
    for path in [
        *TEXTS,
        *(p for p in ROOT.glob("*.*") if p.is_file() and p.name != ".git"),  # a file in a second work tree
        *ROOT.glob("docs/**/*.md"),
        *ROOT.glob("config/**/*.yaml"),
    ]:
        assert not unwelcome.search(path.read_text("utf-8")), path


def _logged(path: Path) -> Iterator[tuple[str, set[str] | None]]:
    """Each event that a module logs, with the names of its facts; None if they come in a mapping."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if not isinstance(call, ast.Call) or not call.args:
            continue
        name = call.func.attr if isinstance(call.func, ast.Attribute) else getattr(call.func, "id", "")
        if name in {"info", "warning", "error", "exception", "tell"}:
            facts = None if any(each.arg is None for each in call.keywords) else {str(e.arg) for e in call.keywords}
            for part in ast.walk(call.args[0]):
                if isinstance(part, ast.Constant) and re.fullmatch(r"[a-z]+\.[a-z_]+", str(part.value)):
                    yield str(part.value), facts


def test_every_event_has_a_sentence_and_gives_the_facts_that_it_speaks_of() -> None:
    found = [(path.name, event, facts) for path in MODULES for event, facts in _logged(path)]
    assert len(found) > 50
    for name, event, facts in found:
        assert event in SENTENCES, f"{event} in {name}"
        named = set(re.findall(r"{(\w+)", SENTENCES[event]))
        assert facts is None or named <= facts, f"{event} in {name} lacks {named - (facts or set())}"
