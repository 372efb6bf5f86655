"""Decides how many deliverers a pool has. Pure: `(state, signals, spec, now) -> (decision, state)`.

The demand is wished for; what the number may do about a wish is bounded: close wishes change nothing, it grows step
by step, it shrinks slowly and only to what was enough for a while. Missing data never makes it smaller.
"""

import math
from collections.abc import Sequence
from dataclasses import replace

from paquebot_operator.scaling.demand import demand, drain_s
from paquebot_operator.scaling.values import Decision, Demand, Pod, Signals, Spec, State

BUSY = 0.6  # of a core: only then does a pod show what it can do
MEASURED_S = 60.0  # what a pod can do is learned over about so long
PRIOR_SPAN = 5.0  # it is never believed to do more than so many times the prior, or less than that part of it
IDLE_PER_S = 0.01  # fewer arrivals and attempts are none
ROUNDING = 1e-9

Wishes = tuple[tuple[float, int], ...]


def begin(replicas: int, now_s: float, changed_s: float = 0.0) -> State:
    """Return the state of a pool that is met for the first time, or again after a restart of the operator.

    What runs counts as just wished for, so nothing shrinks before a whole window; what was changed a moment ago, by the
    time in its status, counts as grown from nothing, so it does not grow twice.
    """
    wishes = ((now_s, replicas),)
    return State(now_s, wishes, wishes, ((changed_s, replicas),) if changed_s else (), changed_s=changed_s)


def decide(state: State, signals: Signals | None, spec: Spec, now_s: float) -> tuple[Decision, State]:
    """Return how many replicas there shall be, and the state for the next time; no signals: they cannot be had."""
    if signals is None:
        return _blind(state, spec, now_s)
    per_pod = _capacity(state, signals.pods, spec, now_s)
    asked = demand(signals.destinations, spec, per_pod, now_s)
    idle_since_s = min(state.idle_since_s, now_s) if _is_idle(signals, asked, spec, now_s) else math.inf
    wish = _wish(asked, spec, may_end=now_s - idle_since_s >= spec.scaling.idle_s)
    if not signals.pods:
        wish = max(wish, min(spec.replicas, spec.scaling.replicas_max))  # nobody tells what they do
    state = replace(
        _wished(state, _tolerated(wish, asked, spec), spec, now_s), per_pod=per_pod, idle_since_s=idle_since_s
    )
    replicas = max(_bounded(state, wish, spec, now_s), _in_use(signals.pods, spec))
    replicas = _within(replicas, spec)
    drain = drain_s(signals.destinations, spec, per_pod, now_s)
    state = _changed(replace(state, failures=0), replicas, spec, now_s)
    return Decision(replicas, _within(wish, spec), asked, per_pod, drain, changed_s=state.changed_s), state


def _blind(state: State, spec: Spec, now_s: float) -> tuple[Decision, State]:
    """Hold what there is; after a while have enough for what cannot be seen."""
    failures = state.failures + 1
    wish = max(spec.replicas, spec.scaling.fallback) if failures >= spec.scaling.failures else spec.replicas
    replicas = _within(wish, spec)
    state = replace(_wished(state, replicas, spec, now_s), failures=failures, idle_since_s=math.inf)
    state = _changed(state, replicas, spec, now_s)
    per_pod = state.per_pod or spec.rate_prior
    return Decision(replicas, replicas, Demand(), per_pod, math.inf, failures, state.changed_s), state


def _capacity(state: State, pods: Sequence[Pod], spec: Spec, now_s: float) -> float:
    """Learn from busy pods how many messages a second one can do."""
    before = state.per_pod or spec.rate_prior
    seen = [pod.attempts_per_s / pod.core for pod in pods if pod.core >= BUSY and pod.attempts_per_s]
    if not seen:
        return before
    weight = 1 - math.exp(-max(0.0, now_s - state.at_s) / MEASURED_S)
    learned = before + weight * (sum(seen) / len(seen) - before)
    return min(max(learned, spec.rate_prior / PRIOR_SPAN), spec.rate_prior * PRIOR_SPAN)


