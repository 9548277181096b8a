"""Access: host names, where a request comes from, users, and what they may do."""

from __future__ import annotations

import base64
import io
from ipaddress import ip_network

import httpx
import pytest
from starlette.datastructures import Headers

from tests.operations.test_deliveries import acted
from tests.web.web_app import pages
from watchpost import log as tm
from watchpost.config.config import HttpAccess
from watchpost.config.fields import Secret
from watchpost.config.passwords import fits, hashed, is_hash
from watchpost.config.schema import ApiToken, Auth, TrustedProxy
from watchpost.store.client import Store
from watchpost.web.auth import ANYBODY, Authenticator, User, is_ours, sender_of

KEPT = hashed("correct horse: battery", b"sixteen bytes 16")
AUTH = Auth(users={"anna": Secret(KEPT), "bob": Secret(KEPT)}, view=("bob",))
USERS = HttpAccess(AUTH)
PROXY = TrustedProxy(header="X-User", trusted=(ip_network("10.0.0.0/8"),), operate=("anna",))
TRY = "/topics/mali/try"


def basic(name: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + base64.b64encode(f"{name}:{password}".encode()).decode()}


# ── the host ──


@pytest.mark.parametrize(
    "host", ["evil.example", "watchpost.example:8080", "127.0.0.1.evil.example", "", "a b", "[::1"]
)
async def test_a_name_from_elsewhere_is_refused(store: Store, host: str) -> None:
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert (await client.get(f"{address}/metrics", headers={"host": host})).status_code in (400, 421)


def test_own_host_names() -> None:
    for host in ("localhost", "LOCALHOST:8080", "127.0.0.1:80", "127.9.9.9", "[::1]", "[::1]:8080"):
        assert is_ours(host, (), open_to_all=False), host
    assert is_ours("Watch.Example.org:443", ("watch.example.org",), open_to_all=False)
    assert not is_ours("10.0.0.5:8080", (), open_to_all=False)
    assert is_ours("10.0.0.5:8080", (), open_to_all=True), "an address is nobody's DNS name"
    assert not is_ours("web.internal", (), open_to_all=True)


# ── where it comes from ──


@pytest.mark.parametrize(
    ("headers", "sender"),
    [
        ({"sec-fetch-site": "same-origin"}, "own"),
        ({"sec-fetch-site": "none"}, "own"),
        ({"sec-fetch-site": "cross-site"}, "elsewhere"),
        ({"sec-fetch-site": "same-site"}, "elsewhere"),
        ({"sec-fetch-site": "cross-site", "origin": "http://here:1", "authorization": "Basic eA=="}, "elsewhere"),
        ({"origin": "http://here:1"}, "own"),
        ({"origin": "http://elsewhere"}, "elsewhere"),
        ({"origin": "null"}, "elsewhere"),
        ({}, "program"),
    ],
)
def test_a_request_from_a_page_of_another_site_is_recognised(headers: dict[str, str], sender: str) -> None:
    assert sender_of(Headers({"host": "here:1", **headers})) == sender


