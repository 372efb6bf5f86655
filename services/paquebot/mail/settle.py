"""Deciding what becomes of a delivery after an attempt: outcomes in, a Settlement out. Pure.

Delivered and failed recipients are done with; the others wait on under the same name. What waits too long has failed.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.dsn import DsnRequest, FailedRecipient, report
from paquebot.mail.ident import report_id
from paquebot.mail.outcome import Kind, Outcome
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import Record
from paquebot.mail.reply import Reply
from paquebot.mail.retry import Retry, next_try_ms
from paquebot.mail.settlement import Report, Settlement

REPORT_AGAIN_MS = 60_000
UNREPORTED = "the report about it cannot be submitted yet; "
EXPIRED = Reply(550, "4.4.7", "It could not be delivered in time")  # RFC 3463 §3.5: delivery time expired

_RECORDS = {
    Kind.DELIVERED: RecordKind.DELIVERED,
    Kind.DEFERRED: RecordKind.DEFERRED,
    Kind.FAILED: RecordKind.FAILED,
}


@dataclass(frozen=True, slots=True)
class Attempt:
    """What one attempt gathered: an outcome for each recipient, and what is needed to judge and to tell."""

    delivery: Delivery
    outcomes: Mapping[str, Outcome]
    now_ms: int
    retry: Retry
    chance: float  # 0 to 1, spreads the next try
    reporting_mta: str
    original_header: bytes = b""
    host: str = ""
    tls: str = ""
    took_ms: int = 0


def settle(attempt: Attempt) -> Settlement:
    """Return what must be done now."""
    delivery = attempt.delivery
    attempts = delivery.attempts + 1
    outcomes = {recipient: _final(attempt, outcome) for recipient, outcome in attempt.outcomes.items()}
    next_ms = next_try_ms(attempt.retry, attempts, attempt.now_ms, attempt.chance)
    next_ms = min(next_ms, max(delivery.expires_ms, attempt.now_ms + 1000))
    return Settlement(
        _records(attempt, outcomes, next_ms),
        _again(attempt, outcomes, attempts, next_ms),
        _report(attempt, attempts, outcomes),
    )


def put_off(attempt: Attempt) -> Settlement:
    """Return what must be done while the report cannot be submitted: the failed wait on.

    The attempt does not count, so that the report keeps its id; the delivered are done with all the same.
    """
    outcomes = {
        recipient: _put_off(outcome) if _final(attempt, outcome).kind is Kind.FAILED else outcome
        for recipient, outcome in attempt.outcomes.items()
    }
    next_ms = attempt.now_ms + int(REPORT_AGAIN_MS * (1 + attempt.chance))
    again = _again(attempt, outcomes, attempt.delivery.attempts, next_ms)
    return Settlement(_records(attempt, outcomes, next_ms), again)


def _put_off(outcome: Outcome) -> Outcome:
    return replace(outcome, kind=Kind.DEFERRED, reason=UNREPORTED + outcome.reason.removeprefix(UNREPORTED))


def _again(attempt: Attempt, outcomes: Mapping[str, Outcome], attempts: int, next_ms: int) -> Delivery | None:
    """Return the delivery with those who still wait. An attempt that ends in outcomes ends a row of crashes."""
    waiting = tuple(each for each, outcome in outcomes.items() if outcome.kind is Kind.DEFERRED)
    if not waiting:
        return None
    delivery, last = attempt.delivery, outcomes[waiting[0]]
    return replace(
        delivery,
        recipients=waiting,
        attempts=attempts,
        next_ms=next_ms,
        reason=last.reason,
        last_reply=last.reply or delivery.last_reply,
        last_host=attempt.host or delivery.last_host,
        crashes=0,
    )


def _final(attempt: Attempt, outcome: Outcome) -> Outcome:
    """Turn what is deferred beyond its expiry into a failure that tells the last reason."""
    if outcome.kind is not Kind.DEFERRED or attempt.now_ms < attempt.delivery.expires_ms:
        return outcome
    days = (attempt.delivery.expires_ms - attempt.delivery.accepted_ms) / 86_400_000
    reason = f"not delivered within {days:.1f} days; at last {outcome.reason.removeprefix(UNREPORTED)}"
    return replace(outcome, kind=Kind.FAILED, reason=reason, reply=EXPIRED)


def _alike(outcomes: Mapping[str, Outcome]) -> list[tuple[str, ...]]:
    """Group recipients that met the same outcome: each group is one record."""
    groups: dict[tuple[Kind, Reply | None, str], list[str]] = {}
    for recipient, outcome in outcomes.items():
        groups.setdefault((outcome.kind, outcome.reply, outcome.reason), []).append(recipient)
    return [tuple(group) for group in groups.values()]


def _records(attempt: Attempt, outcomes: Mapping[str, Outcome], next_ms: int) -> tuple[Record, ...]:
    return tuple(_record(attempt, each, outcomes, next_ms) for each in _alike(outcomes))


def _record(attempt: Attempt, recipients: tuple[str, ...], outcomes: Mapping[str, Outcome], next_ms: int) -> Record:
    delivery, outcome = attempt.delivery, outcomes[recipients[0]]
    return Record(
        kind=_RECORDS[outcome.kind],
        at_ms=attempt.now_ms,
        id=delivery.id,
        n=delivery.n,
        tenant=delivery.tenant,
        recipients=recipients,
        reverse_path=delivery.reverse_path,
        credential=delivery.credential,
        pool=delivery.pool,
        site=delivery.site,
        domain=delivery.domain,
        lane=delivery.lane,
        attempt=delivery.attempts + 1,
        host=attempt.host,
        reply=outcome.reply,
        reason=outcome.reason,
        next_ms=next_ms if outcome.kind is Kind.DEFERRED else 0,
        took_ms=attempt.took_ms,
        tls=attempt.tls,
        size_bytes=delivery.size_bytes,
    )


def _report(attempt: Attempt, attempts: int, outcomes: Mapping[str, Outcome]) -> Report | None:
    """Return the DSN about the failed recipients; never one about a null reverse-path (RFC 5321 §6.1)."""
    failed = {each: outcome for each, outcome in outcomes.items() if outcome.kind is Kind.FAILED}
    delivery = attempt.delivery
    if not failed or not delivery.reverse_path:
        return None
    told = tuple(
        FailedRecipient(each, outcome.reply, outcome.reason, _host_of(attempt, outcome), attempt.now_ms)
        for each, outcome in failed.items()
    )
    sender = f"mailer-daemon@{attempt.reporting_mta}"
    ident = report_id(delivery.id, delivery.n, attempts)
    return report(
        DsnRequest(
            ident,
            attempt.now_ms,
            attempt.reporting_mta,
            sender,
            delivery,
            told,
            delivery.prefix + attempt.original_header,
        )
    )


def _host_of(attempt: Attempt, outcome: Outcome) -> str:
    """Return the host's name, when the reply is a host's."""
    return "" if outcome.reply is None or outcome.reply is EXPIRED else attempt.host.partition(" ")[0]
