"""What kubectl makes of the custom resources: applying the examples, columns, explanations, selectors, the scale."""

from pathlib import Path

import pytest

from kube_plane import Plane

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"


@pytest.fixture(scope="module")
def kube(bare_plane: Plane) -> Plane:
    """Return the API server with the examples' namespaces."""
    for name in ("shop", "news"):
        manifest = {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
        bare_plane.apply(f"/api/v1/namespaces/{name}", manifest)
    return bare_plane


def test_all_examples_apply(kube: Plane) -> None:
    applied = kube.kubectl("apply", "--dry-run=server", "-f", str(EXAMPLES))
    assert applied.count("created (server dry run)") == 12
