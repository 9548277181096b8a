"""The door to the disk: the configuration file, the files that it includes, and the lists of feeds that it names."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import takewhile
from pathlib import Path

from watchpost.errors import Complaint
from watchpost.plan.deprecated import renewed
from watchpost.plan.opml import MAX_BYTES as LIST_BYTES
from watchpost.plan.positions import Mapping, Mark, Node, Scalar, Sequence
from watchpost.plan.yaml_reader import read_yaml

MAX_BYTES = 1024 * 1024

_WILD = "*?["


@dataclass(frozen=True, slots=True)
class Files:
    """The main file and what it includes, in order; `names` are all files as complaints call them.

    `complete` is False if one of them could not be read: then it is unknown which names exist. `directories` are those
    in which a pattern may find more files tomorrow; `warnings` are about keys of earlier versions.
    """

    main: Mapping
    included: tuple[Mapping, ...]
    names: tuple[str, ...]
    complaints: tuple[Complaint, ...]
    complete: bool
    directories: tuple[Path, ...] = ()
    warnings: tuple[Complaint, ...] = ()


def read_files(path: Path) -> Files:
    """Reads `path` and its includes. Never raises: what is wrong with a file is a complaint."""
    main, complaints = _read(path)
    found = list(complaints)
    complete = main is not None
    root, warnings = renewed(main or Mapping(Mark(str(path)), {}))
    doubts = list(warnings)
    directories: dict[Path, None] = {}
    included: dict[Path, Mapping] = {}
    names = [str(path)]
    for pattern in _patterns(root):
        paths, problem = _matches(path, str(pattern.value))
        directories |= dict.fromkeys(watched_directory(path, str(pattern.value)))
        if problem:
            found.append(pattern.mark.complaint("include", problem))
        for one in paths:
            if str(one) in names or one.resolve() == path.resolve():
                continue  # matched by two patterns, or the main file itself
            names.append(str(one))
            tree, complaints = _read(one)
            found.extend(complaints)
            if tree is None:
                complete = False
            else:
                included[one], warnings = renewed(tree)
                doubts.extend(warnings)
    trees = tuple(included.values())
    return Files(root, trees, tuple(names), tuple(found), complete, tuple(directories), tuple(doubts))


def watched_directory(main: Path, pattern: str) -> tuple[Path, ...]:
    """The directory in which another file may come to match `pattern`; none for the name of one file."""
    plain = list(takewhile(lambda part: not any(character in part for character in _WILD), Path(pattern).parts))
    return () if len(plain) == len(Path(pattern).parts) else (main.parent.joinpath(*plain),)


def read_list(main: Path, pattern: str) -> tuple[tuple[tuple[str, bytes], ...], str]:
    """Name and content of the files that `pattern` names, and what is wrong: "no such file", "cannot be read: …".

    A relative pattern counts from the directory of `main`. Content ends after opml.MAX_BYTES + 1 bytes.
    """
    paths, problem = _matches(main, pattern)
    found = []
    for path in paths:
        try:
            with path.open("rb") as file:
                found.append((str(path), file.read(LIST_BYTES + 1)))
        except OSError as error:
            return (), f"{path} cannot be read: {error.strerror}"
    return tuple(found), problem or ("" if found else "no file matches")


def _patterns(root: Mapping) -> Iterator[Scalar]:
    node = root.get("include")
    nodes: tuple[Node, ...] = node.items if isinstance(node, Sequence) else () if node is None else (node,)
    return (one for one in nodes if isinstance(one, Scalar) and isinstance(one.value, str))


def _matches(main: Path, pattern: str) -> tuple[list[Path], str]:
    given = Path(pattern)
    base, relative = (Path(given.anchor), given.relative_to(given.anchor)) if given.anchor else (main.parent, given)
    try:
        paths = sorted(base.glob(str(relative)))
    except (ValueError, NotImplementedError, OSError):
        return [], "not a pattern for files"
    if not any(character in pattern for character in _WILD):
        return (paths, "") if paths else ([], "no such file")
    # Editors leave hidden twins beside the files they edit.
    return [path for path in paths if path.is_file() and (not path.name.startswith(".") or given.name[0] == ".")], ""


def _read(path: Path) -> tuple[Mapping | None, tuple[Complaint, ...]]:
    """The root mapping of one file. A file without content is an empty mapping."""
    whole = Mark(str(path))
    try:
        with path.open("rb") as file:
            raw = file.read(MAX_BYTES + 1)
    except FileNotFoundError:
        return None, (whole.complaint("", "no such file"),)
    except IsADirectoryError:
        return None, (whole.complaint("", "this is a directory; name a YAML file"),)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "not a file name"
        return None, (whole.complaint("", f"cannot be read: {reason}"),)
    if len(raw) > MAX_BYTES:
        return None, (whole.complaint("", "larger than 1 MiB; split it with include"),)
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = raw[: error.start].split(b"\n")
        column = len(before[-1].decode("utf-8", "replace")) + 1
        return None, (Mark(str(path), len(before), column).complaint("", "not UTF-8; save the file as UTF-8"),)
    tree, complaints = read_yaml(text, str(path))
    if isinstance(tree, Mapping):
        return tree, complaints
    if complaints:
        return None, complaints
    if tree is None or (isinstance(tree, Scalar) and tree.value is None):
        return Mapping(Mark(str(path)), {}), ()
    return None, (tree.mark.complaint("", "a configuration is a mapping: lines like `version: 1`"),)
