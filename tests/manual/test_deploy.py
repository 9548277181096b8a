"""deploy/ names metrics that exist, its alerts are tested, and its unit matches the service."""

from __future__ import annotations

import configparser
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from prometheus_client import Histogram
from ruamel.yaml import YAML

from tests.manual.metrics_table import documented
from tests.promtool import promtool
from watchpost import log as tm

DEPLOY = Path(__file__).parents[2] / "deploy"
ALERTS = DEPLOY / "prometheus" / "alerts.yaml"
TESTS = sorted((DEPLOY / "prometheus").glob("alerts_*test.yaml"))
DASHBOARD = DEPLOY / "grafana" / "watchpost.json"
NAME = re.compile(r"\bwatchpost_[a-z0-9_]+")


LABELS = documented()


def known() -> set[str]:
    """Every name that a scrape can hold."""
    names: set[str] = set()
    for family in tm.REGISTRY.collect():
        kind = getattr(family, "type", "")
        names.add(f"{family.name}_total" if kind == "counter" else family.name)
        if kind == "histogram":
            names |= {f"{family.name}_{part}" for part in ("bucket", "sum", "count")}
    return names


def yaml(path: Path) -> Any:
    return YAML(typ="safe").load(path)


def expressions(panels: list[dict[str, Any]]) -> list[str]:
    return [target["expr"] for panel in panels for target in panel.get("targets", [])]


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml(ALERTS)["groups"] for rule in group["rules"]]


def test_every_metric_of_an_alert_exists() -> None:
    named = {name for rule in rules() for name in NAME.findall(rule["expr"])}
    assert len(named) > 10
    assert named - known() == set()


def test_every_metric_of_the_dashboard_exists() -> None:
    dashboard = json.loads(DASHBOARD.read_text("utf-8"))
    named = {name for text in expressions(dashboard["panels"]) for name in NAME.findall(text)}
    named |= {name for one in dashboard["annotations"]["list"] for name in NAME.findall(one["expr"])}
    assert len(named) > 20
    assert named - known() == set()
    assert len({panel["id"] for panel in dashboard["panels"]}) == len(dashboard["panels"])


def used(expression: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each metric of ours in a query, with what it wants of labels: name → value, or alternatives."""
    for name, wanted in re.findall(r"\bwatchpost_([a-z0-9_]+)(?:{(.*?)})?", expression):
        bare = re.sub(r"_(bucket|sum|count)$", "", name)
        yield (bare if bare in LABELS else name), dict(re.findall(r'(\w+)[!=]?[=~]"([^"]*)"', wanted))


@pytest.mark.parametrize("where", [ALERTS, DASHBOARD], ids=lambda path: path.name)
def test_every_label_in_a_query_is_one_of_its_metric_and_every_value_can_occur(where: Path) -> None:
    if where is ALERTS:
        queries = [rule["expr"] for rule in rules()]
    else:
        queries = expressions(json.loads(where.read_text("utf-8"))["panels"])
    pairs = 0
    for query in queries:
        there = {"instance", "job"}
        for metric, wanted in used(query):
            labels = LABELS[metric]
            there |= {*labels, "le"}
            for label, values in wanted.items():
                assert label in {*labels, "le"}, query
                for value in values.split("|"):
                    pairs += 1
                    kinds = {re.sub("NAME", "", known) for known in labels.get(label, ())}
                    assert label == "le" or value.removesuffix(".*") in kinds, f"{label}={value} in {query}"
        for grouped in re.findall(r"\bby \((.*?)\)", query):
            assert {label.strip() for label in grouped.split(",")} <= there, query
    assert pairs > 5


def test_a_bucket_that_an_alert_names_is_one() -> None:
    (bound,) = re.findall(r'le="([^"]+)"', ALERTS.read_text("utf-8"))
    assert isinstance(tm.digest_lateness, Histogram)
    assert float(bound) in tm.digest_lateness._upper_bounds


def test_every_alert_has_a_cure_and_a_test_of_when_it_fires_and_when_not() -> None:
    proven: dict[str, list[bool]] = {}
    for test in (test for file in TESTS for test in yaml(file)["tests"]):
        for case in test["alert_rule_test"]:
            proven.setdefault(case["alertname"], []).append(bool(case["exp_alerts"]))
    for rule in rules():
        assert {"summary", "cure"} <= rule["annotations"].keys()
        assert set(proven[rule["alert"]]) == {True, False}, rule["alert"]


def test_promtool_accepts_the_rules_and_passes_their_tests() -> None:
    assert f"{len(rules())} rules found" in promtool("check", "rules", ALERTS)
    assert "SUCCESS" in promtool("test", "rules", *TESTS)


def test_the_unit_waits_for_ready_has_a_watchdog_and_no_rights() -> None:
    class Unit(configparser.RawConfigParser):
        optionxform = staticmethod(str)  # type: ignore[assignment]

    unit = Unit(strict=False)
    unit.read_string((DEPLOY / "systemd" / "watchpost.service").read_text("utf-8"))
    service = unit["Service"]
    assert service["Type"] == "notify-reload"
    assert int(service["WatchdogSec"]) > 60, "longer than a role may be silent"
    assert int(service["TimeoutStopSec"]) >= 20
    assert service["RestartPreventExitStatus"] == "2"
    for key in ("DynamicUser", "NoNewPrivileges", "PrivateTmp", "RestrictNamespaces", "LockPersonality"):
        assert service[key] == "yes"
    assert service["ProtectSystem"] == "strict"
    assert service["CapabilityBoundingSet"] == ""


@pytest.mark.parametrize("path", sorted(DEPLOY.rglob("*.yaml")), ids=lambda path: path.name)
def test_every_yaml_file_can_be_read_and_names_files_that_are_there(path: Path) -> None:
    assert yaml(path)
    for mentioned in re.findall(r"\./(deploy/\S+?):", path.read_text("utf-8")):
        assert (DEPLOY.parent / mentioned).is_file(), mentioned


def test_the_overlay_gives_each_role_of_the_compose_file_a_target_of_its_own() -> None:
    roles = set(yaml(DEPLOY.parent / "docker-compose.yml")["services"]) - {"store"}
    overlay = yaml(DEPLOY / "compose" / "monitoring.yaml")["services"]
    jobs = yaml(DEPLOY / "compose" / "prometheus.yaml")["scrape_configs"]
    targets = [target for job in jobs for target in job["static_configs"][0]["targets"]]
    listening = {overlay[role].get("environment", {}).get("WATCHPOST_HTTP_LISTEN", "127.0.0.1:8080") for role in roles}
    assert listening == set(targets)
    assert len(targets) == len(roles) == 4
