"""An entry that gets another headline where it stands: an update of its story, told once, to whoever was told of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.flow.test_stories import editions, watchpost_once

CONFIG = """
version: 1
feeds: {{courier: {{url: "{site}/feed", on_new: all, allow_private: [127.0.0.0/8]{more}}}}}
topics: {{mali: lorries}}
receivers: {{duty: {{type: file, path: duty}}, desk: {{type: file, path: desk}}}}
routes:
  - {{to: duty, mode: immediate, group_interval: 1s, continue: true}}
  - {{to: desk, digest: {{every: 1h}}}}
"""


class Site:
    """A feed with one entry, whose headline and text change while its guid and its address stay."""

    def __init__(self) -> None:
        self.title, self.text = "Nine lorries burn", "Nine of 40 lorries burn near Gao."
        self.slug = "1"  # id and address end in it
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                item = f"<guid>courier:{site.slug}</guid><title>{site.title}</title>"
                item += f"<link>https://courier.example/{site.slug}</link><description>{site.text}</description>"
                item += "<pubDate>Mon, 01 Jun 2026 08:00:00 GMT</pubDate>"
                body = f"<rss version='2.0'><channel><title>Courier</title><item>{item}</item></channel></rss>".encode()
                self.send_response(200)
                self.send_header("content-length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's name
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def site() -> Iterator[Site]:
    made = Site()
    yield made
    made.server.shutdown()
    made.server.server_close()


def test_another_headline_is_one_update_and_another_wording_is_none(tmp_path: Path, site: Site) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG.format(site=site.url, more=""))
    watchpost_once(tmp_path)
    site.text = "Nine of 40 lorries burn in the north, near Gao."
    watchpost_once(tmp_path)
    assert [len(editions(tmp_path / name)) for name in ("duty", "desk")] == [1, 1], "the same headline is no news"
    site.title, site.text = "Eleven lorries burn", "Eleven of 41 lorries burn near Gao."
    watchpost_once(tmp_path)
    watchpost_once(tmp_path)
    first, later = editions(tmp_path / "desk")
    assert (first["status"], later["status"], later["id"]) == ("new", "updated", first["id"])
    assert (later["title"], later["change"]["former_title"]) == ("Eleven lorries burn", "Nine lorries burn")
    assert later["change"]["figures"] == [["40", "41"]]
    assert [story["status"] for story in editions(tmp_path / "duty")] == ["new", "updated"]


def test_who_does_not_want_it_is_not_told(tmp_path: Path, site: Site) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG.format(site=site.url, more=", on_update: ignore"))
    watchpost_once(tmp_path)
    site.title = "Eleven lorries burn"
    watchpost_once(tmp_path)
    assert [story["title"] for story in editions(tmp_path / "desk")] == ["Nine lorries burn"]


def test_an_id_and_an_address_that_follow_the_headline_are_the_same_article(tmp_path: Path, site: Site) -> None:
    (tmp_path / "watchpost.yaml").write_text(CONFIG.format(site=site.url, more=""))
    watchpost_once(tmp_path)
    site.slug, site.title, site.text = "2", "Eleven lorries burn", "Eleven of 41 lorries burn near Gao."
    watchpost_once(tmp_path)
    site.slug, site.title, site.text = "3", "Twelve lorries burn", "Twelve of 42 lorries burn near Gao."
    watchpost_once(tmp_path)
    first, second, third = editions(tmp_path / "desk")
    assert [first["status"], second["status"], third["status"]] == ["new", "updated", "updated"]
    assert first["id"] == second["id"] == third["id"]
    assert [second["change"]["former_title"], third["change"]["former_title"]] == [first["title"], second["title"]]
    assert [story["title"] for story in editions(tmp_path / "duty")] == [
        first["title"],
        second["title"],
        third["title"],
    ]
    site.slug, site.title, site.text = "4", "Ferry sinks at Mopti with lorries", "A ferry with 3 lorries sank at Mopti."
    watchpost_once(tmp_path)
    assert editions(tmp_path / "desk")[-1]["status"] == "new", "another report in its place is another story"
