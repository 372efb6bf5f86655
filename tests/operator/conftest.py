"""A real API server with our custom resources, a real nats-server, and objects to declare."""

import pytest

from kube_fixtures import bare_plane, namespace
from kube_plane import Plane
from operator_support import Objects
from queue_fixtures import connect, identities, js, nats

__all__ = ["bare_plane", "connect", "identities", "js", "namespace", "nats"]


@pytest.fixture
def objects(bare_plane: Plane, namespace: str) -> Objects:
    return Objects(bare_plane, namespace)
