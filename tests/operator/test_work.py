"""Keys wait once, are in one hand at a time, and come back after a failure."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator

import pytest

from paquebot_operator import work as module
from paquebot_operator.names import Key
from paquebot_operator.work import Work
from tests_support import wait_for

A, B = Key("MailDomain", "shop", "a"), Key("MailDomain", "shop", "b")


class Reconciler:
    """Takes notes; a look lasts until `gate` is open, and fails as often as `fails` says."""

    def __init__(self) -> None:
        self.looks: list[Key] = []
        self.at_once: dict[Key, int] = {}
        self.most: dict[Key, int] = {}
        self.gate = asyncio.Event()
        self.gate.set()
        self.fails = 0
        self.next_s: float | None = None

    async def look(self, key: Key) -> float | None:
        self.looks.append(key)
        self.at_once[key] = self.at_once.get(key, 0) + 1
        self.most[key] = max(self.most.get(key, 0), self.at_once[key])
        try:
            await self.gate.wait()
            if self.fails:
                self.fails -= 1
                raise RuntimeError("not now")
        finally:
            self.at_once[key] -= 1
        return self.next_s


@pytest.fixture
async def reconciler() -> Reconciler:
    return Reconciler()


@pytest.fixture
async def work(reconciler: Reconciler) -> AsyncIterator[Work]:
    made = Work({"MailDomain": reconciler.look}, rng=random.Random(1))
    running = asyncio.create_task(made.run())
    made.resume()
    yield made
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


async def test_a_key_that_is_added_often_is_looked_at_once(work: Work, reconciler: Reconciler) -> None:
    for _ in range(10):
        work.add(A)
    await wait_for(lambda: reconciler.looks)
    await asyncio.sleep(0.05)
    assert reconciler.looks == [A]


async def test_what_changes_while_it_is_looked_at_is_looked_at_again_afterwards(
    work: Work, reconciler: Reconciler
) -> None:
    reconciler.gate.clear()
    work.add(A)
    await wait_for(lambda: reconciler.looks)
    work.add(A)
    work.add(A)
    reconciler.gate.set()
    await wait_for(lambda: len(reconciler.looks) == 2)
    await asyncio.sleep(0.05)
    assert reconciler.looks == [A, A]
    assert reconciler.most[A] == 1


async def test_one_that_waits_keeps_no_other_waiting(work: Work, reconciler: Reconciler) -> None:
    reconciler.gate.clear()
    work.add(A)
    work.add(B)
    await wait_for(lambda: set(reconciler.looks) == {A, B})
    reconciler.gate.set()


async def test_a_failure_is_tried_again_for_ever_and_forgotten_after_a_success(
    monkeypatch: pytest.MonkeyPatch, work: Work, reconciler: Reconciler
) -> None:
    monkeypatch.setattr(module, "BACKOFF_MIN_S", 0.01)
    reconciler.fails = 3
    work.add(A)
    await wait_for(lambda: len(reconciler.looks) == 4 and A not in work.busy)
    assert work.failures == {}


async def test_the_pause_grows_with_each_failure_up_to_its_limit(work: Work) -> None:
    pauses = [work._failed(A, RuntimeError("no")) for _ in range(20)]
    assert 0.5 <= pauses[0] <= 1.0
    assert all(pause <= module.BACKOFF_MAX_S for pause in pauses)
    assert pauses[-1] >= module.BACKOFF_MAX_S / 2


async def test_what_asks_for_another_look_gets_it(work: Work, reconciler: Reconciler) -> None:
    reconciler.next_s = 0.01
    work.add(A)
    await wait_for(lambda: len(reconciler.looks) >= 3)


async def test_a_standby_looks_at_nothing_until_it_leads(reconciler: Reconciler) -> None:
    standby = Work({"MailDomain": reconciler.look})
    running = asyncio.create_task(standby.run())
    standby.add(A)
    await asyncio.sleep(0.05)
    assert reconciler.looks == []
    standby.resume()
    await wait_for(lambda: reconciler.looks == [A])
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_kinds_that_nobody_looks_after_are_passed_over(work: Work, reconciler: Reconciler) -> None:
    work.add(Key("Secret", "shop", "a"))
    assert work.due == {}
    assert reconciler.looks == []
