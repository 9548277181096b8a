"""Remove from an environment what watchpost's libraries bring and the service never reads; for images.

    python tools/slim.py PATH/OF/site-packages

Libraries cannot be installed in part, so an image removes the rest afterwards: Babel's locale data of languages that no
message is written in (32 MB of 33), the C source of eldc's table (51 MB), and the tests of libraries. Prints what it
removed, in MB. Raises SystemExit for a directory without these libraries.
"""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from pathlib import Path

LANGUAGES = ("ar", "de", "en", "es", "fr", "ru")
"""Messages are written in four of them; names of languages in the queries of other tools are known in all six."""

LOCALES = frozenset({"root", "en_001", "en_GB", *LANGUAGES})
"""The files of Babel that these languages are read from: https://unicode.org/reports/tr35/#Parent_Locales"""


def superfluous(packages: Path) -> Iterator[Path]:
    """The files and directories of these site-packages that the service never reads."""
    for data in sorted((packages / "babel" / "locale-data").glob("*.dat")):
        if data.stem not in LOCALES:
            yield data
    yield from sorted((packages / "eldc").glob("*.h"))
    for library in ("regex", "tld", "certifi"):
        if (packages / library / "tests").is_dir():
            yield packages / library / "tests"


def slim(packages: Path) -> float:
    """Remove them; returns how many MB they had."""
    removed = 0
    for path in superfluous(packages):
        if path.is_dir():
            removed += sum(file.stat().st_size for file in path.rglob("*") if file.is_file())
            shutil.rmtree(path)
        else:
            removed += path.stat().st_size
            path.unlink()
    return removed / 1e6


def main() -> None:
    """Slim the directory that is named."""
    packages = Path(sys.argv[1]) if len(sys.argv) == 2 else Path()
    if not (packages / "babel" / "locale-data").is_dir():
        sys.exit(f"{packages} has no babel: name the site-packages of watchpost's environment")
    sys.stdout.write(f"{slim(packages):.0f} MB removed from {packages}\n")


if __name__ == "__main__":
    main()
