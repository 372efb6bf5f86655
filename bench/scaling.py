"""A pool over time on paper: what comes, what each destination takes, how many deliverers a scaler wants.

`python -m bench.scaling` prints the scenarios of docs/scaling.md, ours beside a scaler by lag: KEDA's NATS JetStream
scaler counts what waits and what is not acknowledged, deferred mail with it, and a HorizontalPodAutoscaler divides
that by a threshold. Every second is computed; nothing is left to chance, nor to the machine.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from itertools import pairwise
from statistics import median

from paquebot.policy.scaling import Scaling
from paquebot_operator.scaling.model import begin, decide
from paquebot_operator.scaling.readings import LOOKS
from paquebot_operator.scaling.values import Decision, Destination, Pod, Signals, Spec, State

PER_POD = 40.0  # messages a second of one deliverer
START_S = 20  # until a new pod works
LOOK_S = 10  # between two looks of our scaler
REPLICAS_MAX = 16
LAG_THRESHOLD = 100


@dataclass(frozen=True, slots=True)
class Load:
    """What comes to one destination: a number at the start, so many a second, and some that were deferred to a time."""

    destination: Destination
    at_start: int = 0
    per_s: float = 0.0
    until_s: int = 1 << 30
    deferred: int = 0
    due_s: int = 0


@dataclass(frozen=True, slots=True)
class Scenario:
    """A load, for how long, and when the queue cannot be measured."""

    name: str
    loads: tuple[Load, ...]
    lasts_s: int = 3600
    blind: range = range(0)
    replicas: int = 1


@dataclass(slots=True)
class World:
    """A pool's queue at one second: backlog and deferred by load, and the pods with the second each can work from."""

    scenario: Scenario
    second: int = 0
    backlog: list[float] = field(default_factory=list)
    deferred: list[int] = field(default_factory=list)
    pods: list[int] = field(default_factory=list)
    came: list[float] = field(default_factory=list)  # since the last look, by load
    looks: list[tuple[float, ...]] = field(default_factory=list)  # arrivals a second, by load

    def __post_init__(self) -> None:
        loads = self.scenario.loads
        self.backlog = [float(load.at_start) for load in loads]
        self.deferred = [load.deferred for load in loads]
        self.pods = [0] * self.scenario.replicas
        self.came = [0.0] * len(loads)
        self.looks = [(0.0,) * LOOKS] * len(loads)

    @property
    def working(self) -> int:
        """Pods that have started."""
        return sum(ready <= self.second for ready in self.pods)

    def scale(self, replicas: int) -> None:
        """Start or end pods; the youngest end first."""
        self.pods = self.pods[:replicas] + [self.second + START_S] * (replicas - len(self.pods))

    def step(self) -> float:
        """Let a second pass; return what was sent."""
        for at, load in enumerate(self.scenario.loads):
            came = load.per_s if self.second < load.until_s else 0.0
            if self.deferred[at] and self.second >= load.due_s:
                came, self.deferred[at] = came + self.deferred[at], 0
            self.backlog[at] += came
            self.came[at] += came
        room = self.working * PER_POD
        sent = 0.0
        for at, load in sorted(enumerate(self.scenario.loads), key=lambda each: self._cap(each[1])):
            done = min(self.backlog[at], self._cap(load), room - sent)
            self.backlog[at] -= done
            sent += done
        self.second += 1
        return sent

    def _cap(self, load: Load) -> float:
        """Return what a destination takes a second: its limit, and no more pods than its slots."""
        where = load.destination
        return 0.0 if where.resting_until_s > self.second else min(where.rate_per_s, where.slots * PER_POD)

    def signals(self, sent: float) -> Signals:
        """Return what our scaler would see."""
        self.looks = [(*looks, came / LOOK_S)[-LOOKS:] for looks, came in zip(self.looks, self.came, strict=True)]
        self.came = [0.0] * len(self.came)
        seen = [
            replace(load.destination, backlog=math.ceil(self.backlog[at]), arrivals_per_s=median(self.looks[at]))
            for at, load in enumerate(self.scenario.loads)
        ]
        busy = self.working or 1
        pods = tuple(
            Pod(f"pod-{number}", sent / busy, min(1.0, sent / busy / PER_POD)) for number in range(self.working)
        )
        due = [load.due_s for at, load in enumerate(self.scenario.loads) if self.deferred[at]]
        return Signals(tuple(seen), pods, sum(self.deferred), due_s=min(due, default=math.inf))


Scaler = Callable[[World, float], int]  # of the queue and of what was sent last second: how many replicas


@dataclass(slots=True)
class Ours:
    """The model, asked every LOOK_S seconds."""

    scaling: Scaling
    prior: float = PER_POD
    state: State | None = None
    decisions: list[Decision] = field(default_factory=list)

    def __call__(self, world: World, sent: float) -> int:
        """Return the replicas it wants now."""
        if world.second % LOOK_S:
            return len(world.pods)
        if self.state is None:
            self.state = begin(len(world.pods), world.second)
        spec = Spec(self.scaling, len(world.pods), rate_prior=self.prior)
        seen = None if world.second in world.scenario.blind else world.signals(sent)
        decision, self.state = decide(self.state, seen, spec, world.second)
        self.decisions.append(decision)
        return decision.replicas


