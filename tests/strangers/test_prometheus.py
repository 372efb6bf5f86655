"""A real Prometheus scrapes a running platform, and the questions of docs/metrics.md are answered right."""

import json
import os
import shutil
import subprocess
import urllib.parse
import urllib.request
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio
import yaml

from paquebot.cli.processes import free_port
from platform_support import Stage, content
from tests_support import wait_for

pytestmark = [
    pytest.mark.asyncio(loop_scope="module"),
    pytest.mark.skipif(
        shutil.which("prometheus") is None and not os.environ.get("CI"),
        reason="prometheus is not installed: apt-get install prometheus",
    ),
]
ALERTS = Path(__file__).parents[2] / "charts" / "paquebot" / "files" / "alerts.yaml"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"))
    await stage.start()
    for number in range(3):
        assert (await stage.submit(content(f"arrives-{number}"), f"{number}@accept.test")).startswith("250")
    assert (await stage.submit(content("waits"), "someone@full.test")).startswith("250")
    yield stage
    await stage.stop()


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def prometheus(stage: Stage, tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[int]:
    """Let Prometheus scrape all processes and judge the example rules; yield its port."""
    folder, port = tmp_path_factory.mktemp("prometheus"), free_port()
    targets = [f"127.0.0.1:{admin}" for admin in stage.platform.running().metrics.values()]
    config = {
        "global": {"scrape_interval": "1s", "evaluation_interval": "1s"},
        "rule_files": [str(ALERTS)],
        "scrape_configs": [{"job_name": "paquebot", "static_configs": [{"targets": targets}]}],
    }
    (folder / "prometheus.yml").write_text(yaml.safe_dump(config))
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [
                "prometheus",
                f"--config.file={folder / 'prometheus.yml'}",
                f"--storage.tsdb.path={folder / 'data'}",
                f"--web.listen-address=127.0.0.1:{port}",
            ],
            stdout=log,
            stderr=log,
        )
    await wait_for(lambda: ask(port, "sum(up)") == [({}, float(len(targets)))], 60)
    yield port
    process.terminate()
    process.wait(30)


def ask(port: int, query: str) -> list[tuple[dict[str, str], float]]:
    """Return the labels and values that answer a query now; nothing while Prometheus is not there."""
    where = f"http://127.0.0.1:{port}/api/v1/query?{urllib.parse.urlencode({'query': query})}"
    try:
        with urllib.request.urlopen(where, timeout=10) as answer:
            found = json.load(answer)["data"]["result"]
    except OSError:
        return []
    return [(each["metric"], float(each["value"][1])) for each in found]


POOL = "mail-system_default"


@pytest.mark.parametrize(
    ("query", "labels", "value"),
    [
        (
            'sum by (pool, state) (paquebot_queue_messages{state="deferred"})',
            {"pool": POOL, "state": "deferred"},
            1,
        ),
        (
            'sum by (outcome) (paquebot_deliverer_recipients_total{outcome="delivered"})',
            {"outcome": "delivered"},
            3,
        ),
        ("sum by (pool) (paquebot_deliverer_partitions)", {"pool": POOL}, 16),
        ("sum(paquebot_submission_accepted_total)", {}, 4),
        ("sum(paquebot_submission_accept_seconds_count)", {}, 4),
        ('sum by (algorithm) (paquebot_router_signatures_total{algorithm="Ed25519"})', {"algorithm": "Ed25519"}, 4),
        ("min by (pool) (paquebot_queue_admitting)", {"pool": POOL}, 1),
        ("count(count by (revision) (paquebot_policy_info))", {}, 1),
        ("sum by (kind) (paquebot_queue_handovers_total)", {"kind": "taken"}, 16),
        ("sum(paquebot_queue_stream_has_leader)", {}, 4),
        ("min(paquebot_ready)", {}, 1),
    ],
)
async def test_a_question_is_answered_right(prometheus: int, query: str, labels: dict[str, str], value: float) -> None:
    await wait_for(lambda: ask(prometheus, query) == [(labels, float(value))], 60)


async def test_age_grows_and_rates_are_there(prometheus: int) -> None:
    age = 'max(paquebot_queue_oldest_age_seconds{state="deferred"})'
    await wait_for(lambda: (found := ask(prometheus, age)) and 0 < found[0][1] < 600, 60)
    rate = 'sum by (outcome) (rate(paquebot_deliverer_recipients_total{outcome="deferred"}[1m]))'
    await wait_for(lambda: (found := ask(prometheus, rate)) and found[0][1] > 0, 60)


async def test_no_alert_fires_where_all_is_well(prometheus: int) -> None:
    await wait_for(lambda: ask(prometheus, "count(paquebot_build_info)"), 60)
    assert ask(prometheus, 'ALERTS{alertstate="firing"}') == []


async def test_promtool_finds_nothing_to_say_about_any_process_and_the_example_rules(stage: Stage) -> None:
    rules = subprocess.run(["promtool", "check", "rules", str(ALERTS)], capture_output=True, text=True, check=False)
    assert rules.returncode == 0, rules.stdout + rules.stderr
    for name, port in stage.platform.running().metrics.items():
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
            scraped = answer.read()
        said = subprocess.run(["promtool", "check", "metrics"], input=scraped, capture_output=True, check=False)
        assert (said.returncode, said.stdout, said.stderr) == (0, b"", b""), name
