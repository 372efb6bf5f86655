import asyncio

from paquebot.sandbox.outbox import Outbox
from tests_support import wait_for


async def test_without_a_pace_all_goes_out_at_once_and_in_order() -> None:
    said: list[bytes] = []
    outbox = Outbox(said.append, 0, 0)
    outbox.say(b"250 Ok\r\n")
    outbox.then(lambda: said.append(b"turn"))
    outbox.say(b"221 Bye\r\n")
    assert said == [b"250 Ok\r\n", b"turn", b"221 Bye\r\n"]


async def test_a_trickle_keeps_order_and_loses_nothing() -> None:
    said: list[bytes] = []
    outbox = Outbox(said.append, 0.001, 0.001)
    outbox.say(b"250 Ok\r\n")
    outbox.say(b"354 Go on\r\n")
    outbox.then(lambda: said.append(b"end"))
    assert not said
    await wait_for(lambda: b"end" in said)
    assert b"".join(said) == b"250 Ok\r\n354 Go on\r\nend"
    assert len(said) > 3


async def test_what_is_forgotten_is_never_said() -> None:
    said: list[bytes] = []
    outbox = Outbox(said.append, 0.01, 0)
    outbox.say(b"250 Ok\r\n")
    outbox.forget()
    later = Outbox(said.append, 0.03, 0)
    later.say(b"later")
    async with asyncio.timeout(10):
        while not said:
            await asyncio.sleep(0)
    assert said == [b"later"]
