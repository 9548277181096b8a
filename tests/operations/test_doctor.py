"""The doctor on a machine with problems: each has its cure, and no secret is shown."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Callable
from ipaddress import ip_network
from pathlib import Path

import pytest
import redis

from tests.mail_server import MailServer
from tests.servers import valkey_server
from watchpost.config.fields import Secret
from watchpost.config.settings import Settings
from watchpost.operations.doctor import examine as doctor_examine
from watchpost.operations.doctor import servers
from watchpost.operations.doctor.examine import examine
from watchpost.operations.doctor.finding import Finding
from watchpost.operations.factory import read_config
from watchpost.store.server.datadir import DataDirectory

CONFIG = """version: 1
folders: {inbox: {path: inbox}, absent: {path: absent}}
topics: {mali: mali}
receivers: {out: {type: file, path: out}, chat: {type: slack, url: {env: CHAT}}}
routes: [{to: [out, chat], digest: "08:00"}]
http: {listen: "127.0.0.1:0"}
"""
LOOPBACK = (ip_network("127.0.0.0/8"),)
ENV = {"CHAT": "http://nowhere.invalid/services/T/B/hunter2", "SMTP": "hunter2", "PATH": os.environ["PATH"]}
MAIL = """version: 1
topics: {mali: mali}
receivers:
  desk:
    type: email
    from: w@example.org
    to: [d@example.org]
    allow_private: [127.0.0.0/8]
    smtp: {host: 127.0.0.1, port: PORT, tls: none, username: watch, password: {env: SMTP}}
