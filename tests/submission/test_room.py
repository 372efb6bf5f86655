"""Room for mail on its way in: at, below and above each limit, who waits for what, and that all of it comes back."""

import asyncio

import pytest

from paquebot.submission.room import Claim, Room, RoomLimits


class _Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def _room(clock: _Clock | None = None, **limits: float) -> Room:
    return Room(RoomLimits(**{"octets_max": 1000, "share_max": 1.0, **limits}), clock or _Clock())  # type: ignore[arg-type]


async def _standing(room: Room, claim: Claim, octets: int) -> "asyncio.Task[object]":
    waiting = asyncio.create_task(room.wait(claim, octets))
    await asyncio.sleep(0)
    return waiting


@pytest.mark.parametrize(("octets", "given"), [(399, True), (400, True), (401, False)])
def test_octets_are_given_up_to_their_limit(octets: int, *, given: bool) -> None:
    room = _room()
    assert room.ask(Claim("a"), 600)
    assert room.ask(Claim("b"), octets) is given


def test_who_is_alone_may_have_more_than_there_is() -> None:
    room = _room()
    large = Claim("a")
    assert room.ask(large, 5000)
    assert not room.ask(Claim("b"), 1)
    room.leave(large)
    assert room.ask(Claim("b"), 1)


@pytest.mark.parametrize(("octets", "given"), [(99, True), (100, True), (101, False)])
def test_one_credential_has_a_share_and_others_the_rest(octets: int, *, given: bool) -> None:
    room = _room(share_max=0.5)
    assert room.ask(Claim("a"), 400)
    assert room.ask(Claim("a"), octets) is given
    assert room.ask(Claim("b"), 400)


def test_a_single_message_may_be_larger_than_its_credentials_share() -> None:
    room = _room(share_max=0.5)
    assert room.ask(Claim("a"), 800)
    assert room.ask(Claim("b"), 200)


@pytest.mark.parametrize("messages_max", [1, 2, 3])
def test_so_many_messages_run_at_once(messages_max: int) -> None:
    room = _room(messages_max=messages_max)
    claims = [Claim(str(number)) for number in range(messages_max)]
    assert all(room.ask(claim, 1) for claim in claims)
    late = Claim("late")
    assert not room.ask(late, 1)
    room.leave(claims[0])
    assert room.ask(late, 1)
    assert room.messages == messages_max


async def test_those_in_line_come_in_their_order() -> None:
    room = _room(messages_max=1)
    first, *others = (Claim(name) for name in "abc")
    assert room.ask(first, 1)
    waiting = [await _standing(room, claim, 1) for claim in others]
    room.leave(first)
    assert await waiting[0] is None
    assert not waiting[1].done()
    assert not room.ask(Claim("d"), 1)  # not past those who wait
    room.leave(others[0])
    assert await waiting[1] is None


async def test_small_ones_pass_by_a_large_one_but_not_for_ever() -> None:
    clock = _Clock()
    room = _room(clock)
    held, large, small, other = (Claim(name) for name in "abcd")
    assert room.ask(held, 500)
    waits = await _standing(room, large, 900)
    assert await room.wait(small, 100) is None
    clock.now_s += 6
    passing = await _standing(room, other, 100)
    assert not passing.done()
    room.leave(small)
    room.leave(held)
    assert await waits is None
    assert await passing is None


async def test_a_credential_at_its_share_holds_up_nobody() -> None:
    clock = _Clock()
    room = _room(clock, share_max=0.5)
    assert room.ask(Claim("a"), 400)
    own = await _standing(room, Claim("a"), 400)
    clock.now_s += 6
    assert await room.wait(Claim("b"), 100) is None
    own.cancel()


@pytest.mark.parametrize(
    ("filled", "limits", "reply"),
    [
        (600, {}, "452 4.3.1 Mail on its way in fills 0 of 0 MiB of memory: try again in a minute"),
        (1, {"messages_max": 1}, "452 4.3.2 1 messages are being taken already: try again in a minute"),
        (
            600,
            {"share_max": 0.8},
            "452 4.7.0 Other mail of a takes its share of memory, 0 MiB: send fewer large messages at once",
        ),
    ],
)
async def test_who_waits_in_vain_hears_why(filled: int, limits: dict[str, float], reply: str) -> None:
    room = _room(waiting_max_s=0.01, **limits)
    assert room.ask(Claim("a"), filled)
    assert str(await room.wait(Claim("a"), 300 if "share_max" in limits else 500)) == reply
    assert not room.line
    assert room.held_bytes == filled


