"""What a site was taught outlives its deliverer, by a real bucket."""

from collections.abc import Callable

import pytest

from paquebot.deliverer.memory import NOTE_S, Memory
from paquebot.deliverer.site import Site
from paquebot.deliverer.throttle import State, Throttle
from paquebot.policy.values import DestinationPolicy
from paquebot.queue.buckets import Bucket
from paquebot.queue.jetstream import JetStream
from paquebot.queue.lesson import BUCKET, key_of

POLICY = DestinationPolicy("big", connections_max=8)
KEY = key_of("mail_main", "big", 1)


def site() -> Site:
    return Site("big", "big", Throttle(POLICY), slot=1, known=False)


@pytest.fixture
async def remember(js: JetStream, connect) -> Callable[[], Memory]:
    del js  # it has provisioned the server
    door = await connect("deliverer")  # with a deliverer's rights
    return lambda: Memory(Bucket(door, BUCKET), "mail_main")


async def met(memory: Memory, now_ms: int = 2_000_000) -> Site:
    other = site()
    await memory.recall(other, now_ms)
    assert other.known
    return other


async def test_the_next_owner_goes_on_where_the_last_stood(remember) -> None:
    memory, first = remember(), site()
    first.known = True
    for number in range(40):
        first.throttle.went_well(number / 10)
    while first.throttle.state is State.READY:
        first.throttle.slow_down(4.0, "421 4.7.0 slow down")
    memory.note(first, 4.5, 1_000_000)
    await memory.drain(10)
    second = await met(remember())
    assert second.throttle.pace.allowed == pytest.approx(first.throttle.pace.allowed, rel=0.01)
    assert (second.throttle.allowed, second.throttle.state) == (4, State.READY)  # its brief rest is over
    assert "slower than it may be after: 421 4.7.0 slow down" in second.throttle.why


async def test_a_rest_goes_on_until_its_end(remember) -> None:
    memory, first = remember(), site()
    first.known = True
    first.throttle.slow_down(10.0, "421")
    memory.note(first, 10.0, 1_000_000)
    await memory.drain(10)
    second = await met(remember(), 1_100_000)
    assert second.throttle.state is State.THROTTLED
    assert second.throttle.level == 1
    lesson = second.throttle.lesson(0.0, 0)
    assert lesson is not None


async def test_what_is_written_down_need_not_be_remembered(remember) -> None:
    memory, one = remember(), site()
    assert not memory.is_kept(one, 1.0, 1000)  # not read yet
    one.known = True
    assert memory.is_kept(one, 1.0, 1000)
    one.throttle.slow_down(1.0, "421")
    assert not memory.is_kept(one, 1.0, 1000)
    memory.note(one, 1.0, 1000)
    assert not memory.is_kept(one, 1.0, 1000)  # it may still be on its way
    await memory.drain(10)
    assert memory.is_kept(one, 1.0 + NOTE_S, 1000 + int(NOTE_S * 1000))
    one.throttle.suspend("by hand")
    assert not memory.is_kept(one, 20.0, 20_000)  # until somebody resumes it: no record says that


async def test_what_waits_for_its_turn_is_remembered(remember) -> None:
    memory = remember()
    slow = Site("slow", "slow", Throttle(DestinationPolicy("slow", rate_per_s=0.01)))
    slow.throttle.begin(1.0)
    assert not memory.is_kept(slow, 2.0, 2000)
    assert memory.is_kept(slow, 102.0, 102_000)


async def test_it_is_written_when_something_changed_and_not_too_often(remember, js: JetStream) -> None:
    memory, one = remember(), site()
    one.known = True
    memory.note(one, 0.0, 0)
    assert not memory.under_way.tasks  # nothing to tell
    one.throttle.slow_down(1.0, "421")
    memory.note(one, 1.0, 1000)
    await memory.drain(10)
    first = (await Bucket(js, BUCKET).state())[0]
    one.throttle.suspend("by hand", 5000.0)
    memory.note(one, 1.0 + NOTE_S / 2, 3500)
    assert not memory.under_way.tasks  # too early
    memory.note(one, 1.0 + NOTE_S, 6000)
    await memory.drain(10)
    memory.note(one, 1.0 + 3 * NOTE_S, 16_000)
    assert not memory.under_way.tasks  # nothing new
    assert (await Bucket(js, BUCKET).state())[0] == first + 1
    one.throttle.resume()
    one.throttle.level = 0
    memory.note(one, 100.0, 100_000)
    await memory.drain(10)
    assert await Bucket(js, BUCKET).get(KEY) is None


async def test_what_is_no_lesson_makes_a_new_site(remember, js: JetStream) -> None:
    await Bucket(js, BUCKET).put(KEY, b"{}")
    assert not (await met(remember())).throttle.has_learned
