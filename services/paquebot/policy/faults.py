"""What is wrong with custom resources: each fault names object and field, says why, and how to cure it."""

from dataclasses import dataclass, field
from typing import Final

INVALID: Final = "Invalid"
POOL_NOT_FOUND: Final = "PoolNotFound"
POOL_NOT_PERMITTED: Final = "PoolNotPermitted"
DOMAIN_NOT_FOUND: Final = "DomainNotFound"
DOMAIN_CONFLICT: Final = "DomainConflict"
REFERENCES: Final = frozenset({POOL_NOT_FOUND, POOL_NOT_PERMITTED, DOMAIN_NOT_FOUND})  # another object's absence


@dataclass(frozen=True, slots=True)
class Fault:
    """One fault. `path` is the field (`spec.content.reject`); cluster-scoped kinds have no namespace.

    `at` is the object's position among those given; two faulty objects may carry one name, or none.
    """

    kind: str
    namespace: str
    name: str
    path: str
    text: str
    cure: str
    at: int = -1
    reason: str = INVALID  # for programs

    def __str__(self) -> str:
        """Return one line: `MailDomain shop/main: spec.domain: "shop" has only one label; give …`."""
        place = "/".join(part for part in (self.namespace, self.name) if part)
        where = f"{self.kind} {place}".strip()
        line = f"{where}: {self.path}: {self.text}; {self.cure}"
        # Names come as people wrote them: none may part the line or steer a terminal.
        return "".join(each if each.isprintable() else "�" for each in line)


class PolicyFaults(Exception):  # noqa: N818  (says what it carries)
    """Objects that do not make a policy: every fault at once."""

    def __init__(self, faults: tuple[Fault, ...]) -> None:
        """Take all faults, at least one."""
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = faults


class Unfit(ValueError):  # noqa: N818  (never leaves this package)
    """A value that a field cannot take: why, and what to write instead."""

    def __init__(self, text: str, cure: str) -> None:
        """Take the two halves of a fault's sentence."""
        super().__init__(text)
        self.text = text
        self.cure = cure


@dataclass(frozen=True, slots=True)
class Notes:
    """The faults found so far in one object."""

    kind: str
    namespace: str
    name: str
    at: int = -1
    faults: list[Fault] = field(default_factory=list)

    def fault(self, path: str, text: str, cure: str, *, reason: str = INVALID) -> None:
        """Write down one fault."""
        self.faults.append(Fault(self.kind, self.namespace, self.name, path, text, cure, self.at, reason))

    @property
    def place(self) -> str:
        """`namespace/name`, or the name alone."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name
