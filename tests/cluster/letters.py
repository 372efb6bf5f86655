"""Mail that goes on while something else happens; whether its signatures are good is looked at when it comes."""

import smtplib
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from cluster.platform import Cluster
from cluster.tenant import Tenant
from cluster.waiting import until
from paquebot.runtime.settings import Address
from paquebot.sandbox.signatures import Verifier

EACH_S = 0.3
ARRIVE_MAX_S = 90.0


@dataclass(frozen=True, slots=True)
class Seen:
    """A letter as it came: its subject, and of each selector that signed it whether the signature is good."""

    subject: str
    verdicts: dict[str, bool]


def seen(cluster: Cluster, content: bytes) -> Seen:
    """Look at a letter with a stranger's verifier, over the DNS as it is now."""
    subject = content.partition(b"\r\nSubject: ")[2].partition(b"\r\n")[0].decode()
    return Seen(subject, dict(Verifier(Address(*cluster.world.resolver)).verdicts(content)))


@dataclass(slots=True)
class Letters:
    """One letter after the other, from a thread; another looks at what comes. `taken` are those that got a 250."""

    tenant: Tenant
    word: str
    opened: Callable[[], smtplib.SMTP]
    taken: list[str] = field(default_factory=list)
    come: list[Seen] = field(default_factory=list)
    refused: list[str] = field(default_factory=list)
    over: threading.Event = field(default_factory=threading.Event)

    def write(self) -> None:
        """Send until it is over; a server that is away or takes nothing now is asked again with the next letter."""
        number = 0
        while not self.over.is_set():
            try:
                with self.opened() as client:
                    while not self.over.wait(EACH_S):
                        number += 1
                        client.sendmail(*self.tenant.letter(f"{self.word}-{number}"))
                        self.taken.append(f"{self.word}-{number}")
            except (OSError, smtplib.SMTPException) as trouble:
                self.refused.append(str(trouble))
                self.over.wait(EACH_S)

    def read(self) -> None:
        """Look at each letter as soon as it is there."""
        cluster, known = self.tenant.cluster, len(self.tenant.cluster.world.received())
        line = f"\r\nSubject: {self.word}-".encode()
        while not (self.over.is_set() and {each.subject for each in self.come} >= set(self.taken)):
            fresh = cluster.world.received()[known:]
            known += len(fresh)
            self.come += [seen(cluster, each.content) for each in fresh if line in each.content]
            time.sleep(0.1)

    def more(self, count: int = 3) -> list[Seen]:
        """Wait for letters that are sent from now on; return them."""
        taken = len(self.taken)
        until(
            "letters are taken",
            lambda: len(self.taken) >= taken + 1 + count,
            lambda: f"taken {len(self.taken)}: {self.refused[-3:]}",
        )
        wanted = set(self.taken[taken + 1 :])  # the first may have been under way
        until(f"{sorted(wanted)} come", lambda: {each.subject for each in self.come} >= wanted)
        return [each for each in self.come if each.subject in wanted]

    @property
    def counted(self) -> Counter[str]:
        """How often each letter came."""
        return Counter(each.subject for each in self.come)


@contextmanager
def letters(tenant: Tenant, word: str) -> Iterator[Letters]:
    """Send and look all the while; at the end all that was taken has come. Fails when it has not."""
    found = Letters(tenant, word, tenant.login())
    threads = [threading.Thread(target=each, name=each.__name__, daemon=True) for each in (found.write, found.read)]
    for each in threads:
        each.start()
    try:
        yield found
    finally:
        found.over.set()
        for each in threads:
            each.join(ARRIVE_MAX_S)
    lost = set(found.taken) - {each.subject for each in found.come}
    assert not lost, f"taken, and not come: {sorted(lost)}"
    assert found.taken
