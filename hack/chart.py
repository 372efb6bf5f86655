"""Generates what the chart takes from the code: the users of NATS. `--check` says whether all is current."""

import sys
from pathlib import Path

from paquebot.queue.users import user_lines

FILES = Path(__file__).parents[1] / "charts" / "paquebot" / "files"
USERS = FILES / "nats-users.conf"


def pages() -> dict[Path, str]:
    """Return what should stand in each generated file."""
    return {USERS: "".join(f"{line}\n" for line in user_lines())}


if __name__ == "__main__":
    stale = [path for path, text in pages().items() if not path.exists() or path.read_text() != text]
    if "--check" not in sys.argv:
        for path in stale:
            path.write_text(pages()[path])
    elif stale:
        sys.exit(f"not current: {', '.join(path.name for path in stale)}; run `make docs`")