async def test_a_foreign_page_changes_nothing(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient() as client:
        for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
            assert (await client.post(address + TRY, data={"text": "x"}, headers=headers)).status_code == 403
        own = await client.post(address + TRY, data={"text": "x"}, headers={"origin": address})
        assert own.status_code == 200


# ── who asks ──


async def test_without_a_log_in_every_local_user_may_act() -> None:
    assert await Authenticator(Auth()).user_of("127.0.0.1", Headers()) == ANYBODY


async def test_a_name_and_its_password() -> None:
    keeper = Authenticator(AUTH)
    for _ in range(2):  # the second time from memory
        assert await keeper.user_of("", Headers(basic("anna", "correct horse: battery"))) == User("anna", "operate")
    assert await keeper.user_of("", Headers(basic("bob", "correct horse: battery"))) == User("bob", "view")
    for wrong in (basic("anna", "Correct horse: battery"), basic("eve", "correct horse: battery"), {}):
        assert await keeper.user_of("", Headers(wrong)) is None
    for broken in ("Basic", "Basic !", "Basic /w==", "Bearer x", "Basic " + "A" * 3000, "Basic YW5uYQ=="):
        assert await keeper.user_of("", Headers({"authorization": broken})) is None


async def test_only_the_configured_proxy_is_trusted() -> None:
    keeper = Authenticator(Auth(proxy=PROXY))
    assert await keeper.user_of("10.1.2.3", Headers({"x-user": "anna"})) == User("anna", "operate")
    assert await keeper.user_of("10.1.2.3", Headers({"x-user": "zoe"})) == User("zoe", "view")
    assert await keeper.user_of("10.1.2.3", Headers()) is None
    assert await keeper.user_of("192.0.2.1", Headers({"x-user": "anna"})) is None
    assert await keeper.user_of("", Headers({"x-user": "anna"})) is None


async def test_pages_need_a_log_in_and_probes_do_not(store: Store) -> None:
    good, looks = basic("anna", "correct horse: battery"), basic("bob", "correct horse: battery")
    async with pages(store, access=USERS) as address, httpx.AsyncClient() as client:
        for path in ("/", "/stories", "/metrics", "/status.json", "/live", "/nothing"):
            answer = await client.get(address + path)
            assert answer.status_code == 401
            assert "Basic" in answer.headers["www-authenticate"]
        assert (await client.get(f"{address}/healthz")).status_code == 200
        assert (await client.get(f"{address}/static/style.css")).status_code == 200, "readers of mail see it, too"
        assert (await client.get(f"{address}/", headers=good)).status_code == 200
        assert (await client.get(f"{address}/", headers=looks)).status_code == 200
        looks["origin"] = address
        assert (await client.post(f"{address}/deliveries/retry", headers=looks)).status_code == 403
        assert (await client.post(address + TRY, data={"text": "x"}, headers=looks)).status_code == 200


# ── programs ──


TOKEN, LOOKING = "s3cr3t-of-deploy-0123456789", "s3cr3t-of-prometheus-98765"
TOKENS = {"deploy": ApiToken(token=Secret(TOKEN), role="operate"), "prometheus": ApiToken(token=Secret(LOOKING))}


async def test_a_program_shows_its_token() -> None:
    keeper = Authenticator(AUTH.model_copy(update={"tokens": TOKENS}))
    for header in (f"Bearer {TOKEN}", f"bearer  {TOKEN} "):
        assert await keeper.user_of("", Headers({"authorization": header})) == User(
            "token deploy", "operate", program=True
        )
    assert await keeper.user_of("", Headers({"authorization": f"Bearer {LOOKING}"})) == User(
        "token prometheus", "view", True
    )
    for wrong in ("Bearer", "Bearer ", f"Bearer {TOKEN[:-1]}", f"Bearer {TOKEN}x", f"Basic {TOKEN}", "Bearer é", TOKEN):
        assert await keeper.user_of("", Headers({"authorization": wrong})) is None
    assert await Authenticator(AUTH).user_of("", Headers({"authorization": f"Bearer {TOKEN}"})) is None


async def test_a_proxy_may_pass_on_a_foreign_token() -> None:
    keeper = Authenticator(Auth(proxy=PROXY, tokens=TOKENS))
    asked = Headers({"x-user": "zoe", "authorization": "Bearer of-another-service"})
    assert await keeper.user_of("10.1.2.3", asked) == User("zoe", "view")


@pytest.mark.parametrize(
    "auth", [AUTH.model_copy(update={"tokens": TOKENS}), Auth(tokens=TOKENS)], ids=["users", "tokens alone"]
)
async def test_where_people_log_in_a_program_acts_with_a_token_only(store: Store, auth: Auth) -> None:
    log = io.StringIO()
    tm.set_up_log("json", "warning", log)
    deploy, looking = ({"authorization": f"Bearer {token}"} for token in (TOKEN, LOOKING))
    anna = basic("anna", "correct horse: battery")
    retry = "/deliveries/retry"
    async with pages(store, access=HttpAccess(auth)) as address, httpx.AsyncClient() as client:
        wrong = await client.post(address + retry, headers={"authorization": "Bearer nonsense"})
        assert (wrong.status_code, "invalid_token" in wrong.headers["www-authenticate"]) == (401, True)
        assert (await client.post(address + retry)).status_code == 401
        assert (await client.post(address + retry, headers=looking)).status_code == 403
        assert (await client.get(f"{address}/metrics", headers=looking)).status_code == 200
        foreign = {**deploy, "origin": "https://evil.example"}
        assert (await client.post(address + retry, headers=foreign)).status_code == 403
        assert acted(log) == []
        assert (await client.post(address + retry, headers=deploy)).status_code == 303
        assert (await client.post(f"{address}/api/v1/deliveries/retry", headers=deploy)).status_code == 200
        assert {by for *_, by in acted(log)} == {"token deploy"}
        if auth.users:
            asked = await client.post(address + retry, headers=anna)
            assert (asked.status_code, "Bearer" in asked.text) == (403, True)
            assert (await client.post(address + TRY, data={"text": "x"}, headers=anna)).status_code == 403
            own = {**anna, "origin": address}
            assert (await client.post(address + retry, headers=own)).status_code == 303


async def test_where_nobody_logs_in_a_program_needs_no_token(store: Store) -> None:
    log = io.StringIO()
    tm.set_up_log("json", "warning", log)
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert (await client.post(f"{address}/deliveries/retry")).status_code == 303
    assert [by for *_, by in acted(log)] == [ANYBODY.name]


# ── what is kept of a password ──


def test_a_hash_knows_its_password_and_no_other() -> None:
    assert fits("correct horse: battery", KEPT)
    assert not fits("correct horse", KEPT)
    assert "horse" not in KEPT


@pytest.mark.parametrize(
    "text",
    [
        "",
        "hunter2",
        KEPT[:-30],
        KEPT.replace("16384", "16383"),
        KEPT.replace("16384", "9999999"),
        KEPT.replace("$8$", "$0$"),
    ],
)
def test_an_invalid_or_too_costly_hash_is_not_tried(text: str) -> None:
    assert not is_hash(text)
    with pytest.raises(ValueError, match="not a hash"):
        fits("x", text)
