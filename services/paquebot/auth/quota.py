"""Hourly quotas as token buckets, one per credential and one per tenant, handed out in leases. Pure.

Auth's memory is the truth, so there is one replica of auth for now: its restart fills the buckets again.
Replicas of submission share a quota by leasing parts of it; what a lease leaves unused is gone, so a lease
is no more than the share of the ten seconds it is good for.
"""

from dataclasses import dataclass
from typing import Final

from paquebot.policy.values import Policy, SMTPCredential

LEASE_VALID_MS: Final = 10_000
UNKNOWN_RETRY_MS: Final = 60_000

_HOUR_MS: Final = 3_600_000
_RETRY_MS_MIN: Final = 1000


@dataclass(frozen=True, slots=True)
class Lease:
    """So many messages now; when none, when to ask again and which limit is in the way."""

    granted: int
    retry_ms: int = 0
    reason: str = ""


@dataclass(slots=True)
class Bucket:
    """At most an hour's messages, refilled evenly."""

    per_hour: int
    tokens: float
    at_ms: int

    def refill(self, per_hour: int, now_ms: int) -> None:
        """Bring the bucket to this time and limit."""
        self.per_hour = per_hour
        self.tokens = min(float(per_hour), self.tokens + max(0, now_ms - self.at_ms) * per_hour / _HOUR_MS)
        self.at_ms = now_ms

    @property
    def lease_max(self) -> int:
        """What one lease may take."""
        share = max(1, self.per_hour * LEASE_VALID_MS // _HOUR_MS)
        return min(share, int(self.tokens))

    @property
    def retry_ms(self) -> int:
        """When the next message is there."""
        return max(_RETRY_MS_MIN, round((1 - self.tokens) * _HOUR_MS / self.per_hour))


class Quotas:
    """The buckets of all credentials and tenants that have a limit."""

    __slots__ = ("_buckets",)

    def __init__(self) -> None:
        """Begin with full buckets."""
        self._buckets: dict[str, Bucket] = {}

    def __repr__(self) -> str:
        return f"<Quotas {len(self._buckets)} buckets>"

    def lease(self, credential: SMTPCredential, policy: Policy, messages: int, now_ms: int) -> Lease:
        """Return a share of at most `messages`, taken from the credential's and its tenant's bucket."""
        tenant = credential.namespace
        wanted = (
            (f"credential {credential.username}", credential.limits.messages_per_hour),
            (f"tenant {tenant}", tenant_per_hour(policy, tenant)),
        )
        limited = [(name, self._bucket(name, limit, now_ms)) for name, limit in wanted if limit]
        for name, bucket in limited:
            if bucket.lease_max < 1:
                return Lease(0, bucket.retry_ms, f"{name} has used its {bucket.per_hour} messages an hour")
        granted = min([max(1, messages), *(bucket.lease_max for _, bucket in limited)])
        for _, bucket in limited:
            bucket.tokens -= granted
        return Lease(granted)

    def keep(self, policy: Policy) -> None:
        """Forget the buckets of credentials and tenants that are gone."""
        kept = {f"credential {username}" for username in policy.credentials}
        kept |= {f"tenant {credential.namespace}" for credential in policy.credentials.values()}
        for name in self._buckets.keys() - kept:
            del self._buckets[name]

    def _bucket(self, name: str, per_hour: int, now_ms: int) -> Bucket:
        bucket = self._buckets.setdefault(name, Bucket(per_hour, float(per_hour), now_ms))
        bucket.refill(per_hour, now_ms)
        return bucket


def tenant_per_hour(policy: Policy, tenant: str) -> int:
    """Return what all domains of a tenant may send together; 0, no limit, when one of them has none."""
    limits = [domain.limits.messages_per_hour for domain in policy.domains.values() if domain.namespace == tenant]
    return sum(limits) if all(limits) else 0
