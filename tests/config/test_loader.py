"""What an operator writes is what the plan holds."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime, time, timedelta
from ipaddress import IPv4Network
from pathlib import Path

import pytest

from tests.config.kinds import ENV, RECEIVERS, SOURCES, Chat, Feed, Folder, Mail
from watchpost.config.config import Config
from watchpost.config.loader import load
from watchpost.config.schema import Limits, Retention
from watchpost.errors import ConfigError
from watchpost.model import Route
from watchpost.query.document import Document
from watchpost.schedules import Cron, Daily, Every, Immediate, QuietHours, Silence

HERE = Path(__file__).parent
EVERY_DAY = tuple(range(7))


def plan_of(directory: Path, text: str) -> Config:
    """The plan of a configuration with this text."""
    file = directory / "watchpost.yaml"
    file.write_text(text, encoding="utf-8")
    return load(file, sources=SOURCES, receivers=RECEIVERS, env=ENV)


@pytest.fixture
def full(tmp_path: Path) -> Config:
    """The plan of full.yaml, which also reads a secret from a file beside it."""
    shutil.copy(HERE / "full.yaml", tmp_path / "watchpost.yaml")
    (tmp_path / "token").write_text("Bearer s3cr3t\n")
    return load(tmp_path / "watchpost.yaml", sources=SOURCES, receivers=RECEIVERS, env=ENV)


def test_the_minimal_file_is_enough() -> None:
    config = load(HERE / "minimal.yaml", sources=SOURCES, receivers=RECEIVERS, env=ENV)
    assert [(part.name, part.kind) for part in config.sources] == [("rfi-fr", "feed")]
    assert [topic.name for topic in config.topics] == ["wagner", "mali"]
    assert config.routes == (Route(to=("team",), schedule=Daily((time(8),), EVERY_DAY, "UTC")),)
    assert (config.timezone, config.language, config.public_url, config.install) == ("UTC", "en", "", "watchpost")
    assert (config.limits, config.retention) == (Limits(), Retention())
    assert (config.listen, config.redis_prefix) == ("127.0.0.1:8080", "{wp}:")
    assert (config.log_format, config.log_level, config.access.auth.required) == ("auto", "info", False)
    assert config.warnings == ()


def test_sources_take_the_defaults_and_what_they_say_themselves(full: Config, tmp_path: Path) -> None:
    sources = {part.name: part.options for part in full.sources}
    rfi, maliweb, norway, lan, paywalled, seeds, drop = sources.values()
    assert isinstance(rfi, Feed)
    assert (rfi.lang, rfi.every, rfi.timeout) == ("en", timedelta(minutes=10), timedelta(seconds=30))
    assert isinstance(maliweb, Feed)
    assert (maliweb.url, maliweb.lang) == ("https://www.maliweb.net/feed", "fr")
    assert isinstance(norway, Feed)
    assert norway.lang == "no"
    assert isinstance(lan, Feed)
    assert lan.allow_private == (IPv4Network("10.0.0.0/8"),)
    assert isinstance(paywalled, Feed)
    assert paywalled.headers["Authorization"].reveal() == "Bearer s3cr3t"
    assert seeds == Folder.model_construct(path=tmp_path / "../seeds")
    assert drop == Folder.model_construct(path=tmp_path / "drop")
    assert [part.kind for part in full.sources] == ["feed"] * 5 + ["folder"] * 2


def test_topics_are_compiled(full: Config) -> None:
    wagner, mali = full.topics
    assert (wagner.title, wagner.severity) == ("Wagner / Africa Corps", "high")
    assert wagner.languages == ("fr", "en", "no")
    assert (mali.title, mali.severity, mali.exclude, mali.languages) == ("mali", "normal", None, ())
    assert wagner.query.evaluate(Document.of({"body": "Африканский корпус в Мали"})) is not None
    assert wagner.exclude is not None
    assert wagner.exclude.evaluate(Document.of({"body": "An opera"})) is not None
    assert mali.query.evaluate(Document.of({"body": "Gao in Mali"})) is not None
    assert mali.query.evaluate(Document.of({"body": "Bamako in Mali"})) is None


def test_receivers_know_their_kind_and_their_secrets(full: Config) -> None:
    team, desk, term = full.receivers
    assert (team.name, team.kind) == ("team", "slack")
    assert isinstance(team.options, Chat)
    assert team.options.url.reveal() == ENV["SLACK"]
    assert isinstance(desk.options, Mail)
    assert desk.options.to == ("desk@example.org", "Wérner <w@example.org>")
    assert desk.options.sender == "Watchpost <watch@example.org>"
    assert desk.options.smtp.password is not None
    assert desk.options.smtp.password.reveal() == "hunter2"
    assert (term.name, term.kind) == ("term", "console")


def test_routes_say_who_when_and_of_what(full: Config) -> None:
    paris = "Europe/Paris"
    assert full.routes == (
        Route(("team", "term"), Immediate(timedelta(minutes=1)), severities=("high",), go_on=True),
        Route(
            ("desk",),
            Daily((time(8), time(18)), (0, 1, 2, 3, 4), paris, "never"),
            topics=("mali",),
            sources=("rfi-africa", "seeds"),
        ),
        Route(
            ("desk",),
            Daily((time(7, 30),), EVERY_DAY, paris),
            severities=("low", "normal"),
            sources=("maliweb",),
        ),
        Route(("term",), Every(timedelta(minutes=15), paris)),
    )


@pytest.mark.parametrize("digest", ['"0 8 * * 1-5"', '{cron: "0 8 * * mon-fri", empty: never}', '"@daily"'])
def test_a_digest_may_come_by_a_crontab_rule(tmp_path: Path, digest: str) -> None:
    text = f"version: 1\nreceivers: {{term: {{type: console}}}}\nroutes: [{{to: term, digest: {digest}}}]\n"
    schedule = plan_of(tmp_path, text).routes[0].schedule
    assert isinstance(schedule, Cron)
    assert schedule.text in ("0 8 * * 1-5", "0 8 * * mon-fri", "0 0 * * *")
    assert schedule.timezone == "UTC"


def test_quiet_hours_silences_and_limits(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        "version: 1\n"
        "timezone: Europe/Paris\n"
        "feeds: {ria: https://ria.ru/rss}\n"
        "topics: {mali: Mali}\n"
        "receivers: {phone: {type: console}}\n"
        "routes: [{to: phone, mode: immediate, group_interval: 5m, repeat_interval: 6h}]\n"
        'quiet_hours: [{receivers: phone, from: "22:00", to: "07:00", days: mon-fri, except: {severity: high}}]\n'
        "silences:\n"
        "  - {match: {topic: mali, source: ria}, until: 2026-12-01, reason: replays 2019, by: anna}\n"
        '  - {match: {text: archive, severity: low}, until: "2026-12-01T08:00:00Z", reason: noise, by: ben}\n'
        "limits: {hits_per_topic_per_hour: 300, digests_per_receiver_per_hour: 20}\n",
    )
    assert config.routes[0].schedule == Immediate(timedelta(seconds=30), timedelta(minutes=5), timedelta(hours=6))
    assert config.quiet_hours == (
        QuietHours(("phone",), time(22), time(7), (0, 1, 2, 3, 4), "Europe/Paris", ("high",)),
    )
    first, second = config.silences
    assert first == Silence(
        first.id, datetime(2026, 11, 30, 23, tzinfo=UTC), "replays 2019", "anna", topic="mali", source="ria"
    )
    assert (second.until, second.text, second.severity) == (datetime(2026, 12, 1, 8, tzinfo=UTC), "archive", "low")
    assert first.id != second.id
    assert (config.limits.hits_per_topic_per_hour, config.limits.digests_per_receiver_per_hour) == (300, 20)


def test_the_rest_of_the_frame(full: Config) -> None:
    assert (full.timezone, full.language) == ("Europe/Paris", "fr")
    assert (full.public_url, full.install) == ("https://watch.example.org", "watch.example.org")
    assert full.limits == Limits(queue_max=5000, lease=timedelta(minutes=1))
    assert full.retention == Retention(dedup=timedelta(days=14), deliveries=timedelta(days=90))
    assert (full.listen, full.redis_prefix) == ("0.0.0.0:8080", "{desk}:")
    assert (full.log_format, full.log_level) == ("json", "debug")
    assert full.access.auth.users["ops"].reveal().startswith("scrypt$")
    assert full.access.names == ("watch.example.org",)
    assert full.warnings == ()


def test_no_secret_shows_in_a_plan(full: Config) -> None:
    assert not [secret for secret in ("s3cr3t", "hunter2", "hash'") if secret in repr(full)]


def test_names_of_listed_feeds_come_from_their_hosts_and_are_unique(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        "version: 1\nfeeds:\n"
        "  - https://www.rfi.fr/en/africa/rss\n"
        "  - {url: https://www.rfi.fr/fr/afrique/rss, every: 5m}\n"
        "  - https://rfi.fr:8443/\n"
        "  - https://[2001:db8::1]/rss\n"
        "folders: {rfi-fr-2: seeds}\n",
    )
    names = [part.name for part in config.sources]
    assert names == ["rfi-fr", "rfi-fr-3", "rfi-fr-4", "2001-db8-1", "rfi-fr-2"]


def test_a_section_without_content_is_as_good_as_absent(tmp_path: Path) -> None:
    config = plan_of(tmp_path, "version: 1\nfeeds:\ntopics:\nreceivers:\nroutes:\nhttp:\ntimezone:\n")
    assert (config.sources, config.topics, config.receivers, config.routes) == ((), (), (), ())
    assert [complaint.problem for complaint in config.warnings] == ["nothing is watched: add feeds or other sources"]


def test_anchors_and_merges_work(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        "version: 1\nfeeds:\n"
        "  a: &a {url: https://a.example/rss, every: 3m, lang: fr}\n"
        "  b: {<<: *a, url: https://b.example/rss}\n",
    )
    assert config.sources[1].options == Feed(url="https://b.example/rss", every=timedelta(minutes=3), lang="fr")


def test_includes_are_merged_by_name_and_read_once_each(tmp_path: Path) -> None:
    parts = tmp_path / "conf.d"
    parts.mkdir()
    (parts / "b.yaml").write_text("topics: {b: Bamako}\nroutes: [{to: term, mode: immediate}]\n")
    (parts / "a.yaml").write_text("feeds: [https://a.example/rss]\ntopics: {a: Gao}\n")
    (parts / ".#a.yaml").write_text("an editor's lock, not a configuration: [")
    config = plan_of(
        tmp_path,
        "version: 1\ninclude: ['conf.d/*.yaml', conf.d/a.yaml, '*.yaml']\n"
        "feeds: {a-example: https://a.example/other}\ntopics: {mali: Mali}\n"
        "receivers: {term: {type: console}}\n",
    )
    assert [topic.name for topic in config.topics] == ["mali", "a", "b"]
    assert [part.name for part in config.sources] == ["a-example", "a-example-2"]
    assert len(config.routes) == 1


def test_an_unreadable_include_hides_no_other_mistake_and_makes_no_ghosts(tmp_path: Path) -> None:
    (tmp_path / "more.yaml").write_text("receivers: {term: {type: console}\n")
    with pytest.raises(ConfigError) as caught:
        plan_of(
            tmp_path,
            "version: 1\ninclude: more.yaml\ntimezone: Mars\nroutes: [{to: term, mode: immediate}]\n",
        )
    assert [Path(one.file).name for one in caught.value.complaints] == ["watchpost.yaml", "more.yaml"]


def test_a_mistake_in_the_defaults_is_told_once(tmp_path: Path) -> None:
    feeds = "".join(f"  f{number}: https://f{number}.example/rss\n" for number in range(50))
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, f"version: 1\ndefaults: {{feed: {{every: 5}}}}\nfeeds:\n{feeds}")
    assert [(one.line, one.path) for one in caught.value.complaints] == [(2, "defaults.feed.every")]


def test_a_file_of_many_feeds(tmp_path: Path) -> None:
    feeds = "".join(f"  f{n}: {{url: 'https://f{n}.example/rss', every: 10m}}\n" for n in range(2000))
    config = plan_of(tmp_path, f"version: 1\nfeeds:\n{feeds}")
    assert len(config.sources) == 2000
    last = config.sources[-1]
    assert last.name == "f1999"
    assert last.options == Feed(url="https://f1999.example/rss", every=timedelta(minutes=10))


def test_text_before_the_first_key_does_not_shift_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(tmp_path, "\ufeffversion: 1\r\n\r\nlanguage: de\r\n")
    assert [(one.line, one.column) for one in caught.value.complaints] == [(3, 11)]


def test_what_a_topic_limits_and_the_pages_may_say(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        """
version: 1
feeds: [https://example.org/feed]
topics: {mali: {query: mali, window: 48h}, wagner: {query: wagner, window: 5d}}
receivers: {terminal: {type: console}}
routes: [{to: terminal, digest: "08:00"}]
limits: {body_bytes: 2MiB}
http: {metrics: false}
""",
    )
    assert [topic.window for topic in config.topics] == [timedelta(hours=48), timedelta(days=5)]
    assert config.story_window == timedelta(days=5)
    assert (config.limits.body_bytes, config.access.metrics) == (2 * 1024**2, False)


def test_receivers_take_the_defaults_that_their_kinds_have(tmp_path: Path) -> None:
    config = plan_of(
        tmp_path,
        "version: 1\n"
        "defaults: {receiver: {max_stories: 20, timeout: 30s}}\n"
        "receivers:\n"
        "  one: {type: slack, url: {env: SLACK}}\n"
        "  two: {type: slack, url: {env: SLACK}, max_stories: 5}\n"
        "  term: {type: console}\n",
    )
    one, two, _ = (receiver.options for receiver in config.receivers)
    assert isinstance(one, Chat)
    assert isinstance(two, Chat)
    assert (one.max_stories, two.max_stories) == (20, 5)


def test_a_mistake_in_the_defaults_of_receivers_is_reported_once(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as caught:
        plan_of(
            tmp_path,
            "version: 1\ndefaults: {receiver: {max_stories: 90, timout: 3s}}\n"
            "receivers: {one: {type: slack, url: {env: SLACK}}, two: {type: slack, url: {env: SLACK}}}\n",
        )
    assert [(one.path, one.problem) for one in caught.value.complaints] == [
        ("defaults.receiver.max_stories", "must be at most 36"),
        ("defaults.receiver.timout", "unknown key; did you mean 'timeout'?"),
    ]
