"""What nobody waits for ends all the same, and does not crash in silence."""

import asyncio

from structlog.testing import capture_logs

from paquebot.queue.background import Background


async def test_work_is_kept_until_it_ends_and_a_crash_is_heard_of() -> None:
    done: list[int] = []

    async def work(number: int) -> None:
        await asyncio.sleep(0)
        if number < 0:
            raise ValueError(number)
        done.append(number)

    background = Background()
    with capture_logs() as logs:
        for number in (1, -1, 2):
            background.spawn(work(number))
        await background.drain(5)
        await asyncio.sleep(0)
    assert done == [1, 2]
    assert [log["event"] for log in logs] == ["work in the background crashed"]
    assert not background.tasks


async def test_a_drain_gives_up_in_time() -> None:
    background = Background()
    task = background.spawn(asyncio.sleep(60))
    await background.drain(0.01)
    assert not task.done()
    task.cancel()
