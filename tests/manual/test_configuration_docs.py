"""The manual of the configuration names every key with its default.

If this fails: add the key to its table in docs/configuration.md, with its default and a few words.
"""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "configuration.md").read_text("utf-8")
SCHEMA = json.loads((ROOT / "config" / "watchpost.schema.json").read_text("utf-8"))
TABLES: dict[str, str] = dict(re.findall(r"<!-- keys of (.+?) -->\n(.*?)(?=\n#|\Z)", PAGE, re.DOTALL))
RECEIVERS = SCHEMA["properties"]["receivers"]["anyOf"][0]["additionalProperties"]["oneOf"]
BLOCKS = {
    "the file": SCHEMA,
    **{name: block for name, block in SCHEMA["$defs"].items() if name in TABLES},
    **{f"receiver {block['title']}": block for block in RECEIVERS},
}
ELSEWHERE = {  # blocks of a few keys, explained in the line of the key that holds them
    *(
        "Auth",
        "BasicAuth",
        "TrustedProxy",
        "ApiToken",
        "Exceptions",
        "Matching",
        "Proxy",
        "ReceiverDefaults",
        "TemplateText",
    ),
    *("BodyTemplates", "MailTemplates", "TextTemplates", "DkimOptions", "SmtpOptions", "UnsubscribeOptions"),
    "RedisOptions",  # all of it is advanced
}
PATHS = {
    "FeedOptions": "feeds.NAME",
    "PageOptions": "pages.NAME",
    "MailboxOptions": "mailboxes.NAME",
    "FolderOptions": "folders.NAME",
    "TopicOptions": "topics.NAME",
    "Limits": "limits",
    "Http": "http",
    "RedisOptions": "redis",
    "RetryOptions": "receivers.NAME.retry",
}


def default(block: dict[str, Any], key: str) -> str:
    value = block["properties"][key].get("default")
    if key in block.get("required", []):
        return "needed"
    if value in (None, {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def rows(table: str) -> dict[str, str]:
    return dict(re.findall(r"^\| `(.+?)` \| (.*?) \| .+ \|$", table, re.MULTILINE))


@pytest.mark.parametrize("name", BLOCKS)
def test_every_key_is_in_its_table_with_its_default(name: str) -> None:
    block = BLOCKS[name]
    expected = {
        key: default(block, key)
        for key, value in block["properties"].items()
        if not value.get("x-advanced") and not value.get("deprecated")
    }
    assert rows(TABLES[name]) == expected


def test_advanced_keys_are_in_the_last_section() -> None:
    blocks = SCHEMA["$defs"] | {f"receiver {block['title']}": block for block in RECEIVERS}
    expected = {
        f"{PATHS.get(name, 'receivers.NAME')}.{key}": default(block, key)
        for name, block in blocks.items()
        for key, value in block["properties"].items()
        if value.get("x-advanced")
    }
    assert rows(PAGE[PAGE.index("<!-- advanced keys -->") :]) == expected


def test_no_block_is_forgotten() -> None:
    assert set(SCHEMA["$defs"]) <= {*TABLES, *ELSEWHERE}
