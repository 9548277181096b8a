"""datasketch's MinHashLSH on the texts of benchmarks/stories.py, in the peers' own venv: prints JSON.

Reads a JSON list of texts from stdin. Signs each (three-word shingles, 128 permutations), then asks and inserts one
after the other: the story of a text is that of the most similar earlier one with a Jaccard of 0.5 and more.
"""

# mypy: disable-error-code="import-not-found,import-untyped,misc"

from __future__ import annotations

import json
import re
import sys
import time
from importlib.metadata import version

from datasketch import MinHash, MinHashLSH

PERMUTATIONS, THRESHOLD = 128, 0.5


def main() -> None:
    """Sign, then decide."""
    texts = json.load(sys.stdin)
    begun = time.perf_counter()
    signed = []
    for text in texts:
        words = re.findall(r"\w+", text.lower())
        shingles = {" ".join(words[at : at + 3]).encode() for at in range(len(words) - 2)}
        made = MinHash(num_perm=PERMUTATIONS)
        made.update_batch(shingles)
        signed.append(made)
    signing = time.perf_counter() - begun
    index = MinHashLSH(threshold=THRESHOLD - 0.1, num_perm=PERMUTATIONS)
    stories: list[int] = []
    begun = time.perf_counter()
    for number, made in enumerate(signed):
        best = max(index.query(made), key=lambda one: signed[one].jaccard(made), default=None)
        joins = best is not None and signed[best].jaccard(made) >= THRESHOLD
        stories.append(stories[best] if joins and best is not None else number)
        index.insert(number, made)
    deciding = time.perf_counter() - begun
    rates = {"sign": len(texts) / signing, "decide": len(texts) / deciding}
    print(json.dumps({"version": version("datasketch"), "stories": stories, **rates}))


main()
