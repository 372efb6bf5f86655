"""Whether what was published has arrived: every live pod reports the revision that it runs.

Pure. An object is programmed once each pod runs the revision in which it came to be as it is, or a later one: another
tenant's change takes nothing from it.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from paquebot.policy.encode import encode_object
from paquebot_operator.conditions import FALSE, TRUE, UNKNOWN, Condition
from paquebot_operator.kube.store import key_of
from paquebot_operator.names import Key

UNAVAILABLE: Final = "ConfigStoreUnavailable"
PODS_SHOWN_MAX: Final = 3
REVISIONS_MAX: Final = 1000  # remembered; a pod with an older one runs none that we know


@dataclass(slots=True)
class Progress:
    """The revisions published so far, when each object last changed, and what the pods run."""

    order: dict[str, int] = field(default_factory=dict)  # revision → its number
    revision: str = ""
    objects: dict[Key, str] = field(default_factory=dict)  # → the hash of its content
    since: dict[Key, int] = field(default_factory=dict)  # → the number of the revision it changed in
    pods: Mapping[str, str] = field(default_factory=dict)  # live pod → its revision
    trouble: str = ""  # why the queue's store cannot be reached, if so

    def published(self, revision: str, objects: Sequence[Mapping[str, Any]]) -> None:
        """Note that a revision of these objects was published."""
        if revision != self.revision:
            self.order.pop(revision, None)
            self.order[revision] = max(self.order.values(), default=0) + 1
            self.revision = revision
            if len(self.order) > REVISIONS_MAX:
                del self.order[next(iter(self.order))]
        hashes = {key_of(entry): encode_object(entry)[0] for entry in objects}
        for key, content in hashes.items():
            if self.objects.get(key) != content:
                self.since[key] = self.order[revision]
        self.objects = hashes
        self.since = {key: number for key, number in self.since.items() if key in hashes}

    def condition(self, key: Key) -> Condition:
        """Return the condition Programmed of an object."""
        if self.trouble:
            return Condition("Programmed", UNKNOWN, UNAVAILABLE, self.trouble)
        if key not in self.since:
            return Condition("Programmed", FALSE, "NotPublished", "it is no part of the policy in force")
        if not self.pods:
            return Condition("Programmed", FALSE, "WaitingForPods", "no pod of the platform runs yet")
        late = sorted(pod for pod, revision in self.pods.items() if self.order.get(revision, 0) < self.since[key])
        if late:
            shown = ", ".join(late[:PODS_SHOWN_MAX]) + (", ..." if len(late) > PODS_SHOWN_MAX else "")
            text = f"on {len(self.pods) - len(late)} of {len(self.pods)} pods; not yet on {shown}"
            return Condition("Programmed", FALSE, "WaitingForPods", text)
        return Condition("Programmed", TRUE, "Programmed", "")

    @property
    def settled(self) -> bool:
        """Say whether every pod runs the last revision."""
        return bool(self.pods) and all(revision == self.revision for revision in self.pods.values())
