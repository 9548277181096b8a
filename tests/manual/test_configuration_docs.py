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
ELSEWHERE = {  # blocks of a few keys, told in the line of the key that holds them
    *("Auth", "BasicAuth", "TrustedProxy", "ApiToken", "Exceptions", "Matching", "Proxy", "Defaults", "Source"),
    *("BodyTemplates", "MailTemplates", "TextTemplates", "DkimOptions", "SmtpOptions", "UnsubscribeOptions"),
}


def default(block: dict[str, Any], key: str) -> str:
    value = block["properties"][key].get("default")
    if key in block.get("required", []):
        return "needed"
    if value in (None, {}):
        return ""
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


@pytest.mark.parametrize("name", BLOCKS)
def test_every_key_stands_there_with_its_default(name: str) -> None:
    rows = re.findall(r"^\| `(.+?)` \| (.*?) \| .+ \|$", TABLES[name], re.MULTILINE)
    block = BLOCKS[name]
    told, expected = dict(rows), {key: default(block, key) for key in block["properties"]}
    assert {key: told.get(key) for key in expected} == expected


def test_no_block_is_forgotten() -> None:
    assert set(SCHEMA["$defs"]) <= {*TABLES, *ELSEWHERE}
