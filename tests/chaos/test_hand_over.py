"""Owners change while mail flows, and the receiving hosts measure it: limits hold, nothing is lost or doubled."""

import asyncio
import signal
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

import pytest
import pytest_asyncio

from chaos.gauge import FIRST, SECOND, Gauge, destination, name_that_moves
from chaos.load import flowing, under_load
from paquebot.queue.ownership import read_owner
from paquebot.queue.subjects import partition_of
from platform_support import Stage, content, manifests
from tests_support import wait_for

pytestmark = [pytest.mark.asyncio(loop_scope="module"), pytest.mark.timeout(180)]

POOL = "mail-system_default"
CONNECTIONS, RATE = 3, 20
RATE_SEEN = RATE + 1 + CONNECTIONS  # within a second: each connection may be late by one on its way to the host
BUSY, PACED, STUCK, LATE = (name_that_moves(stem) for stem in ("busy", "paced", "stuck", "late"))
EXTRA = (
    destination(BUSY, "crowded.test", f"maxConnections: {CONNECTIONS}, messagesPerConnection: 7")
    + destination(PACED, "paced.test", f"maxConnections: {CONNECTIONS}, rate: {RATE}/s")
    + destination(STUCK, "stuck.test", "maxConnections: 5")
    + destination(LATE, "late.test", "maxConnections: 5")
)


@dataclass
class Scene:
    """A platform and the hosts that measure it."""

    stage: Stage
    busy: Gauge = field(default_factory=lambda: Gauge("crowded.test", "127.0.0.71", rcpt_s=0.15))
    paced: Gauge = field(default_factory=lambda: Gauge("paced.test", "127.0.0.72"))
    stuck: Gauge = field(default_factory=lambda: Gauge("stuck.test", "127.0.0.73", rcpt_s=3600))
    late: Gauge = field(default_factory=lambda: Gauge("late.test", "127.0.0.74", dot_s=4))

    @property
    def gauges(self) -> tuple[Gauge, ...]:
        return self.busy, self.paced, self.stuck, self.late

    async def scale(self, replicas: int) -> None:
        objects = manifests(EXTRA)
        objects[0]["spec"]["replicas"] = replicas
        await self.stage.platform.apply(objects)

    async def owned_by(self, pod: str, name: str = BUSY, timeout_s: float = 90.0) -> None:
        """Wait until a deliverer owns a destination."""
        js = await self.stage.admin()
        try:
            async with asyncio.timeout(timeout_s):
                while True:
                    record = await read_owner(js, POOL, partition_of(name))
                    if record.pod == pod and not record.released:
                        return
                    await asyncio.sleep(0.05)
        finally:
            await js.close()

    def forget(self) -> None:
        self.stage.sent.clear()
        for gauge in self.gauges:
            gauge.taken.clear()
            gauge.began.clear()
            gauge.most = gauge.open

    def taken(self) -> int:
        return sum(len(gauge.taken) for gauge in self.gauges)

    def doubled(self) -> int:
        return sum(gauge.taken.total() - len(gauge.taken) for gauge in self.gauges)


@pytest_asyncio.fixture(loop_scope="module", scope="module")
async def scene(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Scene]:
    scene = Scene(Stage(tmp_path_factory.mktemp("platform"), EXTRA))
    scene.stage.more_records = tuple(record for gauge in scene.gauges for record in gauge.records)
    await scene.stage.start()
    for gauge in scene.gauges:
        await gauge.start(scene.stage.internet.mx_port)
    yield scene
    for gauge in scene.gauges:
        await gauge.stop()
    await scene.stage.stop()


@pytest.fixture(autouse=True)
def measured_anew(scene: Scene) -> None:
    scene.forget()


async def mail_for(scene: Scene, domain: str, count: int) -> None:
    await under_load(scene.stage, count, lambda: None, domain)


