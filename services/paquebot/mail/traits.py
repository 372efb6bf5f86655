"""What an accepted message leaves behind for its sender's history: numbers, hashes and domains, no text."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Traits:
    """Traits of a message as the filter saw it; 0 and "" stand for what is not known.

    `logit` is the log-odds of its content alone. `network` and `agent` are keyed hashes of where it came from and
    what sent it, `template` the simhash of its visible text; `author` is the domain of From, `links` those it leads to.
    """

    logit: float = 0.0
    author: str = ""
    network: int = 0
    agent: int = 0
    links: tuple[str, ...] = ()
    template: int = 0


NO_TRAITS = Traits()
