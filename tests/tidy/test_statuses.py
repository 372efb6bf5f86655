"""The enhanced statuses we say are registered ones, and of the class of their code (RFC 2034 §4, RFC 5248)."""

import ast
from itertools import pairwise
from pathlib import Path

SOURCES = Path(__file__).parents[2] / "services" / "paquebot"
PLAYED = SOURCES / "sandbox"  # its hosts say what the field says
# The last detail of each subject that IANA has registered (RFC 5248, and those that added to it up to RFC 8689).
DETAIL_MAX = {0: 0, 1: 10, 2: 4, 3: 6, 4: 7, 5: 6, 6: 10, 7: 30}


def said() -> list[tuple[str, int, str]]:
    """Return where, code and status of all replies that are written out: neighbouring arguments of a call."""
    found = []
    for path in sorted(SOURCES.rglob("*.py")):
        if PLAYED in path.parents:
            continue
        for call in (node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.Call)):
            values = [each.value if isinstance(each, ast.Constant) else None for each in call.args]
            found += [
                (f"{path.relative_to(SOURCES)}:{call.lineno}", code, status)
                for code, status in pairwise(values)
                if isinstance(code, int) and isinstance(status, str) and 200 <= code < 600 and status.count(".") == 2
            ]
    return found


def test_a_status_is_registered_and_of_its_codes_class() -> None:
    assert len(said()) > 50
    wrong = []
    for where, code, status in said():
        kind, subject, detail = map(int, status.split("."))
        if kind != code // 100 or detail > DETAIL_MAX.get(subject, -1):
            wrong.append(f"{where}: {code} {status}")
    assert not wrong
