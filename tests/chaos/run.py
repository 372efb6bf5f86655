"""One run: everything up, clients send, faults come, all is healed, and everybody is asked what became of the mail."""

import asyncio
import shutil
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from chaos.account import Account, Evidence, settle
from chaos.client import Clients
from chaos.host import Hosts
from chaos.letters import Letters
from chaos.plan import Card, Fault, Kind, deck, plan
from chaos.scene import DELIVERERS, ONCE, POOL, Scene
from chaos.storm import LEADER, Storm
from chaos.trail import trail
from paquebot.cli.place import Place
from paquebot.cli.queue import all_waiting
from paquebot.cli.send import trust
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.subjects import SLICES, stream_name

CLIENTS = 10
LOOK_S = 1.0
CALM, CALM_MAX_S = 25, 120.0  # letters that are accepted between faults that come one after the other


@dataclass(frozen=True, slots=True)
class Profile:
    """How hard and how long."""

    seed: int
    seconds: float
    messages_per_second: float = 30.0
    gap_s: float = 4.0  # between faults, on average
    drain_s: float = 180.0  # everything must have come to an end then
    servers: int = 1
    until_empty: bool = True  # else what waits at the end may wait, as long as nothing is missing
    only: str = ""  # of the kinds and targets of the faults that are dealt: those with this in their name
    faults: tuple[Fault, ...] = ()  # one after the other, by what is accepted, not by time; empty: as the seed deals


