"""Polling: every feed fetched, read, deduplicated and stored, by us, by lemon24/reader and by newsboat.

`$WATCHPOST_FEEDS` names the folder of feed documents (without it ../shared/feeds/real beside the project), and
`$WATCHPOST_POLL_FEEDS` says how many feeds there are (1,000). Above 1,000 only ours runs, and remembers what it reads
without queueing it: nobody matches here, and a queue of 200,000 articles would be what is measured.

With `$WATCHPOST_BEFORE`, the folder `src` of another version, only the two versions run, in alternating rounds. What a
visit costs is compared: where nothing has changed, where bytes have, where only the document's moment has, and where
there is a new entry.
"""

from __future__ import annotations

import os
import statistics
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import peers
from benchmarks.polling_site import Site, site, version
from benchmarks.polling_systems import Round, newsboat, ours, reader
from benchmarks.table import Figure, at_least, at_most, median_of, publish

_ROUNDS = 3
_PEERS_UP_TO = 1000
_ONE_HOST_SECONDS = 15.0
_ALTERNATING = 4
_NEXT_SECOND = 1.05  # the server makes its validators of whole seconds


def run() -> None:
    """Measure, print, and write results/polling.json."""
    beside = Path(__file__).parents[2] / "shared" / "feeds" / "real"
    folder = Path(os.environ.get("WATCHPOST_FEEDS", beside))
    count = int(os.environ.get("WATCHPOST_POLL_FEEDS", "1000"))
    documents = sorted(folder.iterdir()) if folder.is_dir() else []
    if not documents:
        print(f"polling: no feeds in {folder}; name a folder in $WATCHPOST_FEEDS")
        return
    if before := os.environ.get("WATCHPOST_BEFORE"):
        with site(documents, count) as served:
            publish("polling-before", f"{count:,} feeds, {version()}, CPU of a visit", _against(served, count, before))
        return
    with site(documents, count) as served:
        figures, remarks = _measure(served, count)
    size = sum(documents[n % len(documents)].stat().st_size for n in range(count)) / 1e6
    publish("polling", f"{count:,} feeds, {size:.0f} MB, {version()}", figures, remarks)


def _measure(served: Site, count: int) -> tuple[list[Figure], list[str]]:
    urls = served.urls(count)
    colds: list[Round] = []
    warms: list[Round] = []
    known: list[Round] = []
    plain: list[Round] = []
    remarks: list[str] = []
    others: dict[str, tuple[Round, Round]] = {}
    ask = {"reader": reader, "newsboat": newsboat}
    for turn in range(_ROUNDS if count <= _PEERS_UP_TO else 1):
        with ours(urls, on_new="all" if count <= _PEERS_UP_TO else "24h") as running:
            colds.append(running.cold())
            remarks.append(f"watchpost, cold: {dict(served.statuses())}, {colds[-1].entries:,} articles")
            warms.append(running.warm())
            remarks.append(f"watchpost, warm: {dict(served.statuses())}")
            served.change()
            known.append(running.warm())
            remarks.append(f"watchpost, everything known: {dict(served.statuses())}")
        if count <= _PEERS_UP_TO:
            with ours(urls, on_new="24h") as running:
                plain.append(running.cold())
            remarks.append(f"watchpost, cold, on_new 24h: {dict(served.statuses())}")
        name = [*ask][turn] if turn < len(ask) and count <= _PEERS_UP_TO else ""
        if name and (name != "reader" or peers.there()):
            cold, warm, named = ask[name](urls)
            others[name] = cold, warm
            remarks.append(f"{named}, all its rounds: {dict(served.statuses())}, {cold.entries:,} articles")
    figures = [*_ours("cold", colds), *_ours("warm", warms), *_ours("all 200, nothing new", known)]
    if plain:
        figures += _ours("cold, on_new: 24h", plain)
    for name, (cold, warm) in others.items():
        for kind, one, mine in (("cold", cold, colds), ("warm", warm, warms)):
            figures.append(
                Figure(f"{name}, {kind}, CPU", one.cpu, "s", note=f"wall {one.wall:.1f} s, {one.rss:.0f} MB")
            )
            goal = 3 if name == "newsboat" and kind == "cold" else 10
            middle = statistics.median(each.cpu + each.server for each in mine)
            figures.append(at_least(f"{name} : watchpost, {kind}", one.cpu / middle, goal))
    figures.append(at_most("longest lag of the loop, cold", max(one.lag_ms for one in colds), 100, "ms"))
    peak = max(one.rss for one in (*colds, *warms, *known))
    name = "poller and parser, at the highest"
    figures.append(at_most(name, peak, 150, "MB") if count >= 10_000 else Figure(name, peak, "MB"))
    if count <= _PEERS_UP_TO:
        with ours(served.urls(count, hosts=False)) as running:
            one = running.run_for(_ONE_HOST_SECONDS)
        asked = sum(served.statuses().values())
        note = f"{asked} requests in {_ONE_HOST_SECONDS:g} s"
        figures.append(Figure(f"{count:,} feeds of one host, CPU", one.cpu + one.server, "s", note=note))
    return figures, remarks


def _against(served: Site, count: int, before: str) -> list[Figure]:
    """What a visit costs, with the server, in the version `before` and in this one."""
    spent: dict[str, tuple[list[float], list[float]]] = {}
    changes: dict[str, Callable[[], None]] = {
        "unchanged (304)": lambda: None,
        "other bytes, every entry known": served.change,
        "only another moment": served.name_another_moment,
        "one new entry": lambda: served.publish(time.time_ns()),
    }
    for turn in range(_ALTERNATING):
        for which in (0, 1) if turn % 2 else (1, 0):
            with ours(served.urls(count), on_new="24h", source="" if which else before) as running:
                running.cold()
                for name, change in changes.items():
                    time.sleep(_NEXT_SECOND)
                    change()
                    one = running.warm()
                    spent.setdefault(name, ([], []))[which].append(1000 * (one.cpu + one.server) / count)
    figures = []
    for name, (old, new) in spent.items():
        share = f"{statistics.median(new) / statistics.median(old):.2f} of it"
        figures += [median_of(f"{name}, before", old, "ms"), median_of(f"{name}, now", new, "ms", share)]
    return figures


def _ours(kind: str, rounds: list[Round]) -> list[Figure]:
    both = [one.cpu + one.server for one in rounds]
    wall = statistics.median(one.wall for one in rounds)
    return [
        median_of(f"watchpost, {kind}, CPU with the server's", both, "s", note=f"wall {wall:.1f} s"),
        median_of("  of it the server", [one.server for one in rounds], "s"),
    ]
