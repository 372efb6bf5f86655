import functools
import os
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml
from hack import helm

from queue_fixtures import identities

__all__ = ["identities"]

CHART = Path(__file__).parents[2] / "charts" / "paquebot"
Helm = Callable[..., str]
Render = Callable[..., list[dict[str, Any]]]


class HelmRefused(Exception):  # noqa: N818  (says what helm did)
    pass


@pytest.fixture(scope="session")
def run_helm(tmp_path_factory: pytest.TempPathFactory) -> Helm:
    """Return helm as a function of its arguments; without one a test is skipped, and in CI it fails."""
    try:
        binary = helm.find()
    except helm.NoHelmError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    home = tmp_path_factory.mktemp("helm")
    places = {f"HELM_{name}_HOME": str(home / name.lower()) for name in ("CACHE", "CONFIG", "DATA")}
    clean = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [binary, *arguments], capture_output=True, text=True, env=clean | places, timeout=100, check=False
        )
        if done.returncode:
            raise HelmRefused(done.stderr + done.stdout)
        return done.stdout

    return run


@pytest.fixture(scope="session")
def render(run_helm: Helm) -> Render:
    """Return what the chart renders with some values, `key=value` each."""

    @functools.cache
    def template(values: tuple[str, ...], more: tuple[str, ...]) -> str:
        settings = [word for value in values for word in ("--set", value)]
        return run_helm("template", "paquebot", str(CHART), "--namespace", "mail-system", *settings, *more)

    def rendered(*values: str, more: tuple[str, ...] = ()) -> list[dict[str, Any]]:
        return [each for each in yaml.load_all(template(values, more), yaml.CSafeLoader) if each]

    return rendered


@pytest.fixture(scope="session")
def refused() -> type[HelmRefused]:
    return HelmRefused
