"""A real nats-server with TLS and users, one for each test, and owners of its partitions."""

from queue_fixtures import POLICY, connect, identities, js, nats
from queue_owner import owner

__all__ = ["POLICY", "connect", "identities", "js", "nats", "owner"]
