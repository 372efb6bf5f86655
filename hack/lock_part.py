"""Prints a part of requirements.lock: what a package needs, or without an argument what the project needs to run.

The image installs it with `pip install --require-hashes`. The lock says of each package what wants it.
"""

import re
import sys
from pathlib import Path
from typing import Final

LOCK: Final = Path(__file__).parents[1] / "requirements.lock"
ROOT: Final = "paquebot (pyproject.toml)"


def blocks(lock: str) -> dict[str, str]:
    """Return each package's lines by its name; it may stand there once for each of several Pythons."""
    found: dict[str, str] = {}
    for block in re.split(r"^(?=[a-z0-9])", lock, flags=re.MULTILINE):
        if "==" in block:
            name = re.split(r"[=\[]", block, maxsplit=1)[0]
            found[name] = found.get(name, "") + block
    return found


def wanted_by(block: str) -> set[str]:
    """Return who wants a package: the names after `# via`."""
    told = re.findall(r"^ +# +(?:via )?(.+)$", block, flags=re.MULTILINE)
    return {name for name in told if name != "via"}


def part(lock: str, root: str = ROOT) -> dict[str, str]:
    """Return the blocks of a package and of what it needs, directly or not."""
    known = blocks(lock)
    chosen = {root} & set(known)
    while True:
        reached = chosen | {name for name, block in known.items() if wanted_by(block) & (chosen | {root})}
        if reached <= chosen:
            return {name: known[name] for name in sorted(chosen)}
        chosen |= reached


if __name__ == "__main__":
    sys.stdout.write("".join(part(LOCK.read_text(), *sys.argv[1:2]).values()))
