"""What every archive does: the same suite for each kind, on real files and a real server."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path

import psycopg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.making import WHEN, article
from tests.postgres_server import postgres_server
from tests.query.making import documents, trees
from watchpost.archive.archive import Archive, Mark, ReadBetween
from watchpost.archive.packing import filed, unpack
from watchpost.archive.postgres import PostgresArchive
from watchpost.archive.sqlite import SqliteArchive
from watchpost.errors import ArchiveError
from watchpost.match.matcher import document
from watchpost.model import Article, derive_id
from watchpost.query.document import Document
from watchpost.query.parser import parse
from watchpost.query.prefilter import IndexWord, prefilter
from watchpost.query.tree import Node

Opened = Callable[[], Archive]
"""Opens the archive of one test once more, as another process does."""


@pytest.fixture(scope="module")
def postgres() -> Iterator[str]:
    """The address of a server's database."""
    with postgres_server() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Opened]:
    archives: list[Archive] = []
    url = ""
    if request.param == "postgresql":
        server: str = request.getfixturevalue("postgres")
        with psycopg.connect(server, autocommit=True) as connection:
            connection.execute("DROP SCHEMA IF EXISTS one CASCADE; CREATE SCHEMA one")
        url = f"{server}&options=-csearch_path%3Done"

    def open_one() -> Archive:
        archives.append(PostgresArchive(url) if url else SqliteArchive(tmp_path / "archive"))
        return archives[-1]

    yield open_one
    for archive in archives:
        archive.close()


@pytest.fixture
def archive(opened: Opened) -> Archive:
    return opened()


def titles(archive: Archive, query: str = "", **bounds: object) -> list[str]:
    expression = prefilter(parse(query).root) if query else None
    return [unpack(one.packed).title for one in archive.newest_first(expression, **bounds)]  # type: ignore[arg-type]


def test_an_empty_archive_has_nothing(archive: Archive) -> None:
    assert titles(archive) == titles(archive, "mali") == []
    assert (archive.state().articles, archive.state().oldest) == (0, None)
    assert archive.prune(WHEN) == 0
    assert archive.add([]) == 0


def test_an_article_comes_back_as_it_was(archive: Archive) -> None:
    one = article(
        "Mali’s junta",
        body="Bamako, 马里.\n\nWagner left.",
        outlet="Le Monde",
        url="https://example.org/a",
        summary="In short",
        author="A. N. Other",
        lang="fr-ML",
        place="Bamako",
        published=WHEN - timedelta(hours=2),
        fingerprints=("url:https://example.org/a", "text:1"),
        revises="b" * 32,
    )
    assert archive.add([filed(one)]) == 1
    (found,) = archive.newest_first(prefilter(parse("title:junta AND 马里").root))
    assert unpack(found.packed) == one
    assert found.fetched_ms == int(WHEN.timestamp() * 1000)


def test_nothing_is_there_twice(archive: Archive, opened: Opened) -> None:
    batch = [filed(article(title)) for title in ("Mali", "Niger", "Mali")]
    assert archive.add(batch) == 2
    assert archive.add(batch) == opened().add(batch) == 0
    assert titles(archive) == ["Niger", "Mali"]
    assert archive.state().articles == 2


def test_a_new_headline_is_another_article(archive: Archive) -> None:
    one = article("Mali")
    assert archive.add([filed(one), filed(article("Mali: more", id=one.id))]) == 2


def test_the_newest_come_first_and_a_mark_continues(archive: Archive) -> None:
    moments = [datetime(2026, 9, 30, 23, 59, tzinfo=UTC) + timedelta(minutes=number) for number in range(40)]
    archive.add([filed(article(f"Mali {number}", fetched=moment)) for number, moment in enumerate(moments)])
    expected = [f"Mali {number}" for number in reversed(range(40))]
    for query in ("", "mali"):
        expression = prefilter(parse(query).root) if query else None
        found: list[str] = []
        mark: Mark | None = None
        while page := list(islice(archive.newest_first(expression, before=mark), 7)):
            found += [unpack(one.packed).title for one in page]
            mark = Mark.read(str(page[-1].mark))
        assert found == expected


@pytest.mark.parametrize(("begin", "end"), [(None, None), (5, None), (None, 5), (5, 30), (20, 20), (30, 5), (-3, 99)])
def test_only_what_was_read_in_a_span_of_time(archive: Archive, begin: int | None, end: int | None) -> None:
    start = datetime(2026, 9, 30, 23, 0, tzinfo=UTC)
    step = timedelta(minutes=11)
    archive.add([filed(article(f"Mali {number}", fetched=start + number * step)) for number in range(40)])
    between = ReadBetween.of(*(None if at is None else start + at * step for at in (begin, end)))
    first, last = (0 if begin is None else begin), (40 if end is None else end)
    expected = [f"Mali {number}" for number in reversed(range(40)) if first <= number < last]
    assert titles(archive, between=between) == titles(archive, "mali", between=between) == expected


