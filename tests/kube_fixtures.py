"""One control plane for all tests of a run, with our custom resources; a namespace of its own for each test."""

import itertools
import os
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml
from hack import kube_assets

from kube_plane import ADMIN, Plane, account

ROOT = Path(__file__).parents[1]
CRDS = sorted((ROOT / "charts" / "paquebot" / "files" / "crds").glob("*.yaml"))
PLATFORM = "mail-system"
PERSONAS = {
    "admin": ADMIN,
    "operator": account(PLATFORM, "paquebot-operator"),
    "tenant": ("tenant", ("system:authenticated",)),
}
_numbers = itertools.count(1)


def assets_or_skip() -> Path:
    """Return the control plane's programs; without them a test is skipped, and in CI it fails."""
    try:
        return kube_assets.find()
    except kube_assets.MissingAssetsError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))


@pytest.fixture(scope="session")
def bare_plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    """Start an API server without controllers, with the custom resources and the platform's namespace."""
    plane = Plane(assets_or_skip(), tmp_path_factory.mktemp("kube"), dict(PERSONAS))
    try:
        plane.start()
        install(plane)
        yield plane
    finally:
        plane.stop()


def install(plane: Plane) -> None:
    """Apply the custom resources and the platform's namespace; return when the resources are served."""
    for path in CRDS:
        crd = yaml.safe_load(path.read_text())
        plane.apply(f"/apis/apiextensions.k8s.io/v1/customresourcedefinitions/{crd['metadata']['name']}", crd)
    make_namespace(plane, PLATFORM)
    if CRDS:
        plane.kubectl("wait", "--for=condition=Established", "crd", "--all", "--timeout=30s")


def make_namespace(plane: Plane, name: str, labels: dict[str, str] | None = None) -> str:
    """Make a namespace and return its name."""
    metadata = {"name": name, "labels": labels or {}}
    plane.apply(f"/api/v1/namespaces/{name}", {"apiVersion": "v1", "kind": "Namespace", "metadata": metadata})
    return name


@pytest.fixture
def namespace(bare_plane: Plane) -> str:
    """Return a fresh namespace; nobody waits for its end."""
    return make_namespace(bare_plane, f"tenant-{next(_numbers)}")
