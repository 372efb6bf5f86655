"""Which deliveries are meant: one value for orders, for commands and for lists. Pure.

Values of one field are alternatives, fields all have to fit, an empty field fits everything.
"""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from fnmatch import fnmatchcase

from paquebot.mail.delivery import Delivery

READY = "ready"
DEFERRED = "deferred"
HELD = "held"
STATES = (READY, DEFERRED, HELD)
_SINGULAR = {"replies": "reply"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Selector:
    """What deliveries have in common. `names` are `<id>` or `<id>.<n>`, `tags` are `key=value`.

    `older_ms` and `younger_ms` are ages in milliseconds, 0 for any. `replies` are patterns with * and ?, found
    anywhere in the last reply or the reason, in either case; a pattern that begins or ends with * is no wider.
    """

    names: tuple[str, ...] = ()
    sites: tuple[str, ...] = ()
    groups: tuple[str, ...] = ()
    domains: tuple[str, ...] = ()
    tenants: tuple[str, ...] = ()
    credentials: tuple[str, ...] = ()
    pools: tuple[str, ...] = ()
    lanes: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    replies: tuple[str, ...] = ()
    states: tuple[str, ...] = ()
    older_ms: int = 0
    younger_ms: int = 0

    @property
    def is_empty(self) -> bool:
        """True when it means everything."""
        return not any(getattr(self, each.name) for each in fields(self))

    def matches(self, delivery: Delivery, state: str, now_ms: int) -> bool:
        """Say whether a delivery in a state is meant; ages count back from `now_ms`."""
        return (
            _among(state, self.states)
            and _among(delivery.tenant, self.tenants)
            and _among(delivery.domain, self.domains)
            and _among(delivery.site, self.sites)
            and _among(delivery.group, self.groups)
            and _among(delivery.pool, self.pools)
            and (_among(delivery.credential, self.credentials) or _username(delivery) in self.credentials)
            and _among(delivery.lane.name.lower(), self.lanes)
            and _named(delivery, self.names)
            and self._is_of_age(now_ms - delivery.accepted_ms)
            and (not self.tags or any(each in self.tags for each in _tags(delivery)))
            and (not self.replies or _told(delivery, self.replies))
        )

    def _is_of_age(self, age_ms: int) -> bool:
        return (not self.older_ms or age_ms >= self.older_ms) and (not self.younger_ms or age_ms < self.younger_ms)

    def __str__(self) -> str:
        parts = []
        for each in fields(self):
            value = getattr(self, each.name)
            if isinstance(value, tuple) and value:
                parts.append(f"{_SINGULAR.get(each.name, each.name[:-1])} {' or '.join(value)}")
            elif value:
                parts.append(f"{each.name.removesuffix('_ms')} than {value // 1000} s")
        return ", ".join(parts) or "everything"


def _among(value: str, wanted: tuple[str, ...]) -> bool:
    return not wanted or value in wanted


def _username(delivery: Delivery) -> str:
    """Return how a credential logs in, which is how people name it."""
    return f"{delivery.tenant}.{delivery.credential}"


def _named(delivery: Delivery, names: tuple[str, ...]) -> bool:
    return not names or delivery.id in names or delivery.name in names


def _tags(delivery: Delivery) -> Iterable[str]:
    return (f"{key}={value}" for key, value in delivery.tags.items())


def _told(delivery: Delivery, patterns: tuple[str, ...]) -> bool:
    told = (str(delivery.last_reply or "").lower(), delivery.reason.lower())
    return any(fnmatchcase(each, f"*{pattern.lower()}*") for pattern in patterns for each in told)
