"""A pool explained: who delivers its mail, what waits in it, and what keeps it. Pure."""

from collections.abc import Iterable

from paquebot.cli.explain.facts import Around, Explanation, PoolFacts, Sentence, do, explained, what, why
from paquebot.cli.explain.limits import of_pool
from paquebot.cli.explain.ordered import hindrances, resume
from paquebot.cli.explain.waiting import backlog
from paquebot.cli.explain.words import count, pool_name, span
from paquebot.policy.values import SendingPool
from paquebot.queue.subjects import PARTITIONS


def pool(facts: PoolFacts, around: Around) -> Explanation:
    """Return what is told about a pool."""
    policy = around.pool(facts.pool)
    state, cure = _state(facts, policy, around)
    sentences = [
        *_what(facts, policy),
        *_deliverers(facts, around),
        *backlog((facts.backlog,), around),
    ]
    ordered = around.suspensions(pools=facts.pool)
    sentences += hindrances(ordered)
    if around.full:
        sentences.append(why(f"{around.full}."))
    cures = [do(resume(order)) for order in ordered] or [do(cure)]
    return explained(pool_name(facts.pool), "suspended" if ordered else state, [*sentences, *cures])


def _what(facts: PoolFacts, policy: SendingPool | None) -> Iterable[Sentence]:
    if policy is None:
        yield what(f"No manifest declares SendingPool {pool_name(facts.pool)}.")
        return
    expiry = span(1000 * policy.retry.expiry_s)
    yield what(f"SendingPool {policy.place} greets hosts as {policy.helo_hostname} and tries mail for {expiry}.")


def _state(facts: PoolFacts, policy: SendingPool | None, around: Around) -> tuple[str, str]:
    """Return the pool's state in a word, and what to do."""
    alive = around.deliverers(facts.pool)
    if policy is None:
        return "undeclared", "Declare it, or look at the name again."
    if policy.paused:
        return "paused", f"To let it send, set {of_pool(policy, 'paused')} to false and apply the manifest."
    if policy.replicas == 0:
        return "asleep", f"To let it send, raise {of_pool(policy, 'replicas')} and apply the manifest."
    if not alive:
        return "dead", "Look at the logs of its deliverers: they say why they ended. `paquebot up` starts them again."
    if policy.draining:
        return (
            "draining",
            "It is gone from the manifests and removed once it is empty. To keep it, declare it.",
        )
    return "sending", f"Nothing is needed. More at once: raise {of_pool(policy, 'concurrency.sessionsPerReplica')}."


def _deliverers(facts: PoolFacts, around: Around) -> Iterable[Sentence]:
    states = around.deliverers(facts.pool)
    for state in states:
        in_hand = count(state.load.in_hand, "delivery", "deliveries")
        yield why(
            f"{state.pod} owns {len(state.partitions)} of {PARTITIONS} partitions, has {in_hand} in hand and "
            f"{count(state.load.connections, 'connection')} open{', and is draining' * state.draining}."
        )
    for name in around.live.silent:
        yield why(f"{name} does not answer.")
    unowned = PARTITIONS - len({number for state in states for number in state.partitions})
    if states and unowned:
        orphans = count(unowned, "partition has", "partitions have")
        yield why(f"{orphans} no owner that answers: a take-over may be under way.")
