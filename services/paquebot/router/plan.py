"""Recipients into deliveries. Pure: where sites are, and what keys sign, is found out before.

A delivery has one recipient domain, one lane and at most RECIPIENTS_MAX recipients (DESIGN §4).
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from paquebot.mail.address import addresses
from paquebot.mail.delivery import RECIPIENTS_MAX, Delivery, Plan
from paquebot.mail.envelope import Wish
from paquebot.mail.header import value_of
from paquebot.mail.labels import a_labelled
from paquebot.mail.reply import Reply
from paquebot.policy.route import HOLD_LOOK_MS, NOTHING, Decision, Reject, ToPool
from paquebot.policy.values import MailDomain, Policy, SendingPool
from paquebot.queue.subjects import partition_of, slot_of
from paquebot.wire.router import PlanRequest


class PlanRefusedError(Exception):
    """The message has no way out, and trying again will not find one: says why."""


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a domain's mail goes: its site, the DestinationPolicy that limits it, its slots, and what routes decide."""

    site: str
    group: str
    slots: int = 1
    decision: Decision = NOTHING

    @property
    def refusal(self) -> Reply | None:
        """The reply of the route that refuses it, None when none does."""
        action = self.decision.route.action if self.decision.route else None
        return action.reply if isinstance(action, Reject) else None


@dataclass(frozen=True, slots=True)
class Origin:
    """What a message's sender decides: who signs (None: nobody), which pool sends, and how long it is tried."""

    signing: MailDomain | None
    pool: SendingPool
    expiry_s: int


def origin(request: PlanRequest, policy: Policy) -> Origin:
    """Return who signs and which pool sends; raise PlanRefusedError when no pool does.

    The author's MailDomain decides, then the reverse-path's. Mail of domains nobody declared goes, unsigned,
    through the pool of the credential (a relay's), or of the request. A report of ours stays in the pool of
    the mail that it is about.
    """
    signing = policy.domain_of(_author_domain(request.header_section))
    sending = signing or policy.domain_of(request.envelope.reverse_path.rpartition("@")[2])
    credential = policy.credentials.get(f"{request.principal.tenant}.{request.principal.credential}")
    tokens = (
        request.pool if request.principal.internal else "",
        sending.pool if sending else "",
        credential.pool if credential else "",
        request.pool,
    )
    token = next(filter(None, tokens), "")
    if token not in policy.pools:
        reason = f"the SendingPool {token} does not exist" if token else "no MailDomain declares the sender's domain"
        raise PlanRefusedError(f"{reason}: declare it, or let the credential name a pool")
    pool = policy.pools[token]
    if pool.draining and not request.principal.internal:
        raise PlanRefusedError(f"the SendingPool {pool.place} is being removed: name another in the MailDomain")
    return Origin(signing, pool, (sending.expiry_s if sending else 0) or pool.retry.expiry_s)


def by_domain(recipients: tuple[str, ...]) -> dict[str, tuple[str, ...]]:
    """Return the recipients of each domain (an A-label in lower case), in order and each once.

    Local parts stay as they are, byte for byte. Raises PlanRefusedError for what has no domain.
    """
    found: dict[str, dict[str, None]] = {}
    for recipient in recipients:
        path = labelled(recipient)
        found.setdefault(path.rpartition("@")[2], {})[path] = None
    return {domain: tuple(each) for domain, each in found.items()}


def labelled(recipient: str) -> str:
    """Return a recipient with its domain as an A-label in lower case."""
    local, at, _ = recipient.rpartition("@")
    if not at or not local:
        raise PlanRefusedError(f"the recipient {recipient!r} has no domain")
    try:
        return a_labelled(recipient)
    except ValueError as error:
        raise PlanRefusedError(f"the domain of {recipient!r} has no A-label: {error}") from error


def plan(
    request: PlanRequest,
    domains: Mapping[str, tuple[str, ...]],
    sites: Mapping[str, Destination],
    sender: Origin,
    prefix: bytes,
) -> Plan:
    """Return the deliveries, numbered from 1, or the refusal that meets them all. `sites` has one for each domain.

    What a route refuses beside others goes with them: its deliverer fails it, with a report. The return path is
    the reverse-path: nothing of ours reads bounces yet. A held message's life begins when it is let go.
    """
    refusals = [destination.refusal for destination in sites.values()]
    if refusals and all(refusals):
        return Plan((), refusals[0])
    wishes = {labelled(recipient): wish for recipient, wish in request.envelope.wishes.items()}
    return Plan(tuple(_delivery(request, share, sender, prefix, wishes) for share in _shares(domains, sites)))


@dataclass(frozen=True, slots=True)
class _Share:
    """What one delivery takes of the message."""

    n: int
    domain: str
    recipients: tuple[str, ...]
    destination: Destination


def _delivery(
    request: PlanRequest, share: _Share, sender: Origin, prefix: bytes, wishes: Mapping[str, Wish]
) -> Delivery:
    destination, decision = share.destination, share.destination.decision
    hold_ms = max(request.hold_ms, decision.until_ms)
    next_ms = min(hold_ms, max(request.hold_ms, request.accepted_ms + HOLD_LOOK_MS))
    return Delivery(
        id=request.id,
        n=share.n,
        tenant=request.principal.tenant,
        credential=request.principal.credential,
        reverse_path=request.envelope.reverse_path,
        return_path=request.envelope.reverse_path,
        recipients=share.recipients,
        domain=share.domain,
        site=destination.site,
        group=destination.group,
        pool=_pool(decision, sender),
        lane=request.lane,
        partition=partition_of(destination.site, slot_of(f"{request.id}.{share.n}", destination.slots)),
        prefix=prefix,
        size_bytes=request.size_bytes,
        eight_bit=request.envelope.eight_bit,
        accepted_ms=request.accepted_ms,
        expires_ms=max(request.accepted_ms, hold_ms) + sender.expiry_s * 1000,
        next_ms=next_ms,
        held=next_ms > 0,
        reason="; ".join(filter(None, (request.hold_reason, decision.hold_reason))),
        utf8=_is_beyond_ascii(request),
        envelope_id=request.envelope.envelope_id,
        ret=request.envelope.ret,
        wishes={each: wishes[each] for each in share.recipients if each in wishes},
        tags=request.tags,
        hold_until_ms=decision.until_ms,
        route=decision.smarthost_route,
        refuse_ms=request.refuse_ms,
        alarmed=request.alarmed,
    )


def _pool(decision: Decision, sender: Origin) -> str:
    action = decision.route.action if decision.route else None
    return action.pool if isinstance(action, ToPool) else sender.pool.token


def _is_beyond_ascii(request: PlanRequest) -> bool:
    """Say whether all of the message needs SMTPUTF8; domains do not, being A-labels (RFC 6531 §3.2)."""
    return not (request.header_section.isascii() and request.envelope.reverse_path.isascii())


def _shares(domains: Mapping[str, tuple[str, ...]], sites: Mapping[str, Destination]) -> Iterator[_Share]:
    n = 0
    for domain, recipients in domains.items():
        for start in range(0, len(recipients), RECIPIENTS_MAX):
            n += 1
            yield _Share(n, domain, recipients[start : start + RECIPIENTS_MAX], sites[domain])


def _author_domain(header_section: bytes) -> str:
    """Return the domain of the first author: the one that DMARC looks at."""
    authors = addresses(value_of(header_section, b"from") or b"").mailboxes
    return authors[0].domain if authors else ""
