"""The seven pages show what is in the store, and foreign text stays text."""

from __future__ import annotations

import asyncio
import re
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from html.parser import HTMLParser
from importlib import resources

import httpx
import pytest

from tests.making import WHEN, article, digest_delivery
from tests.notify.digests import usual
from tests.web.web_app import TEXT, FixedPreviews, closed, config_of, failing, found, pages, sent
from watchpost.config.config import Config
from watchpost.errors import Complaint, ConfigError
from watchpost.match.routing import all_groups
from watchpost.model import HitVerdict, Message, Severity, Snippet
from watchpost.operations.previews import Preview
from watchpost.operations.reloading import Reloader
from watchpost.query.tree import Evidence
from watchpost.store.client import Store
from watchpost.store.codec import ARTICLE
from watchpost.store.ledger import Ledger
from watchpost.store.verdicts import Verdicts

PATHS = (
    "/",
    "/status",
    "/stories",
    "/places",
    "/feeds",
    "/topics",
    "/topics/mali",
    "/editions",
    "/deliveries",
    "/config",
)
HOSTILE = "<script>alert(1)</script><img src=x onerror=alert(1)>\"'><svg/onload=alert(1)>\u202e{{7*7000007}}"
FRAME = "allow-popups allow-popups-to-escape-sandbox"  # no script, no form, no origin
UPCOMING = f"/editions/{all_groups(config_of().routes)[0].id}"
MAIL = (
    f"Subject: {HOSTILE[:20]}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/alternative; boundary=b\r\n\r\n"
    f"--b\r\nContent-Type: text/plain\r\n\r\n{HOSTILE[:60]}\r\n--b\r\nContent-Type: text/html\r\n\r\n"
    "<p>HTML <script>alert(1)</script><img src=https://evil.example/x onerror=alert(1)>"
    "<form action=https://evil.example/><button>x</button></form><iframe src=https://evil.example/></iframe>"
    "<meta http-equiv=refresh content='0;url=https://evil.example/'>\r\n--b--\r\n"
)


def hostile_previews() -> FixedPreviews:
    """The next digest, with hostile text everywhere."""
    messages = (
        Message("1", HOSTILE, {"html": HOSTILE, "text": HOSTILE, "json": HOSTILE}, address=HOSTILE),
        Message("2", HOSTILE, {"mime": MAIL}, address=HOSTILE),
    )
    story = usual().stories[0]
    stories = (replace(story, lead=replace(story.lead, title=HOSTILE), reckoning=HOSTILE),)
    return FixedPreviews({UPCOMING.removeprefix("/editions/"): (Preview("1", 1, messages, stories, (HOSTILE,)),)})