routes: [{to: desk, digest: "08:00"}]
"""


async def found(tmp_path: Path, text: str, **facts: object) -> dict[str, Finding]:
    """The findings by their subject."""
    config = tmp_path / "watchpost.yaml"
    config.write_text(text)
    settings = Settings.model_validate({"config": config, "data": tmp_path / "data"} | facts)
    return {one.subject: one async for one in examine(settings, ENV)}


def levels(findings: dict[str, Finding]) -> dict[str, str]:
    return {subject: one.level for subject, one in findings.items()}


async def test_each_problem_has_a_cure_and_the_rest_is_ok(tmp_path: Path) -> None:
    (tmp_path / "inbox").mkdir()
    findings = await found(tmp_path, CONFIG.replace("http://", "https://"))
    assert {subject: level for subject, level in levels(findings).items() if subject != "clock"} == {
        "configuration": "ok",
        "data directory": "ok",
        "redis": "ok",
        "folder inbox": "ok",
        "folder absent": "fail",
        "receiver out": "ok",
        "dns": "fail",
        "receiver chat": "fail",
        "pages": "ok",
    }
    assert findings["folder absent"].cure == f"mkdir -p {tmp_path / 'absent'}"
    assert findings["receiver chat"].outside
    assert all(one.cure for one in findings.values() if one.level != "ok")
    assert "hunter2" not in repr(findings)
    assert not (tmp_path / "data").exists(), "an examination changes nothing"


async def test_a_broken_configuration_is_one_finding(tmp_path: Path) -> None:
    findings = await found(tmp_path, "version: 7\ntopcis: {}\n")
    assert findings["configuration"].level == "fail"
    assert "(and 1 more)" in findings["configuration"].text
    assert set(findings) == {"configuration", "data directory", "clock"}


async def test_a_store_that_does_not_answer_is_outside_and_its_password_is_not_shown(tmp_path: Path) -> None:
    url = Secret("redis://user:hunter2@127.0.0.1:1/0")
    findings = await found(tmp_path, CONFIG, redis_url=url)
    assert (findings["redis"].level, findings["redis"].outside) == ("fail", True)
    assert "hunter2" not in repr(findings)


async def test_a_store_without_an_append_only_file_is_a_warning(tmp_path: Path) -> None:
    with valkey_server() as server:
        good = await found(tmp_path, CONFIG, redis_url=Secret(server.url))
        assert good["redis"].level == "ok"
        assert "clock of redis" not in good, "both clocks are this machine's"
        with redis.Redis.from_url(server.url) as client:
            client.config_set("appendonly", "no")
        bad = await found(tmp_path, CONFIG, redis_url=Secret(server.url))
        assert bad["redis"].level == "warn"
        assert "appendonly yes" in bad["redis"].cure
        with redis.Redis.from_url(server.url) as client:
            client.config_set("maxmemory-policy", "allkeys-lru")
        worse = await found(tmp_path, CONFIG, redis_url=Secret(server.url))
        assert worse["redis"].level == "fail"
        assert "noeviction" in worse["redis"].text


async def test_the_log_in_to_mail_servers_is_tried(tmp_path: Path) -> None:
    async with MailServer(login="watch:hunter2") as server:
        findings = await found(tmp_path, MAIL.replace("PORT", str(server.port)))
        assert findings["receiver desk"].text == f"127.0.0.1:{server.port} answers and accepts the login"
        assert server.mails == []
    async with MailServer(login="watch:other") as server:
        findings = await found(tmp_path, MAIL.replace("PORT", str(server.port)))
        desk = findings["receiver desk"]
        assert (desk.level, desk.outside) == ("fail", False)
        assert desk.cure.startswith("check smtp.username")
        assert "hunter2" not in repr(findings)


@pytest.fixture
async def mute() -> AsyncIterator[int]:
    """A server that takes connections and never says anything."""

    async def listen(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()

    server = await asyncio.start_server(listen, "127.0.0.1", 0)
    yield server.sockets[0].getsockname()[1]
    server.close()


async def test_a_silent_server_does_not_delay_the_doctor(tmp_path: Path, mute: int) -> None:
    config = tmp_path / "watchpost.yaml"
    config.write_text(MAIL.replace("PORT", str(mute)))
    (part,) = read_config(config, ENV).receivers
    silent = await servers.mail(part, patience=0.2)
    assert (silent.level, silent.outside, "no answer in time" in silent.text) == ("fail", True, True)
    secure = await servers.reach("chat", "127.0.0.1", mute, True, patience=0.2, allow_private=LOOPBACK)
    assert "no answer in time" in secure.text
    assert (await servers.reach("chat", "127.0.0.1", mute, False, allow_private=LOOPBACK)).level == "ok"
    closed = await servers.reach("chat", "127.0.0.1", 1, False, allow_private=LOOPBACK)
    assert "refused" in closed.text


async def test_a_wrong_name_is_distinguished_from_a_failing_name_server() -> None:
    answers = await servers.names(["localhost", "nowhere.invalid", "a" * 64 + ".example"])
    assert [bool(problem) for problem in answers.values()] == [False, True, True]
    assert servers.dns(answers).level == "warn"
    assert servers.dns({"nowhere.invalid": "cannot be resolved"}).level == "fail"
    assert servers.dns({}).level == "ok"


def test_a_directory_without_rights_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir(mode=0o500)
    closed = tmp_path / "data" if os.geteuid() else Path("/proc/self")  # root may do everything, but not that
    assert doctor_examine.data_directory(closed).level == "fail"


def test_a_data_directory_that_is_a_file_is_found(tmp_path: Path) -> None:
    (tmp_path / "data").write_text("")
    assert doctor_examine.data_directory(tmp_path / "data").level == "fail"


@pytest.mark.parametrize(
    ("mebibytes", "embedded", "level"),
    [(0, True, "fail"), (255, True, "fail"), (256, True, "warn"), (2000, True, "ok"), (19, False, "warn")],
)
def test_a_disk_on_which_polling_pauses_is_a_failure(
    tmp_path: Path, mebibytes: int, embedded: bool, level: str
) -> None:
    found = doctor_examine.data_directory(tmp_path, embedded=embedded, free_bytes=lambda path: mebibytes * 1024**2)
    assert found.level == level
    assert ("256 MiB" in found.text + found.cure) == (embedded and level != "ok")


@pytest.fixture
async def listener() -> AsyncIterator[Callable[[], int]]:
    async def hello(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nnot watchpost")
        writer.close()

    server = await asyncio.start_server(hello, "127.0.0.1", 0)
    yield lambda: int(server.sockets[0].getsockname()[1])
    server.close()


async def test_a_port_in_use_is_recognised_as_our_own_or_not(tmp_path: Path, listener: Callable[[], int]) -> None:
    text = CONFIG.replace("127.0.0.1:0", f"127.0.0.1:{listener()}")
    (tmp_path / "inbox").mkdir()
    findings = await found(tmp_path, text)
    assert findings["pages"].level == "warn"
    assert "another program uses" in findings["pages"].text


async def test_a_private_address_is_tried_by_the_rule_of_sending(tmp_path: Path) -> None:
    async with MailServer() as server:
        text = MAIL.replace("PORT", str(server.port)).replace("    allow_private: [127.0.0.0/8]\n", "")
        text = text.replace(", username: watch, password: {env: SMTP}", "")
        blocked = (await found(tmp_path, text))["receiver desk"]
        assert not server.connections
    assert (blocked.level, blocked.outside) == ("fail", False)
    assert "allow_private can permit it" in blocked.text
    assert "watchpost receiver test desk" in blocked.cure
    assert (await servers.reach("chat", "127.0.0.1", 1, False)).text.endswith("allow_private can permit it")


async def test_an_embedded_server_that_hangs_is_not_one_that_does_not_run(tmp_path: Path) -> None:
    text = "version: 1\nfolders: {inbox: {path: inbox}}\ntopics: {mali: mali}\n"
    assert (await found(tmp_path, text))["redis"].level == "ok"
    lock = DataDirectory(tmp_path / "data", None).lock("redis")  # as the server holds it while it is running
    assert lock is not None
    (tmp_path / "data" / "appendonlydir").mkdir(exist_ok=True)
    findings = await found(tmp_path, text)
    hangs = findings["redis"]
    os.close(lock)
    assert "service" not in findings, "it is not called absent as well"
    absent = (await found(tmp_path, text))["service"]
    assert (absent.level, "no watchpost is running" in absent.text) == ("fail", True)
    assert "systemctl start watchpost" in absent.cure
    assert (hangs.level, hangs.outside) == ("fail", False)
    assert "is running, but does not answer" in hangs.text
    assert "systemctl restart watchpost" in hangs.cure
