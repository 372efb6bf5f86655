"""Which objects make the policy, when some are wrong: one tenant's fault must not stop another's mail, nor his own.

Pure. A wrong object stays in force as it last was right; what never was right, or no longer goes with the others as it
was, is left out. What is left out may leave others without what they refer to: so it goes round until all is right.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paquebot.policy.compile import compile_policy
from paquebot.policy.encode import encode_object
from paquebot.policy.faults import REFERENCES, Fault, PolicyFaults
from paquebot.policy.values import Policy
from paquebot_operator.conditions import FALSE, TRUE, Condition
from paquebot_operator.kube.store import key_of
from paquebot_operator.names import Key

Entry = Mapping[str, Any]

FAULTS_SHOWN_MAX: Final = 3  # of one object, in a condition


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is wrong with an object as it stands, if anything; and whether it is in force as it was before."""

    faults: tuple[Fault, ...] = ()
    kept: bool = False


@dataclass(frozen=True, slots=True)
class Accepted:
    """The objects that make the policy, the policy, and a verdict on every object that is wrong."""

    objects: tuple[Entry, ...]
    policy: Policy
    verdicts: Mapping[Key, Verdict] = field(default_factory=dict)


def accept(wanted: Sequence[Entry], published: Sequence[Entry], platform_namespace: str) -> Accepted:
    """Return what of the wanted objects goes together; `wanted` stands in the order of claims, the oldest first.

    `published` are the objects in force, where a wrong one is looked up as it was.
    """
    before = {key_of(entry): entry for entry in published}
    standing = {key_of(entry): entry for entry in wanted}
    verdicts: dict[Key, Verdict] = {}
    while True:
        keys = list(standing)
        try:
            policy = compile_policy(list(standing.values()), platform_namespace=platform_namespace)
        except PolicyFaults as error:
            for key, faults in _by_key(error.faults, keys).items():
                _step_back(key, faults, standing, before, verdicts)
        else:
            return Accepted(tuple(standing.values()), policy, verdicts)


def _by_key(faults: Sequence[Fault], keys: Sequence[Key]) -> dict[Key, tuple[Fault, ...]]:
    found: dict[Key, tuple[Fault, ...]] = {}
    for fault in faults:
        if not 0 <= fault.at < len(keys):
            raise PolicyFaults(tuple(faults))  # of no object alone: too many of them
        key = keys[fault.at]
        found[key] = (*found.get(key, ()), fault)
    return found


def _step_back(
    key: Key,
    faults: tuple[Fault, ...],
    standing: dict[Key, Entry],
    before: Mapping[Key, Entry],
    verdicts: dict[Key, Verdict],
) -> None:
    """Put the object's last right version in its place, or nothing."""
    known = verdicts.get(key)
    last = before.get(key)
    if known is None and last is not None and encode_object(last) != encode_object(standing[key]):
        standing[key] = _as_before(last, standing[key])
        verdicts[key] = Verdict(faults, kept=True)
    else:
        del standing[key]
        verdicts[key] = Verdict(known.faults if known else faults)


def _as_before(last: Entry, entry: Entry) -> Entry:
    """Return the last right version, with the status of today: which keys may sign does not wait for a cure."""
    return {**last, "status": entry["status"]} if "status" in entry else last


def judged(verdict: Verdict) -> tuple[Condition, Condition]:
    """Return the conditions Accepted and ResolvedRefs."""
    refusals = [fault for fault in verdict.faults if fault.reason not in REFERENCES]
    references = [fault for fault in verdict.faults if fault.reason in REFERENCES]
    accepted = Condition("Accepted", TRUE, "Accepted")
    if refusals:
        accepted = Condition("Accepted", FALSE, refusals[0].reason, _told(refusals, verdict))
    resolved = Condition("ResolvedRefs", TRUE, "Resolved")
    if references:
        resolved = Condition("ResolvedRefs", FALSE, references[0].reason, _told(references, verdict))
    return accepted, resolved


def _told(faults: Sequence[Fault], verdict: Verdict) -> str:
    sentences = [f"{fault.path}: {fault.text}; {fault.cure}" for fault in faults[:FAULTS_SHOWN_MAX]]
    if len(faults) > FAULTS_SHOWN_MAX:
        sentences.append(f"and {len(faults) - FAULTS_SHOWN_MAX} more")
    if verdict.kept:
        sentences.append("until then the version before stays in force")
    return ". ".join(sentences)
