"""Comparing what is told with a committed text. `GOLDEN=write` writes the texts anew: read them before they go in."""

import os
from collections.abc import Iterable
from pathlib import Path

from paquebot.cli.explain.facts import Explanation

FOLDER = Path(__file__).parent / "texts"


def text_of(told: Iterable[Explanation]) -> str:
    """Return explanations as plain lines: a heading each, then its sentences behind what they are about."""
    lines = []
    for explanation in told:
        lines.append(f"{explanation.name}: {explanation.state}")
        lines += [f"  {sentence.part:4}  {sentence.text}" for sentence in explanation.sentences]
    return "\n".join(lines) + "\n"


def assert_golden(name: str, told: Iterable[Explanation]) -> None:
    """Compare with texts/<name>.txt."""
    path = FOLDER / f"{name}.txt"
    text = text_of(told)
    if os.environ.get("GOLDEN") == "write":
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    assert text == path.read_text()
