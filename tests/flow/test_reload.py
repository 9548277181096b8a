"""The configuration changes while the service runs: a good one is taken over, a bad one is refused."""

from __future__ import annotations

import signal

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
