"""A real nats-server with TLS and users, one for each test."""

from queue_fixtures import POLICY, connect, identities, js, nats

__all__ = ["POLICY", "connect", "identities", "js", "nats"]
