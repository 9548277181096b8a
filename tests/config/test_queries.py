"""Named queries: written once, used by topics as @name."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.config.kinds import RECEIVERS, SOURCES
from watchpost.config.config import Config
from watchpost.config.diff import effective
from watchpost.config.loader import load
from watchpost.config.routes import topics_of
from watchpost.errors import ConfigError
from watchpost.query.document import Document

FILE = """
version: 1
feeds: ["https://example.org/feed"]
queries:
  soldiers: soldier* OR troops
topics:
  mali: Mali AND @soldiers
  both: '@mali AND Gao'
receivers: {{hook: {receiver}}}
routes: [{{to: hook, digest: "08:00"}}]
"""


def read(tmp_path: Path, text: str) -> Config:
    (tmp_path / "w.yaml").write_text(text)
    return load(tmp_path / "w.yaml", sources=SOURCES, receivers=RECEIVERS, env={"URL": "https://hooks.example.org/x"})


@pytest.fixture
def file() -> str:
    return FILE.format(receiver="{type: slack, url: {env: URL}}")


def test_a_named_query_is_used_by_topics_and_topics_by_each_other(tmp_path: Path, file: str) -> None:
    mali, both = read(tmp_path, file).topics
    assert mali.query.evaluate(Document.of({"body": "Troops in Mali"})) is not None
    assert mali.query.evaluate(Document.of({"body": "Music in Mali"})) is None
    assert both.query.evaluate(Document.of({"body": "Troops in Mali, near Gao"})) is not None


def test_a_comment_in_a_literal_text_ends_with_its_line(tmp_path: Path, file: str) -> None:
    mali, _ = read(tmp_path, file.replace("soldier* OR troops", "|\n    soldier* # men\n    OR troops", 1)).topics
    assert mali.query.evaluate(Document.of({"body": "Troops in Mali"})) is not None


ENTITIES = "entities: {route: {names: [Route du Sahel], aliases: [Route], near: [camion*]}}"


def test_an_entity_is_used_by_its_name(tmp_path: Path, file: str) -> None:
    written = file.replace("Mali AND @soldiers", "entity:route OR entity:wagner-group") + ENTITIES
    config = read(tmp_path, written)
    query = config.topics[0].query
    assert query.evaluate(Document.of({"body": "La Route et ses camions"})) is not None
    assert query.evaluate(Document.of({"body": "La Route est longue"})) is None
    changed = read(tmp_path, written.replace("camion*", "convoi*"))
    assert changed.fingerprint != config.fingerprint
    assert changed.topics[0].query.root != query.root
    assert topics_of(effective(config))[0].query == query


@pytest.mark.parametrize(
    ("new", "says"),
    [
        ("entities: {route: [a]}", "entities.route: this is not a mapping; write at least {names: [a name]}"),
        ("entities: {route: {kind: person}}", "entities.route: the key 'names' is missing"),
        ("entities: {route: {names: [a], forms: [xx]}}", "entities.route.forms[0]: 'xx' is not one of ru, uk"),
        ("entities: {rout: {names: [Route]}}", "there is no entity route; did you mean entity:rout"),
    ],
)
def test_mistakes_in_entities(tmp_path: Path, file: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, file.replace("Mali AND @soldiers", "entity:route") + new)
    assert says in str(caught.value)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("@soldiers", "@soldier", "w.yaml:7:18 topics.mali: "),
        ("soldier* OR troops", "soldier* troops", "w.yaml:5:"),
        ("soldier* OR troops", "'@both'", "@both"),
        ("soldier* OR troops", "[a, b]", "queries.soldiers"),
        (
            "soldier* OR troops",
            ">\n    soldier* # men\n    OR troops",
            "w.yaml:6:14 queries.soldiers: this comment would end",
        ),
        ("  soldiers:", "  mali:", "'mali' is defined twice (first in line 5)"),
    ],
)
def test_mistakes_have_their_place(tmp_path: Path, file: str, old: str, new: str, says: str) -> None:
    with pytest.raises(ConfigError) as caught:
        read(tmp_path, file.replace(old, new, 1))
    assert says in str(caught.value)
