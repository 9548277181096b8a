"""The configuration changes while the service runs: a good one is taken over, a bad one is refused."""

from __future__ import annotations

import json
import signal
import subprocess
import sys

import httpx

from tests.flow.rig import Rig


def test_a_mistake_in_the_configuration_never_stops_a_running_service(rig: Rig) -> None:
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    good = rig.config.read_text()
    rig.config.write_text(good.replace("topics:", "topcis:"))
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: "config.refused" in rig.log())
    assert "did you mean 'topics'?" in rig.log()
    rig.publish("after-the-mistake")
    rig.until(lambda: "after-the-mistake" in rig.world.told())
    assert process.poll() is None


def test_a_new_topic_is_live_after_sighup_and_nothing_is_told_again(rig: Rig) -> None:
    process = rig.start()
    rig.publish("first")
    rig.until(lambda: rig.world.told() == ["first"])
    rig.config.write_text(rig.config.read_text().replace("topics: {mali: mali}", "topics: {mali: mali, gao: gao}"))
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.log().count("run.starting") == 2)
    scratch = rig.folder / "note.txt"
    scratch.write_text("A note about Gao\n\nNothing else is said in this short note about Gao on the river.\n")
    rig.until(lambda: "A note about Gao" in rig.world.told())
    assert sorted(rig.world.told()) == ["A note about Gao", "first"]
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_list_of_feeds_that_changed_is_read_again_and_a_broken_one_changes_nothing(rig: Rig) -> None:
    feeds = rig.root / "list.opml"
    feeds.write_text("<opml><body/></opml>")
    plain = rig.config.read_text()
    rig.config.write_text(
        plain.replace(next(line for line in plain.splitlines() if line.startswith("feeds:")), "").replace(
            "version: 1",
            "version: 1\nfeeds_from: {opml: list.opml, every: 1s}\ndefaults: {feed: {allow_private: [127.0.0.0/8]}}",
        )
    )
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    rig.publish("listed")
    feeds.write_text("<opml><body><outline")
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: "config.refused" in rig.log())
    assert rig.world.told() == []
    feeds.write_text(f'<opml><body><outline text="World" xmlUrl="{rig.site}/feed"/></body></opml>')
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.world.told() == ["listed"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_the_one_named_for_trouble_hears_of_a_refused_configuration_once(rig: Rig) -> None:
    good = (
        rig.config.read_text()
        .replace("version: 1", "version: 1\nops: duty")
        .replace("receivers:", "receivers:\n  duty: {type: file, path: duty}")
    )
    rig.config.write_text(good)
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    rig.config.write_text(good.replace("topics:", "topcis:"))
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.log().count("config.refused") == 1)
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: rig.log().count("config.refused") == 2)
    rig.until(lambda: len(list(rig.root.glob("duty/*.txt"))) == 1)
    (text,) = (path.read_text() for path in rig.root.glob("duty/*.txt"))
    assert "The new configuration has errors" in text
    assert "did you mean 'topics'?" in " ".join(text.split())
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0
    assert len(list(rig.root.glob("duty/*.txt"))) == 1


def page_of(rig: Rig) -> str:
    """The address of the pages, once it is said."""
    rig.until(lambda: "http.listening" in rig.log())
    lines = [json.loads(line) for line in rig.log().splitlines() if "http.listening" in line]
    return f"http://{lines[-1]['listen']}"


def test_post_reload_takes_a_good_one_over_and_says_why_it_refuses_a_bad_one(rig: Rig) -> None:
    process = rig.start()
    page = page_of(rig)
    good = rig.config.read_text()
    rig.config.write_text(good.replace("topics:", "topcis:"))
    refused = httpx.post(f"{page}/-/reload")
    assert refused.status_code == 422
    assert "did you mean 'topics'?" in refused.json()["complaints"][0]
    assert "did you mean &#39;topics&#39;?" in httpx.get(f"{page}/config").text
    assert "watchpost_config_last_reload_successful 0.0" in httpx.get(f"{page}/metrics").text
    assert diff(rig).returncode == 2
    rig.config.write_text(good.replace("{mali: mali}", "{mali: mali, gao: gao}"))
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "https://evil.example"}):
        assert httpx.post(f"{page}/-/reload", headers=headers).status_code == 403
    assert httpx.get(f"{page}/-/reload").json()["ok"] is False, "nothing was read for them"
    rig.until(lambda: "a newer configuration was refused" in diff(rig).stderr)
    found = diff(rig)
    assert (found.returncode, "+ topics.gao" in found.stdout) == (1, True)
    shown = httpx.get(f"{page}/config").text
    assert "a reload would apply 1 change." in shown
    assert "<code>topics.gao</code>" in shown
    assert "They have been corrected since" in shown
    taken = httpx.post(f"{page}/-/reload", headers={"origin": page}, timeout=20)
    assert (taken.status_code, taken.json()["ok"], taken.json()["changes"]) == (200, True, 1)
    rig.until(lambda: rig.log().count("run.starting") == 2)
    rig.until(lambda: rig.log().count("http.listening") == 2)
    assert "The running configuration matches the files." in httpx.get(f"{page_of(rig)}/config").text
    assert rig.log().count("operator.acted") == 2, "who asks stands in the log; who is turned away does not"
    rig.until(lambda: diff(rig).returncode == 0)
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def test_a_change_of_a_watched_file_is_taken_over_without_being_asked(rig: Rig) -> None:
    (rig.root / "topics").mkdir()
    text = rig.config.read_text().replace("version: 1", "version: 1\ninclude: topics/*.yaml\nreload: {watch: true}")
    rig.config.write_text(text)
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    (rig.root / "topics" / "gao.yaml").write_text("topics: {gao: gao")
    rig.until(lambda: "config.refused" in rig.log())
    (rig.root / "topics" / "gao.yaml").write_text("topics: {gao: gao}")
    rig.until(lambda: rig.log().count("run.starting") == 2)
    rig.publish("listed")
    (rig.folder / "note.txt").write_text("A note about Gao\n\nNothing else is said in this note about Gao.\n")
    rig.until(lambda: sorted(rig.world.told()) == ["A note about Gao", "listed"])
    process.send_signal(signal.SIGTERM)
    assert process.wait(10) == 0


def diff(rig: Rig) -> subprocess.CompletedProcess[str]:
    """`watchpost config diff` beside the running service."""
    return subprocess.run(
        [sys.executable, "-m", "watchpost", "config", "diff", "--data", rig.data],
        env={**rig.env, "WATCHPOST_CONFIG": str(rig.config)},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_file_that_is_cut_off_and_yet_valid_is_named_in_the_log(rig: Rig) -> None:
    process = rig.start()
    rig.until(lambda: "run.starting" in rig.log())
    assert "no route takes" not in rig.log()
    good = rig.config.read_text()
    rig.config.write_text(good[: good.index("receivers:")])
    process.send_signal(signal.SIGHUP)
    rig.until(lambda: "no route takes" in rig.log())
    rig.until(lambda: rig.log().count("run.starting") == 2)
    rig.config.write_text(good)
    process.send_signal(signal.SIGHUP)
    rig.publish("whole-again")
    rig.until(lambda: "whole-again" in rig.world.told())
