"""Receivers behind a proxy: it makes the connections, variables are not read, bare private addresses stay refused."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from tests.http_server import Answer, HttpServer
from tests.notify.digests import context, delivery, usual
from watchpost.model import Delivered, Outcome, TryLater
from watchpost.notify.receivers.webhook import KIND, WebhookOptions


async def send(url: str, env: Mapping[str, str] = {}, **options: Any) -> Outcome:
    model = WebhookOptions.model_validate({"url": url} | options, context={"env": env, "base": "."})
    receiver = KIND.build("hook", model, context())
    return await receiver.send(delivery(receiver.render(usual())[0]))


async def test_a_proxy_gets_every_post_with_its_password_and_no_name_is_resolved_here() -> None:
    async with HttpServer() as proxy:
        proxy.on("*", Answer(200))
        env = {"PROXY": proxy.url("").replace("//", "//me:canary@")}
        for _ in range(2):
            got = await send("http://no-such-host.invalid/hook", env, proxy={"url": {"env": "PROXY"}})
            assert isinstance(got, Delivered)
    assert len(proxy.requests) == 2
    assert all(each.headers["proxy-authorization"].startswith("Basic ") for each in proxy.requests)


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "localhost", "10.0.0.8", "[::1]", "169.254.169.254", "[64:ff9b::7f00:1]"]
)
async def test_a_bare_private_address_is_refused_through_a_proxy_as_well(host: str) -> None:
    async with HttpServer() as proxy:
        proxy.on("*", Answer(200))
        got = await send(f"http://{host}/hook", proxy={"url": proxy.url("")})
        assert not proxy.requests
    assert isinstance(got, TryLater)
    assert got.reason == "blocked"


async def test_a_permitted_address_passes() -> None:
    async with HttpServer() as proxy:
        proxy.on("*", Answer(200))
        got = await send("http://10.0.0.8/hook", proxy={"url": proxy.url("")}, allow_private=["10.0.0.0/8"])
    assert isinstance(got, Delivered)


async def test_variables_for_proxies_are_not_read(monkeypatch: pytest.MonkeyPatch) -> None:
    async with HttpServer() as proxy, HttpServer() as target:
        proxy.on("*", Answer(200))
        target.on("*", Answer(200))
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, proxy.url(""))
        assert isinstance(await send(target.url("/"), allow_private=["127.0.0.0/8"]), Delivered)
        assert not proxy.requests


async def test_a_proxy_that_does_not_answer_is_tried_later() -> None:
    got = await send("http://hook.example.org/", proxy={"url": "http://127.0.0.1:1"})
    assert isinstance(got, TryLater)
    assert got.reason == "refused"


@pytest.mark.parametrize("url", ["socks5://h:1", "h:3128", "http://me:hunter2@h:3128", "http://"])
async def test_what_is_no_proxy_is_a_mistake(url: str) -> None:
    with pytest.raises(ValidationError) as caught:
        await send("http://hook.example.org/", proxy={"url": url})
    assert "hunter2" not in "".join(one["msg"] for one in caught.value.errors())
