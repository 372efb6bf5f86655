"""What is refused before anybody is asked: rights, sizes, destinations that cannot be. Pure decisions.

Each function returns the reply that refuses, or None to go on.
"""

import ipaddress
import re
from collections.abc import Iterable, Sequence

from paquebot.mail.delivery import Lane
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.policy.values import Policy

_SENDERS_NAMED_MAX = 5  # in a refusal: a reply line has 512 octets
_DOMAIN_MAX = 253  # RFC 1035 §2.3.4, without the root's octet
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?")


def sender_refusal(principal: Principal, reverse_path: str, policy: Policy) -> Reply | None:
    """Say whether MAIL FROM may carry this path."""
    if principal.internal:
        return None
    if not principal.may_send_as(reverse_path):
        return _not_yours(principal, f"<{reverse_path}>" if reverse_path else "the null reverse-path")
    return _suspension(reverse_path, policy)


def author_refusal(principal: Principal, authors: Sequence[str], sender: str, policy: Policy) -> Reply | None:
    """Say whether the From and Sender fields may name these mailboxes."""
    if principal.internal:
        return None
    for name, mailbox in (*(("From", author) for author in authors), ("Sender", sender)):
        if not mailbox:
            continue
        if not principal.may_send_as(mailbox):
            return _not_yours(principal, f"{name}: {mailbox}")
        if (refusal := _suspension(mailbox, policy)) is not None:
            return refusal
    return None


def size_refusal(principal: Principal, size_bytes: int) -> Reply | None:
    """Say whether content of this size may be sent (RFC 1870 §6.1)."""
    if principal.internal or size_bytes <= principal.message_size_max_bytes:
        return None
    return Reply(552, "5.3.4", f"The message is larger than {principal.message_size_max_bytes} octets")


def crowd_refusal(principal: Principal, recipients: int) -> Reply | None:
    """Say whether a message may have so many recipients (RFC 5321 §4.5.3.1.10)."""
    if recipients <= principal.recipients_max:
        return None
    return Reply(452, "4.5.3", f"A message may have {principal.recipients_max} recipients: send the rest apart")


def recipient_refusal(recipient: str) -> Reply | None:
    """Say whether mail to this domain can ever have a way: no lookup is made here."""
    domain = recipient.rpartition("@")[2].lower()
    if domain.startswith("["):
        return None if _is_address(domain) else Reply(553, "5.1.3", f"{domain} is no address literal")
    labels = domain.removesuffix(".").split(".")
    if len(domain) > _DOMAIN_MAX or not all(map(_LABEL.fullmatch, labels)):
        return Reply(553, "5.1.3", f"{domain[:100]} is no domain name")
    if len(labels) == 1:
        return Reply(550, "5.1.2", f"{domain} has a single label: no mail goes there")
    if labels[-1].isdigit():
        return Reply(553, "5.1.3", f"{domain} looks like an address: write it as [{domain}]")
    return None


def domain_of(recipient: str) -> str:
    """Return a recipient's domain in the form that routes and lists know: lower case, without a final dot."""
    return recipient.rpartition("@")[2].lower().removesuffix(".")


def pool_of(principal: Principal, reverse_path: str, policy: Policy) -> str:
    """Return the pool that will probably send, for admission; the router decides by the author as well."""
    domain = policy.domain_of(reverse_path.rpartition("@")[2])
    if domain is not None:
        return domain.pool
    credential = policy.credentials.get(f"{principal.tenant}.{principal.credential}")
    return credential.pool if credential else ""


def pool_refusal(pool: str, policy: Policy) -> Reply | None:
    """Say whether a pool takes new mail: one that drains does not, and the sender is told what must change."""
    found = policy.pools.get(pool)
    if found is None or not found.draining:
        return None
    text = f"The SendingPool {found.place} is being removed and takes nothing new: its MailDomain must name another"
    return Reply(451, "4.3.5", text)


def lane_of(principal: Principal, wishes: Iterable[Lane | None], policy: Policy) -> Lane:
    """Return the lane of a message: its credential's, or a lower one that it wishes for."""
    if principal.internal:
        return Lane.URGENT
    credential = policy.credentials.get(f"{principal.tenant}.{principal.credential}")
    own = credential.lane if credential else Lane.NORMAL
    return max([own, *(wish for wish in wishes if wish is not None)])


def _not_yours(principal: Principal, what: str) -> Reply:
    named = ", ".join(principal.senders[:_SENDERS_NAMED_MAX]) or "nobody"
    more = len(principal.senders) - _SENDERS_NAMED_MAX
    if more > 0:
        named += f" and {more} more"
    name = f"{principal.tenant}.{principal.credential}"
    return Reply(550, "5.7.1", f"{what[:120]} is not allowed for {name}, which may send as {named}"[:450])


def _suspension(mailbox: str, policy: Policy) -> Reply | None:
    domain = policy.domain_of(mailbox.rpartition("@")[2])
    if domain is None or not domain.suspend:
        return None
    return Reply(550, "5.7.1", f"Sending from {domain.domain} is suspended (MailDomain {domain.name})")


def _is_address(literal: str) -> bool:
    """Say whether a literal holds an IPv4 or IPv6 address (RFC 5321 §4.1.3); other kinds do not exist."""
    inside = literal[1:-1] if literal.endswith("]") else ""
    try:
        if inside.startswith("ipv6:"):
            ipaddress.IPv6Address(inside.removeprefix("ipv6:"))
        else:
            ipaddress.IPv4Address(inside)
    except ValueError:
        return False
    return True
