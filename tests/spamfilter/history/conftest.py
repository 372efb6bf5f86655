"""A real nats-server for what keeps histories."""

from queue_fixtures import POLICY, connect, identities, js, nats

__all__ = ["POLICY", "connect", "identities", "js", "nats"]
