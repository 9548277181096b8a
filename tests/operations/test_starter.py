"""The first configuration fits this machine, passes every check, and overwrites nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from watchpost.config.format import formatted
from watchpost.errors import WatchpostError
from watchpost.operations.factory import read_config
from watchpost.operations.starter import begin, language, time_zone

NOWHERE = Path("/nowhere")


def test_the_first_configuration_loads_without_a_warning_and_is_formatted(tmp_path: Path) -> None:
    written = begin(tmp_path / "new", {"TZ": "Africa/Bamako", "LANG": "fr_ML.UTF-8"}, NOWHERE)
    assert [str(path.relative_to(tmp_path / "new")) for path in written] == [
        "watchpost.yaml",
        "watchpost.schema.json",
        "inbox/example.txt",
    ]
    config = read_config(written[0], {})
    assert config.warnings == ()
    assert (config.timezone, config.language) == ("Africa/Bamako", "fr")
    text = written[0].read_text("utf-8")
    assert "@" not in text.replace("watch@example.org", "").replace("desk@example.org", "")
    assert formatted(text, "x") == text
    (topic,) = config.topics
    assert topic.query.text.startswith("(country:ML OR place:ML)")


@pytest.mark.parametrize("name", ["data of it", 'a: b, {c} #"d"', "données"])
def test_digests_go_where_the_service_may_write(tmp_path: Path, name: str) -> None:
    (file, *_) = begin(tmp_path / "new", {}, NOWHERE, tmp_path / name)
    config = read_config(file, {})
    assert config.warnings == ()
    (receiver,) = (one for one in config.receivers if one.name == "files")
    assert getattr(receiver.options, "path", None) == tmp_path / name / "digests"
    assert formatted(file.read_text("utf-8"), "x") == file.read_text("utf-8")


def test_nothing_is_overwritten_and_nothing_half_written(tmp_path: Path) -> None:
    (tmp_path / "watchpost.schema.json").write_text("mine")
    with pytest.raises(WatchpostError, match="already exists"):
        begin(tmp_path, {}, NOWHERE)
    assert [path.name for path in tmp_path.iterdir()] == ["watchpost.schema.json"]
    assert (tmp_path / "watchpost.schema.json").read_text() == "mine"


def test_a_directory_that_cannot_be_created_is_reported(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(WatchpostError, match="cannot be written"):
        begin(tmp_path / "file" / "config", {}, NOWHERE)


def test_the_zone_comes_from_the_environment_or_the_system(tmp_path: Path) -> None:
    zones = tmp_path / "zoneinfo" / "Europe"
    zones.mkdir(parents=True)
    (zones / "Paris").write_text("")
    (tmp_path / "localtime").symlink_to(zones / "Paris")
    assert time_zone({}, tmp_path / "localtime") == "Europe/Paris"
    assert time_zone({"TZ": ":Asia/Tokyo"}, tmp_path / "localtime") == "Asia/Tokyo"
    assert time_zone({"TZ": "no/such"}, tmp_path / "localtime") == "Europe/Paris"
    assert time_zone({"TZ": "Etc/UTC"}, NOWHERE) == "UTC"
    assert time_zone({}, NOWHERE) == "UTC"


def test_the_language_is_one_that_digests_have() -> None:
    assert language({"LANG": "fr_FR.UTF-8"}) == "fr"
    assert language({"LC_ALL": "de_DE", "LANG": "fr_FR"}) == "en"
    assert language({}) == "en"