@pytest.mark.parametrize(("standing", "refused"), [(1, False), (2, True)])
async def test_the_line_has_a_limit(standing: int, *, refused: bool) -> None:
    room = _room(messages_max=1, waiting_max=2, waiting_max_s=0.05)
    assert room.ask(Claim("a"), 1)
    waiting = [await _standing(room, Claim("b"), 1) for _ in range(standing)]
    reply = await room.wait(Claim("c"), 1)
    assert reply is not None
    assert ("wait to be taken already" in reply.text) is refused
    await asyncio.gather(*waiting)


async def test_who_goes_while_waiting_leaves_nothing_behind() -> None:
    room = _room(messages_max=1)
    assert room.ask(Claim("a"), 1)
    gone = Claim("b")
    waiting = await _standing(room, gone, 500)
    room.leave(gone)
    await waiting
    assert (room.held_bytes, room.messages, len(room.line)) == (1, 1, 0)


async def test_a_wait_that_is_cancelled_leaves_the_line() -> None:
    room = _room(messages_max=1)
    assert room.ask(Claim("a"), 1)
    waiting = await _standing(room, Claim("b"), 1)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert not room.line


async def test_who_has_begun_gets_more_before_who_has_not() -> None:
    room = _room(messages_max=2)
    grows, other, new = Claim("a"), Claim("b"), Claim("c")
    assert room.ask(grows, 400)
    assert room.ask(other, 600)
    assert not room.widen(grows, 700)
    begins = await _standing(room, new, 300)
    more = asyncio.create_task(room.wait_for_more(grows, 700))
    await asyncio.sleep(0)
    room.leave(other)
    assert await more is None
    assert await begins is None
    assert (grows.octets, new.octets, room.held_bytes) == (700, 300, 1000)


async def test_when_all_want_more_than_there_is_one_gives_up_and_the_others_go_on() -> None:
    room = _room(waiting_max_s=0.05)
    claims = [Claim("a"), Claim("b")]
    assert all(room.ask(claim, 500) for claim in claims)
    first = asyncio.create_task(room.wait_for_more(claims[0], 900))
    reply = await first
    assert reply is not None
    assert reply.enhanced == "4.3.1"
    second = asyncio.create_task(room.wait_for_more(claims[1], 900))
    room.leave(claims[0])
    assert await second is None


def test_who_steps_aside_lets_another_run_and_keeps_its_octets() -> None:
    room = _room(messages_max=1)
    slow = Claim("a")
    assert room.ask(slow, 600)
    room.step_aside(slow)
    assert room.ask(Claim("b"), 400)
    room.take(slow, slow.octets)  # it has come after all
    assert (room.messages, room.held_bytes) == (2, 1000)


async def test_nothing_is_begun_while_memory_is_short_and_then_it_goes_on() -> None:
    room = _room()
    begun = Claim("a")
    assert room.ask(begun, 100)
    room.be_short()
    assert not room.ask(Claim("b"), 1)
    assert not room.widen(begun, 200)
    waiting = await _standing(room, Claim("b"), 1)
    room.be_ample()
    assert await waiting is None
    assert room.ask(Claim("c"), 1)


def test_late_replies_make_fewer_run_and_timely_ones_more() -> None:
    clock = _Clock()
    room = _room(clock, messages_max=100, messages_min=10)
    clock.now_s += 2
    room.learn(1.01)
    room.learn(1.5)  # the same moment's lateness counts once
    assert int(room.at_once) == 90
    for _ in range(50):
        clock.now_s += 2
        room.learn(3)
    assert int(room.at_once) == 10
    for _ in range(1000):
        room.learn(1.0)
    assert int(room.at_once) == 100


def test_fewer_at_once_ends_nothing_that_runs() -> None:
    clock = _Clock()
    room = _room(clock, messages_max=2, messages_min=1)
    claims = [Claim("a"), Claim("b")]
    assert all(room.ask(claim, 1) for claim in claims)
    clock.now_s += 2
    room.learn(9)
    room.leave(claims[0])
    assert not room.ask(Claim("c"), 1)
    room.leave(claims[1])
    assert room.ask(Claim("c"), 1)
