"""The environment becomes settings, and a bad variable is named."""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import quote

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis.asyncio import ConnectionPool

from watchpost.config import settings
from watchpost.config.fields import Secret
from watchpost.config.passwords import fits, hashed
from watchpost.config.schema import Auth
from watchpost.config.settings import PREFIX, read_settings
from watchpost.errors import ConfigError


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX)]:
        monkeypatch.delenv(name)


def test_without_variables() -> None:
    made = read_settings()
    assert (made.redis_url, made.redis_bin, made.redis_fsync) == (None, None, "everysec")
    assert (made.data, made.config) == (Path("var"), Path("config/watchpost.yaml"))
    assert (made.log_format, made.log_level, made.http_listen) == (None, None, None)


def test_every_variable(monkeypatch: pytest.MonkeyPatch) -> None:
    given = {
        "REDIS_URL": "rediss://user:hunter2@redis.example:6379/1",
        "ARCHIVE_URL": "postgresql://user:hunter2@db.example/news",
        "REDIS_BIN": "/usr/bin/valkey-server",
        "REDIS_FSYNC": "always",
        "DATA": "/var/lib/watchpost",
        "CONFIG": "/etc/watchpost.yaml",
        "LOG_FORMAT": "json",
        "LOG_LEVEL": "DEBUG",
        "HTTP_LISTEN": "[::1]:9000",
    }
    for name, value in given.items():
        monkeypatch.setenv(PREFIX + name, value)
    made = read_settings()
    assert made.redis_url is not None
    assert made.redis_url.reveal() == given["REDIS_URL"]
    assert made.archive_url is not None
    assert made.archive_url.reveal() == given["ARCHIVE_URL"]
    assert made.redis_bin == Path(given["REDIS_BIN"])
    assert made.redis_fsync == "always"
    assert (made.data, made.config) == (Path(given["DATA"]), Path(given["CONFIG"]))
    assert (made.log_format, made.log_level, made.http_listen) == ("json", "debug", "[::1]:9000")
    assert "hunter2" not in f"{made!r} {made} {made.model_dump()} {made.model_dump_json()}"


def test_what_the_command_line_says_comes_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHPOST_CONFIG", "from-environment.yaml")
    assert read_settings(config=Path("given.yaml"), data=None).config == Path("given.yaml")
    assert read_settings(config=None).config == Path("from-environment.yaml")


