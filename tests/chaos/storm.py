"""Does the faults of a plan, undoes each when its time is over, and notes whose transactions were under way."""

import asyncio
import contextlib
import os
import signal
import time
from collections import Counter
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from chaos.link import Way
from chaos.plan import BRIM, WAYS, Fault, Kind
from chaos.scene import DELIVERERS, POOL, STORE_BYTES, Scene
from paquebot.cli.processes import Service
from paquebot.queue.jetstream import JetStream, QueueFullError, QueueUnavailableError
from paquebot.queue.lease import LEASE_S
from paquebot.queue.server import NatsServer
from paquebot.queue.subjects import SLICES, stream_name

AFTERWARDS_S = 3.0  # until what was hurt has found its way again
HOSTS_AFTERWARDS_S = 1.0
FILLER_BYTES = 4 << 20
LEADER = "the leader"


@dataclass(frozen=True, slots=True)
class Window:
    """A time in which what a deliverer had under way may be repeated."""

    deliverer: str
    since: float
    until: float
    kill: bool = False


@dataclass(eq=False)
class Storm:
    """Faults as they happen."""

    scene: Scene
    say: Callable[[str], None]
    began: float = field(default_factory=time.monotonic)
    windows: list[Window] = field(default_factory=list)
    counts: Counter[Kind] = field(default_factory=Counter)
    going_on: dict[Fault, float] = field(default_factory=dict)
    locks: dict[str, asyncio.Lock] = field(default_factory=dict)

    async def rage(self, faults: list[Fault]) -> None:
        """Do all faults of a plan; returns when the last one is undone."""
        self.began = time.monotonic()
        async with asyncio.TaskGroup() as tasks:
            for fault in faults:
                await asyncio.sleep(max(0.0, self.began + fault.at_s - time.monotonic()))
                tasks.create_task(self._do(fault))

    async def blow(self, faults: list[Fault], calm: Callable[[], Awaitable[None]]) -> None:
        """Do faults one after the other, each when it is calm again after the one before."""
        self.began = time.monotonic()
        for fault in faults:
            await calm()
            await self._do(fault)
        await calm()

    def repeatable(self) -> tuple[set[str], set[str]]:
        """Return the recipients under way when a deliverer was killed, and those under way at the other faults."""
        found: dict[bool, set[str]] = {True: set(), False: set()}
        for window in self.windows:
            for passage in self.scene.hosts.under_way(window.deliverer, window.since, window.until):
                found[window.kill] |= set(passage.recipients)
        return found[True], found[False] - found[True]

    async def _do(self, fault: Fault) -> None:
        locks = [self.locks.setdefault(name, asyncio.Lock()) for name in self._hurt(fault)]
        for lock in locks:
            await lock.acquire()
        try:
            since = time.monotonic()
            self.going_on[fault] = since
            self.counts[fault.kind] += 1
            self.say(f"{since - self.began:7.2f} s  {fault}")
            await self._act(fault)
            self._note(fault, since)
        finally:
            self.going_on.pop(fault, None)
            for lock in locks:
                lock.release()

    def _hurt(self, fault: Fault) -> list[str]:
        """Return what a fault hurts, in an order that all keep: nothing is hurt twice at once."""
        if fault.kind is Kind.DOWN:
            return sorted((*self.scene.platform.services, *self._nodes()))
        if fault.target == LEADER or fault.kind is Kind.RESTART:
            return sorted(self._nodes())
        return [fault.target]

    async def _act(self, fault: Fault) -> None:
        if fault.kind in WAYS:
            self.scene.links[fault.target].become(WAYS[fault.kind])
            await asyncio.sleep(fault.lasts_s)
            self.scene.links[fault.target].become(Way.OPEN)
        elif fault.kind is Kind.FILL:
            await self._fill(fault)
        elif fault.kind is Kind.FREEZE:
            await self._freeze(fault)
        elif fault.kind is Kind.RESTART:
            await self._restart_in_turn()
        elif fault.kind is Kind.DOWN:
            await self._everything_down(fault.lasts_s)
        elif fault.target in self.scene.platform.services:
            await self._kill(self.scene.platform.services[fault.target], fault.lasts_s)
        else:
            await self._kill_node(await self._node(fault.target), fault.lasts_s)

    def _note(self, fault: Fault, since: float) -> None:
        """Note what of deliverers' transactions may come twice for this fault.

        A deliverer that is cut off from the queue, or whose queue goes, knows what it has settled: only where that
        takes longer than its lease, another may try what it had in hand.
        """
        now = time.monotonic()
        one = next((name for name in DELIVERERS if fault.target.startswith(name)), None)
        if fault.kind is Kind.KILL and one:
            self.windows.append(Window(one, since, since, kill=True))
        elif fault.kind is Kind.DOWN:
            self.windows += [Window(name, since, since, kill=True) for name in DELIVERERS]
        elif one and fault.target.endswith(" - hosts"):
            self.windows.append(Window(one, since, now + HOSTS_AFTERWARDS_S))
        elif one and fault.kind is Kind.FREEZE:
            self.windows.append(Window(one, since, since))
        elif now - since > LEASE_S - AFTERWARDS_S:
            cut_off = [name for name in DELIVERERS if fault.target in {f"{name} - nats", *self._nodes()}]
            self.windows += [Window(name, since, now + AFTERWARDS_S) for name in cut_off]

    async def _kill(self, service: Service, down_s: float) -> None:
        service.ending = True  # its keeper must not start it before its time
        with contextlib.suppress(ProcessLookupError):
            service.process.send_signal(signal.SIGCONT)
            service.process.kill()
        await service.process.wait()
        await asyncio.sleep(down_s)
        service.ending = False
        await service.launch()

    async def _kill_node(self, node: NatsServer, down_s: float) -> None:
        await asyncio.to_thread(node.kill)
        await asyncio.sleep(down_s)
        await asyncio.to_thread(node.start)

    async def _restart_in_turn(self) -> None:
        """Restart each server in order, the next one when the one before has caught up."""
        for name, node in self._nodes().items():
            self.say(f"{time.monotonic() - self.began:7.2f} s  {name} restarts")
            await asyncio.to_thread(node.stop)
            await asyncio.to_thread(node.start)
            await self._caught_up()

    async def _caught_up(self) -> None:
        js = await self.scene.admin()
        try:
            end = time.monotonic() + 60
            while time.monotonic() < end:
                with contextlib.suppress(QueueUnavailableError):
                    infos = [
                        (await js.request(f"STREAM.INFO.{stream_name(POOL, number)}"))["cluster"]
                        for number in range(SLICES)
                    ]
                    if all(each.get("leader") and all(r["current"] for r in each["replicas"]) for each in infos):
                        return
                await asyncio.sleep(0.3)
            self.say("a replica has not caught up within 60 s")
        finally:
            await js.close()

    async def _everything_down(self, down_s: float) -> None:
        services, nodes = list(self.scene.platform.services.values()), self._nodes().values()
        for service in services:
            service.ending = True
            with contextlib.suppress(ProcessLookupError):
                service.process.kill()
        for node in nodes:
            await asyncio.to_thread(node.kill)
        await asyncio.gather(*(service.process.wait() for service in services))
        await asyncio.sleep(down_s)
        await asyncio.gather(*(asyncio.to_thread(node.start) for node in nodes))
        for service in services:
            service.ending = False
            await service.launch()

    async def _freeze(self, fault: Fault) -> None:
        service = self.scene.platform.services.get(fault.target)
        pid = service.process.pid if service else (await self._node(fault.target)).process.pid
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGSTOP)
        await asyncio.sleep(fault.lasts_s)
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGCONT)

    async def _fill(self, fault: Fault) -> None:
        """Fill the store, and free it again; give up when the queue is away meanwhile."""
        js = await self._patient_admin()
        try:
            await self._pour(js, fault.target == BRIM)
            await asyncio.sleep(fault.lasts_s)
        finally:
            await js.close()
            await self._drain()

    async def _pour(self, js: JetStream, brim: bool) -> None:
        filler, number = b"x" * FILLER_BYTES, 0
        with contextlib.suppress(QueueFullError, QueueUnavailableError):
            while brim or (await js.request("INFO"))["storage"] < 0.8 * STORE_BYTES * len(self._nodes()):
                slice_ = number % SLICES
                await js.publish(f"mq.{POOL}.{slice_}.b.filler.{number}", filler, timeout_s=10)
                number += 1

    async def _drain(self) -> None:
        while True:
            js = await self._patient_admin()
            try:
                for number in range(SLICES):
                    pattern = {"filter": f"mq.{POOL}.{number}.b.filler.>"}
                    await js.request(f"STREAM.PURGE.{stream_name(POOL, number)}", pattern)
            except QueueUnavailableError:
                await asyncio.sleep(0.5)
            else:
                return
            finally:
                await js.close()

    async def _patient_admin(self) -> JetStream:
        while True:
            try:
                return await self.scene.admin()
            except QueueUnavailableError:
                await asyncio.sleep(0.5)

    def _nodes(self) -> dict[str, NatsServer]:
        nodes = self.scene.platform.nats.nodes
        return {"nats" if len(nodes) == 1 else f"nats-{number}": node for number, node in enumerate(nodes)}

    async def _node(self, target: str) -> NatsServer:
        """Return a server by its name, or who leads the first of the pool's streams now."""
        nodes = self._nodes()
        if target != LEADER:
            return nodes[target]
        js = await self._patient_admin()
        try:
            info = await js.request(f"STREAM.INFO.{stream_name(POOL, 0)}")
            self.say(f"{time.monotonic() - self.began:7.2f} s  the leader is {info['cluster']['leader']}")
            return nodes[info["cluster"]["leader"]]
        except (QueueUnavailableError, KeyError):
            return nodes["nats-0"]
        finally:
            await js.close()
