"""How many deliverers the destinations of a pool keep busy: their backlog within the drain time, and their limits.

Pure. What a destination does not take is no reason for a pod: that is what a count of waiting mail cannot know.
"""

import math
from collections.abc import Sequence

from paquebot.policy.scaling import REPLICAS_MAX
from paquebot_operator.scaling.values import Bottleneck, Demand, Destination, Reason, Spec

SECONDS_PRIOR = 1.0  # of an attempt, until one was seen
BOTTLENECKS_MAX = 5


def demand(destinations: Sequence[Destination], spec: Spec, per_pod: float, now_s: float) -> Demand:
    """Return what is asked for; `per_pod` are the messages a second that one deliverer can do."""
    useful = per_pod * spec.scaling.utilization
    wanted = served = by_rate = by_sessions = 0.0
    sendable = False
    held_up = []
    for each in destinations:
        wants = each.backlog / spec.scaling.drain_s + each.arrivals_per_s
        cap, reason = limit(each, useful, now_s) if not spec.paused else (0.0, Reason.RESTING)
        gets = min(wants, cap)
        wanted, served = wanted + wants, served + gets
        by_rate += gets / useful
        # Little's law: sessions in use are messages a second times seconds a message.
        sessions = min(gets * (each.seconds or SECONDS_PRIOR), each.connections)
        by_sessions += min(sessions / spec.sessions_per_replica, each.slots)
        sendable = sendable or (each.backlog > 0 and cap > 0)
        if wants > cap:
            held_up.append(Bottleneck(each, wants, cap, reason))
    held_up.sort(key=lambda each: each.cap_per_s - each.wanted_per_s)
    return Demand(wanted, served, max(by_rate, by_sessions), sendable, tuple(held_up[:BOTTLENECKS_MAX]))


def limit(destination: Destination, useful: float, now_s: float) -> tuple[float, Reason]:
    """Return the messages a second that a destination takes at most, and what makes it so."""
    if destination.resting_until_s > now_s:
        return 0.0, Reason.RESTING
    rate = Reason.LEARNED if destination.learned else Reason.RATE
    limits = (
        (destination.rate_per_s, rate),
        (destination.connections / (destination.seconds or SECONDS_PRIOR), Reason.CONNECTIONS),
        (destination.slots * useful if destination.slots < REPLICAS_MAX else math.inf, Reason.SLOTS),
    )
    return min(limits, key=lambda each: each[0])


def drain_s(destinations: Sequence[Destination], spec: Spec, per_pod: float, now_s: float) -> float:
    """Return the seconds until today's backlog is sent, by this many replicas; infinity: nothing is being sent."""
    together = sum(each.backlog for each in destinations)
    if not together:
        return 0.0
    alone = [_seconds(each.backlog, limit(each, per_pod, now_s)[0]) for each in destinations if each.backlog]
    return max(_seconds(together, per_pod * spec.replicas), *alone)


def _seconds(backlog: int, per_s: float) -> float:
    return backlog / per_s if per_s else math.inf