@dataclass(eq=False)
class Run:
    """A run in progress."""

    profile: Profile
    root: Path
    say: Callable[[str], None] = field(default=lambda _line: None)
    scene: Scene = field(init=False)
    clients: Clients = field(init=False)
    storm: Storm = field(init=False)
    drained_s: float = 0.0

    async def whole(self) -> dict[str, Any]:
        """Return the account as plain values. The platform's folder stays when something is wrong."""
        letters = Letters(self.profile.seed)
        self.scene = Scene(Place(self.root), Hosts(letters), self.profile.servers)
        try:
            await self.scene.start()
            port = self.scene.links["client - submission"].port
            self.clients = Clients(letters, lambda: port, trust(self.scene.place))
            self.storm = Storm(self.scene, self.say)
            await self._rage()
            numbers = await self._settled()
        finally:
            await self.scene.stop()
        if is_good(numbers):
            shutil.rmtree(self.root, ignore_errors=True)
        return numbers

    async def _rage(self) -> None:
        profile = self.profile
        sending = asyncio.create_task(self.clients.send(CLIENTS, CLIENTS / profile.messages_per_second))
        try:
            if profile.faults:
                await self.storm.blow(list(profile.faults), self._calm)
            else:
                faults = plan(profile.seed, self._all_cards(), profile.seconds, profile.gap_s)
                await asyncio.gather(asyncio.sleep(profile.seconds), self.storm.rage(faults))
                await asyncio.sleep(1)  # what is sent when all is well again
        finally:
            self.clients.stopping.set()
            await sending
        self.say("the storm is over")

    async def _calm(self) -> None:
        """Wait until letters are accepted again."""
        wanted = len(self.clients.accepted) + CALM
        async with asyncio.timeout(CALM_MAX_S):
            while len(self.clients.accepted) < wanted:
                await asyncio.sleep(0.1)

    def _all_cards(self) -> list[Card]:
        names = list(self.storm._nodes())
        cards = deck((*ONCE, *names), list(self.scene.links), DELIVERERS)
        if self.profile.servers > 1:
            cards += [(Kind.KILL, LEADER)] * 3 + [(Kind.RESTART, "all servers in turn")] + [(Kind.FREEZE, names[0])]
        return [card for card in cards if self.profile.only in f"{card[0]} {card[1]}"]

    async def _settled(self) -> dict[str, Any]:
        """Wait until nothing waits, no longer than the profile says; then count."""
        began = time.monotonic()
        while True:
            try:
                waiting = await self._waiting()
            except (QueueUnavailableError, ApiError) as error:
                self.say(f"the queue cannot be asked: {error}")
            else:
                account = self._account(waiting)
                late = time.monotonic() - began > self.profile.drain_s
                if late or not (account.lost or (waiting and self.profile.until_empty)):
                    break
            await asyncio.sleep(LOOK_S)
        self.drained_s = time.monotonic() - began
        which = account.which
        await self._follow(list(dict.fromkeys([*which["unexplained"], *which["duplicated"], *which["lingering"]])))
        return self._numbers(account) | await self._bodies(set(waiting))

    async def _follow(self, pairs: list[str]) -> None:
        """Tell what happened to those that came twice, or still wait though they came."""
        js = await self.scene.admin()
        try:
            for queue_id, recipient in [pair.split(" ") for pair in pairs]:
                for line in await trail(js, queue_id, recipient, self.scene.hosts.arrived):
                    self.say(line)
        finally:
            await js.close()

    async def _waiting(self) -> dict[tuple[str, str], str]:
        js = await self.scene.admin()
        try:
            return {
                (each.delivery.id, recipient): each.delivery.reason or each.state
                for each in await all_waiting(js, 100_000)
                for recipient in each.delivery.recipients
            }
        finally:
            await js.close()

    def _account(self, waiting: dict[tuple[str, str], str]) -> Account:
        at_kills, at_others = self.storm.repeatable()
        hosts = self.scene.hosts
        return settle(Evidence(self.clients.accepted, hosts.arrived, hosts.failed, waiting, at_kills | at_others))

    def _numbers(self, account: Account) -> dict[str, Any]:
        profile, storm = self.profile, self.storm
        at_kills, at_others = storm.repeatable()
        counts = storm.counts
        return {
            "seed": profile.seed,
            "minutes": round(profile.seconds / 60, 2),
            "servers": profile.servers,
            **account.as_json(),
            "in_flight_at_kills": len(at_kills),
            "in_flight_at_outages": len(at_others),
            "kills": counts[Kind.KILL],
            "cuts": counts[Kind.CUT],
            "black_holes": counts[Kind.HOLE],
            "slowed": counts[Kind.SLOW],
            "frozen": counts[Kind.FREEZE],
            "filled": counts[Kind.FILL],
            "all_down": counts[Kind.DOWN],
            "restarts_in_turn": counts[Kind.RESTART],
            "cut_in_content": self.clients.cut_in_content,
            "left_after_dot": self.clients.left_after_dot,
            "longest_pause_s": max(self.clients.pauses, default=(0.0, 0.0))[0],
            "pauses": sorted(self.clients.pauses, reverse=True)[:5],
            "drained_s": round(self.drained_s, 1),
            "refusals": dict(self.clients.refusals.most_common(12)),
            "broken": dict(self.clients.broken.most_common(8)),
        }

    async def _bodies(self, waiting: set[tuple[str, str]]) -> dict[str, Any]:
        """Count stored contents that no delivery names: their time to live takes them; without one they are orphans."""
        named = {queue_id for queue_id, _recipient in waiting}
        left = orphaned = 0
        js = await self.scene.admin()
        try:
            for number in range(SLICES):
                for message in await _contents(js, number):
                    if message.subject.split(".")[4] not in named:
                        left += 1
                        orphaned += "Nats-TTL" not in message.headers
        finally:
            await js.close()
        return {"bodies_left": left, "orphaned": orphaned}


def is_good(numbers: dict[str, Any]) -> bool:
    """Say whether everything accepted came to its end, once, unaltered, and left nothing behind."""
    return not any(numbers[each] for each in ("lost", "unexplained", "altered", "orphaned", "waiting", "lingering"))


async def _contents(js: JetStream, number: int):
    return await js.read_all(stream_name(POOL, number), f"mq.{POOL}.{number}.b.>")
