"""Lists of feeds in and out of the configuration."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.cli.command import watchpost
from watchpost.config.opml import read_opml

CONFIG = """\
# Our watch
version: 1
include: ["conf.d/*.yaml"]
feeds:
  # desks
  rfi:   "https://a.example/rss"      # the first
  lan: {url: "https://b.example/rss", headers: {X-Key: {env: KEY}}, tags: [inside]}
topics: {mali: Mali}
receivers: {terminal: {type: console}}
routes:
  - {to: terminal, digest: {every: 1m}}
"""
LIST = """<opml version="2.0"><body>
<outline text="Sahel">
<outline text="Le Sahel: Niamey" xmlUrl="https://c.example/rss?a=1&amp;b={2},3" language="fr"/>
<outline text="RFI" xmlUrl="https://a.example/rss"/>
</outline>
<outline text="Bad" xmlUrl="ftp://s3cr3t.example/"/>
<outline text="Nothing"/>
<outline text="12" xmlUrl="https://d.example/rss"/>
</body></opml>
"""
ADDED = """\
  le-sahel-niamey: {url: "https://c.example/rss?a=1&b={2},3", tags: [Sahel], lang: fr}
  '12': "https://d.example/rss"
"""


@pytest.fixture
def here(tmp_path: Path) -> Path:
    (tmp_path / "watchpost.yaml").write_text(CONFIG)
    (tmp_path / "list.opml").write_text(LIST)
    (tmp_path / "conf.d").mkdir()
    return tmp_path


def sources(here: Path) -> list[str]:
    """The names of the feeds that are configured."""
    done = watchpost(here, "feed", "list", "--json", KEY="s3cr3t")
    return [feed["name"] for feed in json.loads(done.stdout)["feeds"]]


def run(here: Path, *args: str) -> tuple[int, str, str]:
    done = watchpost(here, "feed", *args, KEY="s3cr3t")
    assert "s3cr3t" not in done.stdout + done.stderr
    return done.returncode, done.stdout, done.stderr


def test_what_is_new_goes_to_stdout_and_the_rest_is_explained(here: Path) -> None:
    code, out, err = run(here, "import", "list.opml")
    assert (code, out) == (5, "feeds:\n" + ADDED)
    assert "list.opml:4:1: warning: left out: 'RFI' is already configured as rfi" in err
    assert "list.opml:6:1 'Bad': a url begins with http" in err
    assert "list.opml:7:1: warning: left out: the outline 'Nothing' has no xmlUrl" in err
    assert "2 new, 1 configured already, 2 that are no feeds" in err
    assert (here / "watchpost.yaml").read_text() == CONFIG


def test_what_is_new_is_added_and_everything_else_stays(here: Path) -> None:
    code, out, _ = run(here, "import", "list.opml", "--into", "watchpost.yaml")
    assert (code, out) == (5, "")
    written = (here / "watchpost.yaml").read_text()
    assert written.replace(ADDED, "") == CONFIG
    assert sources(here) == ["rfi", "lan", "le-sahel-niamey", "12"]
    _, _, err = run(here, "import", "list.opml", "--into", "watchpost.yaml")
    assert "0 new, 3 configured already" in err
    assert (here / "watchpost.yaml").read_text() == written


def test_a_dry_run_writes_nothing(here: Path) -> None:
    _, _, err = run(here, "import", "list.opml", "--into", "watchpost.yaml", "--dry-run")
    assert "2 new" in err
    assert (here / "watchpost.yaml").read_text() == CONFIG


def test_a_file_of_its_own(here: Path) -> None:
    _, _, err = run(here, "import", "list.opml", "--into", "conf.d/sahel.yaml")
    assert (here / "conf.d" / "sahel.yaml").read_text() == "feeds:\n" + ADDED
    assert "include" not in err
    assert len(sources(here)) == 4
    _, _, err = run(here, "import", "list.opml", "--into", "aside.yaml", "--json")
    assert "0 new" not in err
    (here / "conf.d" / "sahel.yaml").unlink()
    _, _, err = run(here, "import", "list.opml", "--into", "aside.yaml")
    assert "does not include aside.yaml" in err
    (here / "list.opml").write_text('<opml><body><outline text="New" xmlUrl="https://n.example/"/></body></opml>')
    _, _, err = run(here, "import", "list.opml", "--into", "aside.yaml")
    assert "does not include aside.yaml" in err, "nor is it included now"


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", "feeds:\n{}"),
        ("version: 1", "version: 1\nfeeds:\n{}"),
        ("feeds: {a: 'https://e.example/'}\n", "feeds: {a: 'https://e.example/', {flow}}\n"),
        (
            "feeds:\n    a: https://e.example/\n\n# topics\ntopics: {}\n",
            "feeds:\n    a: https://e.example/\n{deep}\n# topics\ntopics: {}\n",
        ),
        ("feeds:\n  a:\n    url: https://e.example/", "feeds:\n  a:\n    url: https://e.example/\n{}"),
        ("feeds:\n# none yet\n", "feeds:\n{}# none yet\n"),
    ],
)
def test_feeds_are_added_where_they_belong(here: Path, before: str, after: str) -> None:
    (here / "conf.d" / "a.yaml").write_text(before.replace("version: 1", "topics: {a: b}"))
    run(here, "import", "list.opml", "--into", "conf.d/a.yaml")
    text = (here / "conf.d" / "a.yaml").read_text()
    flow = ", ".join(line.strip() for line in ADDED.splitlines())
    deep = "".join(f"  {line}\n" for line in ADDED.splitlines())
    wanted = after.replace("{flow}", flow).replace("{deep}", deep).replace("\n{}", "\n" + ADDED)
    assert text == wanted.replace("version: 1", "topics: {a: b}")


def test_a_plain_list_of_feeds_is_continued(here: Path) -> None:
    (here / "conf.d" / "a.yaml").write_text("feeds:\n  - https://e.example/rss # one\n")
    run(here, "import", "list.opml", "--into", "conf.d/a.yaml")
    assert (here / "conf.d" / "a.yaml").read_text() == (
        "feeds:\n  - https://e.example/rss # one\n"
        '  - {url: "https://c.example/rss?a=1&b={2},3", tags: [Sahel], lang: fr}\n  - "https://d.example/rss"\n'
    )
    assert len(sources(here)) == 5


def test_an_import_that_would_break_the_configuration_is_undone(here: Path) -> None:
    (here / "conf.d" / "a.yaml").write_text("# nothing here but a folder\nfolders: {drop: drop}\n")
    before = (here / "conf.d" / "a.yaml").read_text()
    long = "".join(f'<outline text="F{n}" xmlUrl="https://{"h" * 60}.example/{"p" * 60}/{n}"/>' for n in range(9000))
    (here / "list.opml").write_text(f"<opml><body>{long}</body></opml>")
    code, _, err = run(here, "import", "list.opml", "--into", "conf.d/a.yaml")
    assert code == 1
    assert "larger than 1 MiB" in err
    assert (here / "conf.d" / "a.yaml").read_text() == before
    assert sorted(path.name for path in (here / "conf.d").iterdir()) == ["a.yaml"]


@pytest.mark.parametrize(
    ("file", "into", "said"),
    [
        ("nowhere.opml", "watchpost.yaml", "nowhere.opml: No such file"),
        ("watchpost.yaml", "conf.d/a.yaml", "not well-formed XML"),
        ("list.opml", "list.opml", "list.opml is not a configuration"),
        ("list.opml", "nowhere/a.yaml", "cannot be written"),
    ],
)
def test_a_file_that_cannot_be_read_or_written_is_reported(here: Path, file: str, into: str, said: str) -> None:
    code, out, err = run(here, "import", file, "--into", into)
    assert (code, out) == (1, "")
    assert said in err
    assert (here / "list.opml").read_text() == LIST


def test_json_has_new_known_and_wrong_feeds(here: Path) -> None:
    _, out, _ = run(here, "import", "list.opml", "--json")
    told = json.loads(out)
    assert [feed["name"] for feed in told["new"]] == ["le-sahel-niamey", "12"]
    assert (len(told["twins"]), len(told["invalid"])) == (1, 2)


def test_export_is_a_list_without_secrets_that_can_be_imported(here: Path) -> None:
    code, out, err = run(here, "export", "--opml")
    assert code == 0
    assert "lan is in the list without its headers" in err
    outlines, complaints = read_opml(out.encode(), "export.opml")
    assert complaints == ()
    assert [(one.title, one.url, one.tags) for one in outlines] == [
        ("rfi", "https://a.example/rss", ()),
        ("lan", "https://b.example/rss", ("inside",)),
    ]
    (here / "list.opml").write_text(out)
    assert "0 new, 2 configured already, 0 that are no feeds" in run(here, "import", "list.opml")[2]
