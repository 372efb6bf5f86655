"""What people are told of a pool's scaling: two conditions that say what to change, and fields of its status. Pure."""

import math
from collections.abc import Mapping
from typing import Any, Final

from paquebot.policy.scaling import REPLICAS_MAX, Mode
from paquebot_operator.conditions import FALSE, TRUE, Condition, Report
from paquebot_operator.scaling.values import Bottleneck, Decision, Reason, Signals, Spec
from paquebot_operator.times import written

NOTABLE: Final = 0.2  # of the demand must find no taker before people are told
NOTABLE_PODS: Final = 0.1  # nor is less than this much of a pod worth a word
TOLD_AGAIN_S: Final = 30.0
CHANGED: Final = 0.1


def report(decision: Decision, signals: Signals | None, spec: Spec, now_s: float, fault: str = "") -> Report:
    """Return conditions and status fields; `fault` says why there are no signals."""
    fields: dict[str, Any] = {"scaling": _scaling(decision)}
    if signals is not None:
        fields["queue"] = _queue(decision, signals, now_s)
    return Report((_active(decision, spec, fault), _limited(decision, spec)), fields)


def worth_telling(before: Report, after: Report, told_s: float, now_s: float) -> bool:
    """Say whether the status is worth a write: another condition at once, other numbers now and then."""
    if [_what(each) for each in before.conditions] != [_what(each) for each in after.conditions]:
        return True
    if _desired(before) != _desired(after):
        return True
    return now_s - told_s >= TOLD_AGAIN_S and _differ(before.fields, after.fields)


def _what(condition: Condition) -> tuple[str, str, str]:
    return condition.type, condition.status, condition.reason


def _desired(told: Report) -> object:
    return told.fields["scaling"]["desiredReplicas"]


def _differ(before: Mapping[str, Any], after: Mapping[str, Any]) -> bool:
    one, other = _numbers(before), _numbers(after)
    if one.keys() != other.keys():
        return True
    return any(abs(other[name] - one[name]) > CHANGED * max(abs(one[name]), 1.0) for name in one)


def _numbers(fields: Mapping[str, Any]) -> dict[str, float]:
    """Return what is compared: the rest is said of the same in other words, or always changes."""
    scaling = fields["scaling"]
    counts = {name: value for name, value in fields.get("queue", {}).items() if isinstance(value, int)}
    limits = {f"{each['destination']} {each['reason']}": 0.0 for each in scaling["bottlenecks"]}
    return counts | limits | {"raw": float(scaling["rawRecommendation"])}


def _active(decision: Decision, spec: Spec, fault: str) -> Condition:
    mode = spec.scaling.mode
    if fault and decision.failures >= spec.scaling.failures:
        text = f"The queue could not be measured {decision.failures} times in a row: {fault}"
        cure = f"{_count(decision.replicas)} run and no fewer will; look at the operator's connection to NATS."
        return Condition("ScalingActive", FALSE, "SignalsUnavailable", f"{text}. {cure}")
    if mode is not Mode.DRAIN_TIME:
        text = "An autoscaler decides by the scale subresource" if mode is Mode.EXTERNAL else "spec.replicas decides"
        return Condition("ScalingActive", TRUE, mode.value, f"{text}; the queue asks for {_count(decision.wish)}.")
    if spec.paused:
        return Condition(
            "ScalingActive", TRUE, "Paused", "The pool is paused, so nothing is sent: set paused to false."
        )
    if fault:
        return Condition(
            "ScalingActive", TRUE, "Holding", f"The queue could not be measured: {fault}. Nothing changes."
        )
    text = f"{_count(decision.wish)} would send what waits within {_span(spec.scaling.drain_s)}"
    return Condition("ScalingActive", TRUE, "Scaling", f"{text}; {_count(decision.replicas)} now.")


