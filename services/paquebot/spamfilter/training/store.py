"""Writes a model to its file: the same arrays make the same octets, and so the same digest."""

import hashlib
import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
from numpy.typing import NDArray


def write(arrays: Mapping[str, NDArray[np.generic]], path: Path) -> str:
    """Write a model beside its name and rename it, so that nobody reads half of one. Return its digest."""
    memory = io.BytesIO()
    np.savez(memory, allow_pickle=False, **{name: arrays[name] for name in sorted(arrays)})
    octets = memory.getvalue()
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.with_suffix(".part")
    beside.write_bytes(octets)
    beside.replace(path)
    return hashlib.sha256(octets).hexdigest()
