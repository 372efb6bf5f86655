"""A real nats-server with TLS and users."""

from queue_fixtures import connect, identities, js, nats

__all__ = ["connect", "identities", "js", "nats"]
