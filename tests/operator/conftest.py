"""A real API server with our custom resources."""

from kube_fixtures import bare_plane, namespace

__all__ = ["bare_plane", "namespace"]