def _is_idle(signals: Signals, asked: Demand, spec: Spec, now_s: float) -> bool:
    """Say whether there is nothing to do, and nothing will be before it would pay to end."""
    soon = now_s + spec.scaling.idle_s
    wakes = [each.resting_until_s for each in signals.destinations if each.backlog and each.resting_until_s > now_s]
    busy = sum(each.arrivals_per_s for each in signals.destinations) + sum(pod.attempts_per_s for pod in signals.pods)
    return not asked.sendable and busy < IDLE_PER_S and min([signals.due_s, *wakes]) > soon


def _wish(asked: Demand, spec: Spec, *, may_end: bool) -> int:
    """Return the replicas that the demand asks for; the last one stays until there was nothing to do for a while."""
    least = 1 if asked.sendable or (spec.replicas and not may_end) else 0
    return min(max(math.ceil(asked.pods - ROUNDING), least, spec.scaling.replicas_min), spec.scaling.replicas_max)


def _tolerated(wish: int, asked: Demand, spec: Spec) -> int:
    """Return the wish, or what there is when that is close enough."""
    if spec.replicas and abs(asked.pods / spec.replicas - 1) <= spec.scaling.tolerance:
        return spec.replicas
    return wish


def _wished(state: State, wish: int, spec: Spec, now_s: float) -> State:
    """Note a wish, and forget those that are too old to count or that a later one outdoes."""
    down, up = spec.scaling.down.stabilization_s, spec.scaling.up.stabilization_s
    highest = tuple(each for each in state.highest if each[0] >= now_s - down and each[1] > wish)
    lowest = tuple(each for each in state.lowest if each[0] >= now_s - up and each[1] < wish)
    return replace(state, at_s=now_s, highest=(*highest, (now_s, wish)), lowest=(*lowest, (now_s, wish)))


def _bounded(state: State, wish: int, spec: Spec, now_s: float) -> int:
    """Return how far the number may go towards what is wished."""
    now, scaling = spec.replicas, spec.scaling
    tolerated = state.highest[-1][1]
    if wish == 0 and now <= 1:
        return 0  # it was idle for longer than any window
    if tolerated > now:
        grown = sum(change for _at, change in _recent(state.changes, now_s - scaling.up.period_s) if change > 0)
        start = max(0, now - grown)
        most = start + max(scaling.up.pods, math.ceil(start * scaling.up.share))
        aim = max(min(each for _at, each in state.lowest), 1 if now == 0 else 0)
        return max(now, min(aim, most))
    shrunk = sum(-change for _at, change in _recent(state.changes, now_s - scaling.down.period_s) if change < 0)
    start = now + shrunk
    least = start - max(scaling.down.pods, math.floor(start * scaling.down.share))
    return min(now, max(least, *(each for _at, each in state.highest)))


def _recent(changes: Wishes, since_s: float) -> Wishes:
    return tuple(each for each in changes if each[0] > since_s)


def _in_use(pods: Sequence[Pod], spec: Spec) -> int:
    """Return how many replicas the open sessions need, at most those there are: what is under way is not cut."""
    needed = math.ceil(sum(pod.sessions for pod in pods) / spec.sessions_per_replica)
    return min(needed, spec.replicas)


def _within(replicas: int, spec: Spec) -> int:
    """Return a number within what the pool declares."""
    least = 0 if replicas == 0 and spec.scaling.replicas_min == 0 else max(1, spec.scaling.replicas_min)
    return min(max(replicas, least), spec.scaling.replicas_max)


def _changed(state: State, replicas: int, spec: Spec, now_s: float) -> State:
    """Note a change, and forget those that no period holds any more."""
    longest = max(spec.scaling.up.period_s, spec.scaling.down.period_s)
    changes = _recent(state.changes, now_s - longest)
    if replicas == spec.replicas:
        return replace(state, changes=changes)
    return replace(state, changes=(*changes, (now_s, replicas - spec.replicas)), changed_s=now_s)