def test_late_articles_are_in_their_month_and_span(archive: Archive) -> None:
    """A folder that was scanned before others, a clock that went back."""
    archive.add([filed(article("new", fetched=WHEN))])
    archive.add([filed(article("old", fetched=WHEN - timedelta(days=40)))])
    archive.add([filed(article("older today", fetched=WHEN - timedelta(hours=3)))])
    assert set(titles(archive)) == {"new", "old", "older today"}
    assert titles(archive, between=ReadBetween.of(WHEN - timedelta(hours=4), WHEN)) == ["older today"]


def test_months_are_dropped_as_a_whole(archive: Archive, opened: Opened) -> None:
    days = [datetime(2026, month, day, tzinfo=UTC) for month in (9, 10, 11) for day in (1, 28)]
    archive.add([filed(article(f"{day:%m-%d}", fetched=day)) for day in days])
    reader = iter(opened().newest_first(None))
    next(reader)
    assert archive.prune(datetime(2026, 10, 15, tzinfo=UTC)) == 1
    assert titles(archive) == ["11-28", "11-01", "10-28", "10-01"]
    state = archive.state()
    assert (state.articles, state.oldest, state.newest) == (4, days[2], days[-1])
    assert state.size_bytes > 0
    assert archive.prune(datetime(2027, 1, 1, tzinfo=UTC)) == 2
    assert titles(archive) == []
    assert archive.add([filed(article("again", fetched=days[-1]))]) == 1
    assert titles(archive) == ["again"]


def test_several_writers_and_readers_at_once(opened: Opened) -> None:
    batches = [[filed(article(f"Mali {number}")) for number in range(at, at + 40)] for at in range(0, 200, 20)]
    failures: list[BaseException] = []

    def write() -> None:
        archive = opened()
        try:
            for batch in batches:
                archive.add(batch)
                assert len(titles(archive, "mali")) >= 40
        except BaseException as error:
            failures.append(error)

    threads = [threading.Thread(target=write) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failures == []
    assert sorted(titles(opened())) == sorted(f"Mali {number}" for number in range(220))


def test_an_iterator_that_is_left_lets_go(archive: Archive) -> None:
    archive.add([filed(article(f"Mali {number}")) for number in range(10)])
    next(iter(archive.newest_first(IndexWord("mali"))))
    assert archive.add([filed(article("Niger"))]) == 1


_made = st.lists(documents, min_size=1, max_size=4)


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(trees, _made)
def test_the_index_never_leaves_out_what_the_query_matches(opened: Opened, node: Node, texts: list[Document]) -> None:
    """In the corners of Unicode: the index finds every article that the query matches."""
    archive = opened()
    articles = [article_of(text) for text in texts]
    archive.add([filed(one) for one in articles])
    matching = {one.id for one in articles if node.find(document(one)) is not None}
    found = {unpack(one.packed).id for one in archive.newest_first(prefilter(node))}
    assert matching <= found


def article_of(text: Document) -> Article:
    fields = {name: value.encode(errors="replace").decode() for name, value in text.fields.items()}
    return Article(
        id=derive_id("article", *fields.values()),
        source=fields.get("source", ""),
        title=fields.get("title", ""),
        body=fields.get("body", ""),
        fetched=WHEN,
        summary=fields.get("summary", ""),
        author=fields.get("author", ""),
        lang=fields.get("lang", ""),
        url=fields.get("url", ""),
    )


@pytest.mark.parametrize(("begin", "end"), [(None, None), (5, None), (None, 5), (5, 30), (20, 20), (3, 4), (-3, 99)])
def test_how_many_were_read(archive: Archive, begin: int | None, end: int | None) -> None:
    start, step = datetime(2026, 9, 30, 23, 0, tzinfo=UTC), timedelta(minutes=11)
    archive.add([filed(article(f"Mali {number}", fetched=start + number * step)) for number in range(40)])
    first, last = (0 if begin is None else begin), (40 if end is None else end)
    between = ReadBetween.of(*(None if at is None else start + at * step for at in (begin, end)))
    assert archive.count(between) == sum(first <= number < last for number in range(40))


def test_an_article_of_very_many_words_is_kept_and_found(archive: Archive) -> None:
    body = " ".join(f"w{number:07x}" for number in range(110_000))
    archive.add([filed(article("Mali", body=body)), filed(article("Niger"))])
    assert titles(archive, "w0000011 AND w001adaf") == ["Mali"]
    assert "Mali" in titles(archive, "mali")


def test_a_server_that_is_absent_is_named_without_its_password() -> None:
    archive = PostgresArchive("postgresql://anna:hunter2@127.0.0.1:1/news")
    with pytest.raises(ArchiveError, match=r"postgresql://127\.0\.0\.1/news") as failed:
        archive.add([filed(article("Mali"))])
    assert "hunter2" not in str(failed.value)
    with pytest.raises(ArchiveError):
        next(iter(archive.newest_first(None)))


def test_a_writer_goes_on_after_the_server_closed_its_connection(postgres: str, opened: Opened) -> None:
    archive = opened()
    archive.add([filed(article("Mali"))])
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(
            "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = 'watchpost'"
        )
    if isinstance(archive, PostgresArchive):
        with pytest.raises(ArchiveError):
            archive.add([filed(article("Niger"))])
    assert archive.add([filed(article("Niger"))]) == 1
    assert titles(archive) == ["Niger", "Mali"]
