"""URLs that name Sentinels: what is read from them, and what each mistake is answered with."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from watchpost.config.settings import read_settings
from watchpost.errors import ConfigError
from watchpost.sentinel_address import SentinelAddress, is_sentinel_address, sentinel_address


def test_a_full_address() -> None:
    url = (
        "rediss+sentinel://wp:p%2Fa%40s@one.example:26380,two.example,[2001:db8::3]:26381/my%20name/2"
        "?sentinel_username=s&sentinel_password=q%3F&ssl_ca_certs=/etc/ca.pem&ssl_check_hostname=false"
    )
    assert sentinel_address(url) == SentinelAddress(
        (("one.example", 26380), ("two.example", 26379), ("2001:db8::3", 26381)),
        "my name",
        2,
        "wp",
        "p/a@s",
        "s",
        "q?",
        {"ssl_ca_certs": "/etc/ca.pem", "ssl_check_hostname": False},
    )
    assert "p/a@s" not in repr(sentinel_address(url))


def test_the_least_that_is_needed() -> None:
    assert sentinel_address("redis+sentinel://h/news") == SentinelAddress((("h", 26379),), "news")
    assert sentinel_address("redis+sentinel://:p@h/news/").password == "p"
    assert sentinel_address("rediss+sentinel://h/news").tls == {}


@pytest.mark.parametrize(
    ("url", "says"),
    [
        ("redis+sentinel://h:26379", "must name the primary"),
        ("redis+sentinel://h/", "must name the primary"),
        ("redis+sentinel:///news", "must list Sentinels"),
        ("redis+sentinel://h1,,h2/news", "must list Sentinels"),
        ("redis+sentinel://h1;h2:x/news", "must list Sentinels"),
        ("redis+sentinel://h:0/news", "must list Sentinels"),
        ("redis+sentinel://h:70000/news", "must list Sentinels"),
        ("redis+sentinel://h:port/news", "must list Sentinels"),
        ("redis+sentinel://2001:db8::3/news", "must list Sentinels"),
        ("redis+sentinel://h/news/zero", "number of a database"),
        ("redis+sentinel://h/news/0/1", "number of a database"),
        ("redis+sentinel://h/news?ssl_ca_certs=/ca.pem", "begin with rediss+sentinel://"),
        ("redis+sentinel://h/news?socket_timeout=1", "a parameter that is not known"),
        ("rediss+sentinel://h/news?ssl_cert_reqs=maybe", "required, optional or none"),
        ("rediss+sentinel://h/news?ssl_check_hostname=perhaps", "true or false"),
        ("redis+sentinel://:hunter2/x@h/news", "percent-encoded"),
        ("redis+sentinel://:hunter2#x@h/news", "percent-encoded"),
        ("redis+sentinel://:hunter2?x=y@h/news", "must"),
    ],
)
def test_a_mistake_is_named_without_the_value(url: str, says: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WATCHPOST_REDIS_URL", url)
    with pytest.raises(ConfigError) as caught:
        read_settings()
    assert says in str(caught.value)
    assert "WATCHPOST_REDIS_URL" in str(caught.value)
    assert "hunter2" not in str(caught.value)
    assert "x=y" not in str(caught.value)


@given(st.text(max_size=60))
def test_whatever_follows_the_scheme_is_read_or_refused_in_a_sentence(text: str) -> None:
    url = f"redis+sentinel://{text}"
    assert is_sentinel_address(url)
    try:
        found = sentinel_address(url)
    except ValueError:
        return
    assert found.sentinels
    assert found.name
    assert all(host and 0 < port < 65536 for host, port in found.sentinels)
