"""Publishing: the accepted objects become streams and a revision, and each object learns what became of it."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from paquebot.policy.draining import MARK, with_draining
from paquebot.policy.encode import revision_of
from paquebot.policy.faults import PolicyFaults
from paquebot.policy.values import Policy, SendingPool
from paquebot.queue.jetstream import ApiError, QueueFullError, QueueUnavailableError
from paquebot.queue.members import members
from paquebot.queue.policystore import publish_policy, read_objects
from paquebot.queue.provision import provision
from paquebot_operator.conditions import UNKNOWN, Condition, Report
from paquebot_operator.kube.store import Store, key_of
from paquebot_operator.names import OURS_BY_NAME, SENDING_POOL, Key
from paquebot_operator.policy.accept import Accepted, Verdict, accept, judged
from paquebot_operator.policy.programmed import UNAVAILABLE, Progress
from paquebot_operator.policy.wanted import Entry, wanted
from paquebot_operator.queue_link import QueueLink
from paquebot_operator.times import written

POLICY: Final = Key("Policy", "", "all")
GATHER_S: Final = 0.2  # changes that come together make one revision
LOOK_S: Final = 2.0  # while pods have yet to follow
QUIET_S: Final = 15.0
UNREACHABLE_S: Final = 3.0
PLATFORM_STREAMS: Final = frozenset({""})  # stands among pools for what is no pool's
COMPOSED: Final = frozenset({"conditions", "observedGeneration"})  # of a status: made of what is reported
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Publishing:
    """Keeps the published policy as the objects say, and knows of each object how far it has come."""

    store: Store
    queue: QueueLink
    platform_namespace: str
    changed: Callable[[Key], None]  # has an object's status looked at again
    facts: Callable[[], list[dict[str, Any]]]  # what else belongs into the policy, and is nobody's object
    stream_replicas: int = 1
    progress: Progress = field(default_factory=Progress)
    accepted: Accepted | None = None
    asked: tuple[Sequence[Entry], Sequence[Entry]] = ((), ())  # what `accepted` is the answer to
    generations: dict[Key, int] = field(default_factory=dict)  # as they were when last judged
    provisioned: frozenset[str] = frozenset()  # pools whose streams stand
    told: dict[Key, tuple[object, ...]] = field(default_factory=dict)
    gone: set[str] = field(default_factory=set)  # tokens of pools whose streams are deleted

    async def reconcile(self, _key: Key) -> float:
        """Publish what is wanted now; return when to look again."""
        try:
            await self._publish()
            self.progress.trouble = ""
        except PolicyFaults as error:
            self.progress.trouble = f"nothing can be published: {error}"
        except (QueueUnavailableError, QueueFullError, ApiError) as error:
            self.progress.trouble = f"the queue cannot be reached: {error}"
            self.provisioned = frozenset()  # it may come back another
        self._tell()
        if self.progress.trouble:
            LOG.warning("the policy was not published", why=self.progress.trouble)
            return UNREACHABLE_S
        return QUIET_S if self.progress.settled else LOOK_S

    def forget(self, token: str) -> None:
        """Take a pool out of the policy, whose mail has gone and whose streams are deleted."""
        self.gone.add(token)
        self.changed(POLICY)

    def report(self, entry: Entry) -> Report | None:
        """Return what is known of an object as it is now; None when it has not been judged yet, but will be soon."""
        key = key_of(entry)
        if self.generations.get(key) == entry["metadata"].get("generation"):
            return Report(self._conditions(key))
        return self._unjudged(entry) if self.progress.trouble else None

    def _unjudged(self, entry: Entry) -> Report:
        """Say of an object that it waits for the queue, as its tenant does; what is known of it otherwise stays."""
        waits = (Condition(each, UNKNOWN, UNAVAILABLE, self.progress.trouble) for each in ("Accepted", "ResolvedRefs"))
        stays = {name: value for name, value in (entry.get("status") or {}).items() if name not in COMPOSED}
        return Report((*waits, self.progress.condition(key_of(entry))), stays)

    def _conditions(self, key: Key) -> tuple[Condition, ...]:
        verdicts = self.accepted.verdicts if self.accepted else {}
        return (*judged(verdicts.get(key, Verdict())), self.progress.condition(key))

    async def _publish(self) -> None:
        js = await self.queue.connected()
        if not self.provisioned:
            await provision(js, Policy(), self.stream_replicas)
            await self.queue.record_fitness()
            self.provisioned = PLATFORM_STREAMS
        revision, published = await read_objects(js) or ("", [])
        published = [entry for entry in published if _token(entry) not in self.gone]
        holders = {key_of(entry) for entry in published}
        ended = self.gone & {_token(entry) for entry in self.store.of(SENDING_POOL.name) if entry["metadata"].get(MARK)}
        entries = [entry for entry in wanted(self.store, holders) if _token(entry) not in ended]
        entries += self.facts()
        now = written(time.time())
        entries = with_draining(entries, published, now)
        accepted = await self._accepted(entries, published)
        pools = PLATFORM_STREAMS | accepted.policy.pools.keys()
        if not pools <= self.provisioned - self.gone:
            await provision(js, accepted.policy, self.stream_replicas)
        self.provisioned = pools
        if not revision == self.progress.revision == revision_of(accepted.objects)[0]:
            revision = await publish_policy(js, list(accepted.objects))
            LOG.info("published", revision=revision, objects=len(accepted.objects), faulty=len(accepted.verdicts))
            self.progress.published(revision, accepted.objects)
        self.progress.pods = {each.pod: each.revision for each in await members(js) if not each.draining}
        self.accepted, self.asked, self.gone = accepted, (entries, published), ended
        self.generations = {key_of(entry): entry["metadata"].get("generation", 0) for entry in entries}

    async def _accepted(self, entries: Sequence[Entry], published: Sequence[Entry]) -> Accepted:
        """Return what `accept` says; it takes a second for 5,000 objects, and most looks find nothing new."""
        if self.accepted is not None and self.asked == (entries, published):
            return self.accepted
        return await asyncio.to_thread(accept, entries, published, self.platform_namespace)

    def _tell(self) -> None:
        """Have those objects looked at of which there is something new to say."""
        keys = [key_of(entry) for entry in self.store if entry["kind"] in OURS_BY_NAME]
        told: dict[Key, tuple[object, ...]]
        told = {key: (*self._conditions(key), self.generations.get(key)) for key in keys}
        for key, conditions in told.items():
            if self.told.get(key) != conditions:
                self.changed(key)
        self.told = told


def matters(before: Entry | None, entry: Entry) -> bool:
    """Say whether a change of an object may change the policy."""
    return before is None or _published_part(before) != _published_part(entry)


def _published_part(entry: Entry) -> tuple[Any, ...]:
    metadata = entry["metadata"]
    signing = ((entry.get("status") or {}).get("dkim") or {}).get("signing")
    labels = metadata.get("labels") if entry["kind"] == "Namespace" else None
    return metadata.get("uid"), metadata.get("generation"), metadata.get("deletionTimestamp"), signing, labels


def _token(entry: Entry) -> str:
    """Return a pool's token, "" for another object."""
    metadata = entry["metadata"]
    return SendingPool(metadata["namespace"], metadata["name"], "").token if entry["kind"] == SENDING_POOL.name else ""