@dataclass(slots=True)
class ByLag:
    """KEDA's NATS JetStream scaler and a HorizontalPodAutoscaler with its defaults."""

    replicas_min: int = 1
    replicas_max: int = REPLICAS_MAX
    active_at: int = 0
    wishes: list[tuple[int, int]] = field(default_factory=list)
    metric: float = 0.0
    counts: list[tuple[int, int]] = field(default_factory=list)

    def __call__(self, world: World, _sent: float) -> int:
        """Return the replicas it wants now: the metric is polled every 30 s, the autoscaler runs every 15 s."""
        now = len(world.pods)
        if world.second % 30 == 0:
            self.metric = sum(world.backlog) + sum(world.deferred)
            self.active_at = world.second if self.metric else self.active_at
        if self.replicas_min == 0 and (now == 0 or world.second >= self.active_at + 300):
            return 1 if self.metric else 0  # KEDA's own part, with its cooldownPeriod
        if world.second % 15:
            return now
        wish = math.ceil(self.metric / LAG_THRESHOLD)
        if abs(self.metric / (LAG_THRESHOLD * now) - 1) <= 0.1:
            wish = now
        wish = min(max(wish, 1), self.replicas_max)
        self.wishes = [each for each in self.wishes if each[0] > world.second - 300] + [(world.second, wish)]
        self.counts = [each for each in self.counts if each[0] > world.second - 15] + [(world.second, now)]
        if wish > now:
            start = min(count for _at, count in self.counts)
            return min(wish, max(start + 4, 2 * start))
        return min(now, max(each for _at, each in self.wishes))


@dataclass(frozen=True, slots=True)
class Run:
    """What a scaler made of a scenario, second by second; `done_s` is when nothing was left, infinity: never."""

    replicas: tuple[int, ...]
    backlog: tuple[int, ...]
    done_s: float

    @property
    def hours(self) -> float:
        """Replica-hours."""
        return sum(self.replicas) / 3600

    @property
    def waiting(self) -> float:
        """What waited that could be sent, on average."""
        return sum(self.backlog) / len(self.backlog)

    @property
    def changes(self) -> int:
        """How often the number changed."""
        return sum(one != other for one, other in pairwise(self.replicas))


def run(scenario: Scenario, scaler: Scaler) -> Run:
    """Let a scaler run a pool through a scenario."""
    world = World(scenario)
    replicas, backlog, done_s = [], [], math.inf
    sent = 0.0
    for second in range(scenario.lasts_s):
        world.scale(scaler(world, sent))
        sent = world.step()
        replicas.append(len(world.pods))
        backlog.append(math.ceil(sum(world.backlog)))
        comes = any(load.per_s and second < load.until_s for load in scenario.loads)
        waits = backlog[-1] >= 1 or any(world.deferred) or comes
        done_s = math.inf if waits else min(done_s, second + 1)
    return Run(tuple(replicas), tuple(backlog), done_s)


MANY = Destination("other", slots=16)
CAPPED = Destination("capped", rate_per_s=50.0, slots=4, policy="capped")
BURST = Scenario("60,000 at once, 70 % to a destination that takes 50/s", (Load(MANY, 18_000), Load(CAPPED, 42_000)))
DEFERRED = Scenario(
    "20,000 deferred for an hour, and 5/s", (Load(MANY, per_s=5), Load(MANY, deferred=20_000, due_s=3600))
)
STEADY = Scenario("200/s all the time", (Load(MANY, per_s=200),))
BLAST = Scenario("300,000 at once to everywhere", (Load(MANY, 300_000),))
RESTING = Scenario(
    "30,000 at once to a destination that rests for half an hour",
    (Load(replace(CAPPED, resting_until_s=1800), 30_000), Load(MANY, per_s=5, until_s=1800)),
)
NIGHT = Scenario(
    "20/s for ten minutes, then nothing", (Load(MANY, per_s=20, until_s=600),), replicas=0
)  # scaled to zero and woken
BLIND = Scenario("200/s, and ten minutes without a word from NATS", (Load(MANY, per_s=200),), blind=range(1200, 1800))
SCENARIOS = (BURST, DEFERRED, STEADY, BLAST, RESTING, NIGHT, BLIND)


def ours(drain_s: int = 300, replicas_min: int = 1) -> Ours:
    """Return our scaler for this world."""
    return Ours(Scaling(replicas_min=replicas_min, replicas_max=REPLICAS_MAX, drain_s=drain_s))


def table() -> str:
    """Return the scenarios and what each scaler makes of them, as a table in Markdown."""
    lines = ["| Scenario | Scaler | Replica-hours | Most | Changes | Waiting, on average | All sent after |\n"]
    lines.append("|---|---|---|---|---|---|---|\n")
    for scenario in SCENARIOS:
        least = scenario.replicas
        for name, scaler in (("lag", ByLag(least)), ("ours, 5m", ours(300, least)), ("ours, 1m", ours(60, least))):
            made = run(scenario, scaler)
            after = f"{made.done_s:.0f} s" if math.isfinite(made.done_s) else ""
            shown = scenario.name if name == "lag" else ""
            counts = f"{made.hours:.1f} | {max(made.replicas)} | {made.changes} | {made.waiting:,.0f} | {after}"
            lines.append(f"| {shown} | {name} | {counts} |\n")
    return "".join(lines)


if __name__ == "__main__":
    print(table(), end="")
