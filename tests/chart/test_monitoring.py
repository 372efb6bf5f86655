"""Alerts and dashboards: they ask for metrics that are there, and an alert fires in what it is for."""

import json
import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hack import chart, dashboards, metrics

ROOT = Path(__file__).parents[2]
ALERTS = chart.FILES / "alerts.yaml"
SUFFIXES = r"_(bucket|sum|count)$"
Render = Callable[..., list[dict[str, Any]]]


@pytest.fixture(scope="module")
def promtool() -> str:
    found = shutil.which("promtool")
    if found is None:
        message = "no promtool: install your distribution's prometheus"
        if os.environ.get("CI"):
            pytest.fail(message, pytrace=False)
        pytest.skip(message)
    return found


def rules() -> list[dict[str, Any]]:
    return [rule for group in yaml.safe_load(ALERTS.read_text())["groups"] for rule in group["rules"]]


def test_each_alert_fires_in_what_it_is_for_and_in_nothing_else(promtool: str, tmp_path: Path) -> None:
    fired = [{"labels": f'{{alertname="{rule["alert"]}"}}', "value": 1} for rule in rules()]
    text = (Path(__file__).parent / "alerts_test.yaml").read_text()
    cases = tmp_path / "cases.yaml"
    cases.write_text(text.replace("RULES", str(ALERTS)).replace("SAMPLES", json.dumps(fired)))
    done = subprocess.run([promtool, "test", "rules", cases], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_each_alert_says_how_urgent_it_is_and_where_its_runbook_stands() -> None:
    headings = re.findall(r"^## (\w+)$", (ROOT / "docs" / "runbooks.md").read_text(), re.MULTILINE)
    assert headings == [rule["alert"] for rule in rules()]
    for rule in rules():
        assert rule["annotations"]["runbook"] == f"docs/runbooks.md#{rule['alert'].lower()}"
        assert rule["labels"]["severity"] in {"page", "ticket"}


def test_the_chart_installs_the_rules_where_the_cluster_knows_them(render: Render) -> None:
    kinds = ("--api-versions", "monitoring.coreos.com/v1")
    [installed] = [each for each in render(more=kinds) if each["kind"] == "PrometheusRule"]
    assert installed["spec"] == yaml.safe_load(ALERTS.read_text())
    assert not [each for each in render() if each["apiVersion"].startswith("monitoring.coreos.com/")]
    assert not [
        each for each in render("monitoring.rules.enabled=false", more=kinds) if each["kind"] == "PrometheusRule"
    ]


def test_every_service_is_scraped_at_its_admin_port(render: Render) -> None:
    objects = render(more=("--api-versions", "monitoring.coreos.com/v1"))
    [monitor] = [each for each in objects if each["kind"] == "PodMonitor"]
    wanted = monitor["spec"]["selector"]["matchExpressions"][0]["values"]
    deployed = [each for each in objects if each["kind"] == "Deployment"]
    assert sorted(wanted) == sorted(each["metadata"]["labels"]["app.kubernetes.io/component"] for each in deployed)
    assert [each["port"] for each in monitor["spec"]["podMetricsEndpoints"]] == ["admin"]


def test_every_query_of_a_dashboard_asks_for_metrics_and_labels_that_are_there() -> None:
    known = {metrics.full_name(each): set(each._labelnames) for each in metrics.collectors()}
    for query in dashboards.queries():
        names = set(re.findall(r"paquebot_\w+", query))
        assert names, query
        assert {re.sub(SUFFIXES, "", name) for name in names} <= set(known), query
        labels = {label for name in names for label in known[re.sub(SUFFIXES, "", name)]} | {"le", "instance", "pod"}
        for grouped in re.findall(r"by \(([^)]*)\)", query):
            assert {label.strip() for label in grouped.split(",")} <= labels, query


def test_every_query_of_a_dashboard_can_be_read(promtool: str, tmp_path: Path) -> None:
    each = [
        {"record": f"query:{number}", "expr": query.replace("$pool", ".*").replace("$group", ".*")}
        for number, query in enumerate(dashboards.queries())
    ]
    page = tmp_path / "rules.yaml"
    page.write_text(yaml.safe_dump({"groups": [{"name": "dashboards", "rules": each}]}))
    done = subprocess.run([promtool, "check", "rules", page], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_no_panel_lies_on_another_and_the_width_is_used_to_its_end() -> None:
    for board in dashboards.boards().values():
        cells = [
            (x, y)
            for panel in board["panels"]
            for place in [panel["gridPos"]]
            for x in range(place["x"], place["x"] + place["w"])
            for y in range(place["y"], place["y"] + place["h"])
        ]
        assert len(cells) == len(set(cells))
        assert {x for x, _ in cells} == set(range(24))


def test_the_chart_installs_each_dashboard_for_grafana_to_find(render: Render) -> None:
    maps = [each for each in render() if "grafana_dashboard" in each["metadata"].get("labels", {})]
    found = {name: json.loads(text) for each in maps for name, text in each["data"].items()}
    assert found == {f"{name}.json": board for name, board in dashboards.boards().items()}
