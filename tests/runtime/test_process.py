"""A process says what it lacks, drains on SIGTERM, and ends with codes that scripts can trust."""

import json
import os
import signal
import subprocess
import sys
import textwrap
import time
import urllib.error
import urllib.request

import pytest

from paquebot.runtime.process import EX_CONFIG

PROGRAM = textwrap.dedent(
    """
    import sys
    from paquebot.runtime.process import Process, ProcessSettings, run

    async def main(process, settings):
        process.readiness.missing("policy", "no revision was read yet")
        process.readiness.present("start")
        if "crash" in sys.argv:
            raise LookupError("a bug")
        await process.draining.wait()

    run(main, "example", ProcessSettings)
    """
)


def start(port: int, *words: str) -> subprocess.Popen[bytes]:
    environ = os.environ | {"PAQUEBOT_IDENTITY_DIR": "x", "PAQUEBOT_ADMIN_LISTEN": f"127.0.0.1:{port}"}
    return subprocess.Popen([sys.executable, "-c", PROGRAM, *words], env=environ, stderr=subprocess.PIPE)


def ask(port: int, path: str) -> tuple[int, str]:
    for _ in range(200):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}") as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read().decode()
        except OSError:
            time.sleep(0.05)
    pytest.fail("the admin port does not answer")


def test_readyz_says_what_is_missing_and_sigterm_drains(unused_tcp_port: int) -> None:
    process = start(unused_tcp_port)
    assert ask(unused_tcp_port, "/livez") == (200, "alive\n")
    status, body = ask(unused_tcp_port, "/readyz")
    assert status == 503
    assert "policy: no revision was read yet" in body
    assert "python_info" in ask(unused_tcp_port, "/metrics")[1]
    process.send_signal(signal.SIGTERM)
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 0
    lines = [json.loads(line) for line in err.decode().splitlines()]
    assert [line["event"] for line in lines] == ["started", "draining", "ended"]
    assert all(line["service"] == "example" for line in lines)


def test_a_crash_is_logged_and_ends_with_one(unused_tcp_port: int) -> None:
    process = start(unused_tcp_port, "crash")
    _out, err = process.communicate(timeout=20)
    assert process.returncode == 1
    assert "LookupError: a bug" in json.loads(err.decode().splitlines()[-1])["exception"]


def test_bad_settings_end_with_78_and_all_faults() -> None:
    environ = {key: value for key, value in os.environ.items() if not key.startswith("PAQUEBOT_")}
    ended = subprocess.run([sys.executable, "-c", PROGRAM], env=environ, capture_output=True, check=False)
    assert ended.returncode == EX_CONFIG
    assert ended.stderr.decode().splitlines() == [
        "example: PAQUEBOT_IDENTITY_DIR is not set: it is required",
        "example: PAQUEBOT_ADMIN_LISTEN is not set: it is required",
    ]


def test_lines_carry_the_message_and_the_tenant_they_are_about() -> None:
    program = "from paquebot.runtime.logs import bind, configure; import structlog; configure('s', 'p', 'info'); "
    program += "bind('id.1', 'shop'); structlog.get_logger().info('said')"
    said = subprocess.run([sys.executable, "-c", program], capture_output=True, check=True).stderr
    line = json.loads(said)
    assert (line["message_id"], line["tenant"], line["service"], line["pod"]) == ("id.1", "shop", "s", "p")
