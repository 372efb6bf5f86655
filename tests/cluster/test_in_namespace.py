"""What runs in the namespaces cannot outlive them, however they end."""

import subprocess
import sys
import time
from pathlib import Path

SCRIPT = Path(__file__).parents[2] / "hack" / "in_namespace.py"
MARK = "a process that would outlive its namespaces"
STARTS = (
    "import subprocess, time; "
    f"subprocess.Popen(['setsid', 'sh', '-c', 'exec sleep 600 # {MARK}']); "
    f"subprocess.Popen(['setsid', 'sh', '-c', 'sleep 600; : {MARK}']); "
    "print('started', flush=True); time.sleep(600)"
)


def alive() -> list[str]:
    found = []
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = path.read_text().replace("\0", " ")
        except OSError:
            continue  # it has just ended
        if MARK in line:
            found.append(line)
    return found


def test_nothing_outlives_a_command_that_is_killed_without_warning() -> None:
    command = [sys.executable, str(SCRIPT), sys.executable, "-c", STARTS]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as outside:
        assert outside.stdout is not None
        assert outside.stdout.readline() == "started\n"
        assert alive()
        outside.kill()
    deadline = time.monotonic() + 30
    while alive() and time.monotonic() < deadline:
        time.sleep(0.05)
    assert not alive()


def test_the_commands_exit_code_is_handed_on() -> None:
    command = [sys.executable, str(SCRIPT), "sh", "-c", "exit 3"]
    assert subprocess.run(command, check=False).returncode == 3
