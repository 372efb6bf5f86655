"""Whoever meets a condition that is not well finds its reason in the docs, with what to do."""

import ast
from collections.abc import Iterator
from pathlib import Path

from paquebot.policy import faults

ROOT = Path(__file__).parents[2]
PAGES = "".join((ROOT / "docs" / page).read_text() for page in ("tenant.md", "platform-team.md", "scaling.md"))


def unwell() -> Iterator[tuple[str, str]]:
    """Yield the reasons of conditions that the operator's sources call False or Unknown, with their module."""
    for path in (ROOT / "operator").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            match node:
                case ast.Call(
                    func=ast.Name("Condition"), args=[_, ast.Name("FALSE" | "UNKNOWN"), ast.Constant(str(reason)), *_]
                ):
                    yield reason, path.name


def test_every_reason_is_told_with_what_to_do() -> None:
    reasons = dict(unwell())
    assert len(reasons) > 15
    named = {value for name, value in vars(faults).items() if name.isupper() and isinstance(value, str)}
    missing = sorted(reason for reason in named | reasons.keys() if f"`{reason}`" not in PAGES)
    assert not missing, "tell people in docs/tenant.md or docs/platform-team.md"
