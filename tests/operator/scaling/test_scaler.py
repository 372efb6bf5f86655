"""From a real queue to what is written and told: a backlog makes a pool grow, silence makes it shrink in nothing."""

from dataclasses import replace

import pytest
from prometheus_client import REGISTRY

from paquebot.mail.delivery import Plan
from paquebot.policy.scaling import Scaling
from paquebot.queue.acceptance import Acceptance
from paquebot.queue.jetstream import JetStream, QueueUnavailableError
from paquebot.queue.members import Heartbeat, Load, Member
from paquebot_operator.scaling.actuate import Writes
from paquebot_operator.scaling.scaler import Scaler
from queue_fixtures import POLICY
from queue_fixtures import POOL as DECLARED
from queue_making import POOL, delivery, now_ms

FAST = replace(DECLARED, scaling=Scaling(replicas_min=0, drain_s=1))


def metric(name: str) -> float | None:
    return REGISTRY.get_sample_value(f"paquebot_pool_{name}", {"pool": POOL})


async def put(js: JetStream, count: int) -> None:
    for number in range(count):
        await Acceptance(js).accept(Plan((delivery(f"m{number}", 1, f"d{number}.example"),)), b"content")


async def test_a_pool_wakes_for_what_waits_and_grows_with_it(js: JetStream) -> None:
    scaler = Scaler(lambda: ready(js))
    now_s = now_ms() / 1000
    asleep = await scaler.size(POLICY, FAST, 0, {}, now_s)
    assert asleep.writes == Writes()
    await put(js, 200)
    awake = await scaler.size(POLICY, FAST, 0, {}, now_s + 10)
    assert awake.writes == Writes(3)
    assert awake.report.fields["queue"]["eligible"] == 200
    assert [metric(name) for name in ("recommended_replicas", "replicas", "eligible_messages")] == [3, 3, 200]
    scaler.forget([])
    assert metric("recommended_replicas") is None


async def test_a_pool_shrinks_after_its_window_and_marks_its_deliverers_first(js: JetStream) -> None:
    scaler = Scaler(lambda: ready(js))
    now_s = now_ms() / 1000
    for look in range(32):
        beat = Heartbeat(js, Member("pod-1", "deliverer", pool=POOL, load=Load(10.0 * look, sessions=7)))
        await beat.beat()
        made = await scaler.size(POLICY, DECLARED, 4, {}, now_s + 10 * look)
        assert made.writes == (Writes() if look < 31 else Writes(3, {"pod-1": 7}))


async def test_without_a_queue_nothing_shrinks_and_the_reason_is_told() -> None:
    scaler = Scaler(unreachable)
    for look in range(40):
        made = await scaler.size(POLICY, DECLARED, 4, {"scaling": {"lastScaleTime": "not a time"}}, 10.0 * look)
        assert made.writes == Writes()
    assert made.report.conditions[0].reason == "SignalsUnavailable"
    assert "no way" in made.report.conditions[0].message
    scaler.forget([POOL])
    assert set(scaler.known) == {POOL}


@pytest.mark.parametrize(("changed", "writes"), [("1970-01-01T00:16:35Z", Writes()), ("", Writes(7))])
async def test_after_a_restart_a_pool_that_just_grew_does_not_grow_at_once(
    js: JetStream, changed: str, writes: Writes
) -> None:
    await put(js, 500)
    scaler = Scaler(lambda: ready(js))
    await scaler.size(POLICY, FAST, 4, {"scaling": {"lastScaleTime": changed}}, 1000.0)
    made = await scaler.size(POLICY, FAST, 4, {}, 1010.0)
    assert made.writes == writes


async def ready(js: JetStream) -> JetStream:
    return js


async def unreachable() -> JetStream:
    raise QueueUnavailableError("no way")