class _Tags(HTMLParser):
    """The tags of a page with their attributes."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.feed(html)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))


async def furnish(store: Store) -> None:
    """Something hostile in every field that strangers write."""
    about = article(
        HOSTILE,
        url="javascript:alert(1)",
        outlet=HOSTILE,
        lang='"><script>',
        body=HOSTILE,
        source="rfi",
        author=HOSTILE,
    )
    evidence = (Evidence("body", 0, 8, HOSTILE, HOSTILE),)
    await found(store, about, evidence=evidence, snippet=Snippet(HOSTILE, ((0, 8),)))
    await failing(store, "rfi", HOSTILE)
    await sent(store, "a" * 32, HOSTILE)


async def test_every_page_escapes_what_strangers_wrote(store: Store) -> None:
    await furnish(store)
    async with pages(store, previews=hostile_previews()) as address, httpx.AsyncClient() as client:
        for path in (
            *PATHS,
            UPCOMING,
            f"/e/{'a' * 32}",
            f"/stories?q={HOSTILE}&topic={HOSTILE}&lang={HOSTILE}",
            f"/feeds?q={HOSTILE}",
        ):
            answer = await client.get(address + path)
            assert answer.status_code == 200, path
            tags = _Tags(answer.text).tags
            scripts = [attrs for tag, attrs in tags if tag == "script"]
            assert len(scripts) == 1, path
            assert str(scripts[0]["src"]).startswith("/static/live.js?")
            for tag, attrs in tags:
                assert tag not in ("img", "object", "style", "base"), path
                assert tag != "iframe" or attrs.get("sandbox") == FRAME, path
                assert not [name for name in attrs if name.startswith("on") or name == "style"], path
                for name in ("href", "src", "action"):
                    assert re.match(r"/|#|https?://", attrs.get(name) or "/"), (path, attrs)
                assert "49000049" not in answer.text, "it is not a template"


async def test_a_story_says_why_and_links_safely(store: Store) -> None:
    about = article("Gao", url="https://news.example.org/gao", outlet="Radio", lang="fr", source="rfi")
    hit = await found(store, about, snippet=Snippet("Gao, au nord", ((0, 3),)))
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/stories")).text
        link = next(attrs for tag, attrs in _Tags(page).tags if attrs.get("href") == about.url)
        assert link["rel"] == "noopener noreferrer nofollow"
        assert link["lang"] == "fr"
        assert "<mark>Gao</mark>, au nord" in page
        assert hit.topic_title in page
        for query, there in (
            ("q=GAO nord", True),
            ("q=Kidal", False),
            ("lang=fr", True),
            ("lang=en", False),
            ("source=rfi", True),
            ("source=bbc", False),
            ("topic=mali", True),
            ("topic=wagner", False),
        ):
            page = (await client.get(f"{address}/stories?{query}")).text
            assert ("news.example.org/gao" in page) is there, query


async def test_copies_are_one_story_and_the_history_goes_back_page_by_page(store: Store) -> None:
    story = "5" * 32
    for outlet in ("Radio", "Gazette"):
        await found(store, article(f"Gao by {outlet}", outlet=outlet), story=story)
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/stories")).text
        assert page.count('<article class="story"') == 1
        assert "2 independent sources" in page
        assert "1 more report" in page
        for number in range(35):
            await found(store, article(f"report {number}"))
        first = (await client.get(f"{address}/stories")).text
        assert first.count('<article class="story"') == 20
        more = re.search(r'class="button" href="([^"]+)"', first)
        assert more is not None
        second = (await client.get(address + more[1].replace("&amp;", "&"))).text
        assert second.count('<article class="story"') == 16
        assert 'class="button"' not in second


async def test_a_story_is_on_one_page_with_all_its_topics_and_its_severity(store: Store) -> None:
    """Case E-5: a page broke off between two hits of a story."""
    severities: tuple[tuple[str, Severity], ...] = (("barkhane", "high"), ("wagner", "normal"), ("mali", "low"))
    for topic, severity in severities:
        about = article(f"Kidal, says {topic}", outlet="Radio")
        await found(store, about, topic=topic, severity=severity, story="5" * 32)
        for number in range(19):
            await found(store, article(f"{topic} {number}"))
    async with pages(store) as address, httpx.AsyncClient() as client:
        shown, path = [], "/stories"
        while path:
            page = (await client.get(address + path)).text
            shown += re.findall(r'<article class="story".*?</article>', page, re.DOTALL)
            more = re.search(r'class="button" href="([^"]+)"', page)
            path = more[1].replace("&amp;", "&") if more else ""
    (card,) = [one for one in shown if "/stories/" + "5" * 32 in one]
    assert len(shown) == 58
    assert all(f'href="/topics/{topic}"' in card for topic in ("mali", "wagner", "barkhane"))
    assert "</span> high" in card


async def test_a_story_has_an_address_with_all_its_reports(store: Store) -> None:
    story = "5" * 32
    for number in range(70):
        url = f"https://news.example.org/{number}"
        await found(store, article(f"Report {number}", outlet=f"Outlet {number}", url=url), story=story)
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/stories/st_{story}")).text
        assert "70 independent" in page
        shown = set(re.findall(r"https://news.example.org/(\d+)", page))
        rest = set(
            re.findall(r"https://news.example.org/(\d+)", (await client.get(f"{address}/stories/{story}?page=2")).text)
        )
        assert shown | rest == set(map(str, range(70)))
        assert "first found" in page.lower()
        answer = await client.get(f"{address}/stories/nothing")
        assert (answer.status_code, "no longer" in answer.text) == (404, True)


async def test_the_status_has_the_state_the_queues_and_the_problems(store: Store) -> None:
    await failing(store, "rfi", "HTTP 503")
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/status")).text
        assert "Running, with problems." in page
        assert "1 of 1 sources cannot be read" in page
        assert "HTTP 503" in page
        assert "with the next hit" in page


async def test_the_status_says_whether_everything_is_accounted_for(store: Store) -> None:
    await Ledger(store).open()
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert "Since the first start, everything is accounted for." in (await client.get(f"{address}/status")).text
        await store.redis.hincrby(f"{store.keys.ledger}fates", "team\tmali\tcame", 2)
        page = (await client.get(f"{address}/status")).text
    assert "accounted for.</p>" not in page
    assert "2 missing" in page
    assert "→ watchpost hit list --receiver team --topic mali --fate waiting" in page


async def test_feeds_can_be_filtered_and_failing_ones_come_first(store: Store) -> None:
    await failing(store, "rfi", "HTTP 503")
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/feeds")).text
        assert "https://feeds.example.org/rfi" in page
        assert "every 10 minutes" in page
        assert "HTTP 503" in (await client.get(f"{address}/feeds?state=failing&q=RFI&page=99999")).text
        assert "No source matches" in (await client.get(f"{address}/feeds?state=gone")).text


async def test_a_source_has_a_page_that_says_whose_texts_it_prints_and_who_prints_its_own(store: Store) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    for source, outlet, minutes, voice in (("rfi", "RFI", 0, ""), ("inbox", HOSTILE, 12, "RFI")):
        at = now - timedelta(minutes=60 - minutes)
        about = article(f"Gao from {source}", source=source, outlet=outlet, fetched=at, published=at)
        await found(store, about, story="5" * 32, voice=voice, matched=at)
    async with pages(store) as address, httpx.AsyncClient() as client:
        assert 'href="/feeds/rfi"' in (await client.get(f"{address}/feeds")).text
        page = (await client.get(f"{address}/feeds/rfi")).text
        assert "Reports with a hit in 30 days: 1; in words of its own: 1." in page
        assert "Stories that other sources print, too: 1; first to report: 1." in page
        assert "Reports with text that another source had before: 0." in page
        assert "Who prints its texts" in page
        assert ">12 min<" in page
        assert "<script>alert" not in page
        profile = (await client.get(f"{address}/api/v1/feeds/rfi/profile")).json()
        assert (profile["first"], profile["copied_by"][0]["lag_seconds"], profile["complete"]) == (1, 720.0, True)
        assert (await client.get(f"{address}/feeds/nobody")).status_code == 404
        assert (await client.get(f"{address}/api/v1/feeds/nobody/profile")).status_code == 404


@pytest.mark.parametrize(
    ("shares", "sentence", "shape"),
    [
        (("0.92",), ": 1; 92 % of it is in common.", (1, 0.92, 1)),
        (
            ("1.00", "0.46"),
            ": 2; mostly another's text: 1; in half of them at least 100 % of it is in common.",
            (2, 1.0, 1),
        ),
    ],
)
async def test_the_page_of_a_source_says_how_much_text_it_has_of_others(
    store: Store, shares: tuple[str, ...], sentence: str, shape: tuple[int, float, int]
) -> None:
    for number, share in enumerate(shares):
        ids = {}
        for source, minutes in (("inbox", 30), ("rfi", 20)):
            at = datetime.now(UTC).replace(microsecond=0) - timedelta(minutes=minutes)
            title = f"Gao from {source}, {number}"
            about = article(title, source=source, outlet=source, fetched=at, published=at)
            ids[source] = about.id, (await found(store, about, story=str(number) * 32, matched=at)).id
        await store.redis.hset(store.keys.hit(ids["rfi"][1]), mapping={"share": share, "of": ids["inbox"][0]})
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/feeds/rfi")).text
        assert f"Reports with text that another source had before{sentence}" in page.replace("&#39;", "'")
        of = (await client.get(f"{address}/api/v1/feeds/rfi/profile")).json()
        assert (of["copies"], of["copied_share"], of["mostly_copied"]) == shape


async def test_a_text_is_tried_on_a_topic(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient(headers={"origin": address}) as client:
        good = await client.post(f"{address}/topics/mali/try", data={"title": "Mali", "text": "The town of Gao."})
        assert "It matches." in good.text
        assert "The town of <mark>Gao</mark>." in good.text
        missed = await client.post(f"{address}/topics/mali/try", data={"title": "", "text": "Mali votes. <b>"})
        assert "It does not match." in missed.text
        assert "“Mali” (body): no " in missed.text
        assert "&lt;b&gt;" in missed.text
        assert (await client.post(f"{address}/topics/none/try", data={"text": "x"})).status_code == 404
        assert (await client.post(f"{address}/topics/mali/try", data={"text": "x" * 1_300_000})).status_code == 413
        for content in ("&".join("a=1" for _ in range(99)), "", "title=+&text=%0a"):
            empty = await client.post(f"{address}/topics/mali/try", content=content)
            assert empty.status_code == 422
            assert "enter a headline or a text" in empty.text
        long = await client.post(f"{address}/topics/mali/try", data={"title": "Gao" * 400, "text": "Mali"})
        assert long.status_code == 422
        assert 'aria-describedby="title-wrong"' in long.text
        assert "Mali</textarea>" in long.text, "what was typed is still there"
        asked_again = await client.get(f"{address}/topics/mali/try")
        assert asked_again.headers["location"] == "/topics/mali"


async def test_a_changed_query_is_tried_on_what_was_read_before_anybody_saves_it(store: Store) -> None:
    for number, title in enumerate(("Gao, Mali: talks", "Kidal, Mali: rain", "Mali GPU <b>", "Weather")):
        kept = article(title, id=f"a{number}", url=f"https://example.org/{number}")
        await store.redis.xadd(store.keys.retained, {"a": ARTICLE.encode(kept)})
    async with pages(store) as address, httpx.AsyncClient(headers={"origin": address}, timeout=60) as client:
        plain = (await client.get(f"{address}/topics/mali")).text
        assert "Mali AND (Gao OR Kidal)</textarea>" in plain
        tuned = await client.post(f"{address}/topics/mali/tune", data={"query": "Mali NOT Kidal", "exclude": ""})
        assert tuned.status_code == 200
        assert "4 articles tried:</strong> 2 hits before, 2 hits now." in tuned.text
        assert "New hits: 1" in tuned.text
        assert "Mali GPU &lt;b&gt;" in tuned.text
        assert "Lost hits: 1" in tuned.text
        assert "missing: " in tuned.text
        excluded = await client.post(f"{address}/topics/mali/tune", data={"query": "Mali", "exclude": "rain OR GPU"})
        assert "2 hits before, 1 hit now." in excluded.text
        assert "excluded by: rain" in excluded.text
        wrong = await client.post(f"{address}/topics/mali/tune", data={"query": "Mali AND", "exclude": "(Gao"})
        assert wrong.status_code == 422
        assert "column 6: AND has nothing after it" in wrong.text
        assert "column 1: this ( is never closed" in wrong.text
        assert "Mali AND</textarea>" in wrong.text, "what was typed is still there"
        assert (await client.post(f"{address}/topics/none/tune", data={"query": "x"})).status_code == 404
        again = await client.get(f"{address}/topics/mali/tune")
        assert again.headers["location"] == "/topics/mali"


async def test_hits_are_judged_on_the_page_of_their_topic(store: Store) -> None:
    about = article("Gao <b> talks", url="https://example.org/1")
    await store.redis.xadd(store.keys.retained, {"a": ARTICLE.encode(replace(about, body="The whole text."))})
    made = await found(store, about)
    async with pages(store) as address, httpx.AsyncClient(headers={"origin": address}, timeout=60) as client:
        before = (await client.get(f"{address}/topics/mali")).text
        assert "Gao &lt;b&gt; talks" in before
        assert "0 verdicts relevant, 0 not relevant" in before
        done = await client.post(f"{address}/hits/{made.id}/not-relevant")
        assert (done.status_code, done.headers["location"]) == (303, "/topics/mali?done=judged")
        (kept,) = await Verdicts(store).of("mali")
        assert (kept.relevant, kept.article.body, kept.by) == (False, "The whole text.", "local user")
        after = (await client.get(f"{address}/topics/mali?done=judged")).text
        assert "<strong>not relevant</strong>" in after
        assert "Verdict kept." in after
        proposal = await client.post(f"{address}/topics/mali/suggest")
        assert proposal.status_code == 200
        assert "There is nothing to propose." in proposal.text, "the topic does not match this text"
        for number, title in enumerate(("Gao, Mali: a GPU", "Kidal, Mali: GPU tests")):
            wrong = article(title, id=f"g{number}", body="")
            await Verdicts(store).set(HitVerdict("mali", wrong, False, "anna", WHEN))
        proposal = await client.post(f"{address}/topics/mali/suggest")
        assert "<h3>Exclude</h3>" in proposal.text
        assert ">gpu</pre>" in proposal.text
        assert "removes 2 of 2 marked as not relevant, loses 0 of 0 marked as relevant" in proposal.text
        assert (await client.get(f"{address}/topics/mali/suggest")).headers["location"] == "/topics/mali"
        await client.post(f"{address}/hits/{made.id}/relevant")
        assert [one.relevant for one in await Verdicts(store).of("mali") if one.by == "local user"] == [True]
        await client.post(f"{address}/hits/{made.id}/none")
        assert {one.by for one in await Verdicts(store).of("mali")} == {"anna"}
        for path in (f"/hits/{made.id}/perhaps", f"/hits/{'0' * 32}/relevant"):
            assert (await client.post(f"{address}{path}")).headers["location"] == "/topics?done=none"


async def test_delivered_and_waiting_messages_can_be_read(store: Store) -> None:
    await sent(store, "b" * 32, "3 stories: Mali")
    await closed(store, digest_delivery("c" * 32))
    async with pages(store) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/editions")).text
        assert "3 stories: Mali" in page
        one = (await client.get(f"{address}/e/{'b' * 32}")).text
        assert "Mali said so. Мали так сказала." in one
        waiting = (await client.get(f"{address}/deliveries")).text
        assert "1 story: Mali" in waiting
        assert "Mali said so." in (await client.get(f"{address}/e/{'c' * 32}")).text
        assert (await client.get(f"{address}/e/nothing")).status_code == 404


async def test_the_configuration_page_shows_mistakes_in_the_files(store: Store) -> None:
    def refuse() -> Config:
        raise ConfigError((Complaint("a.yaml", 1, 2, "topics.mali", "unknown key"),))

    reloader = Reloader(config_of(), refuse, lambda: datetime.now(UTC))
    async with pages(store, reloader=reloader) as address, httpx.AsyncClient() as client:
        page = (await client.get(f"{address}/config")).text
        assert "are not used" in page
        assert "a.yaml:1:2 topics.mali: unknown key" in page
        assert config_of().fingerprint in page


@pytest.mark.parametrize("path", [path for path in PATHS if path != "/config"])
async def test_a_page_says_that_the_store_is_away(path: str) -> None:
    store = Store("redis://127.0.0.1:1/0")
    async with pages(store) as address, httpx.AsyncClient() as client:
        answer = await client.get(address + path)
        assert answer.status_code == 503
        assert "127.0.0.1:1" in answer.text
        assert "default-src 'none'" in answer.headers["content-security-policy"]
    await store.close()


async def test_an_open_page_is_notified_of_changes(store: Store) -> None:
    async with (
        pages(store) as address,
        httpx.AsyncClient(timeout=20) as client,
        client.stream("GET", f"{address}/live") as stream,
    ):
        lines = stream.aiter_lines()
        assert await anext(lines) == "retry: 5000"
        await asyncio.sleep(0.2)
        await found(store, article("Gao"))
        assert "event: moved" in [await anext(lines) for _ in range(2)]


class BrokenPreviews(FixedPreviews):
    """Digests that cannot be composed."""

    async def preview(self, id_: str) -> tuple[Preview, ...]:
        raise ValueError(f"a mistake of ours: {HOSTILE}")

    async def send(self, id_: str, by: str, shown: str | None = None) -> int | None:
        raise ValueError("the same")


async def test_a_page_that_fails_says_so_and_the_others_work(store: Store) -> None:
    async with (
        pages(store, previews=BrokenPreviews({})) as address,
        httpx.AsyncClient(headers={"origin": address}) as client,
    ):
        for answer in (
            await client.get(address + UPCOMING),
            await client.get(f"{address}{UPCOMING}/1/html"),
            await client.post(f"{address}{UPCOMING}/send", data={"seen": "1"}),
        ):
            assert answer.status_code == 500
            assert "the log has it as page.failed" in answer.text
            assert "mistake of ours" not in answer.text
            assert "default-src 'none'" in answer.headers["content-security-policy"]
        called = await client.get(f"{address}/api/v1{UPCOMING}")
        assert (called.status_code, "page.failed" in called.json()["problem"]) == (500, True)
        assert (await client.get(f"{address}/editions")).status_code == 200


async def test_pages_stay_small_whatever_is_in_them(store: Store) -> None:
    """100 kB each, with much of everything: a telephone in the field reads them, too."""
    clause = "(" + " OR ".join(f"mercenar{number}*" for number in range(60)) + ")"
    evidence = tuple(Evidence("body", n, n + 9, f"mercenary {n}" * 9, clause) for n in range(40))
    topics = "".join(f"  topic-{number}: {{title: Topic {number}, query: Mali}}\n" for number in range(200))
    for number in range(40):
        about = article(f"{number}: {'a rather long headline ' * 9}", url=f"https://news.example/{'x' * 180}/{number}")
        await found(store, about, evidence=evidence, snippet=Snippet("Gao and Kidal " * 20, ((0, 3), (8, 13))))
    names = (f"feed-{number}-of-a-regional-newspaper" for number in range(300))
    feeds = "".join(f"  {name}: https://feeds.example.org/{name}/edition/international/rss.xml\n" for name in names)
    config = config_of(re.sub(r"feeds: .*\n", f"feeds:\n{feeds}", TEXT).replace("topics:\n", f"topics:\n{topics}"))
    async with pages(store, config=config) as address, httpx.AsyncClient() as client:
        for path in (*PATHS, "/topics?page=2", "/feeds?page=3&q=feed", "/topics?q=topic 19"):
            answer = await client.get(address + path)
            assert answer.status_code == 200, path
            assert len(answer.content) < 100_000, path
        assert "page 2 of 4" in (await client.get(f"{address}/topics?page=2&q=topic")).text
        assert "No topic matches" in (await client.get(f"{address}/topics?q=nothing")).text


async def test_static_files_may_be_kept_and_nothing_else_is_served(store: Store) -> None:
    async with pages(store) as address, httpx.AsyncClient() as client:
        style = await client.get(f"{address}/static/style.css")
        assert "immutable" in style.headers["cache-control"]
        assert style.headers["content-type"].startswith("text/css")
        for name in ("server.py", "..%2fserver.py", "../server.py", "none.css"):
            assert (await client.get(f"{address}/static/{name}")).status_code == 404
        assert (await client.get(address)).headers["cache-control"] == "no-store"


def test_labels_of_cells_fit_beside_their_values_on_a_telephone() -> None:
    folder = resources.files("watchpost.web").joinpath("templates")
    texts = [one.read_text(encoding="utf-8") for one in folder.iterdir() if one.name.endswith(".html")]
    labels = {label for text in texts for label in re.findall('data-label="([^"{]+)"', text)}
    assert len(labels) > 10
    assert [label for label in labels if len(label) > 14] == []
