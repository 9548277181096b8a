"""OPML import and export: lines of the configuration from an OPML file, an OPML file from the configuration."""

from __future__ import annotations

import io
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pydantic import ValidationError
from ruamel.yaml import YAML
from ruamel.yaml.comments import CommentedMap, CommentedSeq
from ruamel.yaml.error import YAMLError
from ruamel.yaml.scalarstring import DoubleQuotedScalarString

from watchpost.config.config import Config
from watchpost.config.errors import Block, complaints_of
from watchpost.config.opml import MAX_BYTES, FeedList, Listed, Outline, gather, read_opml, write_opml
from watchpost.config.yaml_reader import ScalarNode
from watchpost.errors import Complaint, WatchpostError
from watchpost.operations.feeds.status import feeds
from watchpost.poll.feed_options import FeedOptions


@dataclass(frozen=True, slots=True)
class Sorted:
    """The feeds of an OPML file: the new ones under the names that they would get, and warnings about the others.

    `twins` are warnings about feeds that are configured already, `invalid` about outlines that are not feeds.
    """

    new: tuple[Listed, ...]
    twins: tuple[Complaint, ...]
    invalid: tuple[Complaint, ...]


def sort_out(file: Path, config: Config, into: Path | None = None) -> Sorted:
    """Read an OPML file and compare it with the configuration and with the feeds in the file `into`.

    Raises WatchpostError for a file that cannot be read.
    """
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise WatchpostError(f"{file}: {error.strerror}") from error
    outlines, found = read_opml(data, str(file))
    if wrong := [complaint for complaint in found if complaint.severity == "error"]:
        raise WatchpostError(str(wrong[0]))
    good, invalid = [], list(found)
    for outline in outlines:
        complaints = _problems(outline)
        invalid += complaints
        good += [] if complaints else [outline]
    here = _feeds_in(_read_yaml(into)[1]) if into is not None else {}
    addresses = {options.url: name for name, options in feeds(config).items()}
    names = {part.name for part in config.sources} | set(here.values())
    new, twins = gather([FeedList(0, str(file), tuple(good))], addresses | here, names)
    return Sorted(new, twins, tuple(invalid))


def yaml_of(new: Sequence[Listed]) -> str:
    """A block to paste: `feeds:` and a line for each."""
    return _dumped(_added(CommentedMap(), new))


def merged(path: Path, new: Sequence[Listed]) -> str:
    """The text of the YAML file `path` with these feeds at the end of its `feeds:`; the rest stays as it is.

    A missing file counts as empty. Raises WatchpostError if it cannot be read, or is not a mapping.
    """
    text, root = _read_yaml(path)
    if not new:
        return text
    existing = root.get("feeds")
    if "feeds" not in root:
        return text + ("" if text.endswith("\n") or not text else "\n") + yaml_of(new)
    if existing and not existing.fa.flow_style():
        return _spliced(text, root, new)
    return _dumped(_added(root, new))  # feeds: {…} on one line, or nothing under it


def _spliced(text: str, root: CommentedMap, new: Sequence[Listed]) -> str:
    """Insert lines at the end of the block under `feeds:`, with its indent; a round trip would reformat the file."""
    existing = root["feeds"]
    lines = text.splitlines()
    after = [root.lc.key(key)[0] for key in root if root.lc.key(key)[0] > root.lc.key("feeds")[0]]
    end = min(after, default=len(lines))
    while not lines[end - 1].strip() or lines[end - 1].startswith(("#", "...")):
        end -= 1  # empty lines and comments before the next section belong to it
    block = CommentedMap(feeds=CommentedSeq() if isinstance(existing, CommentedSeq) else CommentedMap())
    added = [" " * existing.lc.col + line[2:] for line in _dumped(_added(block, new)).splitlines()[1:]]
    return "\n".join([*lines[:end], *added, *lines[end:], ""])


def replace_file(path: Path, text: str) -> bytes | None:
    """Replace the file `path` in one step; returns its former content, None if there was none.

    Raises WatchpostError if the directory cannot be written.
    """
    try:
        before = path.read_bytes() if path.exists() else None
        mode = path.stat().st_mode & 0o777 if before is not None else 0o644
        descriptor, name = tempfile.mkstemp(dir=path.parent, prefix=f".{path.name}.")
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(text)
        Path(name).chmod(mode)
        Path(name).replace(path.resolve() if path.is_symlink() else path)
    except OSError as error:
        raise WatchpostError(f"{path} cannot be written: {error.strerror}") from error
    return before


def restore_file(path: Path, before: bytes | None) -> None:
    """Undo `replace_file`."""
    if before is None:
        path.unlink(missing_ok=True)
    else:
        replace_file(path, before.decode("utf-8"))


def export(config: Config) -> tuple[str, tuple[str, ...]]:
    """The configured feeds as OPML 2.0, and the names of those with headers, which OPML cannot express."""
    configured = feeds(config)
    outlines = [Outline(name, one.url, one.tags, one.lang) for name, one in configured.items()]
    return write_opml("watchpost", outlines), tuple(name for name, one in configured.items() if one.headers)


def _problems(outline: Outline) -> list[Complaint]:
    tags = {"tags": outline.tags} if outline.tags else {}
    try:
        FeedOptions.model_validate({"url": outline.url, "lang": outline.lang} | tags)
    except ValidationError as error:
        block = Block(outline.title, f"'{outline.title}'", outline.mark, ScalarNode(outline.mark, outline.url))
        return list(complaints_of(error, block, FeedOptions))
    return []


def _yaml() -> YAML:
    yaml = YAML()
    yaml.preserve_quotes = True
    yaml.width = 4096
    yaml.indent(mapping=2, sequence=4, offset=2)
    return yaml


def _read_yaml(path: Path) -> tuple[str, CommentedMap]:
    try:
        text = path.read_text(encoding="utf-8") if path.exists() else ""
        root = _yaml().load(text)
    except (OSError, UnicodeDecodeError, YAMLError) as error:
        raise WatchpostError(f"{path} is not a configuration: {str(error).splitlines()[0]}") from error
    if root is None:
        return text, CommentedMap()
    if not isinstance(root, CommentedMap) or not isinstance(root.get("feeds"), CommentedMap | CommentedSeq | None):
        raise WatchpostError(f"feeds cannot be added to {path}: its `feeds:` is neither a mapping nor a list")
    return text, root


def _feeds_in(root: Mapping[str, Any]) -> dict[str, str]:
    """The names of the feeds in a file by address, as far as they can be recognised."""
    existing = root.get("feeds") or {}
    pairs = existing.items() if isinstance(existing, Mapping) else ((f"feeds[{n}]", v) for n, v in enumerate(existing))
    urls = {name: value.get("url") if isinstance(value, Mapping) else value for name, value in pairs}
    return {url: str(name) for name, url in urls.items() if isinstance(url, str)}


def _added(root: CommentedMap, new: Sequence[Listed]) -> CommentedMap:
    if root.get("feeds") is None:
        root["feeds"] = CommentedMap()
    existing = root["feeds"]
    for feed in new:
        outline = feed.outline
        url = DoubleQuotedScalarString(outline.url)
        facts = CommentedMap(url=url)
        if outline.tags:
            facts["tags"] = CommentedSeq(outline.tags)
        if outline.lang:
            facts["lang"] = outline.lang
        facts.fa.set_flow_style()
        value = facts if len(facts) > 1 else url
        if isinstance(existing, CommentedSeq):
            existing.append(value)
        else:
            existing[feed.name] = value
    return root


def _dumped(root: CommentedMap) -> str:
    out = io.StringIO()
    _yaml().dump(root, out)
    return out.getvalue()
