"""Looking after MailDomains: their keys, their records in the DNS, and their status."""

import asyncio
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from paquebot.policy.faults import Notes
from paquebot.policy.kinds import mail_domain
from paquebot.policy.publication import Mode
from paquebot.policy.section import Section
from paquebot.policy.values import MailDomain, Policy
from paquebot_operator.conditions import FALSE, PASSES, TRUE, Condition, Report
from paquebot_operator.dkim.advance import Advance, Given, Platform, advance
from paquebot_operator.dkim.contest import contend
from paquebot_operator.dkim.keystore import SHARD_LABEL, domain_of, secret_name
from paquebot_operator.dkim.records import DNS_ENDPOINT
from paquebot_operator.dkim.report import DNS_VERIFIED
from paquebot_operator.dkim.slots import Phase
from paquebot_operator.dns.lookup import Lookup, Question
from paquebot_operator.dns.verify import Look
from paquebot_operator.domains.leavings import Leavings
from paquebot_operator.domains.shards import GATHER_S, Shards
from paquebot_operator.kube.errors import GoneError
from paquebot_operator.kube.store import key_of
from paquebot_operator.names import KEYS_MANAGER, MAIL_DOMAIN, MANAGED_BY, OPERATOR, OWNER_LABEL, SECRET, Key
from paquebot_operator.status import StatusWriter

SWEEP: Final = Key("DomainSweep", "", "all")
SWEEP_S: Final = 600.0
ROUNDS_MAX: Final = 4


@dataclass(slots=True, eq=False)
class Domains:
    """Moves each domain's keys on, one at a time and only as far as the DNS was seen to follow."""

    writer: StatusWriter
    shards: Shards
    lookup: Lookup
    platform: Platform
    policy: Callable[[Mapping[str, Any]], Report | None]
    in_force: Callable[[], Policy | None]
    add: Callable[..., None]  # of work: a key, and after how many seconds
    leavings: Leavings
    now_s: Callable[[], float] = time.time

    async def reconcile(self, key: Key) -> float | None:
        """Move a domain's keys on, as far as they go now."""
        entry = self.writer.store.get(key)
        if entry is None or entry["metadata"].get("deletionTimestamp"):
            self.add(SWEEP)
            return None
        judged = self.policy(entry)
        if judged is None:
            return None  # it is looked at again once it was judged
        held = self._held(entry)
        value = held or _alone(entry, self.platform.namespace)
        if value is None or (held is None and not self._is_contested(entry)):
            await self.writer.write(key, [judged])
            return None
        return await self._move(entry, value, judged, holds=held is not None)

    async def sweep(self, _key: Key) -> float:
        """Take away the keys and DNSEndpoints that no MailDomain wants, after a while."""
        domains = list(self.writer.store.each(MAIL_DOMAIN.name))
        held = {secret_name(str(entry["spec"].get("domain"))) for entry in domains}
        async for entry in self.shards.kube.each(SECRET, self.platform.namespace, SHARD_LABEL):
            if entry["metadata"]["name"] in held:
                await self.leavings.wanted(SECRET, entry)
            elif domain_of(entry) and await self.leavings.unwanted(SECRET, entry):
                await self._unmount(domain_of(entry))
        if await self.shards.kube.serves(DNS_ENDPOINT):
            await self._sweep_endpoints({entry["metadata"]["uid"] for entry in domains if _has_endpoint(entry)})
        return SWEEP_S

    async def _sweep_endpoints(self, owners: set[str]) -> None:
        async for entry in self.shards.kube.each(DNS_ENDPOINT, labels=f"{MANAGED_BY}={OPERATOR}"):
            if (entry["metadata"].get("labels") or {}).get(OWNER_LABEL) in owners:
                await self.leavings.wanted(DNS_ENDPOINT, entry)
            else:
                await self.leavings.unwanted(DNS_ENDPOINT, entry)

    def _held(self, entry: Mapping[str, Any]) -> MailDomain | None:
        """Return the domain as it is in force, if it is this object's."""
        policy, metadata = self.in_force(), entry["metadata"]
        found = policy.domains.get(str(entry["spec"].get("domain"))) if policy else None
        if found is None or (found.namespace, found.name) != (metadata["namespace"], metadata["name"]):
            return None
        return found

    async def _move(self, entry: Mapping[str, Any], value: MailDomain, judged: Report, *, holds: bool) -> float:
        """Do what `dkim.advance` says, in its order, until it asks nothing more."""
        looks: dict[Question, Look] = {}
        for _round in range(ROUNDS_MAX):
            given = await self._given(entry, value, looks)
            moved = await asyncio.to_thread(self._decide, given, holds)
            if holds and not await self._mounted(entry, value.domain, moved):
                return GATHER_S * 2
            moved = await self._publish(moved)
            programmed = _with_signing(judged, moved.report, value) if holds else judged
            await self.writer.write(key_of(entry), [programmed, moved.report])
            for sentence in moved.changes:
                await self.writer.recorder.record(entry, True, "KeyMoved", sentence)
            if not moved.questions:
                return float(max(1, moved.next_s))
            looks = await self.lookup.looks(moved.questions)
            entry = self.writer.store.get(key_of(entry)) or entry
        return 1.0

    def _decide(self, given: Given, holds: bool) -> Advance:  # noqa: FBT001
        now_s = int(self.now_s())
        return advance(given, self.platform, now_s) if holds else contend(given, now_s)

    async def _mounted(self, entry: Mapping[str, Any], domain: str, moved: Advance) -> bool:
        """Keep what was decided; say whether the router can have the keys: before that no policy may name them."""
        if moved.secret is not None:
            await self.shards.kube.apply(SECRET, moved.secret, KEYS_MANAGER)
        shard = await self.shards.put(domain, moved.stored)
        if shard is None:
            return True
        self.add(shard, GATHER_S)
        self.add(key_of(entry), GATHER_S * 2)
        return False

    async def _given(self, entry: Mapping[str, Any], value: MailDomain, looks: Mapping[Question, Look]) -> Given:
        policy = self.in_force()
        pool = policy.pools.get(value.pool) if policy else None
        return Given(
            domain=value,
            uid=entry["metadata"]["uid"],
            namespace_uid=self._namespace_uid(value.namespace),
            expiry_s=pool.retry.expiry_s if pool else 0,
            status=entry.get("status") or {},
            secret=await self.shards.kube.get(SECRET, self.platform.namespace, secret_name(value.domain)),
            looks=looks,
            is_contested=self._is_contested(entry),
        )

    def _is_contested(self, entry: Mapping[str, Any]) -> bool:
        domain = entry["spec"].get("domain")
        claims = [each for each in self.writer.store.each(MAIL_DOMAIN.name) if each["spec"].get("domain") == domain]
        return len(claims) > 1

    def _namespace_uid(self, name: str) -> str:
        namespace = self.writer.store.get(Key("Namespace", "", name))
        return str(namespace["metadata"]["uid"]) if namespace else ""

    async def _publish(self, moved: Advance) -> Advance:
        """Have external-dns publish the keys, where it is to; say so where there is none."""
        if moved.endpoint is None:
            return moved
        try:
            await self.shards.kube.apply(DNS_ENDPOINT, moved.endpoint, KEYS_MANAGER)
        except GoneError:
            text = "the cluster has no DNSEndpoint: install external-dns with its CRD, or write spec.dns.mode Manual"
            missing = Condition(DNS_VERIFIED, FALSE, "ExternalDNSMissing", text)
            others = tuple(each for each in moved.report.conditions if each.type != DNS_VERIFIED)
            return replace(moved, report=replace(moved.report, conditions=(*others, missing)))
        return moved

    async def _unmount(self, domain: str) -> None:
        shard = await self.shards.put(domain, None)
        if shard is not None:
            self.add(shard, GATHER_S)


