"""What is in a folder on disk, and the bytes of one file. Only regular files are ever opened."""

from __future__ import annotations

import contextlib
import errno
import os
import re
import stat
import unicodedata
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from watchpost.documents.parse import LINE_SUFFIXES, SUFFIXES
from watchpost.documents.results import Failure
from watchpost.plurals import count

_UNFINISHED = (".tmp", ".part", ".partial", ".filepart", ".crdownload", ".opdownload", ".download", ".aria2", "~")
# Word, Excel and PowerPoint keep such a file beside a document that is open; editors and Syncthing have their own.
_LOCK = ("~$", "~syncthing~", "#")
_OF_SYSTEMS = frozenset({"__macosx", "@eadir", "$recycle.bin", "system volume information", "lost+found"})
_PAGES = (".html", ".htm", ".xhtml", ".mht", ".mhtml", ".HTML", ".HTM")
# What browsers call the directory with the pictures and frames of a saved page, in the language of the system.
_PAGE_PARTS = (
    "_files", ".files", "-Dateien", "_fichiers", "_bestanden", "_file", "_archivos", "-filer", "_tiedostot", "_pliki",
    "_soubory", "_elemei", "_ficheiros", "_arquivos", "_dosyalar", "_datoteke", "_fitxers", "_failid", "_fails",
    "_bylos", "_fajlovi", "_fitxategiak",
)  # fmt: skip
_PAGE_ENDS = tuple(end.lower() for end in _PAGE_PARTS)
_ENDINGS_NAMED = 12
_DEPTH_MAX = 40


@dataclass(frozen=True, slots=True)
class ScannedFile:
    """A regular file as one scan saw it. `path` is relative to the folder, with `/`; times are in ns of the epoch."""

    path: str
    size: int
    mtime_ns: int
    ctime_ns: int
    inode: int
    device: int

    @property
    def shown(self) -> str:
        """The path as it may be stored and shown."""
        return shown(self.path)

    @property
    def stamp(self) -> str:
        """Equal stamps: nobody wrote to the file in between."""
        return f"{self.size}:{self.mtime_ns}:{self.inode}"

    @property
    def grows(self) -> bool:
        """Whether the file is read while it grows: JSON Lines, of which each complete line is complete."""
        return PurePosixPath(self.path).suffix.lower() in LINE_SUFFIXES

    def is_as_seen(self, facts: os.stat_result, *, whole: bool = True) -> bool:
        """Whether the file has not changed. Without `whole` it may have grown."""
        if not stat.S_ISREG(facts.st_mode) or (facts.st_dev, facts.st_ino) != (self.device, self.inode):
            return False
        return not whole or (facts.st_size, facts.st_mtime_ns) == (self.size, self.mtime_ns)


def shown(path: str) -> str:
    """A file name as it may be stored and shown: what is no letter, mark or space is escaped."""
    if path.isprintable() and "\\" not in path:
        return path
    return "".join(c if c.isprintable() and c != "\\" else c.encode("unicode_escape").decode() for c in path)


def words_of(error: OSError) -> str:
    """What the system says of an error: "permission denied"."""
    return (error.strerror or type(error).__name__).lower()


@dataclass(slots=True)
class FolderScan:
    """The files under `root` whose path fits the pattern, and what could not be looked at.

    `others` counts the files that do not fit it, by their endings.
    """

    root: Path
    pattern: re.Pattern[str]
    files: list[ScannedFile] = field(default_factory=list)
    problems: list[Failure] = field(default_factory=list)
    others: Counter[str] = field(default_factory=Counter)
    _entered: set[tuple[int, int]] = field(default_factory=set)  # links may make circles
    _to_enter: list[tuple[str, int]] = field(default_factory=list)  # directories that end with /, how deep they are

    def run(self, except_for: Path | None) -> None:
        """Enter every directory but `except_for`. Raises OSError if `root` itself cannot be read."""
        self._entered.add(_identity(self.root.stat()))
        if except_for is not None:
            with contextlib.suppress(OSError):
                self._entered.add(_identity(except_for.stat()))
        self._enter([("", 0)])

    def run_at(self, paths: Iterable[str]) -> None:
        """Look at these paths only, and enter those that are directories."""
        self._entered.add(_identity(self.root.stat()))
        for path in paths:
            parts = path.split("/")
            place = self.root / path
            left_out = any(map(_is_left_out, parts)) or any(
                map(_is_part_of_page, (place, *place.parents[: len(parts) - 1]))
            )
            if not left_out and place.parent.resolve().is_relative_to(self.root):
                self.add(path, place, len(parts) - 1)
        self._enter([])
        self.files = list({file.path: file for file in self.files}.values())

    def _enter(self, first: list[tuple[str, int]]) -> None:
        """Enter the directories that were found, and `first`: paths that end with `/`, and how deep they are."""
        self._to_enter += first
        while self._to_enter:
            directory, depth = self._to_enter.pop()
            try:
                with os.scandir(self.root / directory) as entries:
                    for entry in entries:
                        if not _is_left_out(entry.name) and not (
                            entry.name.lower().endswith(_PAGE_ENDS) and _is_part_of_page(Path(entry.path))
                        ):
                            self.add(f"{directory}{entry.name}", entry, depth)
            except OSError as error:
                if not directory:
                    raise
                self._problem(directory, "unreadable", words_of(error))

    def add(self, path: str, entry: os.DirEntry[str] | Path, depth: int) -> None:
        """Add one entry of a directory: a file, a directory to enter, or a problem."""
        plain = path if path.isascii() else unicodedata.normalize("NFC", path)
        fits = self.pattern.fullmatch(plain) is not None
        try:
            if entry.is_symlink() and not Path(entry).resolve().is_relative_to(self.root):
                if fits or entry.is_dir():
                    self._problem(path, "outside", "a symbolic link that leads out of the folder")
                return
            facts = entry.stat()
        except (FileNotFoundError, NotADirectoryError, RuntimeError):  # deleted, a dangling link, links in a circle
            return
        except OSError as error:
            if error.errno != errno.ELOOP:  # a stale handle, a disk that fails: out of reach, but not deleted
                self._problem(path, "unreadable", words_of(error))
            return
        if stat.S_ISDIR(facts.st_mode):
            if _identity(facts) in self._entered:
                return
            if depth >= _DEPTH_MAX:
                self._problem(path, "too_deep", f"deeper than {_DEPTH_MAX} directories; not looked into")
                return
            self._entered.add(_identity(facts))
            self._to_enter.append((f"{path}/", depth + 1))
        elif fits and stat.S_ISREG(facts.st_mode):
            times = facts.st_mtime_ns, facts.st_ctime_ns
            self.files.append(ScannedFile(path, facts.st_size, *times, facts.st_ino, facts.st_dev))
        elif stat.S_ISREG(facts.st_mode):
            self.others[_ending(path)] += 1
        elif fits:
            self._problem(path, "not_a_file", "a pipe, socket or device is not read")

    @property
    def passed_over(self) -> str:
        """How many files do not fit the pattern, by their endings: "2 .doc, 1 .zip"; "" if all fit."""
        more = len(self.others) - _ENDINGS_NAMED
        named = ", ".join(f"{self.others[ending]:,} {ending}" for ending in sorted(self.others)[:_ENDINGS_NAMED])
        return named + (f" and {count(more, 'ending')} more" if more > 0 else "")

    def _problem(self, path: str, reason: str, detail: str) -> None:
        self.problems.append(Failure(shown(path), reason, detail))