def test_an_empty_variable_counts_as_unset(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("REDIS_URL", "LOG_LEVEL", "DATA"):
        monkeypatch.setenv(PREFIX + name, "")
    assert read_settings() == read_settings(data=Path("var"))
    assert read_settings().redis_url is None


def test_all_bad_variables_are_named_and_their_values_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    bad = {
        "REDIS_URL": "http://:hunter2@redis",
        "REDIS_FSYNC": "hunter2",
        "LOG_FORMAT": "hunter2",
        "LOG_LEVEL": "hunter2",
        "HTTP_LISTEN": "hunter2",
    }
    for name, value in bad.items():
        monkeypatch.setenv(PREFIX + name, value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert [one.path for one in caught.value.complaints] == [PREFIX + name for name in bad]
    assert "hunter2" not in str(caught.value)
    assert "environment WATCHPOST_REDIS_FSYNC: must be 'everysec' or 'always'" in str(caught.value)


@pytest.mark.parametrize(
    ("url", "said"),
    [
        ("redis://:hunter2/rest@127.0.0.1:6379/0", "percent-encoded"),
        ("redis://:hunter2#rest@127.0.0.1:6379/0", "percent-encoded"),
        ("redis://:hunter2?rest@127.0.0.1:6379/0", "percent-encoded"),
        ("rediss://:hunter2/@127.0.0.1:6379", "percent-encoded"),
        ("redis://:hunter2[x@127.0.0.1:6379", "percent-encoded"),
        ("redis://:hunter2@127.0.0.1:64x/0", "port from 1 to 65535"),
        ("redis://127.0.0.1:99999/0", "port from 1 to 65535"),
        ("redis://127.0.0.1:0/0", "port from 1 to 65535"),
        ("redis://[::1/0", "IPv6 address in []"),
        ("redis://one:6379,two:6379/0", "redis+sentinel://"),
        ("redis://u:hunter2@one,two:6379/0", "redis+sentinel://"),
        ("redis://127.0.0.1:6379?db=zero", "value for db"),
        ("redis://127.0.0.1:6379/0?db=hunter2", "value for db"),
        ("rediss://127.0.0.1:6379/0?cert_reqs=none", "parameter"),
        ("rediss://127.0.0.1:6379/0?ssl_cert_reqs=hunter2", "value for ssl_cert_reqs"),
        ("redis://127.0.0.1:6379/0?protocol=hunter2", "value for protocol"),
        ("redis://127.0.0.1:6379/0?decode_responses=true", "parameter"),
        ("rediss://127.0.0.1:6379/0?ssl_ca_certs=/hunter2/ca.pem", "ssl_ca_certs"),
        ("redis://127.0.0.1:6379/hunter2", "number of a database"),
        ("redis://u:hunter2@ho st:6379/0", "spaces"),
        ("redis://", "like redis://host:6379/0"),
        ("unix://", "like redis://host:6379/0"),
        ("hunter2", "like redis://host:6379/0"),
        ("127.0.0.1:6379", "like redis://host:6379/0"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_sentence_without_any_part_of_it(
    url: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(PREFIX + "REDIS_URL", url)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert said in str(caught.value)
    assert len(str(caught.value).splitlines()) == 1
    assert "hunter2" not in str(caught.value)
    assert "rest" not in str(caught.value)


@given(st.text(st.characters(codec="ascii", categories=("L", "N", "P", "S", "Z")), min_size=6, max_size=12))
def test_no_password_is_shown_however_it_is_written(password: str) -> None:
    urls = [f"redis://:{password}@127.0.0.1:6379/0", f"rediss://u:{password}@h/0", f"redis+sentinel://:{password}@h/n"]
    for url in urls:
        said = ""
        try:
            read_settings(redis_url=url)
        except ConfigError as error:
            said = str(error)
        assert password not in said
    assert read_settings(redis_url=f"redis://:{quote(password, safe='')}@127.0.0.1:6379/0").redis_url


@pytest.mark.parametrize(
    "url",
    [
        "redis://127.0.0.1:6379/0",
        "redis://[::1]:6379",
        "redis://u:p%2Fa%3Ass%40%23%3F%25w%5B%C3%A9@h:6379/2?protocol=3&socket_timeout=5",
        "rediss://h/0?ssl_cert_reqs=none&ssl_check_hostname=false",
        "unix:///run/redis.sock?db=1",
        "unix://:p@/run/redis.sock",
    ],
)
def test_an_address_that_can_be_used_stays_as_it_is(url: str) -> None:
    made = read_settings(redis_url=url)
    assert made.redis_url is not None
    assert made.redis_url.reveal() == url
    assert ConnectionPool.from_url(url).make_connection() is not None  # type: ignore[no-untyped-call]


def test_redis_py_takes_every_parameter_that_is_known(tmp_path: Path) -> None:
    (tmp_path / "pem").write_text("")
    values = {
        **dict.fromkeys(("db", "max_connections", "health_check_interval", "socket_timeout"), "1"),
        **dict.fromkeys(("socket_keepalive", "retry_on_timeout", "ssl_check_hostname"), "yes"),
        **dict.fromkeys(("ssl_ca_certs", "ssl_certfile", "ssl_keyfile"), str(tmp_path / "pem")),
        **dict.fromkeys(("client_name", "username", "password"), "x"),
        "protocol": "3",
        "ssl_cert_reqs": "none",
        "socket_connect_timeout": "0.5",
    }
    assert values.keys() == settings._PARAMETERS.keys()
    for name, value in values.items():
        url = f"rediss://h:6379/0?{name}={quote(value)}"
        assert read_settings(redis_url=url).redis_url
        assert ConnectionPool.from_url(url).make_connection() is not None  # type: ignore[no-untyped-call]


@pytest.mark.parametrize("value", ["mysql://user:hunter2@db/news", "db.example", "redis://db"])
def test_an_archive_elsewhere_than_in_postgresql(value: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHPOST_ARCHIVE_URL", value)
    with pytest.raises(ConfigError, match="must be written like postgresql://") as refused:
        read_settings()
    assert "hunter2" not in str(refused.value)


HASH = hashed("a long password", b"salt of twelve")


@pytest.mark.parametrize(
    "value", ["desk", f"desk{HASH}", ":" + HASH, "desk:a long password", f"a:b:{HASH}", f"{'n' * 65}:{HASH}", "desk:"]
)
def test_a_login_that_is_none_is_one_sentence_without_any_part_of_it(
    value: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("WATCHPOST_HTTP_LOGIN", value)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    (complaint,) = caught.value.complaints
    assert str(complaint) == (
        "environment WATCHPOST_HTTP_LOGIN: must be written like NAME:HASH; "
        "`watchpost secret hash` makes the hash of a password"
    )


def test_a_login_of_the_environment_is_a_further_user_who_may_act(monkeypatch: pytest.MonkeyPatch) -> None:
    auth = Auth(users={"anna": Secret(hashed("of anna's own", b"salt of twelve"))}, view=("anna",))
    assert read_settings().with_login(auth) is auth
    monkeypatch.setenv("WATCHPOST_HTTP_LOGIN", f"desk:{HASH}\r\n")
    made = read_settings()
    assert HASH not in repr(made)
    both = made.with_login(auth)
    assert set(both.users) == {"anna", "desk"}
    assert both.view == ("anna",)
    assert fits("a long password", both.users["desk"].reveal())
    assert made.with_login(Auth()).required
