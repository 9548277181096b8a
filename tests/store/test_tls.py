"""TLS to the store and to Sentinels, with an authority of one's own. The bundled Valkey has no TLS: Debian's Redis has.

Its package redis-tools contains the server under another name: it decides by its name what it is.
"""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from watchpost.errors import StoreUnreachable
from watchpost.store.client import Store

PROGRAM = shutil.which("redis-server") or shutil.which("redis-check-rdb")
CERTIFICATE = Path(__file__).parents[1] / "tls" / "localhost.pem"
PASSWORD = "p/a ss@"
QUOTED = "p%2Fa%20ss%40"

if PROGRAM is None and os.environ.get("CI"):
    pytest.fail("the script of CI installs redis-tools", pytrace=False)
pytestmark = pytest.mark.skipif(PROGRAM is None, reason="needs a Redis with TLS: apt-get install redis-tools")


@contextmanager
def running(directory: Path, lines: str, *words: str) -> Iterator[int]:
    """A server with TLS alone on a port of this machine."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = int(probe.getsockname()[1])
    directory.mkdir()
    file = directory / "server.conf"
    tls = f"tls-cert-file {CERTIFICATE}\ntls-key-file {CERTIFICATE}\ntls-ca-cert-file {CERTIFICATE}\n"
    file.write_text(
        f"port 0\ntls-port {port}\nbind 127.0.0.1\ndir {directory}\nlogfile {directory}/log\n"
        f"{tls}tls-auth-clients no\ntls-replication yes\n{lines}"
    )
    assert PROGRAM is not None
    process = subprocess.Popen(["redis-server", str(file), *words], executable=PROGRAM, stdin=subprocess.DEVNULL)
    try:
        end = time.monotonic() + 20
        while True:
            with socket.socket() as trial:
                if trial.connect_ex(("127.0.0.1", port)) == 0:
                    break
            assert time.monotonic() < end, (directory / "log").read_text()
            time.sleep(0.05)
        yield port
    finally:
        process.kill()
        process.wait()


@pytest.fixture
def port(tmp_path: Path) -> Iterator[int]:
    with running(tmp_path / "server", f'requirepass "{PASSWORD}"\n') as made:
        yield made


async def test_an_authority_of_ones_own_is_named_in_the_url(port: int) -> None:
    store = Store(f"rediss://:{QUOTED}@localhost:{port}/0?ssl_ca_certs={CERTIFICATE}")
    await store.check()
    assert await store.prepare("x") == "x"
    assert (await store.look()).role == "primary"
    await store.close()


async def test_an_unknown_authority_is_refused_in_words(port: int) -> None:
    store = Store(f"rediss://:{QUOTED}@localhost:{port}/0")
    with pytest.raises(StoreUnreachable, match="the TLS certificate is not valid") as caught:
        await store.check()
    assert "ss@" not in str(caught.value)
    await store.close()


async def test_sentinels_are_asked_with_tls_and_a_password_of_their_own(port: int, tmp_path: Path) -> None:
    lines = (
        'requirepass "of the sentinel"\nsentinel resolve-hostnames yes\nsentinel announce-hostnames yes\n'
        f'sentinel monitor news localhost {port} 1\nsentinel auth-pass news "{PASSWORD}"\n'
    )
    with running(tmp_path / "sentinel", lines, "--sentinel") as sentinel:
        secure = f"ssl_ca_certs={CERTIFICATE}"
        place = f"localhost:{sentinel}/news/0"
        store = Store(f"rediss+sentinel://:{QUOTED}@{place}?{secure}&sentinel_password=of%20the%20sentinel")
        await store.check()
        found = await store.look()
        assert (found.address, found.role) == (f"localhost:{port}", "primary")
        await store.close()
        for wrong in (
            f"rediss+sentinel://:{QUOTED}@{place}?{secure}&sentinel_password=wrong",
            f"redis+sentinel://:{QUOTED}@{place}?sentinel_password=of%20the%20sentinel",
            f"rediss+sentinel://:{QUOTED}@localhost:{sentinel}/unknown/0?{secure}&sentinel_password=of%20the%20sentinel",
        ):
            store = Store(wrong)
            with pytest.raises(StoreUnreachable):
                await store.check()
            await store.close()
