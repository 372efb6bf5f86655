"""What a cluster's operator does to queue and policy, done on one machine: keys, streams, hashes, revisions."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from paquebot.cli.place import Place
from paquebot.dkim.keys import generate
from paquebot.policy.values import Policy
from paquebot.queue.credentials import put_hash
from paquebot.queue.fitness import inspect, record
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import publish_policy, read_objects
from paquebot.queue.provision import provision
from paquebot.queue.removal import count_waiting, remove_streams


@dataclass(frozen=True, slots=True)
class Publisher:
    """Writes what services read. It connects for each task: they are rare, and a queue may restart in between."""

    place: Place
    nats_url: str
    replicas: int = 1  # servers that keep each stream

    async def published(self) -> list[dict[str, Any]]:
        """Return the objects of the last revision, [] before the first."""
        async with self._connected("publisher") as js:
            found = await read_objects(js)
            return [] if found is None else found[1]

    async def prepare(self) -> None:
        """Create what belongs to no pool, and record that the server is fit to keep mail."""
        async with self._connected("publisher") as js, self._connected("system") as system:
            await provision(js, Policy(), self.replicas)
            await record(js, await inspect(system))

    async def publish(self, objects: Sequence[Mapping[str, Any]], policy: Policy) -> None:
        """Make the keys, create the streams, then publish the password hashes and the policy: in this order."""
        make_keys(self.place, policy)
        async with self._connected("publisher") as js:
            await provision(js, policy, self.replicas)
            for username, password_hash in self.place.read_hashes().items():
                await put_hash(js, username, password_hash)
            await publish_policy(js, objects)

    async def count_waiting(self, pool: str) -> int:
        """Return how many deliveries wait in a pool."""
        async with self._connected("publisher") as js:
            return await count_waiting(js, pool)

    async def remove_streams(self, pool: str) -> int:
        """Delete an empty pool's streams and return 0; else return what waits in them."""
        async with self._connected("publisher") as js:
            return await remove_streams(js, pool)

    @asynccontextmanager
    async def _connected(self, identity: str) -> AsyncIterator[JetStream]:
        js = await JetStream.connect(self.nats_url, self.place.identity(identity), "up")
        try:
            yield js
        finally:
            await js.close()


def make_keys(place: Place, policy: Policy) -> None:
    """Make DKIM keys for domains that have none."""
    for domain in policy.domains.values():
        folder = place.dkim / domain.domain
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        for algorithm in domain.dkim_algorithms:
            if not any(folder.glob(f"*.{algorithm}.pem")):
                path = folder / f"pq-{algorithm.lower()}.{algorithm}.pem"
                path.touch(mode=0o600)
                path.write_bytes(generate(algorithm))
