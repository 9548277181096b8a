"""The JSON that webhooks receive: a contract with the programs of others."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest

from tests.notify.digests import HOSTILE, SENTENCE, digest, endless, hostile, story, usual
from watchpost.model import UnreadSource
from watchpost.notify.render.payload import LIMIT, cloudevent, one_per_story, parts, payload

SHIPPED = Path(__file__).parents[2] / "docs" / "schemas" / "digest.created.v1.json"
SCHEMA: dict[str, Any] = json.loads(SHIPPED.read_text("utf-8"))
GOLDEN = Path(__file__).parent / "golden" / "digest.created.v1.json"
_TYPES: dict[str, Any] = {
    "object": dict,
    "array": list,
    "string": str,
    "integer": int,
    "number": (int, float),
    "boolean": bool,
}


def faults(value: Any, schema: dict[str, Any], at: str = "$") -> list[str]:
    """What the schema does not allow in `value`, for the part of JSON Schema that the shipped one uses."""
    if "$ref" in schema:
        schema = SCHEMA["$defs"][schema["$ref"].removeprefix("#/$defs/")] | {
            key: part for key, part in schema.items() if key != "$ref"
        }
    unknown = schema.keys() - {
        *("type", "properties", "required", "items", "enum", "const", "pattern", "minimum", "anyOf"),
        *("maxItems", "minItems", "description", "title", "$schema", "$id", "$defs"),
    }
    assert not unknown, f"the test does not know {unknown}"
    found: list[str] = []
    if "anyOf" in schema and all(faults(value, one, at) for one in schema["anyOf"]):
        found.append(f"{at}: none of anyOf")
    if (kind := schema.get("type")) == "null":
        return [*found, f"{at}: not null"] if value is not None else found
    if kind and (not isinstance(value, _TYPES[kind]) or (kind != "boolean" and isinstance(value, bool))):
        return [*found, f"{at}: not {kind}"]
    if "enum" in schema and value not in schema["enum"]:
        found.append(f"{at}: {value!r}")
    if "const" in schema and value != schema["const"]:
        found.append(f"{at}: {value!r}")
    if "pattern" in schema:
        found += [] if re.search(schema["pattern"], value) else [f"{at}: {value!r}"]
    found += [f"{at}: below"] if "minimum" in schema and value < schema["minimum"] else []
    found += [f"{at}: many"] if len(value if kind == "array" else ()) > schema.get("maxItems", 10**9) else []
    found += [f"{at}: few"] if kind == "array" and len(value) < schema.get("minItems", 0) else []
    found += [f"{at}.{name}: missing" for name in schema.get("required", ()) if name not in value]
    for name, part in schema.get("properties", {}).items():
        found += faults(value[name], part, f"{at}.{name}") if name in value else []
    if kind == "array":
        found += [fault for i, one in enumerate(value) for fault in faults(one, schema["items"], f"{at}[{i}]")]
    return found


def document_of(sample: Any) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(payload(sample))
    assert faults(document, SCHEMA) == []
    return document


def test_the_document() -> None:
    text = payload(usual())
    assert "\n" not in text
    assert '": ' not in text
    assert "Вагнер" in text
    document = document_of(usual())
    first = document["data"]["stories"][0]
    assert {key: document[key] for key in ("type", "schema", "timestamp", "source", "test", "id")} == {
        "type": "digest.created",
        "schema": "watchpost/1",
        "timestamp": "2026-11-23T08:00:00Z",
        "source": "watchpost/newsdesk",
        "test": False,
        "id": "dg_" + "7f3a" * 8,
    }
    assert document["data"]["receiver"] == "desk"
    assert document["data"]["window"] == {"from": "2026-11-22T18:00:00Z", "to": "2026-11-23T08:00:00Z"}
    assert document["data"]["counts"] == {
        "stories": 3,
        "articles": 61,
        "omitted": 2,
        "sources": 41,
        "unread": 2,
        "silenced": 0,
        "waiting": 0,
    }
    assert first["id"] == f"st_{1:032x}"
    assert first["topics"][1] == {
        "name": "wagner",
        "title": "Wagner / Africa Corps",
        "why": ["Wagner", "ЧВК"],
        "severity": "high",
        "score": 1.25,
    }
    assert first["source_count"] == len(first["sources"]) == 2
    assert first["sources"][0]["feed"] == "rfi-africa"
    assert document["data"]["stories"][1]["published"] is None


def test_highlights_count_code_points_of_the_text() -> None:
    snippet = document_of(usual())["data"]["stories"][0]["snippet"]
    assert snippet["text"] == SENTENCE
    assert [snippet["text"][start:end] for start, end in snippet["highlights"]] == ["Wagner", "Gao"]


def test_an_alert_is_another_type() -> None:
    assert document_of(digest(story(), kind="alert"))["type"] == "hit.created"


def test_a_story_may_have_no_topic_and_no_score() -> None:
    one = story(score=float("nan"), topics=())
    assert document_of(digest(one))["data"]["stories"][0]["topics"] == []
    assert document_of(digest(story(score=float("inf"))))["data"]["stories"][0]["topics"][0]["score"] == 0.0


@pytest.mark.parametrize("text", HOSTILE, ids=lambda text: repr(text[:12]))
def test_hostile_text_stays_text(text: str) -> None:
    document = document_of(hostile(text))
    assert "javascript:" not in json.dumps([one["url"] for one in document["data"]["stories"]])
    assert "\\u0000" not in payload(hostile(text))


def test_whole_stories_are_dropped_from_the_end_and_counted() -> None:
    sample = endless(unread=tuple(UnreadSource(f"f{n}", "ж" * 300, None) for n in range(900)), omitted=3)
    text = payload(sample)
    counts = document_of(sample)["data"]["counts"]
    assert len(text.encode()) <= LIMIT
    assert 0 < counts["stories"] == len(json.loads(text)["data"]["stories"]) < 500
    assert counts["omitted"] == 500 - counts["stories"] + 3
    assert counts["unread"] == 900
    assert json.loads(text)["data"]["stories"][-1]["id"] == f"st_{counts['stories'] - 1:032x}"
    assert len(text.encode()) > LIMIT * 0.95  # and not more of them than need be


def test_the_schema_check_of_this_file_can_fail() -> None:
    document = document_of(usual())
    document["data"]["stories"][0]["snippet"]["highlights"] = [[1]]
    document["data"]["counts"]["omitted"] = -1
    document["schema"] = "watchpost/2"
    del document["id"]
    assert len(faults(document, SCHEMA)) == 4


def test_a_long_digest_is_sent_in_parts_that_together_have_each_story_once() -> None:
    long = endless()
    bodies = parts(long)
    assert len(bodies) > 1
    assert all(len(body.encode()) <= LIMIT for body in bodies)
    events = [json.loads(body) for body in bodies]
    ids = [story["id"] for event in events for story in event["data"]["stories"]]
    assert ids == [f"st_{story.id}" for story in long.stories]
    assert len({event["id"] for event in events}) == len(events)
    assert [event["data"]["part"] for event in events] == [
        {"number": n, "of": len(events)} for n in range(1, len(events) + 1)
    ]
    assert all(event["data"]["counts"]["omitted"] == 0 for event in events)
    assert not [fault for event in events for fault in faults(event, SCHEMA)]
    assert parts(usual()) == (payload(usual()),)


def kept(golden: Any, now: Any, at: str = "$") -> list[str]:
    """What of the golden document is missing or different. New fields are allowed."""
    if isinstance(golden, dict):
        return [loss for key, value in golden.items() for loss in kept(value, now.get(key), f"{at}.{key}")]
    if isinstance(golden, list) and len(golden) == len(now):
        return [loss for i, value in enumerate(golden) for loss in kept(value, now[i], f"{at}[{i}]")]
    return [] if golden == now and type(golden) is type(now) else [f"{at}: {golden!r} became {now!r}"]


def test_version_1_is_what_it_was() -> None:
    golden = json.loads(GOLDEN.read_text("utf-8"))
    assert faults(golden, SCHEMA) == []
    assert kept(golden, document_of(usual())) == []
    assert kept({"a": [1]}, {"a": [1.0], "b": 2}) == ["$.a[0]: 1 became 1.0"]


def test_an_alert_can_be_a_document_for_each_story() -> None:
    alert = usual(kind="alert")
    documents = [document_of(one) for one in one_per_story(alert)]
    assert [one["data"]["counts"]["stories"] for one in documents] == [1, 1, 1]
    assert [one["data"]["stories"][0]["id"] for one in documents] == [f"st_{story.id}" for story in alert.stories]
    assert len({one["id"] for one in documents}) == 3
    assert one_per_story(digest(story())) == (digest(story()),)
    assert one_per_story(digest()) == ()


def test_cloudevents_is_another_envelope_for_the_same_data() -> None:
    plain = document_of(usual())
    event = json.loads(cloudevent(payload(usual())))
    assert event.pop("data") == plain["data"] | {"test": False}
    assert event == {
        "specversion": "1.0",
        "type": "digest.created",
        "source": "watchpost/newsdesk",
        "id": plain["id"],
        "time": plain["timestamp"],
        "datacontenttype": "application/json",
        "dataschema": "urn:watchpost:1",
    }
