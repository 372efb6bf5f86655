"""A real API server with our custom resources, and helm."""

from chart.conftest import run_helm
from kube_fixtures import bare_plane

__all__ = ["bare_plane", "run_helm"]