def scan(root: Path, pattern: re.Pattern[str], except_for: Path | None = None) -> FolderScan:
    """Look at every file under `root`, without opening any. Raises OSError if `root` itself cannot be read.

    Left out: names that begin with a dot or mark an unfinished download or an open document, the directory of a saved
    page, symbolic links that lead out of the folder, devices, pipes and sockets, and the directory `except_for`.
    """
    found = FolderScan(root.resolve(), pattern)
    found.run(except_for)
    return found


def readable_files(root: Path) -> list[Path]:
    """The files under `root` of formats that can be read, sorted. Raises OSError if `root` cannot be read."""
    found = scan(root, re.compile(".*", re.DOTALL))
    return sorted(root / file.path for file in found.files if PurePosixPath(file.path).suffix.lower() in SUFFIXES)


def scan_at(root: Path, pattern: re.Pattern[str], paths: Iterable[str]) -> FolderScan:
    """As `scan`, but only of `paths`, relative to `root` and with `/`, and of what is below them."""
    found = FolderScan(root.resolve(), pattern)
    found.run_at(paths)
    return found


def read_part(root: Path, file: ScannedFile, start: int = 0, count: int = -1) -> bytes | None:
    """`count` bytes of the file from `start` (all of it by default); None if it has changed since the scan.

    Raises OSError. A part may be read of a file that has grown.
    """
    flags = os.O_RDONLY | getattr(os, "O_NONBLOCK", 0) | getattr(os, "O_CLOEXEC", 0) | getattr(os, "O_NOCTTY", 0)
    handle = os.open(root.resolve() / file.path, flags)
    with os.fdopen(handle, "rb") as opened:
        if not file.is_as_seen(os.fstat(handle), whole=count < 0):
            return None
        opened.seek(start)
        data = opened.read(file.size + 1 if count < 0 else count)
        return data if file.is_as_seen(os.fstat(handle), whole=count < 0) else None


def _ending(path: str) -> str:
    """The ending of a name as it may be shown. There may be 100,000 in one scan."""
    stem, dot, ending = path.rpartition("/")[2].rpartition(".")
    return shown(f".{ending.lower()[:20]}") if dot and stem else "no ending"


def _is_left_out(name: str) -> bool:
    """Whether a name begins with a dot, marks an unfinished download or an open document, or is a system's own."""
    plain = name.lower()
    return plain.startswith((".", *_LOCK)) or plain.endswith(_UNFINISHED) or plain in _OF_SYSTEMS


def _is_part_of_page(place: Path) -> bool:
    """Whether a directory belongs to a saved page beside it: its frames and pictures are no articles."""
    stem = next((place.name[: -len(end)] for end in _PAGE_PARTS if place.name.lower().endswith(end.lower())), "")
    return bool(stem) and any(place.with_name(stem + ending).is_file() for ending in _PAGES)


def _identity(facts: os.stat_result) -> tuple[int, int]:
    return facts.st_dev, facts.st_ino


_PATTERNS_MAX = 1000


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
            todo += [current[: match.start()] + choice + current[match.end() :] for choice in match[1].split(",")]
        if len(done) + len(todo) > _PATTERNS_MAX:
            raise ValueError(f"the braces in {pattern!r} stand for more than {_PATTERNS_MAX} patterns")
    return tuple(reversed(done))


def compile_glob(pattern: str) -> re.Pattern[str]:
    """A regular expression for whole relative paths with `/`, in Unicode's form NFC; letters match in either case.

    `**/` stands for any number of directories, none included; `*` and `?` do not cross a `/`.
    """
    pattern = unicodedata.normalize("NFC", pattern)
    return re.compile("|".join(f"(?:{_translate(each)})" for each in expand_braces(pattern)), re.IGNORECASE | re.DOTALL)


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
