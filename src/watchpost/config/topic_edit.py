"""Pure: changes the query or the exclude of a topic in the text of a file; comments and all other lines stay."""

from __future__ import annotations

from typing import Any, Literal

from watchpost.config.yaml_reader import MappingNode, Mark, Node, ScalarNode, plain, read_yaml
from watchpost.errors import ConfigError, WatchpostError


def edited(text: str, file: str, topic: str, key: Literal["query", "exclude"], value: str) -> str:
    """The text of the file with `key` of this topic set to `value`.

    Raises ConfigError for what is not YAML, and WatchpostError if the topic is not in this file, or is written in a
    way that only a person can change, such as an alias.
    """
    root, complaints = read_yaml(text, file)
    if complaints or not isinstance(root, MappingNode):
        raise ConfigError(complaints)
    topics = root.get("topics")
    entry = topics.entries.get(topic) if isinstance(topics, MappingNode) else None
    if entry is None:
        raise WatchpostError(f"{file} does not define the topic {topic}")
    changed = _changed(text, entry.node, key, value)
    again, complaints = read_yaml(changed, file)
    if complaints or again is None or _without(again, topic, key) != (value.strip(), _without(root, topic, key)[1]):
        where = f"{file}:{entry.mark.line}"
        raise WatchpostError(f"{where}: this topic cannot be changed by a program; write its {key} yourself: {value}")
    return changed


def _without(root: Node, topic: str, key: str) -> tuple[str, Any]:
    """The value of the topic's key, and everything else in the file."""
    tree = plain(root)
    block = tree["topics"][topic]
    block = dict(block) if isinstance(block, dict) else {"query": block}
    value = str(block.pop(key, "")).strip()
    return value, {**tree, "topics": {**tree["topics"], topic: block}}


def _changed(text: str, node: Node, key: str, value: str) -> str:
    if isinstance(node, ScalarNode):  # `mali: Mali OR Bamako`
        start = _offset(text, node.mark)
        block = (
            f"query: {_inline(value)}" if key == "query" else f"query: {_inline(node.text)}, {key}: {_inline(value)}"
        )
        return text[:start] + f"{{{block}}}" + text[start + len(node.written.rstrip("\n")) :]
    if not isinstance(node, MappingNode):
        return text
    old = node.entries.get(key)
    if old is not None and isinstance(old.node, ScalarNode):
        start = _offset(text, old.node.mark)
        end = start + len(old.node.written.rstrip("\n"))
        if old.node.written[:1] != "|" and "\n" not in value:
            return text[:start] + _inline(value) + text[end:]
        line = text.find("\n", start)
        header = old.node.written.partition("\n")[0] if old.node.written[:1] in ("|", ">") else f"|{text[end:line]}"
        after = text[end:] if old.node.written[:1] in ("|", ">") else text[line:]
        return text[:start] + f"|{header[1:]}\n" + _lines(old.mark, value) + after
    query = node.entries.get("query")
    if query is None or not isinstance(query.node, ScalarNode):
        return text
    end = _offset(text, query.node.mark) + len(query.node.written.rstrip("\n"))
    if text[_offset(text, node.mark)] == "{":
        return f"{text[:end]}, {key}: {_inline(value)}{text[end:]}"
    line = text.find("\n", end)
    line = len(text) if line < 0 else line
    return f"{text[:line]}\n{' ' * (query.mark.column - 1)}{key}: {_inline(value)}{text[line:]}"


def _lines(key: Mark, value: str) -> str:
    """The value as the lines of a block below its key."""
    indent = " " * (key.column + 1)
    return "\n".join(f"{indent}{line}" if line else "" for line in value.strip("\n").split("\n"))


def _inline(value: str) -> str:
    return "'" + value.strip().replace("'", "''") + "'"


def _offset(text: str, mark: Mark) -> int:
    """The offset of a place in the text."""
    return sum(len(line) for line in text.splitlines(keepends=True)[: mark.line - 1]) + mark.column - 1
