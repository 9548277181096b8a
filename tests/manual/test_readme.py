"""What the README and the manual show is true: each configuration loads, each promise names what exists."""

from __future__ import annotations

import re
import tomllib
from itertools import pairwise
from pathlib import Path

import pytest

from watchpost import log
from watchpost.config.passwords import hashed
from watchpost.operations.factory import read_config

ROOT = Path(__file__).parents[2]
SECRET = "whsec_" + "c2VjcmV0LXNlY3JldC1zZWNyZXQtMTIzNDU2Nzg5MA=="
ENV = {
    "ANNA_HASH": hashed("hush", bytes(16)),
    "DEPLOY_TOKEN": "a-token-that-deploys-0123456789",
    "DESK_PASSWORD": "hush",
    "HEARTBEAT_URL": "https://hc.example.org/ping/x",
    "HOOK_SECRET": SECRET,
    "SLACK_BOT_TOKEN": "xoxb-x",
    "SLACK_URL": "https://hooks.slack.com/services/T/B/x",
    "MAIL_PASSWORD": "an-app-password",
    "PROMETHEUS_TOKEN": "a-token-that-looks-0123456789",
    "WALL_HASH": hashed("hush-hush", bytes(16)),
}
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
BLOCKS = [
    pytest.param(match[1], id=f"{page.name}-{number}")
    for page in PAGES
    for number, match in enumerate(re.finditer(r"```yaml\n(.*?)```", page.read_text("utf-8"), re.DOTALL), 1)
]


@pytest.mark.parametrize("text", BLOCKS)
def test_every_configuration_in_the_manual_loads(text: str, tmp_path: Path) -> None:
    (tmp_path / "watchpost.yaml").write_text(text.replace("/run/secrets/smtp", str(tmp_path / "smtp")), "utf-8")
    (tmp_path / "smtp").write_text("secret")
    for number, named in enumerate(re.findall(r'opml: "?([^"},]+)', text)):
        lists = tmp_path / named.replace("*", "all")
        lists.parent.mkdir(exist_ok=True)
        lists.write_text(f'<opml><body><outline xmlUrl="https://f{number}.example/"/></body></opml>')
    assert read_config(tmp_path / "watchpost.yaml", ENV).topics


def anchors(page: Path) -> set[str]:
    """The anchors that GitHub gives the headings of a page."""
    headings = re.findall(r"^#+ (.+)$", page.read_text("utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", heading.lower()).replace(" ", "-") for heading in headings}


def test_every_link_leads_to_a_file_and_to_a_heading_in_it() -> None:
    wrong = []
    for page in [*PAGES, ROOT / "CHANGELOG.md", ROOT / "CONTRIBUTING.md"]:
        for name, anchor in re.findall(r"\]\(([^)#:]*)(?:#([^)]*))?\)", page.read_text("utf-8")):
            target = page.parent / name if name else page
            if not target.exists() or (anchor and anchor not in anchors(target)):
                wrong.append(f"{page.name}: {name}#{anchor}")
    assert not wrong, "\n".join(wrong)


def test_the_log_lines_of_the_readme_are_those_of_the_service() -> None:
    readme = (ROOT / "README.md").read_text("utf-8")
    facts: dict[str, dict[str, object]] = {
        "redis.started": {"pid": 10212},
        "http.listening": {"listen": "127.0.0.1:8080"},
        "source.read": {"source": "seeds", "new": 30},
        "source.failed": {
            "source": "rfi-afrique",
            "detail": "the host name cannot be resolved",
            "next": "in 10 min",
        },
    }
    for event, values in facts.items():
        assert log.sentence(event, values) in readme


def test_no_document_names_the_other_project_to_install() -> None:
    for page in PAGES:
        assert not re.search(r"pip install [^.\-]*\bwatchpost\b(?!-news)", page.read_text("utf-8")), page


def test_every_file_that_the_documents_name_in_code_quotes_is_there() -> None:
    code = ROOT / "src" / "watchpost"
    pages = [ROOT / "CONTRIBUTING.md", ROOT / "README.md", ROOT / "docs" / "architecture.md"]
    wrong = []
    for page in [*pages, *(ROOT / "docs" / "decisions").glob("*.md")]:
        names = re.findall(r"`((?!var/|benchmarks/)(?:[a-z_]+/)*[a-z_]+(?:/|\.py|\.lua))`", page.read_text("utf-8"))
        wrong += [f"{page.name}: {name}" for name in names if not ((code / name).exists() or (ROOT / name).exists())]
    assert not wrong, "\n".join(wrong)


def test_the_index_of_decisions_names_each_with_its_number_and_title() -> None:
    folder = ROOT / "docs" / "decisions"
    rows = re.findall(
        r"^\| (\d+) \| \[(.+)\]\((\d{4})(-[a-z0-9-]+\.md)\) \|$", (folder / "README.md").read_text(), re.MULTILINE
    )
    assert {number + slug for *_, number, slug in rows} == {path.name for path in folder.glob("0*.md")}
    for shown, title, number, slug in rows:
        assert int(number) == int(shown)
        assert (folder / (number + slug)).read_text("utf-8").startswith(f"# {shown}. {title}\n")


def test_the_architecture_names_every_package_in_the_order_of_the_layers() -> None:
    contracts = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (layers,) = (contract["layers"] for contract in contracts if contract["type"] == "layers")
    page = (ROOT / "docs" / "architecture.md").read_text("utf-8").partition("| package |")[2]
    rows = [
        set(re.findall(r"`(\w+)(?:/|\.py)`", line.split("|")[1])) for line in page.split("\n\n")[0].splitlines()[2:]
    ]
    place = {name: number for number, names in enumerate(rows) for name in names}
    places = [{place[name] for name in layer.split(" | ")} for layer in layers if layer != "__main__"]
    assert all(max(above) <= min(below) for above, below in pairwise(places)), places
