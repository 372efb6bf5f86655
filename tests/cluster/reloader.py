"""Stands for the image nats-server-config-reloader: tells a process by SIGHUP that one of its files has changed."""

import argparse
import os
import signal
import time
from pathlib import Path

LOOK_S = 0.5


def main() -> None:
    """Watch until the end."""
    parser = argparse.ArgumentParser()
    parser.add_argument("-pid", type=Path, required=True)
    parser.add_argument("-config", type=Path, action="append", required=True)
    given = parser.parse_args()
    before = [path.read_bytes() for path in given.config]
    while True:
        time.sleep(LOOK_S)
        now = [path.read_bytes() for path in given.config]
        if now != before:
            before = now
            os.kill(int(given.pid.read_text()), signal.SIGHUP)


if __name__ == "__main__":
    main()
