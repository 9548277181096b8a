"""Secrets that systemd hands over: one variable, at the beginning of a secret's path, and nothing else expands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from watchpost.config.fields import Secret


def read(where: str, base: Path, env: dict[str, str]) -> Secret:
    adapter: TypeAdapter[Any] = TypeAdapter(Secret)
    secret: Secret = adapter.validate_python({"file": where}, context={"env": env, "base": base})
    return secret


def test_a_credential_is_read_where_systemd_put_it_and_other_paths_count_from_the_configuration(
    tmp_path: Path,
) -> None:
    (tmp_path / "given").mkdir()
    (tmp_path / "given" / "slack").write_text("https://hooks.example.org/a\n")
    (tmp_path / "own").write_text("written beside")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path / "given")}
    assert read("${CREDENTIALS_DIRECTORY}/slack", tmp_path, env).reveal() == "https://hooks.example.org/a"
    assert read("own", tmp_path, env).reveal() == "written beside"


@pytest.mark.parametrize(
    "where",
    ["${HOME}/slack", "$CREDENTIALS_DIRECTORY/slack", "x/${CREDENTIALS_DIRECTORY}/slack", "${CREDENTIALS_DIRECTORY}"],
)
def test_no_other_variable_and_no_other_place_expands(where: str, tmp_path: Path) -> None:
    (tmp_path / "slack").write_text("secret")
    env = {"CREDENTIALS_DIRECTORY": str(tmp_path), "HOME": str(tmp_path)}
    with pytest.raises(ValidationError, match="cannot be read"):
        read(where, tmp_path, env)
