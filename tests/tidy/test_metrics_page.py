"""docs/metrics.md is what the code says, and the example alerts ask for metrics that are there."""

import re
import subprocess
import sys
from pathlib import Path

import yaml

ROOT = Path(__file__).parents[2]


def test_the_page_is_current() -> None:
    said = subprocess.run([sys.executable, "hack/metrics.py", "--check"], cwd=ROOT, capture_output=True, check=False)
    assert said.returncode == 0, said.stderr.decode()


def test_alerts_ask_for_metrics_that_are_there() -> None:
    page = (ROOT / "docs" / "metrics.md").read_text()
    listed = set(re.findall(r"^\| `(\w+)`", page, re.MULTILINE))
    rules = [
        rule
        for group in yaml.safe_load((ROOT / "charts" / "paquebot" / "files" / "alerts.yaml").read_text())["groups"]
        for rule in group["rules"]
    ]
    asked = {name for rule in rules for name in re.findall(r"paquebot_\w+", rule["expr"])}
    assert {re.sub(r"(?<=_seconds)_bucket$", "", name) for name in asked} <= listed
    assert all(rule["annotations"]["summary"] for rule in rules)
