"""A bell calls one of those who wait, or all."""

import asyncio

from paquebot.deliverer.bell import Bell


async def waiters(bell: Bell, count: int, seconds: float = 60) -> list[asyncio.Task[bool]]:
    tasks = [asyncio.create_task(bell.wait(seconds)) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


async def test_each_ring_calls_the_one_who_has_waited_longest() -> None:
    bell = Bell()
    first, second, third = await waiters(bell, 3)
    bell.ring()
    assert await first
    bell.ring()
    assert await second
    assert not third.done()
    third.cancel()


async def test_who_is_called_off_is_not_called_in_anothers_place() -> None:
    bell = Bell()
    first, second = await waiters(bell, 2)
    first.cancel()
    bell.ring()
    assert await second
    assert not bell.waiting


async def test_all_are_called_at_the_end() -> None:
    bell = Bell()
    tasks = await waiters(bell, 3)
    bell.ring_all()
    assert await asyncio.gather(*tasks) == [True, True, True]


async def test_who_is_not_called_in_time_goes_and_leaves_nothing_behind() -> None:
    bell = Bell()
    assert await bell.wait(0.01) is False
    assert not bell.waiting
    bell.ring()