async def test_limits_hold_at_the_host_while_owners_come_and_go(scene: Scene) -> None:
    async with flowing(scene.stage, "crowded.test", 0.04), flowing(scene.stage, "paced.test", 0.03):
        await wait_for(lambda: scene.busy.taken.total() > 20)
        for replicas, owner in ((2, SECOND), (1, FIRST)):
            await scene.scale(replicas)
            await scene.owned_by(owner)
            before = scene.taken()
            await wait_for(lambda before=before: scene.taken() > before + 20)
    await wait_for(lambda: scene.taken() == len(scene.stage.sent), 60)
    assert scene.doubled() == 0
    assert scene.busy.most <= CONNECTIONS
    assert scene.paced.most <= CONNECTIONS
    assert scene.paced.fastest(1.0) <= RATE_SEEN


async def test_a_deliverer_is_gone_in_seconds_whatever_waits_and_nothing_is_repeated(scene: Scene) -> None:
    stage = scene.stage
    await scene.scale(2)
    await scene.owned_by(SECOND, STUCK)
    for domain in ("stuck.test", "late.test"):
        for number in range(3):
            await stage.submit(content(f"{domain}-{number}"), f"r{number}@{domain}")
    await mail_for(scene, "full.test", 60)  # deferred
    await mail_for(scene, "paced.test", 60)  # in line
    await wait_for(lambda: scene.stuck.open == 3)
    late = asyncio.create_task(stage.submit(content("late-last"), "last@late.test"))  # at its final dot when we go
    await wait_for(lambda: scene.late.open)
    leaving = stage.platform.services[SECOND]
    await scene.scale(1)
    assert leaving.process is not None
    assert leaving.process.returncode == 0, "it did not end by itself within 15 s, and was killed"
    await late
    await wait_for(lambda: len(scene.late.taken) == 4 and len(scene.paced.taken) == 60, 60)
    assert scene.doubled() == 0
    await wait_for(lambda: scene.stuck.open == 3)  # tried again by the other one
    waiting = {(each.id, each.recipient) for each in await stage.waiting()}
    assert len(waiting) == 63
    assert len(waiting) + scene.taken() == len(stage.sent)


async def test_limits_hold_at_the_host_when_its_owner_is_killed(scene: Scene) -> None:
    process = scene.stage.platform.services[FIRST].process
    assert process is not None
    async with flowing(scene.stage, "crowded.test", 0.04):
        await wait_for(lambda: scene.busy.taken.total() > 20)
        process.send_signal(signal.SIGKILL)
        before = scene.busy.taken.total()
        await wait_for(lambda: scene.busy.taken.total() > before + 20, 60)
    await wait_for(lambda: len(scene.busy.taken) == len(scene.stage.sent), 120)  # what it had in hand comes back
    assert scene.busy.most <= CONNECTIONS
    assert scene.doubled() <= CONNECTIONS  # what was between its final dot and our record
    assert scene.stage.platform.services[FIRST].restarts == 1


async def test_the_pace_holds_when_a_frozen_owner_wakes_up_beside_the_new_one(scene: Scene) -> None:
    await scene.scale(2)
    await scene.owned_by(SECOND, PACED)
    sending = asyncio.create_task(mail_for(scene, "paced.test", 400))
    await wait_for(lambda: scene.paced.taken.total() > 20)
    frozen = scene.stage.platform.services[SECOND].process
    assert frozen is not None
    frozen.send_signal(signal.SIGSTOP)
    try:
        await scene.owned_by(FIRST, PACED)
        before = scene.paced.taken.total()
        await wait_for(lambda: scene.paced.taken.total() > before + 5)
    finally:
        frozen.send_signal(signal.SIGCONT)
    await scene.owned_by(SECOND, PACED)
    await sending
    await wait_for(lambda: len(scene.paced.taken) == 400, 120)
    assert scene.paced.fastest(1.0) <= RATE_SEEN
    assert scene.doubled() <= CONNECTIONS
