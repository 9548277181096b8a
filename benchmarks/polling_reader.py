"""lemon24/reader in the peers' own venv: DATABASE, and a JSON list of URLs on stdin. One JSON line a round.

Adds the feeds, then reads them all twice: the first time they are new, the second time nothing has changed.
"""

# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

import json
import os
import resource
import sys
import time
from importlib.metadata import version

from reader import make_reader

WORKERS = 20


def main() -> None:
    """Two rounds."""
    reader = make_reader(sys.argv[1])
    for url in json.load(sys.stdin):
        reader.add_feed(url)
    for _ in range(2):
        begun, cpu = time.perf_counter(), sum(os.times()[:4])
        refused = sum(
            isinstance(result.value, Exception) for result in reader.update_feeds_iter(workers=WORKERS, scheduled=False)
        )
        found = {
            "cpu": sum(os.times()[:4]) - cpu,
            "wall": time.perf_counter() - begun,
            "rss": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024,
            "refused": refused,
            "entries": reader.get_entry_counts().total,
            "version": version("reader"),
        }
        print(json.dumps(found), flush=True)


main()
