"""Deciding what becomes of a delivery after an attempt: outcomes in, a Settlement out. Pure.

Delivered and failed recipients are done with; the others wait on under the same name. What waits too long has failed.
The sender is told what was wished for (RFC 3461 §5.2): one report for each action, its id the same for a repeat.
"""

from collections.abc import Mapping
from dataclasses import dataclass, replace

from paquebot.mail.delivery import Delivery
from paquebot.mail.envelope import NO_WISH
from paquebot.mail.ident import report_id
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import Record, about
from paquebot.mail.reply import Reply
from paquebot.mail.report import Action, DsnRequest, Told
from paquebot.mail.retry import Retry, next_try_ms
from paquebot.mail.settlement import Settlement

REPORT_AGAIN_MS = 60_000
UNREPORTED = "the report about it cannot be submitted yet; "
EXPIRED = Reply(451, "4.4.7", "It could not be delivered in time")  # RFC 3463 §3.5: delivery time expired

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
    host: str = ""
    tls: str = ""
    took_ms: int = 0
    dsn_passed: bool = False  # who took it has taken over the duty to report as well (RFC 3461 §5.2.1)


def settle(attempt: Attempt, unsent: frozenset[Action] = frozenset()) -> Settlement:
    """Return what must be done now.

    `unsent` are the kinds of report that cannot be submitted now. The failed whose report is among them wait on, the
    relayed are remembered; then the attempt does not count, so that the reports keep their ids. The delivered are done
    with all the same, and that it is late is told by the next attempt.
    """
    final = {recipient: _final(attempt, outcome) for recipient, outcome in attempt.outcomes.items()}
    tales = _tales(attempt, final)
    outcomes = final | {
        recipient: _put_off(attempt.outcomes[recipient])
        for recipient in (tales.get(Action.FAILED, ()) if Action.FAILED in unsent else ())
    }
    owed = tales.get(Action.RELAYED, ()) if Action.RELAYED in unsent else ()
    put_off = bool(unsent - {Action.DELAYED})
    next_ms = _again_ms(attempt) if put_off else _next_ms(attempt)
    again = _again(attempt, outcomes, next_ms, owed)
    if again is not None and not put_off:
        again = replace(again, attempts=attempt.delivery.attempts + 1)
    if again is not None and Action.DELAYED in tales.keys() - unsent:
        again = replace(again, delay_told=True)
    reports = tuple(_request(attempt, final, action, told) for action, told in tales.items() if action not in unsent)
    return Settlement(_records(attempt, outcomes, next_ms, reports), again, reports)


def late(delivery: Delivery, retry: Retry, now_ms: int, reporting_mta: str) -> DsnRequest | None:
    """Return the report about a delivery that waits untried, if it is time to tell that it is late.

    Its last reply, if any host has spoken, is told beside the reason why it waits.
    """
    wanted = [each for each in delivery.recipients if delivery.wishes.get(each, NO_WISH).wants("DELAY")]
    if not wanted or not delivery.reverse_path or not _is_late(delivery, retry, now_ms):
        return None
    host = delivery.last_host.partition(" ")[0]
    told = tuple(Told(each, delivery.last_reply, delivery.reason, host) for each in wanted)
    ident = report_id(delivery.id, delivery.n, Action.DELAYED)
    return DsnRequest(ident, Action.DELAYED, now_ms, reporting_mta, delivery, told)


def _tales(attempt: Attempt, outcomes: Mapping[str, Outcome]) -> dict[Action, tuple[str, ...]]:
    """Return whom the sender is told about, and what. A null reverse-path is told nothing (RFC 5321 §6.1)."""
    delivery = attempt.delivery
    if not delivery.reverse_path:
        return {}
    tales = {Action.FAILED: _wanted(attempt, outcomes, Kind.FAILED, "FAILURE"), Action.RELAYED: delivery.relayed}
    if not attempt.dsn_passed:
        tales[Action.RELAYED] += _wanted(attempt, outcomes, Kind.DELIVERED, "SUCCESS")
    if _is_late(delivery, attempt.retry, attempt.now_ms):
        tales[Action.DELAYED] = _wanted(attempt, outcomes, Kind.DEFERRED, "DELAY")
    return {action: recipients for action, recipients in tales.items() if recipients}


def _is_late(delivery: Delivery, retry: Retry, now_ms: int) -> bool:
    """Say whether it is time to tell that it is late; it is told once."""
    notice_ms = retry.delay_notice_s * 1000
    return notice_ms > 0 and not delivery.delay_told and now_ms >= delivery.accepted_ms + notice_ms


def _wanted(attempt: Attempt, outcomes: Mapping[str, Outcome], kind: Kind, wish: str) -> tuple[str, ...]:
    wishes = attempt.delivery.wishes
    return tuple(
        recipient
        for recipient, outcome in outcomes.items()
        if outcome.kind is kind and wishes.get(recipient, NO_WISH).wants(wish)
    )


