"""Gathers the facts about many messages: of a site, a tenant, a pool; and finds out what a name names."""

import asyncio
import time
from collections import Counter

from paquebot.cli.explain.facts import Around, Backlog, Explanation, PoolFacts, SiteFacts, TenantFacts
from paquebot.cli.explain.gather import Sources, look_up
from paquebot.cli.explain.pool import pool
from paquebot.cli.explain.site import site
from paquebot.cli.explain.tenant import tenant
from paquebot.dns.sites import site_of
from paquebot.mail.record import Kind
from paquebot.queue.depth import depth, sample
from paquebot.queue.events import read_records
from paquebot.queue.subjects import event_subject

SINCE_MS = 3_600_000  # a tenant's last hour
RECORDS_S = 2.0  # events are counted for so long


async def explain_name(source: Sources, around: Around, name: str) -> tuple[Explanation, ...]:
    """Return what is told about everything of a name: pools, tenants, sites, and the site of a domain."""
    told = [await _pool(source, around, token) for token in _pools(around, name)]
    if name in _tenants(around):
        told.append(await _tenant(source, around, name))
    if name in _sites(around):
        told.append(site(await _site(source, around, SiteFacts(name, _sites(around)[name])), around))
    elif "." in name:
        told.append(await _domain(source, around, name.rpartition("@")[2].lower()))
    return tuple(told)


def known_names(around: Around) -> str:
    """Return what can be asked for, for people who asked for something else."""
    kinds = {
        "tenants": sorted(_tenants(around)),
        "pools": sorted(each.place for each in around.policy.pools.values()),
        "sites": sorted(_sites(around)),
    }
    return "; ".join(f"{kind}: {', '.join(names[:10])}" for kind, names in kinds.items() if names)


def _pools(around: Around, name: str) -> list[str]:
    return [token for token, each in around.policy.pools.items() if name in {token, each.place, each.name}]


def _tenants(around: Around) -> set[str]:
    domains = {each.namespace for each in around.policy.domains.values()}
    credentials = {each.namespace for each in around.policy.credentials.values()}
    in_line = {share.tenant for state in around.live.states for each in state.sites for share in each.shares}
    return domains | credentials | in_line


def _sites(around: Around) -> dict[str, str]:
    """Return the sites that have a name, with their groups."""
    live = {each.site: each.group for state in around.live.states for each in state.sites}
    return {name: name for name in around.policy.destinations} | live


async def _pool(source: Sources, around: Around, token: str) -> Explanation:
    return pool(PoolFacts(token, await _backlog(source, token)), around)


async def _domain(source: Sources, around: Around, domain: str) -> Explanation:
    answer = await look_up(source, domain)
    name, group = site_of(domain, answer, around.policy)
    return site(await _site(source, around, SiteFacts(name, group, domain, answer)), around)


async def _site(source: Sources, around: Around, facts: SiteFacts) -> SiteFacts:
    backlogs = await asyncio.gather(*(_backlog(source, pool, facts.site) for pool in around.policy.pools))
    return SiteFacts(facts.site, facts.group, facts.domain, facts.answer, tuple(backlogs))


async def _tenant(source: Sources, around: Around, name: str) -> Explanation:
    backlogs = await asyncio.gather(*(_backlog(source, pool) for pool in around.policy.pools))
    since_ms = around.now_ms - SINCE_MS
    happened = await _happened(source, name, since_ms)
    return tenant(TenantFacts(name, since_ms, tuple(backlogs), happened), around)


async def _backlog(source: Sources, pool: str, site: str = "") -> Backlog:
    counted, some = await asyncio.gather(depth(source.js, pool, site), sample(source.js, pool, site))
    return Backlog(pool, counted, tuple(some))


async def _happened(source: Sources, tenant: str, since_ms: int) -> Counter[tuple[str, Kind]]:
    """Count what happened to a tenant's mail, as far as time allows."""
    counts: Counter[tuple[str, Kind]] = Counter()
    end = time.monotonic() + RECORDS_S
    async for record in read_records(source.js, since_ms, event_subject(tenant, "*")):
        counts[record.credential, record.kind] += 1
        if time.monotonic() > end:
            break
    return counts
