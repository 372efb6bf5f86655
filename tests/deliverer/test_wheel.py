"""Deadlines pass for those who are not disarmed."""

import asyncio

from paquebot.deliverer.wheel import DeadlineWheel


async def test_only_what_is_still_armed_is_called_and_once() -> None:
    wheel = DeadlineWheel()
    turning = asyncio.create_task(wheel.run())
    called: list[str] = []
    wheel.arm("late", 0.1, lambda: called.append("late"))
    wheel.arm("disarmed", 0.1, lambda: called.append("disarmed"))
    wheel.disarm("disarmed")
    wheel.arm("armed again", 0.1, lambda: called.append("too early"))
    wheel.arm("armed again", 60, lambda: called.append("armed again"))
    await asyncio.sleep(1)
    assert called == ["late"]
    turning.cancel()


def test_less_patience_shortens_long_times_and_leaves_short_ones() -> None:
    assert [DeadlineWheel().shortened(seconds) for seconds in (0.1, 600)] == [0.1, 600]
    assert [DeadlineWheel(0.02).shortened(seconds) for seconds in (0.1, 10, 600)] == [0.1, 2, 12]
