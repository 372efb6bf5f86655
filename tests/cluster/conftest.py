"""A control plane with controllers and a kubelet for it: one for all tests of a run, inside their namespaces."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from cluster.kubelet import Kubelet, inside
from cluster.programs import images
from kube_fixtures import PERSONAS, assets_or_skip, install
from kube_plane import Plane

HOW = "tests/cluster runs in network and mount namespaces of its own: make cluster-test (as root)"


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    if not inside():
        for item in items:
            if Path(__file__).parent in item.path.parents and "outside" not in item.keywords:
                item.add_marker(pytest.mark.skip(reason=HOW))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(assets_or_skip(), tmp_path_factory.mktemp("kube"), dict(PERSONAS))
    try:
        plane.start()
        install(plane)
        plane.start_controllers()
        yield plane
    finally:
        plane.stop()


@pytest.fixture(scope="session")
def kubelet(plane: Plane, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kubelet]:
    kubelet = Kubelet(plane, tmp_path_factory.mktemp("kubelet"), images())
    kubelet.start()
    yield kubelet
    kubelet.stop()
