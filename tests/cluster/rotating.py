"""A domain's keys on their way from one pair to the next, as whoever keeps the DNS by hand goes along."""

from collections.abc import Callable
from dataclasses import dataclass, field

from cluster.passing_time import let_pass
from cluster.tenant import Tenant, is_true
from cluster.waiting import until

HOUR_S = 3600
DAY_S = 24 * HOUR_S
INTERVAL_S = 180 * DAY_S  # that a key signs for, unless the domain says otherwise
OVERLAP_S = 7 * DAY_S  # that it stays published for afterwards
FIRST, SECOND = ("pq1-rsa", "pq1-ed"), ("pq2-rsa", "pq2-ed")


def settled(tenant: Tenant) -> None:
    """Publish what the domain asks for, and wait until it is Ready."""
    until("there are keys", tenant.key_records, tenant.status)
    tenant.publish()
    let_pass(tenant, HOUR_S)
    until("the domain is ready", lambda: is_true(tenant.cluster, tenant.places[1]), tenant.status)


def arrived(tenant: Tenant, phases: dict[str, str]) -> None:
    """Wait until keys have come so far."""
    until(f"keys are {phases}", lambda: phases.items() <= tenant.phases().items(), tenant.status)


@dataclass(frozen=True, slots=True)
class Rotation:
    """The way from the first pair of keys to the second; `between` is done after each step has begun."""

    tenant: Tenant
    between: Callable[[], None] = field(default=lambda: None)

    def keys_are_made(self) -> None:
        """Let the interval pass: there are new keys, which nobody can look up yet."""
        let_pass(self.tenant, INTERVAL_S)
        self.between()
        arrived(self.tenant, dict.fromkeys(FIRST, "Active") | dict.fromkeys(SECOND, "Pending"))

    def keys_are_published(self) -> None:
        """Publish them: they were seen, and wait until nobody remembers that there was nothing."""
        self.tenant.publish()
        let_pass(self.tenant, HOUR_S)
        self.between()
        arrived(self.tenant, dict.fromkeys(FIRST, "Active") | dict.fromkeys(SECOND, "Published"))

    def keys_sign(self) -> None:
        """Let that time pass: the new keys sign, the old ones stay published."""
        let_pass(self.tenant, 2 * HOUR_S)
        self.between()
        arrived(self.tenant, dict.fromkeys(SECOND, "Active") | dict.fromkeys(FIRST, "Retiring"))
        domain = self.tenant.places[1]
        until("that is in force", lambda: is_true(self.tenant.cluster, domain, "Programmed"), self.tenant.status)

    def old_keys_go(self) -> None:
        """Let the overlap pass, after the hour of handing over: the old keys are gone, also from the DNS."""
        let_pass(self.tenant, HOUR_S)
        until("the new keys sign alone", lambda: self.tenant.signing() == list(SECOND), self.tenant.status)
        let_pass(self.tenant, OVERLAP_S + HOUR_S)
        self.between()
        arrived(self.tenant, dict.fromkeys(SECOND, "Active") | dict.fromkeys(FIRST, "Retired"))
        self.tenant.publish()
