"""Files that only their user reads."""

import os
from pathlib import Path


def write_private(path: Path, content: bytes) -> None:
    """Write a file, mode 0600; it appears whole or not at all, and takes the place of one that was there."""
    fresh = path.with_name(f"{path.name}.new")
    with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "wb") as file:
        file.write(content)
    fresh.replace(path)
