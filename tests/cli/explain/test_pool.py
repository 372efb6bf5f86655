"""What people are told about a pool."""

from dataclasses import replace

import pytest

from cli.explain.golden import assert_golden
from cli.explain.situations import NOW, PAUSED, POD, POLICY, POOL, QUIET, around, deferred, deliverer, suspension
from paquebot.cli.explain.facts import Around, Backlog, PoolFacts
from paquebot.cli.explain.pool import pool
from paquebot.cli.live import Live
from paquebot.policy.values import Policy
from paquebot.queue.depth import Depth

SAMPLE = (deferred("RCPT was answered with 452 4.2.2 Mailbox full").delivery,)
FACTS = PoolFacts(POOL, Backlog(POOL, Depth(12, 1, NOW - 5000), SAMPLE))
ASLEEP = replace(POLICY, pools={POOL: replace(POLICY.pools[POOL], replicas=0)})
DRAINING = replace(POLICY, pools={POOL: replace(POLICY.pools[POOL], draining=True)})

SITUATIONS: dict[str, tuple[PoolFacts, Around]] = {
    "pool_sending": (FACTS, QUIET),
    "pool_paused": (FACTS, PAUSED),
    "pool_suspended_by_a_person": (FACTS, replace(QUIET, orders=(suspension("pool", POOL),))),
    "pool_asleep": (FACTS, around(policy=ASLEEP)),
    "pool_dead": (FACTS, replace(around(), live=Live((), (POD,)))),
    "pool_draining": (FACTS, around(deliverer(), policy=DRAINING)),
    "pool_undeclared": (PoolFacts("mail_gone", Backlog("mail_gone")), replace(QUIET, policy=Policy())),
    "pool_with_a_partition_that_nobody_owns": (
        FACTS,
        replace(
            around(replace(deliverer(), partitions=tuple(range(12)), draining=True)),
            full="The queue is 74% full, nothing new is taken: try again later",
        ),
    ),
}


@pytest.mark.parametrize("name", SITUATIONS)
def test_a_pool_is_told_as_it_was_agreed(name: str) -> None:
    assert_golden(name, [pool(*SITUATIONS[name])])
