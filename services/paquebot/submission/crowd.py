"""How many connections there are: in all, from each address (IPv6: each /64), of each credential. No I/O."""

from collections import Counter
from dataclasses import dataclass, field

from paquebot.mail.network import network
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply


@dataclass(frozen=True, slots=True)
class CrowdLimits:
    """How many connections are served at once."""

    connections_max: int = 5000
    connections_of_address_max: int = 100
    connections_of_principal_max: int = 200


@dataclass(slots=True)
class Crowd:
    """Counts who is there. Each `enter` is followed by a `leave`, each good `seat` by an `unseat`."""

    limits: CrowdLimits = field(default_factory=CrowdLimits)
    total: int = 0
    short: bool = False  # of memory: nobody new is served
    addresses: Counter[str] = field(default_factory=Counter)  # by network
    principals: Counter[str] = field(default_factory=Counter)

    @property
    def fullness(self) -> float:
        """The share of the connections that are taken."""
        return self.total / max(1, self.limits.connections_max)

    def enter(self, address: str) -> Reply | None:
        """Count a connection; return why it is not served, or None."""
        self.total += 1
        name = network(address)
        self.addresses[name] += 1
        if self.short:
            return Reply(421, "4.3.2", "Memory is short: try again in a minute")
        if self.total > self.limits.connections_max:
            return Reply(421, "4.3.2", "Too many connections: try again later")
        if self.addresses[name] > self.limits.connections_of_address_max:
            most = self.limits.connections_of_address_max
            return Reply(421, "4.7.0", f"Too many connections from {name}: at most {most} at once")
        return None

    @property
    def busiest_address(self) -> int:
        """Return the connections of the address that has the most."""
        return max(self.addresses.values(), default=0)

    @property
    def busiest_principal(self) -> int:
        """Return the sessions of the credential that has the most."""
        return max(self.principals.values(), default=0)

    def floods(self, address: str) -> bool:
        """Say whether there are so many that not even a refusal is worth its price."""
        limits = self.limits
        return (
            self.total > 2 * limits.connections_max
            or self.addresses[network(address)] > 2 * limits.connections_of_address_max
        )

    def leave(self, address: str) -> None:
        """Count a connection out."""
        self.total -= 1
        _less(self.addresses, network(address))

    def seat(self, principal: Principal) -> Reply | None:
        """Count an authenticated session; return why it is one too many, having not counted it, or None."""
        name = f"{principal.tenant}.{principal.credential}"
        most = self.limits.connections_of_principal_max
        if self.principals[name] >= most:
            return Reply(421, "4.7.0", f"Too many connections of {name}: at most {most} at once")
        self.principals[name] += 1
        return None

    def unseat(self, principal: Principal) -> None:
        """Count an authenticated session out."""
        _less(self.principals, f"{principal.tenant}.{principal.credential}")


def _less(counter: Counter[str], key: str) -> None:
    counter[key] -= 1
    if counter[key] <= 0:
        del counter[key]