def _limited(decision: Decision, spec: Spec) -> Condition:
    asked, scaling = decision.demand, spec.scaling
    if math.ceil(asked.pods - NOTABLE_PODS) > scaling.replicas_max:
        text = f"The queue asks for {asked.pods:.1f} replicas, maxReplicas is {scaling.replicas_max}"
        return Condition("ScalingLimited", TRUE, "MaxReplicas", f"{text}: {_more(scaling.replicas_max)}.")
    unserved = asked.wanted_per_s - asked.served_per_s
    notable = unserved / (decision.per_pod * scaling.utilization) >= NOTABLE_PODS
    if asked.bottlenecks and notable and asked.wanted_per_s > (1 + NOTABLE) * asked.served_per_s:
        told = "; ".join(_sentence(each) for each in asked.bottlenecks[:2])
        return Condition("ScalingLimited", TRUE, "DestinationThrottle", f"More replicas will not help: {told}.")
    if decision.replicas != decision.wish:
        text = f"{_count(decision.wish)} wished for, {_count(decision.replicas)} now: the number changes step by step."
        return Condition("ScalingLimited", FALSE, "Stabilizing", text)
    if decision.replicas == scaling.replicas_min and asked.pods <= scaling.replicas_min:
        return Condition("ScalingLimited", FALSE, "MinReplicas", f"minReplicas, {scaling.replicas_min}, is enough.")
    return Condition("ScalingLimited", FALSE, "DesiredWithinRange", "")


def _more(replicas_max: int) -> str:
    if replicas_max < REPLICAS_MAX:
        return f"raise scaling.maxReplicas (at most {REPLICAS_MAX}) or scaling.targetDrainTime"
    return "raise scaling.targetDrainTime, or give some MailDomains another SendingPool"


def _sentence(held_up: Bottleneck) -> str:
    """Say what limits a destination, and which field changes it."""
    where, cap = held_up.destination, _rate(held_up.cap_per_s)
    policy = f"DestinationPolicy {where.policy}" if where.policy else "a DestinationPolicy for it"
    match held_up.reason:
        case Reason.RATE:
            return f"{where.name} is limited to {cap} by limits.rate of {policy}"
        case Reason.LEARNED:
            return f"the hosts of {where.name} bear {cap} now, which is tried to be raised by itself"
        case Reason.CONNECTIONS:
            least = f"{where.connections:.0f} connections, {cap}"
            return f"{where.name} is limited to {least}; raise limits.maxConnections of {policy} if its hosts allow"
        case Reason.SLOTS:
            return f"{where.name} is served by {where.slots} at once, {cap}; raise slots of {policy}"
        case Reason.RESTING:
            return f"{where.name} takes nothing now, its hosts refuse; `paquebot explain {where.name}` says why"


def _queue(decision: Decision, signals: Signals, now_s: float) -> dict[str, Any]:
    told: dict[str, Any] = {
        "eligible": sum(each.backlog for each in signals.destinations),
        "inFlight": sum(pod.sessions for pod in signals.pods),
        "deferred": signals.deferred,
        "oldestAge": _span(signals.oldest_s),
        "sampledAt": written(now_s),
    }
    if math.isfinite(decision.drain_s):
        told["estimatedDrain"] = _span(decision.drain_s)
    return told


def _scaling(decision: Decision) -> dict[str, Any]:
    told: dict[str, Any] = {
        "desiredReplicas": decision.replicas,
        "rawRecommendation": f"{decision.demand.pods:.2f}",
        "requiredRate": _rate(decision.demand.served_per_s),
        "perReplicaRate": _rate(decision.per_pod),
        "bottlenecks": [
            {
                "destination": each.destination.name,
                "backlog": each.destination.backlog,
                "demand": _rate(each.wanted_per_s),
                "cap": _rate(each.cap_per_s),
                "reason": each.reason.value,
            }
            for each in decision.demand.bottlenecks
        ],
    }
    if decision.changed_s:
        told["lastScaleTime"] = written(decision.changed_s)
    return told


def _count(replicas: int) -> str:
    return "1 replica" if replicas == 1 else f"{replicas} replicas"


def _rate(per_s: float) -> str:
    """Return a rate as policies write it; slow ones a minute or an hour, so that no digit is lost."""
    for unit, seconds in (("s", 1), ("m", 60), ("h", 3600)):
        if per_s * seconds >= 1 or unit == "h":
            return f"{per_s * seconds:.3g}/{unit}" if per_s * seconds < 1000 else f"{per_s * seconds:.0f}/{unit}"  # noqa: PLR2004
    raise AssertionError


def _span(seconds: float) -> str:
    """Return seconds as policies write them: `3m40s`."""
    whole = round(seconds)
    parts = ((whole // 3600, "h"), (whole // 60 % 60, "m"), (whole % 60, "s"))
    return "".join(f"{count}{unit}" for count, unit in parts if count) or "0s"
