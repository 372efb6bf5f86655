"""A record: what happened to a delivery, the one shape of the event stream."""

from dataclasses import dataclass
from enum import StrEnum

from paquebot.mail.delivery import Delivery
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Verdict


class Kind(StrEnum):
    """What happened."""

    ACCEPTED = "accepted"
    DELIVERED = "delivered"
    DEFERRED = "deferred"
    FAILED = "failed"
    HELD = "held"
    RELEASED = "released"
    CANCELLED = "cancelled"
    RETRIED = "retried"  # before its time, as a person wanted
    REROUTED = "rerouted"  # to another pool
    REQUEUED = "requeued"  # planned anew
    REPEATED = "repeated"  # its client sent it again, or another message under its key
    REFUSED = "refused"  # as unwanted: at submission (n is 0 then), or when a person wanted it of what was held
    ALARMED = "alarmed"  # an account does not act like itself
    SUSPENDED = "suspended"  # a credential, because its account does not act like itself
    RESUMED = "resumed"  # a credential, by a person
    COMPLAINT = "complaint"  # a recipient's, as a host reports it (RFC 5965); read, and not written by this release yet
    UNSUBSCRIBE = "unsubscribe"  # a recipient's, by one click (RFC 8058); the same
    IN_DOUBT = "in_doubt"  # the reply to the final dot was lost


@dataclass(frozen=True, slots=True)
class Record:
    """One thing that happened to some recipients of one delivery, at `at_ms` (Unix milliseconds).

    Personal data (recipients, reverse-path) sits together, so that erasure can take it out.
    """

    kind: Kind
    at_ms: int
    id: str
    n: int
    tenant: str
    recipients: tuple[str, ...]
    reverse_path: str = ""
    credential: str = ""
    pool: str = ""
    site: str = ""
    domain: str = ""
    lane: int = 1
    attempt: int = 0
    host: str = ""  # name and address of the MX that answered
    reply: Reply | None = None
    reason: str = ""
    next_ms: int = 0
    took_ms: int = 0
    tls: str = ""  # protocol version, or empty for none
    size_bytes: int = 0
    report_of: str = ""  # `<id>.<n>` this DSN is about
    report: str = ""  # id of the DSN that tells the sender
    author: str = ""  # who ordered it, when a person did
    verdict: Verdict | None = None  # of the spam filter, with the first delivery that was accepted, or what was refused


def about(delivery: Delivery, kind: Kind, at_ms: int) -> Record:
    """Return what every record of a delivery says; who knows more replaces the rest."""
    return Record(
        kind=kind,
        at_ms=at_ms,
        id=delivery.id,
        n=delivery.n,
        tenant=delivery.tenant,
        recipients=delivery.recipients,
        reverse_path=delivery.reverse_path,
        credential=delivery.credential,
        pool=delivery.pool,
        site=delivery.site,
        domain=delivery.domain,
        lane=delivery.lane,
        size_bytes=delivery.size_bytes,
    )
