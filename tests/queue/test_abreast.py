"""Where several servers refuse publishes beside each other, those of a process go one by one, and come through."""

import asyncio

import pytest

from paquebot.queue.abreast import Abreast


class RefusedError(Exception):
    pass


class Leader:
    """Refuses what expects the same as a publish that is on its way."""

    def __init__(self) -> None:
        self.on_its_way: set[str] = set()
        self.asked = 0

    async def store(self, expected: str) -> int:
        self.asked += 1
        if expected in self.on_its_way:
            raise RefusedError
        self.on_its_way.add(expected)
        await asyncio.sleep(0)
        await asyncio.sleep(0)
        self.on_its_way.discard(expected)
        return self.asked


async def test_after_the_first_refusal_none_is_refused_any_more() -> None:
    abreast, leader = Abreast(RefusedError), Leader()
    await asyncio.gather(*(abreast.publish("o.1", 5, lambda: leader.store("o.1")) for _ in range(40)))
    leader.asked = 0
    await asyncio.gather(*(abreast.publish("o.1", 5, lambda: leader.store("o.1")) for _ in range(40)))
    assert leader.asked == 40
    assert not abreast.lines


async def test_one_server_alone_is_asked_for_all_at_once() -> None:
    abreast, under_way, most = Abreast(RefusedError), 0, 0

    async def store() -> None:
        nonlocal under_way, most
        under_way += 1
        most = max(most, under_way)
        await asyncio.sleep(0)
        under_way -= 1

    await asyncio.gather(*(abreast.publish("o.1", 5, store) for _ in range(40)))
    assert most == 40


async def test_other_expectations_do_not_wait() -> None:
    abreast, blocked = Abreast(RefusedError, refused=True), asyncio.Event()
    first = asyncio.create_task(abreast.publish("o.1", 5, blocked.wait))
    second = asyncio.create_task(abreast.publish("o.1", 5, blocked.wait))
    leader = Leader()
    assert await abreast.publish("o.2", 5, lambda: leader.store("o.2")) == 1
    blocked.set()
    await asyncio.gather(first, second)


async def test_what_is_refused_for_too_long_says_so() -> None:
    leader = Leader()
    leader.on_its_way.add("o.1")  # another process's, for ever
    with pytest.raises(RefusedError):
        await Abreast(RefusedError).publish("o.1", 0.05, lambda: leader.store("o.1"))
    assert leader.asked > 2
