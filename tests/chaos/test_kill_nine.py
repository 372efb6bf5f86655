"""kill -9 under load: nothing that was answered 250 is lost; what is doubled is at most what was in flight.

A deliverer is killed in test_hand_over.py, where its connections are counted too.
"""

import asyncio
import signal

import pytest

from chaos.load import SESSIONS, under_load
from platform_support import Stage

MESSAGES = 240
CONNECTIONS_MAX = 10  # of the default DestinationPolicy: the transactions in flight to one site


def kill(stage: Stage, name: str) -> None:
    process = stage.platform.services[name].process
    assert process is not None
    process.send_signal(signal.SIGKILL)


@pytest.mark.timeout(300)
async def test_submission_is_killed(stage: Stage) -> None:
    await under_load(stage, MESSAGES, lambda: kill(stage, "submission"))
    account = await stage.settled(150)
    assert account.lost == 0
    assert account.accepted == MESSAGES
    assert account.duplicated == 0
    # What was stored before its 250 could be said was sent again by the client: a new message, under a new id.
    assert len(stage.internet.received) <= MESSAGES + SESSIONS


@pytest.mark.timeout(300)
async def test_the_queue_itself_is_killed(stage: Stage) -> None:
    nats = stage.platform.nats
    assert nats is not None

    def hurt() -> None:
        nats.kill()
        nats.start()

    await under_load(stage, MESSAGES, hurt)
    account = await stage.settled(150)
    assert account.lost == 0
    assert account.accepted == MESSAGES
    assert account.duplicated <= CONNECTIONS_MAX


@pytest.mark.timeout(300)
async def test_a_frozen_deliverer_wakes_up_to_nothing(tmp_path) -> None:
    stage = Stage(tmp_path, replicas=2)
    await stage.start()
    try:
        frozen = stage.platform.services["deliverer-mail-system_default-0"].process
        assert frozen is not None
        await under_load(stage, MESSAGES, lambda: frozen.send_signal(signal.SIGSTOP))
        account = await stage.settled(200)
        frozen.send_signal(signal.SIGCONT)
        await asyncio.sleep(5)
        after = await stage.account()
    finally:
        await stage.stop()
    assert account.lost == 0
    assert after.duplicated <= CONNECTIONS_MAX