def _has_endpoint(entry: Mapping[str, Any]) -> bool:
    mode = (entry["spec"].get("dns") or {}).get("mode", Mode.MANUAL.value)
    return bool(mode != Mode.MANUAL.value)


def _with_signing(judged: Report, moved: Report, in_force: MailDomain) -> Report:
    """Return what is known of the policy, which has yet to follow when other keys are to sign than those in force."""
    dkim = moved.fields.get("dkim") or {}
    signing = tuple(dkim.get("signing") or ())
    coming = tuple(each["name"] for each in dkim.get("selectors") or () if each["state"] == Phase.VERIFIED)
    if signing == (in_force.signing or ()) and not coming:
        return judged
    text = f"to sign with {', '.join(coming + signing)}" if coming + signing else "to sign with no key"
    waits = Condition(PASSES, FALSE, "NotPublished", f"the policy in force does not say yet {text}")
    stale = Condition(PASSES, TRUE, PASSES)
    return replace(judged, conditions=tuple(waits if each == stale else each for each in judged.conditions))


def _alone(entry: Mapping[str, Any], platform_namespace: str) -> MailDomain | None:
    """Return the domain as the object alone declares it; None when that is wrong in itself."""
    metadata = entry["metadata"]
    notes = Notes(MAIL_DOMAIN.name, metadata["namespace"], metadata["name"])
    declared = mail_domain(Section(notes, "spec", entry.get("spec")), Section(notes, "status", {}), platform_namespace)
    return None if notes.faults else declared.value
