"""Which field of which object sets a limit, in the words that the fields have in manifests."""

from paquebot.cli.explain.words import pool_name
from paquebot.policy.values import DEFAULT_DESTINATION, DestinationPolicy, SendingPool


def of_pool(pool: SendingPool | str, field: str) -> str:
    """Return where a field of a SendingPool stands."""
    token = pool if isinstance(pool, str) else pool.token
    return f"`spec.{field}` of SendingPool {pool_name(token)}"


def of_destination(destination: DestinationPolicy, domain: str, field: str) -> str:
    """Return where a field of a DestinationPolicy stands, or could stand when none is there for the domain."""
    if destination is DEFAULT_DESTINATION or destination.name == DEFAULT_DESTINATION.name:
        return f"`spec.{field}` of a DestinationPolicy for {domain} (none matches it, so the defaults hold)"
    return f"`spec.{field}` of DestinationPolicy {destination.name}"
