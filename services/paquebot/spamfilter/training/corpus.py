"""Labelled mail from files: JSON lines, xz-compressed or not, as collections for training are kept."""

import json
import lzma
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from paquebot.spamfilter.training.refusal import TrainingRefused

_LINE_END = re.compile(rb"\r\n?|\n")
# How the names of some sources begin.
SOURCES_OF_TEMPLATES = "tx-"  # rendered templates
SOURCES_OF_STORIES = "stories-"  # composed mail, one source for each family


@dataclass(frozen=True, slots=True)
class Labelled:
    """A message known to be wanted or not. `source` names its collection; `held_out` keeps it from training."""

    ident: str
    spam: bool
    source: str
    held_out: bool
    content: bytes


def read_files(paths: list[Path]) -> Iterator[Labelled]:
    """Yield the messages of files. Raises TrainingRefused with the file and line that cannot be read."""
    for path in paths:
        opened = lzma.open if path.suffix == ".xz" else open
        with opened(path, "rt", encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                yield _labelled(line, f"{path.name}, line {number}")


def _labelled(line: str, where: str) -> Labelled:
    try:
        record = json.loads(line)
        content = _LINE_END.sub(b"\r\n", record["raw"].encode("latin-1"))
        return Labelled(
            str(record["id"]), record["label"] == "spam", record["source"], record.get("split") == "val", content
        )
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        raise TrainingRefused(
            f"{where}: not a labelled message ({fault}); give JSON with id, label (ham or spam), source and raw"
        ) from fault