def _next_ms(attempt: Attempt) -> int:
    """Return when to try next: by the schedule, at last at the expiry."""
    delivery, now_ms = attempt.delivery, attempt.now_ms
    next_ms = next_try_ms(attempt.retry, delivery.attempts + 1, now_ms, attempt.chance)
    return min(next_ms, max(delivery.expires_ms, now_ms + 1000))


def _again_ms(attempt: Attempt) -> int:
    """Return when to submit a report again."""
    return attempt.now_ms + int(REPORT_AGAIN_MS * (1 + attempt.chance))


def _put_off(outcome: Outcome) -> Outcome:
    return replace(outcome, kind=Kind.DEFERRED, reason=UNREPORTED + outcome.reason.removeprefix(UNREPORTED))


def _again(attempt: Attempt, outcomes: Mapping[str, Outcome], next_ms: int, owed: tuple[str, ...]) -> Delivery | None:
    """Return the delivery with those who still wait. An attempt that ends in outcomes ends a row of crashes."""
    waiting = tuple(each for each, outcome in outcomes.items() if outcome.kind is Kind.DEFERRED)
    if not waiting and not owed:
        return None
    delivery = attempt.delivery
    doubt = (each for each in waiting if outcomes[each].reason.startswith(IN_DOUBT))  # tells which host comes first
    last = outcomes[next(doubt, waiting[0])] if waiting else None
    return replace(
        delivery,
        recipients=waiting,
        relayed=owed,
        held=False,
        next_ms=next_ms,
        reason=last.reason if last else UNREPORTED.removesuffix("; "),
        last_reply=(last.reply if last else None) or delivery.last_reply,
        last_host=attempt.host or delivery.last_host,
        crashes=0,
        order="",
    )


def _final(attempt: Attempt, outcome: Outcome) -> Outcome:
    """Turn what is deferred beyond its expiry into a failure that tells the last reason."""
    if outcome.kind is not Kind.DEFERRED or attempt.now_ms < attempt.delivery.expires_ms:
        return outcome
    days = (attempt.delivery.expires_ms - attempt.delivery.accepted_ms) / 86_400_000
    reason = f"not delivered within {days:.1f} days; at last {outcome.reason.removeprefix(UNREPORTED)}"
    return replace(outcome, kind=Kind.FAILED, reason=reason, reply=EXPIRED)


def _records(
    attempt: Attempt, outcomes: Mapping[str, Outcome], next_ms: int, reports: tuple[DsnRequest, ...]
) -> tuple[Record, ...]:
    """Tell what happened: recipients that met the same, and are told about alike, share a record."""
    report_of = {told.recipient: report.id for report in reports for told in report.told}
    groups: dict[tuple[Kind, Reply | None, str, str], list[str]] = {}
    for recipient, outcome in outcomes.items():
        met = outcome.kind, outcome.reply, outcome.reason, report_of.get(recipient, "")
        groups.setdefault(met, []).append(recipient)
    return tuple(
        _record(attempt, tuple(group), outcomes[group[0]], next_ms, report) for (*_, report), group in groups.items()
    )


def _record(attempt: Attempt, recipients: tuple[str, ...], outcome: Outcome, next_ms: int, report: str) -> Record:
    return replace(
        about(attempt.delivery, _RECORDS[outcome.kind], attempt.now_ms),
        recipients=recipients,
        attempt=attempt.delivery.attempts + 1,
        host=attempt.host,
        reply=outcome.reply,
        reason=outcome.reason,
        next_ms=next_ms if outcome.kind is Kind.DEFERRED else 0,
        took_ms=attempt.took_ms,
        tls=attempt.tls,
        report=report,
    )


def _request(
    attempt: Attempt, outcomes: Mapping[str, Outcome], action: Action, recipients: tuple[str, ...]
) -> DsnRequest:
    delivery = attempt.delivery
    # Who is told about is part of it: when an attempt is repeated, it may have to tell of others, which is no repeat.
    occasion = ".".join((str(delivery.attempts + 1), action, *sorted(recipients)))
    if action is Action.DELAYED:  # late only once, whatever the attempt
        occasion = action
    return DsnRequest(
        report_id(delivery.id, delivery.n, occasion),
        action,
        attempt.now_ms,
        attempt.reporting_mta,
        delivery,
        tuple(_told(attempt, each, outcomes.get(each)) for each in recipients),
    )


def _told(attempt: Attempt, recipient: str, outcome: Outcome | None) -> Told:
    """Tell what is known of a recipient: nothing of this attempt where an earlier one handed it on."""
    if outcome is None:
        return Told(recipient, None, "")
    return Told(recipient, outcome.reply, outcome.reason, _host_of(attempt, outcome), attempt.now_ms)


def _host_of(attempt: Attempt, outcome: Outcome) -> str:
    """Return the host's name, when the reply is a host's."""
    return "" if outcome.reply is None or outcome.reply is EXPIRED else attempt.host.partition(" ")[0]
