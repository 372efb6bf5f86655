"""Answering Plan: gathers sites and signers, then lets `plan` decide.

When every site is in the cache the answer is made without waiting, so that a frame of requests is answered
at one go; otherwise DNS gets LOOKUP_S, and what it has not told by then is left to the deliverer.
"""

import asyncio
import time
from collections.abc import Awaitable, Mapping
from dataclasses import dataclass, field
from functools import cache

import structlog
from prometheus_client import Counter

from paquebot.dkim.sign import Signer, sign_all
from paquebot.dns.resolver import MxAnswer, MxKind, Resolver
from paquebot.dns.sites import literal, site_of, site_of_smarthost
from paquebot.mail.delivery import Plan
from paquebot.policy.route import NOTHING, Decision, Passage, Smarthost
from paquebot.policy.values import MailDomain, Policy
from paquebot.router.keyring import Keyring
from paquebot.router.plan import (
    Destination,
    PlanRefusedError,
    by_domain,
    origin,
    plan,
)
from paquebot.router.received import received
from paquebot.runtime.rpc_server import Caller, RefusedError, Server
from paquebot.wire.method import Fault
from paquebot.wire.router import PLAN, PLAN_STREAM, PlanRequest

LOOKUP_S = 2.0
LOG = structlog.get_logger()

PLANS = Counter("paquebot_router_plans", "Messages planned, or refused because they have no way out.", ["outcome"])
PLANNED, REFUSED = PLANS.labels("planned"), PLANS.labels("refused")
DELIVERIES = Counter("paquebot_router_deliveries", "Deliveries planned.")
SLOW_LOOKUPS = Counter("paquebot_router_dns_timeouts", "Domains whose MX was not known within the budget.")
SIGNATURES = Counter("paquebot_router_signatures", "DKIM signatures made.", ["algorithm"])
UNSIGNED = Counter(
    "paquebot_router_unsigned", "Messages without a DKIM signature: no MailDomain, or no key on disk.", ["why"]
)
signatures = cache(SIGNATURES.labels)  # `labels` costs three times what counting does
unsigned = cache(UNSIGNED.labels)


@dataclass(slots=True)
class Router:
    """Plans messages by the policy that it last saw."""

    hostname: str
    resolver: Resolver
    keyring: Keyring
    policy: Policy = field(default_factory=Policy)

    def follow(self, policy: Policy) -> None:
        """Plan by this policy from now on."""
        self.policy = policy
        self.keyring.keep(policy)

    def answer(self, request: PlanRequest) -> Plan | Fault | Awaitable[Plan | Fault]:
        """Return the plan, at once if every site is known; a Fault INVALID when there is no way out."""
        try:
            domains = by_domain(request.envelope.recipients)
            sites, unknown = self._known(request, domains)
            if unknown:
                return self._after_lookup(request, domains, sites, unknown)
            return self._plan(request, domains, sites)
        except PlanRefusedError as refusal:
            return _refused(refusal)

    def _known(
        self, request: PlanRequest, domains: Mapping[str, tuple[str, ...]]
    ) -> tuple[dict[str, Destination], list[str]]:
        """Return the sites that need no lookup, and the domains that do."""
        sites: dict[str, Destination] = {}
        unknown: list[str] = []
        for domain in domains:
            answer = self.resolver.cached_mx(domain)
            if answer is None and not literal(domain):
                unknown.append(domain)
            else:
                sites[domain] = self._destination(request, domain, answer)
        return sites, unknown

    async def _after_lookup(
        self,
        request: PlanRequest,
        domains: Mapping[str, tuple[str, ...]],
        sites: dict[str, Destination],
        unknown: list[str],
    ) -> Plan | Fault:
        lookups = {asyncio.create_task(self.resolver.mx(domain)): domain for domain in unknown}
        done, late = await asyncio.wait(lookups, timeout=LOOKUP_S)
        for lookup in done:
            sites[lookups[lookup]] = self._destination(request, lookups[lookup], lookup.result())
        for lookup in late:  # the resolver goes on, and knows it for the next message
            lookup.cancel()
            sites[lookups[lookup]] = self._destination(request, lookups[lookup], None)
            SLOW_LOOKUPS.inc()
        try:
            return self._plan(request, domains, sites)
        except PlanRefusedError as refusal:
            return _refused(refusal)

    def _destination(self, request: PlanRequest, domain: str, answer: MxAnswer | None) -> Destination:
        decision = self._decision(request, domain, answer) if self.policy.routes.ordered else NOTHING
        action = decision.route.action if decision.route else None
        if isinstance(action, Smarthost):
            site, group = site_of_smarthost(action, self.policy)
        else:
            site, group = site_of(domain, answer, self.policy)
        limits = self.policy.destinations.get(group)
        return Destination(site, group, limits.slots if limits else 1, decision)

    def _decision(self, request: PlanRequest, domain: str, answer: MxAnswer | None) -> Decision:
        """Return what routes want. Where DNS has not told the hosts yet, the deliverer asks again."""
        known = answer is not None and answer.kind is not MxKind.UNKNOWN
        passage = Passage(
            request.principal.tenant,
            request.envelope.reverse_path.rpartition("@")[2],
            domain,
            request.tags,
            answer.names if answer is not None and known else None,
            report=request.principal.internal,
        )
        return self.policy.routes.decide(passage, request.accepted_ms)

    def _plan(
        self,
        request: PlanRequest,
        domains: Mapping[str, tuple[str, ...]],
        sites: Mapping[str, Destination],
    ) -> Plan:
        sender = origin(request, self.policy)
        # RFC 5321 §4.4 wants Received at the beginning; a signature stands right above what it signs.
        prefix = received(request, self.hostname) + request.tag_fields + self._signed(request, sender.signing)
        planned = plan(request, domains, sites, sender, prefix)
        if planned.refusal is not None:
            REFUSED.inc()
            return planned
        PLANNED.inc()
        DELIVERIES.inc(len(planned.deliveries))
        return planned

    def _signed(self, request: PlanRequest, domain: MailDomain | None) -> bytes:
        """Return the DKIM-Signature fields of the author's domain; a relay's unknown domain has none."""
        signers = self.keyring.signers(domain, time.monotonic()) if domain else ()
        _count(signers, domain)
        return sign_all(signers, request.header_section, request.body_hash, request.accepted_ms // 1000)


def _count(signers: tuple[Signer, ...], domain: MailDomain | None) -> None:
    for signer in signers:
        signatures(signer.algorithm).inc()
    if not signers:
        unsigned("no key" if domain else "no MailDomain").inc()


def _refused(refusal: PlanRefusedError) -> Fault:
    REFUSED.inc()
    LOG.info("no way out", why=str(refusal))
    return Fault("INVALID", str(refusal))


def serve(server: Server, router: Router) -> None:
    """Let the server answer for the router. Submission asks; people may, to see what would be done."""

    async def unary(request: PlanRequest, _caller: Caller) -> Plan:
        answer = router.answer(request)
        outcome = await answer if isinstance(answer, Awaitable) else answer
        if isinstance(outcome, Fault):
            raise RefusedError(outcome.text)
        return outcome

    def framed(request: PlanRequest, _caller: Caller) -> Plan | Fault | Awaitable[Plan | Fault]:
        return router.answer(request)

    server.unary(PLAN, unary, frozenset({"submission", "admin"}))
    server.stream(PLAN_STREAM, framed, frozenset({"submission"}))
