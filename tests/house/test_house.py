"""The house inspects itself: what import contracts cannot see."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

from watchpost import failpoints
from watchpost.log import SENTENCES
from watchpost.notify import receivers
from watchpost.poll import sources
from watchpost.store.keys import Keys

ROOT = Path(__file__).parents[2]
HOUSE = ROOT / "src" / "watchpost"
MODULES = sorted(path for path in HOUSE.rglob("*.py"))
TEXTS = [*MODULES, *sorted((ROOT / "tests").rglob("*.py")), *sorted((ROOT / "benchmarks").rglob("*.py"))]
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "manager", "base"}
IMPURE_CALL = re.compile(r"\.(now|today|utcnow|time|monotonic|perf_counter)\(|\brandom\b|\bopen\(|\bprint\(")


def dotted(path: Path) -> str:
    parts = path.relative_to(HOUSE.parent).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def docstring(path: Path) -> str:
    return ast.get_docstring(ast.parse(path.read_text("utf-8"))) or ""


PURE = sorted(dotted(path) for path in MODULES if docstring(path).startswith("Pure:"))
# What a pure module never imports: the clock, chance, files, the network, and libraries that use them.
OUTSIDE = {
    *("asyncio", "os", "pathlib", "socket", "smtplib", "ssl", "subprocess", "threading", "logging", "time", "random"),
    *("secrets", "httpx", "redis", "structlog", "starlette", "aiosmtplib", "prometheus_client"),
}


def _imports(path: Path) -> Iterator[tuple[str, set[str]]]:
    """Each module that a file imports, with every name under which the import may mean a module of ours."""
    for node in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
        elif isinstance(node, ast.Import):
            for alias in node.names:
                yield alias.name, {alias.name}


def _values(module: str) -> set[str]:
    """The names in a module that hold a value or describe one: constants, dataclasses, protocols, enumerations."""
    found: set[str] = set()
    for node in ast.parse((HOUSE.parent / Path(*module.split(".")).with_suffix(".py")).read_text("utf-8")).body:
        if isinstance(node, ast.Assign | ast.AnnAssign):
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            found |= {each.id for target in targets for each in ast.walk(target) if isinstance(each, ast.Name)}
        elif isinstance(node, ast.ClassDef):
            kinds = " ".join(ast.unparse(each) for each in [*node.decorator_list, *node.bases])
            if re.search("dataclass|Protocol|Enum|BaseModel", kinds):
                found.add(node.name)
    return found


def test_a_pure_module_computes_from_its_arguments_alone() -> None:
    assert len(PURE) > 50
    wrong = []
    for name in PURE:
        path = HOUSE.parent / Path(*name.split(".")).with_suffix(".py")
        if asked := IMPURE_CALL.search(ast.unparse(ast.parse(path.read_text("utf-8")))):
            wrong.append(f"{name} calls {asked.group()}")
        for module, targets in _imports(path):
            if module.split(".")[0] in OUTSIDE:
                wrong.append(f"{name} imports {module}")
            if module.startswith("watchpost") and not targets & {*PURE, "watchpost.errors"}:
                functions = {target.rpartition(".")[2] for target in targets - {module}} - _values(module)
                wrong += [f"{name} imports {function} of {module}, which is not pure" for function in functions]
    assert not wrong, "\n".join(wrong)


def test_no_answer_is_unpacked_without_a_bound() -> None:
    """What httpx unpacks has no bound: answers are read as they are sent, and poll/http/decompress.py unpacks them."""
    unbounded = re.compile(r"\.aread\(|\.aiter_(bytes|text|lines)\(")
    found = [dotted(path) for path in MODULES if unbounded.search(path.read_text("utf-8"))]
    assert not found, found


def test_every_module_says_what_it_is_for_and_has_a_name_of_its_own() -> None:
    wrong = [str(path) for path in MODULES if path.stem in FORBIDDEN_NAMES]
    for path in MODULES:
        if path.name != "__init__.py":
            wrong += [] if docstring(path) else [f"{path} has no docstring"]
        elif path.parent.name not in {"sources", "receivers", "watchpost"} and path.read_text("utf-8"):
            wrong.append(f"{path}: only the packages that collect kinds, and watchpost itself, say anything")
    assert not wrong, "\n".join(wrong)


def test_the_kinds_are_these() -> None:
    assert sorted(sources.kinds()) == ["feed", "folder", "mailbox", "page"]
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
    table = (HOUSE / "store" / "keys.py").read_text("utf-8")
    for name in vars(Keys()).keys() - {"prefix", "parked"}:
        assert re.search(rf"^\| {name}[ :]", table, re.MULTILINE), name
    code = "".join(path.read_text("utf-8") for path in MODULES)
    for point in failpoints.POINTS:
        assert code.count(f'failpoints.point("{point}")') >= 1, point


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
