"""What the docs show can be applied, rendered and run: YAML blocks, values of the chart, commands."""

import re
import shlex
from collections.abc import Callable
from pathlib import Path
from typing import Any

import click
import pytest
import yaml

from kube_fixtures import make_namespace
from kube_plane import Plane
from paquebot.cli.kubectl.command import main as plugin
from paquebot.cli.main import main

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), *sorted((ROOT / "charts").rglob("*.md"))]
BLOCK = re.compile(r"^```(yaml|sh)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
# Kinds of others, whose definitions we do not have: these are read as YAML and no more.
FOREIGN = {"argoproj.io", "keda.sh", "kustomize.toolkit.fluxcd.io"}


def blocks(page: Path, language: str) -> list[str]:
    return [text for found, text in BLOCK.findall(page.read_text()) if found == language]


def values(page: Path) -> list[str]:
    return [text for text in blocks(page, "yaml") if text.startswith("# values\n")]


def manifests(page: Path) -> list[dict[str, Any]]:
    """Return the whole objects of a page; a piece of one, such as a `spec`, is read as YAML and passed over."""
    objects = [each for text in blocks(page, "yaml") for each in yaml.safe_load_all(text)]
    whole = [each for each in objects if "kind" in each and "apiVersion" in each]
    return [each for each in whole if each["apiVersion"].partition("/")[0] not in FOREIGN]


def commands(page: Path) -> list[list[str]]:
    lines = "\n".join(blocks(page, "sh")).replace("\\\n", " ").splitlines()
    return [words for words in (shlex.split(line.partition(" > ")[0], comments=True) for line in lines) if words]


def with_manifests() -> list[Path]:
    return [page for page in PAGES if manifests(page)]


@pytest.mark.parametrize("page", with_manifests(), ids=lambda page: page.name)
def test_the_api_server_takes_every_manifest_of_a_page(page: Path, bare_plane: Plane) -> None:
    objects = manifests(page)
    for namespace in {each["metadata"]["namespace"] for each in objects if "namespace" in each["metadata"]}:
        make_namespace(bare_plane, namespace)
        account = {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "default"}}
        bare_plane.apply(f"/api/v1/namespaces/{namespace}/serviceaccounts/default", account)
    dry_run = ("apply", "--dry-run=server", "--server-side", "--validate=strict", "--filename=-")
    bare_plane.kubectl(*dry_run, text=yaml.safe_dump_all(objects))


@pytest.mark.parametrize("page", [page for page in PAGES if values(page)], ids=lambda page: page.name)
def test_the_chart_takes_the_values_of_a_page(page: Path, run_helm: Callable[..., str], tmp_path: Path) -> None:
    for text in values(page):
        (tmp_path / "values.yaml").write_text(text)
        chart = str(ROOT / "charts" / "paquebot")
        assert run_helm("template", "paquebot", chart, "--values", str(tmp_path / "values.yaml"))


@pytest.mark.parametrize("page", [page for page in PAGES if commands(page)], ids=lambda page: page.name)
def test_our_commands_of_a_page_can_be_given(page: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    for words in commands(page):
        if words[:2] == ["kubectl", "paquebot"]:
            given(plugin, words[2:])
        elif words[0] == "paquebot":
            given(main, words[1:])


def given(command: click.Command, words: list[str]) -> None:
    """Parse a command line as far as can be without doing anything; raises UsageError for what is wrong."""
    context = command.make_context(command.name, list(words))
    if isinstance(command, click.Group):
        rest = [*context._protected_args, *context.args]
        _name, inner, words = command.resolve_command(context, rest)
        assert inner is not None
        given(inner, words)
