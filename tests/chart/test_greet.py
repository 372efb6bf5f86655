"""What `helm test` runs, against the platform of this machine."""

import os
import subprocess
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from platform_support import Stage

GREET = Path(__file__).parents[2] / "charts" / "paquebot" / "files" / "greet.py"


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def stage(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Stage]:
    stage = Stage(tmp_path_factory.mktemp("platform"))
    await stage.start()
    yield stage
    await stage.stop()


def greet(stage: Stage, hostname: str, authority: Path) -> subprocess.CompletedProcess[str]:
    environ = os.environ | {
        "PAQUEBOT_HOSTNAME": hostname,
        "SUBMISSION_HOST": "localhost",
        "SUBMISSION_PORT": str(stage.platform.ports["smtp"]),
        "SUBMISSIONS_PORT": str(stage.platform.ports["smtps"]),
    }
    command = [sys.executable, str(GREET), str(authority)]
    return subprocess.run(command, capture_output=True, text=True, env=environ, timeout=60, check=False)


def test_a_client_is_greeted_on_both_ports_and_may_log_in(stage: Stage) -> None:
    done = greet(stage, "mail.paquebot.test", stage.place.identity("smtp") / "ca.crt")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines() == [
        "587: mail.paquebot.test ESMTP Paquebot",
        "587: TLSv1.3, certificate verified; AUTH PLAIN LOGIN",
        "465: TLSv1.3, certificate verified; AUTH PLAIN LOGIN",
    ]


def test_a_certificate_for_another_name_or_of_another_authority_is_a_failure(stage: Stage) -> None:
    done = greet(stage, "mail.example.org", stage.place.identity("smtp") / "ca.crt")
    assert done.returncode == 1
    assert "certificate is not valid for 'mail.example.org'" in done.stderr
    done = greet(stage, "mail.paquebot.test", Path("/nowhere"))
    assert done.returncode == 1
    assert "unable to get local issuer certificate" in done.stderr
