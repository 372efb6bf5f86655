"""The operator's door, open to a real API server."""

from collections.abc import Iterator

import pytest

from kube_plane import Plane
from paquebot_operator.kube.client import Kube


@pytest.fixture
def kube(bare_plane: Plane) -> Iterator[Kube]:
    door = Kube.login(bare_plane.kubeconfig("admin"))
    yield door
    door.close()
