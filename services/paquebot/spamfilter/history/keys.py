"""Under which keys a message counts, and what its account's history takes of it.

Addresses, networks and programs become keyed hashes here: without the key nobody finds them again.
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import blake2b

from paquebot.mail.network import neighbourhood
from paquebot.mail.traits import Traits
from paquebot.policy.suppression import canonical
from paquebot.queue.subjects import site_token
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.history.sent import Sent
from paquebot.spamfilter.history.template import template_of
from paquebot.spamfilter.lookalike import organisation

LINKS_MAX = 8  # domains of one message that count
RECIPIENTS_MAX = 1000
AGENT_MAX_BYTES = 200
LOGIT_MAX = 20.0  # what is certain is no measure of an account's level
ACCOUNT = "account"
_PERSON = b"history"  # other hashes under the same key are not these
_HOST_MAX = 253
_HALF = (1 << 32) - 1
_DIGITS = re.compile(rb"[0-9]+")
_AGENTS = (b"user-agent", b"x-mailer")


@dataclass(frozen=True, slots=True)
class Hashes:
    """Keyed hashes, the same in all replicas."""

    secret: bytes

    def of(self, kind: str, value: str) -> int:
        """Return a 64-bit hash; 0 only for the empty value."""
        if not value:
            return 0
        digest = blake2b(f"{kind}\0{value}".encode(), key=self.secret, digest_size=8, person=_PERSON).digest()
        return int.from_bytes(digest, "big") or 1


def traits_of(facts: Facts, logit: float, hashes: Hashes) -> Traits:
    """Return what is kept of a message."""
    texts = sorted(facts.texts, key=lambda text: text.is_html, reverse=True)
    return Traits(
        logit=max(-LOGIT_MAX, min(LOGIT_MAX, logit)),
        author=facts.author_domain[:_HOST_MAX],
        network=hashes.of("network", neighbourhood(facts.origin.client_address)),
        agent=hashes.of("agent", _agent(facts)),
        links=_link_domains(facts),
        template=template_of(texts[0].lowered) if texts else 0,
    )


def sent_of(traits: Traits, ident: str, recipients: tuple[str, ...], at_s: float, hashes: Hashes) -> Sent:
    """Return a message as its account's history takes it."""
    return Sent(
        ident=hashes.of("id", ident) & _HALF,
        at_s=at_s,
        logit=traits.logit,
        recipients=tuple(hashes.of("recipient", canonical(each)) for each in recipients[:RECIPIENTS_MAX]),
        network=traits.network & _HALF,
        agent=traits.agent & _HALF,
        author=hashes.of("author", traits.author) & _HALF,
        links=tuple(hashes.of("link", each) & _HALF for each in traits.links),
        template=traits.template,
    )


def account_key(tenant: str, credential: str) -> str:
    """Return the key of an account."""
    return f"{ACCOUNT}.{site_token(tenant) or '_'}.{site_token(credential) or '_'}"


def other_keys(tenant: str, credential: str, traits: Traits) -> Iterator[str]:
    """Yield the other keys that a message counts under."""
    if traits.author:
        author = site_token(traits.author)
        yield f"author.{site_token(tenant) or '_'}.{site_token(credential) or '_'}.{author}"
        yield f"domain.{author}"
    if traits.network:
        yield f"network.{traits.network:016x}"
    for link in traits.links:
        yield f"link.{site_token(link)}"
    if traits.template:
        yield f"template.{traits.template:016x}"


def _agent(facts: Facts) -> str:
    """Return what sent it: the greeting, and the program's name without its version."""
    greeting = facts.origin.client_name.lower()
    if greeting.startswith("["):
        greeting = "[]"  # an address, which changes with the network
    for name in _AGENTS:
        if name in facts.fields:
            program = _DIGITS.sub(b"0", facts.fields[name][0].strip()[:AGENT_MAX_BYTES])
            return f"{greeting} {program.decode('utf-8', 'replace')}"
    return greeting


def _link_domains(facts: Facts) -> tuple[str, ...]:
    hosts = (link.host for link in facts.links if link.host and len(link.host) <= _HOST_MAX)
    return tuple(dict.fromkeys(organisation(host) for host in hosts))[:LINKS_MAX]
