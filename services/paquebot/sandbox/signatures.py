"""Checks signatures with a stranger's verifier, dkimpy, over the sandbox's DNS: our own code would believe itself."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field

import dns.exception
import dns.resolver

import dkim
from paquebot.runtime.settings import Address

SIGNATURES = 2  # RSA and Ed25519 together
_SELECTOR = re.compile(rb"(?:^|;)\s*s=\s*([\w.-]+)")


@dataclass(slots=True)
class Verifier:
    """Verifies DKIM signatures; remembers the keys it looked up."""

    nameserver: Address
    keys: dict[bytes, bytes | None] = field(default_factory=dict)

    def is_good(self, content: bytes) -> bool | None:
        """Say whether all signatures of a message are good; None when it has none, or no header section."""
        verdicts = self.verdicts(content)
        return len(verdicts) >= SIGNATURES and all(good for _name, good in verdicts) if verdicts else None

    def verdicts(self, content: bytes) -> tuple[tuple[str, bool], ...]:
        """Return the selector of each signature of a message, and whether it is good; nothing without headers."""
        try:
            headers = dkim.DKIM(content).headers
        except (dkim.DKIMException, IndexError):  # the latter for a first line that is a continuation
            return ()
        fields = [value for name, value in headers if name.lower() == b"dkim-signature"]
        return tuple((_selector(value), self._verifies(content, index)) for index, value in enumerate(fields))

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


def _selector(signature: bytes) -> str:
    found = _SELECTOR.search(signature)
    return found[1].decode() if found else ""


def count_verified(contents: list[bytes], verifier: Verifier, tick: Callable[[], None]) -> tuple[int, int]:
    """Return how many messages are good and how many are not; unsigned ones count in neither."""
    good = bad = 0
    for content in contents:
        verdict = verifier.is_good(content)
        good += verdict is True
        bad += verdict is False
        tick()
    return good, bad
