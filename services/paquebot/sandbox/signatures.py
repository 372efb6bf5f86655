"""Checks signatures with a stranger's verifier, dkimpy, over the sandbox's DNS: our own code would believe itself."""

from collections.abc import Callable
from dataclasses import dataclass, field

import dns.exception
import dns.resolver

import dkim
from paquebot.runtime.settings import Address

SIGNATURES = 2  # RSA and Ed25519 together


@dataclass(slots=True)
class Verifier:
    """Verifies DKIM signatures; remembers the keys it looked up."""

    nameserver: Address
    keys: dict[bytes, bytes | None] = field(default_factory=dict)

    def is_good(self, content: bytes) -> bool | None:
        """Say whether all signatures of a message are good; None when it has none, or no header section."""
        try:
            message = dkim.DKIM(content)
        except (dkim.DKIMException, IndexError):  # the latter for a first line that is a continuation
            return None
        count = sum(name.lower() == b"dkim-signature" for name, _value in message.headers)
        if not count:
            return None
        return count >= SIGNATURES and all(self._verifies(content, index) for index in range(count))

    def _verifies(self, content: bytes, index: int) -> bool:
        try:
            return bool(dkim.DKIM(content).verify(idx=index, dnsfunc=self._key))
        except dkim.DKIMException:
            return False

    def _key(self, name: bytes, timeout: int = 5) -> bytes | None:
        if name not in self.keys:
            resolver = dns.resolver.Resolver(configure=False)
            resolver.nameservers = [self.nameserver.host]
            resolver.port = self.nameserver.port
            resolver.lifetime = timeout
            try:
                answer = resolver.resolve(name.decode().rstrip("."), "TXT")
                self.keys[name] = b"".join(answer[0].strings)
            except dns.exception.DNSException:
                self.keys[name] = None
        return self.keys[name]


def count_verified(contents: list[bytes], verifier: Verifier, tick: Callable[[], None]) -> tuple[int, int]:
    """Return how many messages are good and how many are not; unsigned ones count in neither."""
    good = bad = 0
    for content in contents:
        verdict = verifier.is_good(content)
        good += verdict is True
        bad += verdict is False
        tick()
    return good, bad
