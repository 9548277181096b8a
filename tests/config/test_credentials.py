"""Secrets that systemd hands over: one variable, at the beginning of a secret's path, and nothing else expands."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from watchpost.config.fields import Secret, SecretRemarks
from watchpost.errors import ConfigError
from watchpost.operations import factory


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


@pytest.mark.parametrize(
    ("data", "value", "left_out"),
    [
        (b"abc", "abc", ""),
        (b"abc\n", "abc", ""),
        (b"a b \n", "a b ", ""),
        (b"\xef\xbb\xbfabc", "abc", "a byte order mark"),
        (b"abc\r\n", "abc", "a line end of Windows"),
        (b"\xef\xbb\xbfabc\r\n", "abc", "a byte order mark and a line end of Windows"),
        (b"abc\n\n", "abc", "empty lines at its end"),
        ("\ufeffabc\r\n".encode("utf-16-le"), "abc", "a line end of Windows"),
        ("\ufeffabc".encode("utf-16-be"), "abc", ""),
        (b"a\nb\n", "a\nb", ""),
        ("a\ufeffb".encode(), "a\ufeffb", ""),
    ],
)
def test_what_editors_add_to_a_secret_is_taken_off_and_named(
    data: bytes, value: str, left_out: str, tmp_path: Path
) -> None:
    (tmp_path / "key").write_bytes(data)
    remarks = SecretRemarks()
    adapter: TypeAdapter[Any] = TypeAdapter(Secret)
    context = {"env": {}, "base": tmp_path, "remarks": remarks}
    assert adapter.validate_python({"file": "key"}, context=context).reveal() == value
    said = {("file", "key"): f"secret file key has {left_out}, which is left out"} if left_out else {}
    assert remarks.cleaned == said


def test_a_variable_from_a_file_of_windows_is_read_as_well() -> None:
    remarks = SecretRemarks()
    adapter: TypeAdapter[Any] = TypeAdapter(Secret)
    context = {"env": {"KEY": "\ufeffabc\r"}, "remarks": remarks}
    assert adapter.validate_python({"env": "KEY"}, context=context).reveal() == "abc"
    assert list(remarks.cleaned) == [("env", "KEY")]


@pytest.mark.parametrize(
    "receiver",
    [
        '{type: slack, token: {env: KEY}, channel: "#x"}',
        '{type: ntfy, url: "https://ntfy.sh/desk", token: {env: KEY}}',
        "{type: webhook, url: 'https://hook.example.org/', headers: {X-Key: {env: KEY}}}",
    ],
)
@pytest.mark.parametrize("key", ["clé", "a\nb", "a\u200bb"])
def test_a_token_that_no_header_can_carry_is_a_mistake_of_the_configuration(
    receiver: str, key: str, tmp_path: Path
) -> None:
    file = tmp_path / "watchpost.yaml"
    file.write_text(f"version: 1\nreceivers:\n  me: {receiver}\n")
    with pytest.raises(ConfigError) as caught:
        factory.read_config(file, {"KEY": key})
    assert "no header of HTTP can carry" in str(caught.value)
    assert key not in str(caught.value)
    assert str(caught.value).startswith(f"{file}:3:")
