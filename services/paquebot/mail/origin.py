"""Where a message comes from, as far as its sender's history is asked about it."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Origin:
    """A message's id, whose credential brought it, and from where.

    `client_address` and `client_name` (HELO or EHLO) are "" for programs, which come over gRPC.
    """

    id: str = ""
    tenant: str = ""
    credential: str = ""
    client_address: str = ""
    client_name: str = ""

    @property
    def account(self) -> str:
        """`<tenant>.<credential>`: the user name."""
        return f"{self.tenant}.{self.credential}"


NOWHERE = Origin()
