"""A real API server to ask, and the plugin as a process."""

from pathlib import Path

import pytest

from kube_fixtures import bare_plane, namespace
from kube_plane import Plane
from kubectl_support import Plugin
from queue_fixtures import connect, identities, js, nats

__all__ = ["bare_plane", "connect", "identities", "js", "namespace", "nats"]


@pytest.fixture
def plugin(bare_plane: Plane, namespace: str, tmp_path: Path) -> Plugin:
    return Plugin(bare_plane, namespace, tmp_path)
