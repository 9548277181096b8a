"""The sample articles and the configuration that `make run` uses do what docs/seeds.md and their comments say."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from watchpost.config.config import Config
from watchpost.documents.parse import read_document
from watchpost.match.matcher import match
from watchpost.model import Article
from watchpost.operations.factory import read_config

ROOT = Path(__file__).parents[2]
SEEDS = ROOT / "seeds"
CONFIG = ROOT / "config"
NOW = datetime(2025, 1, 1, tzinfo=UTC)

_ROW = re.compile(r"\| `(?P<item>[^`]+)` \| (?P<lang>[a-z]{2}) \| (?P<topics>[a-z, -]+?) \| [^|]+ \|")


def rows() -> Iterator[tuple[str, str, frozenset[str]]]:
    """The table of docs/seeds.md: file (with `#n` where it holds several articles), language, topics."""
    for line in (ROOT / "docs" / "seeds.md").read_text(encoding="utf-8").splitlines():
        if found := _ROW.fullmatch(line):
            topics = frozenset(found["topics"].split(", ")) - {"-"}
            yield found["item"], found["lang"], topics


TABLE = tuple(rows())


@pytest.fixture(scope="module")
def config() -> Config:
    return read_config(CONFIG / "watchpost.yaml", env={})


@pytest.fixture(scope="module")
def articles() -> dict[str, Article]:
    """Every article of the seeds under the name that the table gives it."""
    named: dict[str, Article] = {}
    for path in sorted(SEEDS.iterdir()):
        reading = read_document(path.name, path.read_bytes(), NOW)
        assert not reading.failures, path.name
        several = path.suffix in {".jsonl", ".xml"}
        for number, article in enumerate(reading.articles, start=1):
            named[f"{path.name}#{number}" if several else path.name] = article
    return named


def test_the_table_and_the_folder_name_the_same_articles(articles: dict[str, Article]) -> None:
    listed = [item for item, _, _ in TABLE]
    assert len(set(listed)) == len(listed)
    assert set(listed) == set(articles)


@pytest.mark.parametrize(("item", "lang", "topics"), TABLE, ids=[item for item, _, _ in TABLE])
def test_a_seed_matches_the_topics_of_the_table(
    item: str, lang: str, topics: frozenset[str], articles: dict[str, Article], config: Config
) -> None:
    article = articles[item]
    hits = match(article, config.topics, NOW)
    assert {hit.topic for hit in hits} == topics, {hit.topic: [e.text for e in hit.evidence] for hit in hits}
    for hit in hits:
        for found in hit.evidence:
            assert getattr(article, found.field)[found.start : found.end] == found.text
    assert not article.lang or item.startswith("sample-feed.xml") or article.lang == lang


def test_page_boilerplate_is_not_part_of_a_seed(articles: dict[str, Article]) -> None:
    copied = articles["2021-09-wagner-mali-talks.txt"]
    assert copied.title == "Bamako weighs a Russian offer, and Paris names its price"
    assert copied.place == "BAMAKO"
    assert copied.outlet == "Sahel Sample Wire"
    for scrap in ("NewsSahel", "Show More", "Related Articles", "Back to top"):
        assert scrap not in copied.title + copied.body
    page = articles["2022-02-retrait-barkhane.html"]
    assert "Wagner" not in page.title + page.body
    assert "Cookies" not in page.body


def test_markup_in_a_title_becomes_plain_text(articles: dict[str, Article]) -> None:
    title = articles["sample-feed.xml#1"].title
    assert title == 'Mali & "friends": three capitals plan one passport'


def test_every_seed_says_that_it_is_a_sample(articles: dict[str, Article]) -> None:
    said = re.compile(r"sample text|sample briefing|texte d.exemple|beispieltext|texto de (?:amostra|muestra)|"
                      r"пример\w* текста|نص نموذجي|示例文字", re.IGNORECASE)  # fmt: skip
    assert [item for item, article in articles.items() if not said.search(article.body)] == []


def test_seeds_speak_of_hosts_that_cannot_exist(articles: dict[str, Article]) -> None:
    hosts = {article.url.split("/")[2] for article in articles.values() if article.url}
    assert hosts
    assert {host for host in hosts if not host.endswith(".example")} == set()


@pytest.mark.parametrize("name", ["watchpost.yaml", "minimal.yaml"])
def test_a_shipped_configuration_has_neither_errors_nor_warnings(name: str) -> None:
    assert read_config(CONFIG / name, env={}).warnings == ()


def test_the_receivers_in_comments_are_right_too(tmp_path: Path) -> None:
    text = (CONFIG / "watchpost.yaml").read_text(encoding="utf-8")
    start, end = text.index("\nreceivers:"), text.index("\n# Read from the top")
    live = re.sub(r"^  # ?(?!=)", "  ", text[start:end], flags=re.MULTILINE)
    path = tmp_path / "watchpost.yaml"
    path.write_text(text[:start] + live + text[end:], encoding="utf-8")
    (tmp_path / "topics").mkdir()
    for topic in (CONFIG / "topics").glob("*.yaml"):
        (tmp_path / "topics" / topic.name).write_bytes(topic.read_bytes())
    env = {
        "SLACK_URL": "https://hooks.slack.com/services/T0/B0/x",
        "HOOK_SECRET": "whsec_" + "QUJD" * 12,
        "SMTP_PASSWORD": "x",
    }
    kinds = {part.name: part.kind for part in read_config(path, env=env).receivers}
    assert kinds == {
        "terminal": "console",
        "files": "file",
        "newsroom": "slack",
        "archive": "webhook",
        "desk": "email",
    }
