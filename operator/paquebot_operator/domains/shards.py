"""The Secrets that the router mounts: 16 projections of all keys, each written when one of its keys has changed."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

import structlog

from paquebot_operator.dkim.keystore import SHARD_LABEL, Stored, domain_of, projection, read, shard_of
from paquebot_operator.kube.client import Kube
from paquebot_operator.names import KEYS_MANAGER, SECRET, Key

KIND: Final = "DkimShard"
GATHER_S: Final = 0.5  # keys that are made together are mounted together
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Shards:
    """What the projections hold, by shard and domain: read from the cluster once, kept up by whoever changes a key."""

    kube: Kube
    namespace: str
    stored: dict[str, dict[str, Stored]] = field(default_factory=dict)
    written: dict[str, Mapping[str, Stored]] = field(default_factory=dict)

    async def put(self, domain: str, stored: Stored | None) -> Key | None:
        """Take over what a domain has now, None for nothing; return the shard to write, None when it stands."""
        shard = shard_of(domain)
        held = await self._of(shard)
        if stored is None:
            held.pop(domain, None)
        else:
            held[domain] = stored
        return None if self.holds(domain, stored) else Key(KIND, "", shard)

    def holds(self, domain: str, stored: Stored | None) -> bool:
        """Say whether the keys are in the Secret that the router mounts, as far as we wrote it."""
        written = self.written.get(shard_of(domain))
        if written is None:
            return False
        before = written.get(domain)
        return (before.pems if before else {}) == (stored.pems if stored else {})

    async def reconcile(self, key: Key) -> None:
        """Write one of the Secrets."""
        held = dict(await self._of(key.name))
        manifest, left_out = projection(key.name, held, self.namespace)
        await self.kube.apply(SECRET, manifest, KEYS_MANAGER)
        self.written[key.name] = held
        if left_out:
            LOG.error("a Secret of DKIM keys is full: some keys cannot be mounted", files=list(left_out[:10]))

    async def _of(self, shard: str) -> dict[str, Stored]:
        if shard not in self.stored:
            found: dict[str, Stored] = {}
            async for entry in self.kube.each(SECRET, self.namespace, f"{SHARD_LABEL}={shard}"):
                if domain_of(entry):
                    found[domain_of(entry)] = read(entry)
            self.stored.setdefault(shard, found)
        return self.stored[shard]
