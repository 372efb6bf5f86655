"""What a DestinationPolicy says about pace and replies is read, and told when unfit."""

from typing import Any

import pytest

from paquebot.mail.reply import Reply
from paquebot.policy.compile import compile_policy
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.pace import PATTERNS_MAX, Action, Adaptive, Pattern
from paquebot.policy.values import DestinationPolicy


def entry(**spec: Any) -> dict[str, Any]:
    metadata = {"name": "big"}
    spec = {"match": {"domains": ["big.test"]}} | spec
    return {"apiVersion": "paquebot.dev/v1alpha1", "kind": "DestinationPolicy", "metadata": metadata, "spec": spec}


def read(**spec: Any) -> DestinationPolicy:
    return compile_policy([entry(**spec)]).destinations["big"]


def fault(**spec: Any) -> str:
    with pytest.raises(PolicyFaults) as refused:
        compile_policy([entry(**spec)])
    (told,) = refused.value.faults
    return str(told)


def test_it_adapts_by_itself_and_as_it_is_told() -> None:
    assert read().adaptive == Adaptive()
    told = {"enabled": True, "minRate": "1/s", "increase": "20%", "decrease": "30%", "deferRateThreshold": "5%"}
    assert read(adaptive=told).adaptive == Adaptive(True, 1.0, 0.2, 0.3, 0.05)
    assert not read(adaptive={"enabled": False}).adaptive.enabled


@pytest.mark.parametrize(
    ("spec", "told"),
    [
        ({"adaptive": {"increase": "0%"}}, 'adaptive.increase: "0%" is not a percentage from 1% to 100%'),
        ({"adaptive": {"decrease": 0.5}}, "adaptive.decrease: 0.5 is not a percentage"),
        ({"adaptive": {"minRate": "9/s"}, "limits": {"rate": "1/s"}}, "adaptive.minRate: is more than limits.rate"),
        ({"patterns": [{"match": "4.7.28", "action": "ThrottleDomain"}]}, "patterns[0].for: is missing"),
        ({"patterns": [{"match": "4.7.28", "action": "Ignore", "for": "1m"}]}, "patterns[0].for: is not for Ignore"),
        ({"patterns": [{"match": "*.*", "action": "Ignore"}]}, 'patterns[0].match: "*.*" would match everything'),
        ({"patterns": [{"match": "x" * 201, "action": "Ignore"}]}, "at most 200 printable characters"),
        ({"patterns": [{"match": "x", "action": "Wait"}]}, "write one of ThrottleDomain, SuspendDomain, Ignore"),
        (
            {"patterns": [{"match": "x", "action": "Ignore"}] * (PATTERNS_MAX + 1)},
            "patterns: has 51 entries; give at most 50",
        ),
    ],
)
def test_what_is_unfit_is_told(spec: dict[str, Any], told: str) -> None:
    assert told in fault(**spec)


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ("4.7.28", True),
        ("4.7.*", True),
        ("4.7.2", False),
        ("421", True),
        ("4*", True),
        ("450", False),
        ("*unusual rate*", True),
        ("unusual rate", False),
    ],
)
def test_a_pattern_is_a_code_a_status_or_a_text(match: str, fits: bool) -> None:
    reply = Reply(421, "4.7.28", "We see an unusual rate of mail from your address")
    assert Pattern(match, Action.THROTTLE, 600).fits(reply) is fits


def test_patterns_are_read_in_order() -> None:
    policy = read(
        patterns=[{"match": "4.7.28", "action": "ThrottleDomain", "for": "10m"}, {"match": "5*", "action": "Ignore"}]
    )
    assert policy.patterns == (Pattern("4.7.28", Action.THROTTLE, 600), Pattern("5*", Action.IGNORE))


def test_slots_share_the_least_rate() -> None:
    policy = read(slots=2, adaptive={"minRate": "1/s"})
    assert policy.share(0).adaptive.least_per_s == 0.5
