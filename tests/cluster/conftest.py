"""One cluster for all tests of a run, inside their namespaces: control plane, kubelet, and Paquebot from its chart."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hack import helm

from cluster.kubelet import Kubelet, inside
from cluster.platform import Cluster
from cluster.programs import images
from cluster.world import World
from kube_fixtures import PERSONAS, assets_or_skip
from kube_plane import Plane

HOW = "tests/cluster runs in network and mount namespaces of its own: make cluster-test (as root)"
TEST_MAX_S = 400


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(TEST_MAX_S))  # a whole platform starts in the first one
            if not inside():
                item.add_marker(pytest.mark.skip(reason=HOW))


@pytest.fixture(scope="session")
def plane(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Plane]:
    plane = Plane(assets_or_skip(), tmp_path_factory.mktemp("kube"), dict(PERSONAS))
    try:
        plane.start()
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


@pytest.fixture(scope="session")
def cluster(plane: Plane, kubelet: Kubelet, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    """Install the chart with the sandbox as the world; every pod of it is ready."""
    try:
        helm.find()
    except helm.NoHelmError as missing:
        if os.environ.get("CI"):
            pytest.fail(str(missing), pytrace=False)
        pytest.skip(str(missing))
    world = World()
    world.start()
    try:
        cluster = Cluster(plane, kubelet, world, tmp_path_factory.mktemp("home"))
        cluster.connect()
        cluster.install()
        cluster.wait_ready()
        yield cluster
    finally:
        world.stop()
