"""`paquebot up` as a process: it follows its manifests, and has them looked at now when told so."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

POOL = """
apiVersion: paquebot.dev/v1alpha1
kind: SendingPool
metadata: {name: default, namespace: mail-system}
spec: {heloHostname: out.example, allowedNamespaces: {names: ["*"]}, scaling: {mode: Manual}, replicas: 0}
"""
DOMAIN = """
apiVersion: paquebot.dev/v1alpha1
kind: MailDomain
metadata: {name: shop, namespace: shop}
spec: {domain: shop.example}
"""


@pytest.fixture
def process(tmp_path: Path) -> Iterator[subprocess.Popen[str]]:
    (tmp_path / "m").mkdir()
    (tmp_path / "m" / "pool.yaml").write_text(POOL)
    command = [
        str(Path(sys.executable).with_name("paquebot")),
        "up",
        "-f",
        str(tmp_path / "m"),
        "--state",
        str(tmp_path / "s"),
    ]
    command += ["--sandbox", "--smtps-port", "0", "--smtp-port", "0"]
    started = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env={**os.environ, "PYTHONUNBUFFERED": "1"})
    yield started
    started.send_signal(signal.SIGTERM)
    assert started.wait(60) == 0
    assert started.stdout is not None
    started.stdout.close()


def heard(process: subprocess.Popen[str], told: str) -> str:
    """Read on until a line tells something; the test's own timeout ends a silence."""
    assert process.stdout is not None
    return next(line for line in process.stdout if told in line)


def test_a_hangup_has_the_manifests_looked_at_now(process: subprocess.Popen[str], tmp_path: Path) -> None:
    heard(process, "Ctrl-C drains and stops.")
    process.send_signal(signal.SIGHUP)
    heard(process, "the manifests say nothing new")
    (tmp_path / "m" / "domain.yaml").write_text(DOMAIN.replace("domain: shop", "domian: shop"))
    fault = heard(process, "domain.yaml:5: MailDomain shop/shop: spec.domian: is not a known field")
    assert "did you mean domain?" in fault
    heard(process, "the last good revision stays")
    (tmp_path / "m" / "domain.yaml").write_text(DOMAIN)
    heard(process, "added MailDomain shop/shop")
