"""Days of a service in minutes: every process has one wall clock that is sped up, and nothing else is changed for that.

`python -m tests.flow.long_soak [HOURS] [SPEED] [SVG]`. What is due is decided by the wall clock, of the service and of
the store; timeouts and sleeps go by the monotonic clock and stay as they are. So `wall_clock.c`, loaded before the
C library, makes the time of day SPEED times as fast, and a loop that looks each second sees minutes go by. A site
publishes every half hour, a folder gets a file every two hours, and the receiver is away for a part of the time. The
run ends on the Monday after the night in which the clocks of Paris go back. The oracle: every article is in one digest,
every digest has its moment, the sums of the ledger match at every midnight, and neither memory nor files nor keys grow.
"""

from __future__ import annotations

import asyncio
import json
import os
import resource
import shutil
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime, timedelta
from datetime import time as clock
from itertools import pairwise
from pathlib import Path
from zoneinfo import ZoneInfo

from tests.flow.chart import chart
from tests.flow.rig import Rig
from tests.servers import ValkeyServer, valkey_server

PARIS = ZoneInfo("Europe/Paris")
MONDAY = datetime(2040, 10, 29, 17, 0, tzinfo=UTC)  # 18:00 in Paris, which went back on Sunday at 03:00
SUNDAY = datetime(2040, 10, 28, 7, 0, tzinfo=UTC)  # 08:00 there
TIMES = ("02:30", "08:00", "18:00")
SPEED = 432  # 72 hours in ten minutes; one look each second is one in seven minutes of that clock
LEAST_HOURS = 60.0  # then the second quarter begins after the half of a day, and hits of the first day are forgotten
MOST_GROWTH = {"memory_mib": 1.1, "files": 1.1, "store_mib": 1.2, "keys": 1.4}
_CLOCK = Path(__file__).with_name("wall_clock.c")
_HOUR = timedelta(hours=1)
_PAUSE_SECONDS = 0.5
_QUIET_SECONDS = 60.0


@dataclass
class Sample:
    """What the service holds at one moment."""

    hour: float
    memory_mib: float
    files: int
    store_mib: float
    keys: int
    data_mib: float


@dataclass
class Soaked:
    """What happened. `late_seconds` is the worst of a digest that did not wait for its receiver."""

    hours: float
    articles: int = 0
    digests: int = 0
    hourly: int = 0
    midnights: int = 0
    cpu_seconds: float = 0.0
    late_seconds: int = 0
    repeats: int = 0
    samples: list[Sample] = field(default_factory=list)


def configure(rig: Rig, end: datetime) -> None:
    """Digests at three times of the day, hourly ones, and one on the weekday of the end."""
    local = end.astimezone(PARIS)
    rig.config.write_text(
        f"""
version: 1
timezone: Europe/Paris
feeds: {{world: {{url: {rig.site}/feed, every: 10m, on_new: all, timeout: 60s, allow_private: [127.0.0.0/8]}}}}
folders: {{drop: {{path: drop, settle: 1m, every: 1s, after: delete}}}}
topics: {{mali: {{query: mali, window: 12h}}}}
receivers:
  inbox:
    type: webhook
    url: {rig.site}/hook
    secrets: [{{env: HOOK_SECRET}}]
    timeout: 5m
    allow_private: [127.0.0.0/8]
  hourly: {{type: file, path: hourly}}
  weekly: {{type: file, path: weekly}}
routes:
  - {{to: inbox, digest: {{at: {json.dumps(TIMES)}, empty: never}}, continue: true}}
  - {{to: hourly, digest: {{every: 1h, empty: never}}, continue: true}}
  - {{to: weekly, digest: {{at: ["{local:%H:%M}"], days: [{local.strftime("%a").lower()}], empty: never}}}}
retention: {{dedup: 7d, hits: 24h, deliveries: 24h, articles: 50}}
archive: false
limits: {{lease: 1h, digests_per_receiver_per_hour: 100000, hits_per_topic_per_hour: 100000}}
http: {{listen: "127.0.0.1:0"}}
"""
    )


