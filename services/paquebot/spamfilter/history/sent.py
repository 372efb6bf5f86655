"""What is kept of a message in its account's history: numbers and hashes, no text and no address."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Sent:
    """A message as its account's history takes it. 0 stands for what is not known of a hash.

    `ident` is a 32-bit hash of its id; recipients are keyed 64-bit hashes; network, agent, author and links 32-bit
    hashes of what the message came from, claims and leads to; `template` the simhash of its visible text.
    """

    ident: int
    at_s: float
    logit: float  # of its content alone
    recipients: tuple[int, ...] = ()
    network: int = 0
    agent: int = 0
    author: int = 0
    links: tuple[int, ...] = ()
    template: int = 0
