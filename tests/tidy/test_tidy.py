"""House rules that ruff, mypy and import-linter cannot say."""

import ast
import re
import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = ROOT / "services" / "paquebot"
OPERATOR = ROOT / "operator" / "paquebot_operator"
MODULES = sorted(path for path in SOURCES.rglob("*.py") if "pb" not in path.relative_to(SOURCES).parts)
MODULES += sorted(OPERATOR.rglob("*.py"))
SERVICES = ("submission", "auth", "spamfilter", "router", "deliverer")
FUNCTION_LINES_MAX = 40
FILE_LINES_MAX = 400
BANNED_MODULES = {"utils", "util", "common", "helpers", "misc", "base", "manager"}


def tracked() -> list[Path]:
    listing = subprocess.run(
        ["git", "ls-files", "-co", "--exclude-standard", "-z"],
        cwd=ROOT,
        check=True,
        capture_output=True,
    ).stdout
    return [ROOT / name for name in listing.decode().split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_modules_are_small_and_say_what_they_are_for(path: Path) -> None:
    source = path.read_text()
    tree = ast.parse(source)
    assert ast.get_docstring(tree), "no module docstring"
    assert path.stem not in BANNED_MODULES
    assert len(source.splitlines()) <= FILE_LINES_MAX
    functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)]
    long = [f"{node.name}: {_length(node)} lines" for node in functions if _length(node) > FUNCTION_LINES_MAX]
    assert not long


def test_every_test_file_stands_where_its_module_does() -> None:
    mirrored = {path.name for path in SOURCES.iterdir() if path.is_dir()}
    strays = [
        str(path.relative_to(ROOT))
        for folder in mirrored
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
        if not (SOURCES / path.relative_to(ROOT / "tests").parent / path.name.removeprefix("test_")).exists()
        and path.name != "test_main.py"
    ]
    assert not strays


@pytest.mark.parametrize("package", ["mail", "smtp", "dkim", "queue", "dns", "runtime", "wire", *SERVICES])
def test_every_module_is_tried_from_the_tests_of_its_own_folder(package: str) -> None:
    """A module counts when its own folder's tests import it, or a module that they import does.

    Values without a function need no test; services as processes are tried in tests/flow and tests/chaos.
    """
    tried = {
        name
        for path in (ROOT / "tests" / package).rglob("*.py")
        for name in _imported(path)
        if name.startswith("paquebot")
    }
    known = {
        ".".join(path.relative_to(SOURCES.parent).with_suffix("").parts): path
        for path in MODULES
        if SOURCES in path.parents
    }
    for name in [name for name in tried if name in known]:
        tried |= _imported(known[name])
    untried = [
        name
        for name, path in known.items()
        if name.startswith(f"paquebot.{package}.")
        and path.name not in {"__init__.py", "__main__.py", "metrics.py", "service.py"}
        and "def " in path.read_text()
        and name not in tried
    ]
    assert not untried


def test_every_test_of_the_operator_stands_where_its_module_does() -> None:
    tests = ROOT / "tests" / "operator"
    strays = [
        str(path)
        for path in tests.rglob("test_*.py")
        if not (OPERATOR / path.relative_to(tests).parent / path.name.removeprefix("test_")).exists()
        and path.parent.name != "api"  # what the API server makes of our custom resources
    ]
    assert not strays


def test_nothing_waits_in_a_way_that_swallows_cancellation() -> None:
    """asyncio.wait_for of Python 3.11 loses a cancellation that comes with the result: asyncio.timeout does not."""
    assert not [str(path) for path in MODULES if "asyncio.wait_for(" in path.read_text()]


def _length(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """Return the lines of a function's body, its docstring aside."""
    body = function.body[1:] if ast.get_docstring(function) else function.body
    return (function.end_lineno or 0) - body[0].lineno + 1 if body else 0


def _imported(path: Path) -> set[str]:
    imports = [
        node for node in ast.walk(ast.parse(path.read_text())) if isinstance(node, ast.ImportFrom) and node.module
    ]
    return {f"{node.module}.{alias.name}" for node in imports for alias in node.names} | {
        str(node.module) for node in imports
    }


def test_every_service_can_be_started_as_a_module() -> None:
    assert all((SOURCES / service / "__main__.py").is_file() for service in SERVICES)


def test_nothing_shadows_the_standard_library_operator() -> None:
    assert not (ROOT / "operator" / "__init__.py").exists()


def test_rfcs_cited_in_sources_are_listed_with_their_state() -> None:
    listed = set(re.findall(r"RFC (\d+)", (ROOT / "docs" / "rfc.md").read_text()))
    cited = {number for path in MODULES for number in re.findall(r"RFC (\d{3,5})", path.read_text())}
    assert cited <= listed, f"cited but not in docs/rfc.md: {sorted(cited - listed)}"


def test_the_lock_file_has_hashes_and_names_no_host() -> None:
    lock = (ROOT / "requirements.lock").read_text()
    assert "://" not in lock
    assert "--index-url" not in lock
    packages = re.findall(r"^([a-z0-9][a-z0-9._-]*)==", lock, re.MULTILINE)
    assert lock.count("--hash=sha256:") >= len(packages) > 0


def test_every_direct_dependency_is_locked() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = project["project"]["dependencies"] + project["dependency-groups"]["dev"]
    lock = (ROOT / "requirements.lock").read_text()
    for requirement in wanted:
        name = re.split(r"[><=\[]", requirement)[0].lower()
        assert re.search(rf"^{re.escape(name)}(\[.*\])?==", lock, re.MULTILINE), name


def test_the_tree_names_no_machine_and_puts_nothing_off() -> None:
    unwanted = re.compile(r"(?<![\w.$-])/(home|root|work)/\w|\bTO" + r"DO\b|\bFIX" + r"ME\b|--(extra-)?index-url")
    offending = [
        f"{path.relative_to(ROOT)}:{number}"
        for path in tracked()
        if path.suffix in {".py", ".md", ".toml", ".yaml", ".proto", ".sh"} and path != Path(__file__)
        for number, line in enumerate(path.read_text().splitlines(), 1)
        if unwanted.search(line)
    ]
    assert not offending


def test_every_decision_is_dated() -> None:
    pages = [path for path in (ROOT / "docs" / "decisions").glob("*.md") if path.name != "README.md"]
    assert all(re.fullmatch(r"\d{8}-[a-z0-9-]+\.md", path.name) for path in pages)
