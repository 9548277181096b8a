"""A topic's query or exclude is changed in its file, and nothing else."""

from __future__ import annotations

from typing import Literal

import pytest

from watchpost.config.topic_edit import edited
from watchpost.config.yaml_reader import plain, read_yaml
from watchpost.errors import ConfigError, WatchpostError

FILE = """\
# what we watch
topics:
  mali:   # the country
    title: Mali   # what readers see
    query: |      # in lines
      country:ML  # its names
      OR bamako
    severity: high   # at once
  gold:
    query: gold NEAR/5 mine   # plain
    exclude: 'medal'          # sport
  flow: {title: Flow, query: "a OR b", severity: low}   # on one line
  bare: news AND mali   # nothing but a query
  folded:
    query: >
      a
      OR b
receivers: {terminal: {type: console}}
"""


@pytest.mark.parametrize("topic", ["mali", "gold", "flow", "bare", "folded"])
@pytest.mark.parametrize("key", ["query", "exclude"])
@pytest.mark.parametrize("value", ['"gpu driver" OR shader', "it's OR c", '(\nmali OR "x"\n) UNLESS (gpu)'])
def test_one_value_changes_and_all_comments_stay(topic: str, key: Literal["query", "exclude"], value: str) -> None:
    if key == "exclude" and "\n" in value:
        pytest.skip("an exclude is one line")
    if "\n" in value and topic in ("flow", "bare"):
        with pytest.raises(WatchpostError, match="cannot be changed by a program; write its query yourself"):
            edited(FILE, "x", topic, key, value)
        return
    original, _ = read_yaml(FILE, "x")
    assert original is not None
    before, after = plain(original), edited(FILE, "x", topic, key, value)
    tree, complaints = read_yaml(after, "x")
    assert not complaints
    assert tree is not None
    now = plain(tree)
    block = now["topics"][topic]
    assert block[key].strip() == value.strip()
    old = before["topics"][topic]
    expected = {**(old if isinstance(old, dict) else {"query": old}), key: block[key]}
    assert block == expected
    assert {name: one for name, one in now["topics"].items() if name != topic} == {
        name: one for name, one in before["topics"].items() if name != topic
    }
    comments = [line.partition(" # ")[2] for line in FILE.splitlines() if " # " in line]
    inside = {"its names"} if (topic, key) == ("mali", "query") else set()  # of the query itself
    assert all(comment in after for comment in comments if comment not in inside)


def test_what_cannot_be_changed_is_said() -> None:
    with pytest.raises(WatchpostError, match="x does not define the topic none"):
        edited(FILE, "x", "none", "query", "a")
    with pytest.raises(ConfigError):
        edited("topics: [", "x", "mali", "query", "a")
    alias = "topics:\n  a: &one {query: mali}\n  b: *one\n"
    with pytest.raises(WatchpostError, match="x:3: this topic cannot be changed by a program"):
        edited(alias, "x", "b", "query", "gpu")
