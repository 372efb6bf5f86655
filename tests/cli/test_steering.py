"""Many deliveries are steered at once, and no others."""

from collections import Counter
from dataclasses import replace

from paquebot.cli import steering
from paquebot.cli.steering import Survey, carry_out_all, survey
from paquebot.mail.delivery import Plan
from paquebot.mail.order import Action, Order
from paquebot.mail.selector import HELD, READY, Selector
from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.inspection import list_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.provision import provision
from queue_fixtures import POLICY, connect, identities, js, nats
from queue_making import POOL, delivery, now_ms

__all__ = ["connect", "identities", "js", "nats"]
OTHER = SendingPool("mail", "other", "out2.example")


async def test_a_survey_counts_what_was_held_while_its_account_was_under_alarm(js: JetStream, monkeypatch) -> None:
    async def read_policy(_js: JetStream) -> Policy:
        return POLICY

    monkeypatch.setattr(steering, "read_policy", read_policy)
    await provision(js, POLICY)
    held = {"held": True, "next_ms": now_ms() + 3_600_000}
    for item in (delivery("m1", alarmed=True, **held), delivery("m2", **held), delivery("m3", alarmed=True)):
        await Acceptance(js).accept(Plan((item,)), b"content")
    now = now_ms()
    words = {"author": "ann", "reason": "", "given_ms": now, "ends_ms": now + 60_000}
    found = await survey(js, Order(id="o1", action=Action.RELEASE, selector=Selector(states=(HELD,)), **words))
    assert (found.total, found.alarmed) == (2, Counter({"shop.orders": 1}))


async def test_who_moves_only_what_is_ready_moves_nothing_that_waits(js: JetStream, monkeypatch) -> None:
    policy = replace(POLICY, pools={POOL: POLICY.pools[POOL], OTHER.token: OTHER})

    async def read_policy(_js: JetStream) -> Policy:
        return policy

    monkeypatch.setattr(steering, "read_policy", read_policy)
    monkeypatch.setattr(steering, "ASIDE_MAX_S", 0.5)
    await provision(js, policy)
    for item in (delivery("m1"), delivery("m2", next_ms=now_ms() + 3_600_000)):
        await Acceptance(js).accept(Plan((item,)), b"content")
    now = now_ms()
    selector = Selector(pools=(POOL,), states=(READY,))
    words = {"author": "ann", "reason": "warm up", "given_ms": now, "ends_ms": now + 60_000, "pool": OTHER.token}
    order = Order(id="o1", action=Action.REROUTE, selector=selector, **words)
    tally = await carry_out_all(js, order, Survey(1, Counter({("shop", "b.example", READY): 1})))
    assert (tally.done, tally.failed) == (0, 0)
    assert sorted(each.delivery.id for each in await list_waiting(js, POOL)) == ["m1", "m2"]
    assert await list_waiting(js, OTHER.token) == []