def moments(start: datetime, end: datetime) -> list[datetime]:
    """When the inbox is due, in UTC: each time of each day in Paris, the first one if it comes twice."""
    days = [start.astimezone(PARIS).date() + timedelta(days=day) for day in range((end - start).days + 3)]
    due = [datetime.combine(day, clock.fromisoformat(at), PARIS).astimezone(UTC) for day in days for at in TIMES]
    return [each for each in due if start < each <= end]


def soak(rig: Rig, server: ValkeyServer, end: datetime) -> Soaked:
    """Live until `end`, and ask the oracle. Raises AssertionError."""
    url = server.url
    rig.env["WATCHPOST_REDIS_URL"] = url
    configure(rig, end)
    start = now()
    hours = (end - start) / _HOUR
    found, process = Soaked(round(hours, 2)), rig.start()
    away = (start + (end - start) * 0.2, start + (end - start) * 0.3)
    # Every half hour, and nothing in the last three hours, 25 s of this machine: what is published must be in the
    # digest of the end.
    number, hour, midnight = 0, 0.0, next_midnight(start)
    while now() < end:
        time.sleep(_PAUSE_SECONDS)
        moment = now()
        assert process.poll() is None, rig.log()
        rig.world.status = 503 if away[0] < moment < away[1] else 200
        if (moment - start) / timedelta(minutes=30) > number and moment < end - 3 * _HOUR:
            rig.publish(f"n{number}")
            if number % 4 == 0:
                rig.drop(f"f{number}")
            number += 1
        if moment >= midnight:
            assert not asyncio.run(rig._gaps(url)), f"the sums do not match at {midnight}"
            found.midnights, midnight = found.midnights + 1, midnight + timedelta(days=1)
        if (moment - start) / _HOUR >= hour:
            found.samples.append(sample(rig, server, process.pid, (moment - start) / _HOUR))
            hour += 1
    rig.until(lambda: rig.quiet(url), _QUIET_SECONDS)
    found.cpu_seconds = cpu_seconds(process.pid)
    judge(rig, url, found, start, end, away)
    return found


def judge(rig: Rig, url: str, found: Soaked, start: datetime, end: datetime, away: tuple[datetime, datetime]) -> None:
    """The oracle."""
    rig.check(repeats=3, url=url)
    bodies = dict(rig.world.got)
    digests = [json.loads(body)["data"] for body in bodies.values()]
    due = moments(start, end)
    closed = sorted(datetime.fromisoformat(digest["window"]["to"]) for digest in digests)
    assert closed == due, f"digests at {closed}, due {due}"
    late = [digest["late_seconds"] for digest in digests]
    hourly = [json.loads(path.read_text("utf-8"))["data"] for path in (rig.root / "hourly").glob("*.json")]
    ends = sorted(datetime.fromisoformat(digest["window"]["to"]) for digest in hourly)
    assert len(ends) == len(set(ends)), "an hour has one digest"
    assert all(later - sooner >= _HOUR for sooner, later in pairwise(ends))
    weekly = [json.loads(path.read_text("utf-8"))["data"] for path in (rig.root / "weekly").glob("*.json")]
    assert [datetime.fromisoformat(digest["window"]["to"]) for digest in weekly] == [end]
    for told in (hourly, weekly):
        titles = sorted(story["title"] for digest in told for story in digest["stories"])
        assert titles == sorted(rig.world.everything())
    found.articles, found.digests, found.hourly = len(rig.world.everything()), len(digests), len(ends)
    found.late_seconds, found.repeats = max(late), len(rig.world.got) - len(bodies)


def now() -> datetime:
    """The time of the sped-up clock."""
    return datetime.now(UTC)


def next_midnight(moment: datetime) -> datetime:
    """The next midnight in UTC, at which the ledger begins a new day."""
    return (moment + timedelta(days=1)).replace(hour=0, minute=0, second=0, microsecond=0)


def sample(rig: Rig, server: ValkeyServer, pid: int, hour: float) -> Sample:
    """Memory and open files of the service with its children, and what the store and the data directory hold."""
    family = [pid, *children(pid)]
    with rig.client(server.url) as client:
        memory, keys = client.info("memory")["used_memory"], client.dbsize()
    data = sum(path.stat().st_size for path in rig.data.rglob("*") if path.is_file())
    return Sample(
        round(hour, 2),
        round(sum(map(resident, family)) / 2**20, 1),
        sum(len(list(Path(f"/proc/{each}/fd").iterdir())) for each in family),
        round(memory / 2**20, 2),
        keys,
        round(data / 2**20, 3),
    )


