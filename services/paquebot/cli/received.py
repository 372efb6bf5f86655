"""Checks what a sandbox has received, domain by domain."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass

from paquebot.cli.demo.account import queued_id
from paquebot.runtime.settings import Address
from paquebot.sandbox.mxhost import Received

LINE_MAX = 998  # RFC 5322 §2.1.1
_BARE = re.compile(rb"\r(?!\n)|(?<!\r)\n|\0")


@dataclass(slots=True)
class Checked:
    """What was found in the messages for one domain."""

    domain: str
    messages: int = 0
    recipients: int = 0
    tls: int = 0
    good: int = 0
    bad: int = 0
    unsigned: int = 0
    malformed: int = 0
    twice: int = 0

    @property
    def is_bad(self) -> bool:
        """Say whether something is wrong with a content."""
        return bool(self.bad or self.malformed)

    @property
    def numbers(self) -> tuple[int, ...]:
        """All of them, in order."""
        return (
            self.messages,
            self.recipients,
            self.tls,
            self.good,
            self.bad,
            self.unsigned,
            self.malformed,
            self.twice,
        )


def check_all(received: Iterable[Received], resolver: Address) -> list[Checked]:
    """Return a row a domain. Raises ModuleNotFoundError where dkimpy is not installed."""
    from paquebot.sandbox.signatures import Verifier  # noqa: PLC0415  (dkimpy comes with an extra)

    verifier = Verifier(resolver)
    rows: dict[str, Checked] = {}
    seen: Counter[tuple[str, str]] = Counter()
    for each in received:
        domain = each.envelope.recipients[0].rpartition("@")[2]
        row = rows.setdefault(domain, Checked(domain))
        row.messages += 1
        row.recipients += len(each.envelope.recipients)
        row.tls += each.tls
        row.malformed += not is_well_formed(each.content)
        verdict = verifier.is_good(each.content)
        row.good += verdict is True
        row.bad += verdict is False
        row.unsigned += verdict is None
        for recipient in each.envelope.recipients:
            pair = queued_id(each.content), recipient
            seen[pair] += 1
            row.twice += bool(pair[0]) and seen[pair] > 1
    return sorted(rows.values(), key=lambda row: row.domain)


def is_well_formed(content: bytes) -> bool:
    """Say whether all lines end with CRLF, and none is too long."""
    lines = content.split(b"\r\n")
    return not _BARE.search(content) and lines[-1] == b"" and max(map(len, lines)) <= LINE_MAX
