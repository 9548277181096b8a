"""Searching the archive finds exactly what matching finds."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.archive.test_contract import article_of
from tests.making import WHEN, article
from tests.query.crowd import Crowd
from tests.query.making import documents, trees
from watchpost.archive.archive import ALWAYS, Mark, ReadBetween
from watchpost.archive.packing import FiledArticle, filed
from watchpost.archive.search import MOST_READ, Search, Wanted, archived
from watchpost.archive.sqlite import SqliteArchive
from watchpost.match.matcher import Topics
from watchpost.model import Article, Topic
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.tree import Node, Query
from watchpost.schedules import Silence


@pytest.fixture
def archive(tmp_path: Path) -> Iterator[SqliteArchive]:
    archive = SqliteArchive(tmp_path / "archive")
    yield archive
    archive.close()


def topic(name: str, query: str, **facts: object) -> Topic:
    return Topic(name, name.title(), parse(query), **facts)  # type: ignore[arg-type]


MALI = topic("mali", "country:ML OR place:ML", severity="high")
WAGNER = topic("wagner", "wagner", exclude=parse("opera"), languages=("fr", "en"))


def titles(archive: SqliteArchive, wanted: Wanted, *topics: Topic, silences: tuple[Silence, ...] = ()) -> list[str]:
    search = Search(wanted, topics, silences, now=WHEN)
    page = [one.article.title for one in search.page(archive, 1000).found]
    assert page == [one.article.title for one in search.all(archive)]
    return page


@settings(max_examples=25, deadline=None)
@given(st.lists(trees, min_size=1, max_size=6), st.lists(documents, min_size=1, max_size=6))
def test_it_finds_what_matching_finds_in_the_corners_of_unicode(nodes: list[Node], texts: list[Document]) -> None:
    articles = {one.id: one for one in map(article_of, texts)}
    topics = [Topic(str(number), "", Query(str(node), node)) for number, node in enumerate(nodes)]
    with TemporaryDirectory() as directory:
        _compare(directory, list(articles.values()), topics)


@pytest.mark.parametrize("seed", range(3))
def test_it_finds_what_matching_finds_in_a_crowd(seed: int, tmp_path: Path) -> None:
    crowd = Crowd(seed)
    articles = {one.id: one for one in (article_of(Document.of(crowd.fields())) for _ in range(60))}
    topics = [Topic(name, "", query) for name, query in crowd.queries(60).items()]
    _compare(str(tmp_path), list(articles.values()), topics)


NAMES = (
    "country:ML",
    "place:ML",
    "near:Gao/200km",
    "entity:wagner-group",
    "title:country:ML",
    "country:ML NEAR/5 place:ML",
)
SENTENCES = (
    "The Malian army took Kidal from Tuareg rebels, the junta in Bamako said.",
    "L'armée malienne a repris Kidal, selon Bamako; le groupe Wagner a quitté Gao.",
    "Малийская армия взяла Кидаль. Группа Вагнера покинула Гао.",
    "马里军队夺回基达尔, 瓦格纳集团离开加奥。 马里乌波尔 索马里",
    "الجيش المالي يستعيد كيدال، ومجموعة فاغنر تغادر غاو",
    "Das malische Militär meldet Kämpfe bei Timbuktu und Ménaka.",
    "Mali Koirala sings; Gao Xingjian reads Wagner's letters at the opera.",
    "The Ma-\nlian ar-\nmy left Tim-\nbuktu.",
)


def test_names_of_the_library_are_found_as_they_are_matched(tmp_path: Path) -> None:
    articles = [article(text[:30], body=text) for text in SENTENCES] + [article(text, body="") for text in SENTENCES]
    topics = [topic(f"t{number}", query) for number, query in enumerate(NAMES)]
    _compare(str(tmp_path), articles, topics)
    assert {hit.topic for one in articles for hit in Topics(topics).match(one, WHEN)} == {one.name for one in topics}


def _compare(directory: str, articles: list[Article], topics: list[Topic]) -> None:
    archive = SqliteArchive(Path(directory) / "archive")
    archive.add([filed(one) for one in articles])
    matcher = Topics(topics)
    live = {(hit.topic, one.id, hit.evidence) for one in articles for hit in matcher.match(one, WHEN)}
    by_query = {
        (one.name, found.article.id, found.evidence)
        for one in topics
        for found in Search(Wanted(one.query), now=WHEN).page(archive, 1000).found
    }
    by_topic = {
        (hit.topic, found.article.id, hit.evidence)
        for one in topics
        for found in Search(Wanted(topic=one.name), topics, now=WHEN).page(archive, 1000).found
        for hit in found.hits
        if hit.topic == one.name
    }
    tried = {
        (hit.topic, one.id, hit.evidence)
        for one in archived(archive, topics, ReadBetween())
        for hit in matcher.match(one, WHEN)
    }
    archive.close()
    assert by_query == by_topic == tried == live


def test_every_condition(archive: SqliteArchive) -> None:
    archive.add(
        [
            filed(article("Bamako: Wagner leaves", lang="fr", source="le-monde", fetched=WHEN - timedelta(days=1))),
            filed(article("Wagner in Gao", lang="ru", source="ria")),
            filed(article("Wagner at the opera", lang="en", source="bbc.world")),
            filed(
                article(
                    "A ferry", lang="", source="bbc.world", body="Le bac de la ville a été réparé par les ouvriers."
                )
            ),
        ]
    )
    both = (MALI, WAGNER)
    everything = ["A ferry", "Wagner at the opera", "Wagner in Gao", "Bamako: Wagner leaves"]
    assert titles(archive, Wanted(), *both) == everything
    assert titles(archive, Wanted(parse("title:wagner")), *both) == everything[1:]
    assert titles(archive, Wanted(source="bbc.world"), *both) == everything[:2]
    assert titles(archive, Wanted(source="bbc"), *both) == []
    assert titles(archive, Wanted(lang="fr"), *both) == ["A ferry", "Bamako: Wagner leaves"]
    assert titles(archive, Wanted(topic="mali"), *both) == ["Wagner in Gao", "Bamako: Wagner leaves"]
    assert titles(archive, Wanted(topic="wagner"), *both) == ["Bamako: Wagner leaves"]
    assert titles(archive, Wanted(severity="normal"), *both) == ["Bamako: Wagner leaves"]
    assert titles(archive, Wanted(topic="mali", severity="low"), *both) == []
    assert titles(archive, Wanted(between=ReadBetween.of(WHEN)), *both) == everything[:3]
    silences = (Silence("s", WHEN + timedelta(days=1), "known", "anna", source="ria"),)
    assert titles(archive, Wanted(muted=True), *both, silences=silences) == ["Wagner in Gao"]
    assert titles(archive, Wanted(topic="mali", muted=False), *both, silences=silences) == ["Bamako: Wagner leaves"]


def test_a_language_that_is_declared_as_undetermined_is_recognised(archive: SqliteArchive) -> None:
    archive.add(
        [filed(article("Le bac", lang="und", body="Le bac de la ville a été réparé par les ouvriers du port."))]
    )
    assert titles(archive, Wanted(lang="fr")) == ["Le bac"]


def test_a_language_that_a_feed_declares_wrongly_is_that_of_the_text(archive: SqliteArchive) -> None:
    body = (
        "Le bac de la ville a été réparé jeudi par les ouvriers du port, et les camions passent de nouveau le fleuve."
    )
    archive.add([filed(article("Le bac est réparé", lang="en", body=body))])
    (found,) = Search(Wanted(parse("bac AND lang:fr"), lang="fr"), now=WHEN).page(archive, 10).found
    assert found.article.lang == "fr"
    assert titles(archive, Wanted(lang="en")) == titles(archive, Wanted(parse("lang:en"))) == []


def test_it_continues_at_its_mark(archive: SqliteArchive) -> None:
    archive.add([filed(article(f"Mali {number}")) for number in range(50)])
    search, found, mark = Search(Wanted(parse("mali")), now=WHEN), [], None
    while True:
        page = search.page(archive, 7, mark)
        found += [one.article.title for one in page.found]
        mark = page.more
        if mark is None:
            break
    assert found == [f"Mali {number}" for number in reversed(range(50))]


def test_a_search_reads_a_bounded_number_of_articles(tmp_path: Path) -> None:
    class Endless(SqliteArchive):
        def newest_first(self, *_: object, **__: object):  # type: ignore[no-untyped-def]
            one = filed(article("Niger"))
            from watchpost.archive.archive import ArchivedArticle

            return (
                ArchivedArticle(Mark("2026-11", number), one.fetched_ms, one.packed) for number in range(10**9, 0, -1)
            )

    page = Search(Wanted(parse("mali")), now=WHEN).page(Endless(tmp_path), 5)
    assert page.found == ()
    assert page.more == Mark("2026-11", 10**9 - MOST_READ + 1)


def test_a_record_of_a_later_version_is_left_out(archive: SqliteArchive) -> None:
    one = filed(article("Mali"))
    archive.add([FiledArticle(one.key + 1, one.fetched_ms, one.words, b"9" + one.packed[1:]), one])
    assert titles(archive, Wanted(parse("mali"))) == ["Mali"]


def test_the_progress_of_a_trial_counts_what_the_index_left_out(tmp_path: Path) -> None:
    archive, begin, made = SqliteArchive(tmp_path / "months"), datetime(2026, 8, 1, tzinfo=UTC), list[FiledArticle]()
    for number in range(900):  # ten a day
        title, when = f"{'Gao' if number % 3 == 0 else 'Other'} {number}", begin + timedelta(hours=2.4 * number)
        made.append(filed(article(title, url=f"https://e.org/{number}", fetched=when)))
    archive.add(made)
    seen: list[int] = []
    found = list(archived(archive, [topic("gao", "gao")], ALWAYS, seen.append))
    archive.close()
    assert len(found) == 300
    assert seen == sorted(seen)
    assert seen[0] < 10
    assert 700 < seen[-1] <= 900