def children(pid: int) -> Iterator[int]:
    """The processes that a process started."""
    for task in Path(f"/proc/{pid}/task").iterdir():
        yield from map(int, (task / "children").read_text().split())


def resident(pid: int) -> int:
    """The bytes of memory that a process holds."""
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * resource.getpagesize()


def cpu_seconds(pid: int) -> float:
    """The time of the processor that a process has taken; the kernel counts it, whatever the clock says."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def growth(values: Sequence[float]) -> float:
    """By which factor the last quarter is above the second one: a leak shows, the warm-up does not."""
    quarter = len(values) // 4
    before, after = values[quarter : 2 * quarter], values[-quarter:]
    return (sum(after) / len(after)) / max(sum(before) / len(before), 1e-9)


def picture(found: Soaked) -> str:
    """The samples as a chart."""
    series: dict[str, list[float]] = {
        "memory of the service (MiB)": [each.memory_mib for each in found.samples],
        "open files": [each.files for each in found.samples],
        "memory of the store (MiB)": [each.store_mib for each in found.samples],
        "keys in the store": [each.keys for each in found.samples],
    }
    title = f"{found.hours:.0f} hours of a service in accelerated time, {found.articles} articles"
    return chart(title, [each.hour for each in found.samples], series)


def live(end: datetime) -> Soaked:
    """The run, on the clock that this process has."""
    with valkey_server() as server, tempfile.TemporaryDirectory(prefix="wp-long-") as folder:
        rig = Rig(Path(folder))
        try:
            return soak(rig, server, end)
        finally:
            rig.close()


def run(hours: float, speed: int = SPEED, end: datetime = MONDAY) -> Soaked:
    """The run, in a process whose clock is `speed` times as fast, until it shows `end`. Raises AssertionError."""
    compiler = shutil.which("cc")
    assert compiler is not None, "a C compiler is missing: apt-get install gcc libc6-dev"
    with tempfile.TemporaryDirectory(prefix="wp-clock-") as folder:
        library = f"{folder}/wall_clock.so"
        subprocess.run([compiler, "-O2", "-Wall", "-shared", "-fPIC", "-o", library, str(_CLOCK)], check=True)
        start = int((end - timedelta(hours=hours)).timestamp()) * 10**9
        env = {**os.environ, "LD_PRELOAD": library, "WALL_CLOCK": f"{time.time_ns()} {start} {speed}"}
        words = [sys.executable, "-m", "tests.flow.long_soak", "--until", end.isoformat()]
        done = subprocess.run(words, env=env, capture_output=True, text=True, check=False)
    assert done.returncode == 0, f"{done.stderr[:4000]}\n...\n{done.stderr[-3000:]}"
    facts = json.loads(done.stdout.splitlines()[-1])
    return Soaked(**{**facts, "samples": [Sample(**each) for each in facts["samples"]]})


def main() -> None:
    """The command."""
    if sys.argv[1:2] == ["--until"]:
        sys.stdout.write(json.dumps(asdict(live(datetime.fromisoformat(sys.argv[2])))) + "\n")
        return
    hours = float(sys.argv[1]) if sys.argv[1:] else 72.0
    begun = time.monotonic()
    found = run(hours, int(sys.argv[2]) if sys.argv[2:] else SPEED)
    if sys.argv[3:]:
        Path(sys.argv[3]).write_text(picture(found), "utf-8")
    grown = {name: round(growth([getattr(each, name) for each in found.samples]), 3) for name in MOST_GROWTH}
    facts = {**asdict(found), "samples": len(found.samples), "growth": grown}
    sys.stdout.write(f"{json.dumps(facts)}\n{time.monotonic() - begun:.0f} s\n")
    leaks = {name: factor for name, factor in grown.items() if hours >= LEAST_HOURS and factor > MOST_GROWTH[name]}
    assert not leaks, f"the last quarter is above the second one by more than {MOST_GROWTH}: {leaks}"


if __name__ == "__main__":
    main()
