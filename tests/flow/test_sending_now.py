"""A digest is sent from its page before its time; at that time nothing is sent again."""

from __future__ import annotations

import json
import re
import time

import httpx

from tests.flow.rig import Rig

EVERY_SECONDS = 20


def test_what_was_sent_from_the_page_is_not_told_again_at_its_moment(rig: Rig) -> None:
    text = rig.config.read_text()
    rig.config.write_text(text.replace("mode: immediate, group_wait: 100ms", f"digest: {{every: {EVERY_SECONDS}s}}"))
    rig.start(env={"WATCHPOST_LOG_FORMAT": "json"})
    rig.until(lambda: "http.listening" in rig.log())
    (listen,) = [json.loads(line)["listen"] for line in rig.log().splitlines() if "http.listening" in line]
    address = f"http://{listen}"
    with httpx.Client(base_url=address, headers={"origin": address}) as browser:
        rig.until(lambda: time.time() % EVERY_SECONDS < 2)  # the next moment is far enough
        began = time.time() // EVERY_SECONDS
        rig.publish("one")
        listed = browser.get("/editions").text
        place = re.search(r'href="(/editions/[0-9a-f]+)"', listed)
        assert place is not None
        rig.until(lambda: "Send now" in browser.get(place[1]).text)
        page = browser.get(place[1]).text
        seen = re.search(r'name="seen" value="([^"]+)"', page)
        assert seen is not None, page
        press = f"{place[1]}/send", {"seen": seen[1]}
        assert browser.post(press[0], data=press[1]).headers["location"] == "/editions?done=told"
        assert browser.post(press[0], data=press[1]).headers["location"].endswith("?done=moved")
        rig.until(lambda: rig.world.told() == ["one"])
        assert time.time() // EVERY_SECONDS == began, "it went before its moment"
        rig.publish("two")
        rig.until(lambda: "two" in rig.world.told(), seconds=2 * EVERY_SECONDS)
    rig.until(rig.quiet)
    rig.check()
    assert rig.world.told() == ["one", "two"]
    actions = [json.loads(line) for line in rig.log().splitlines() if "operator.acted" in line]
    assert [(line["deed"], line["receiver"]) for line in actions] == [("digest send", "inbox")]
