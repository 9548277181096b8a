"""An image without what the service never reads writes messages in all languages all the same."""

from __future__ import annotations

import shutil
import subprocess
import sys
from importlib import util
from pathlib import Path

import babel
from tools.slim import LANGUAGES, slim

from watchpost.notify.render.i18n import LANGUAGES as WRITTEN

_SCRIPT = """
from datetime import UTC, datetime, timedelta
import babel
from watchpost.notify.render.i18n import LANGUAGES, translation
from watchpost.query.other_tools import language_code
from babel.dates import format_date, format_skeleton, format_timedelta
print(babel.__file__)
day = datetime(2026, 11, 23, 8, tzinfo=UTC)
for language in LANGUAGES:
    tr = translation(language)
    print(format_date(day, "full", tr.locale), format_skeleton("MMMEd", day, locale=tr.locale))
    print(format_timedelta(timedelta(hours=-3), add_direction=True, locale=tr.locale), tr.stories(2016))
    print(tr.locale.languages["fr"])
print(language_code("Französisch"), language_code("francés"))
"""


def said(packages: Path) -> list[str]:
    """What the script prints with this Babel."""
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(packages)!r})\n{_SCRIPT}"]
    return subprocess.run(words, capture_output=True, text=True, timeout=120, check=True).stdout.splitlines()


def test_messages_are_the_same_without_the_data_of_other_languages(tmp_path: Path) -> None:
    shutil.copytree(Path(babel.__file__).parent, tmp_path / "babel", ignore=shutil.ignore_patterns("__pycache__"))
    (tmp_path / "eldc").mkdir()
    (tmp_path / "eldc" / "large_db.h").write_text("int table[] = {1};")
    whole = said(tmp_path)
    assert whole[0].startswith(str(tmp_path))
    assert slim(tmp_path) > 25
    assert list((tmp_path / "eldc").iterdir()) == []
    assert said(tmp_path) == whole
    assert slim(tmp_path) == 0


def test_the_data_of_every_language_that_messages_are_written_in_stays() -> None:
    assert set(WRITTEN) <= set(LANGUAGES)


def test_the_language_detector_reads_no_source(tmp_path: Path) -> None:
    found = util.find_spec("eldc")
    assert found is not None
    assert found.origin is not None
    source = Path(found.origin).parent
    shutil.copytree(source, tmp_path / "eldc", ignore=shutil.ignore_patterns("*.h", "__pycache__"))
    script = "import eldc; eldc.init(); print(eldc.__file__, eldc.instance())"
    words = [sys.executable, "-c", f"import sys; sys.path.insert(0, {str(tmp_path)!r})\n{script}"]
    done = subprocess.run(words, capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.startswith(str(tmp_path))
