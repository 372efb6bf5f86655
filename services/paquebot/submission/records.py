"""What the event stream hears of mail at the door: accepted, come again, or refused as unwanted."""

import time
from dataclasses import replace

from paquebot.mail.delivery import Delivery, Plan
from paquebot.mail.record import Kind, Record, about
from paquebot.mail.reply import Reply
from paquebot.mail.verdict import Verdict
from paquebot.submission.handed import Mail
from paquebot.submission.repeat import Repeatable


def accepted_records(plan: Plan, now_ms: int, report_of: str, verdict: Verdict) -> list[Record]:
    """Return what the event stream hears about an accepted message, for each delivery; the verdict once."""
    records = [
        _accepted(delivery, kind, now_ms, report_of)
        for delivery in plan.deliveries
        for kind in ((Kind.ACCEPTED, Kind.HELD) if delivery.held else (Kind.ACCEPTED,))
    ]
    if not report_of:  # a report of ours is not judged
        records[0] = replace(records[0], verdict=verdict)
    return records


def _accepted(delivery: Delivery, kind: Kind, now_ms: int, report_of: str) -> Record:
    record = about(delivery, kind, now_ms)
    if not (delivery.reason or delivery.next_ms or report_of):
        return record  # as most are: a copy costs more than the record
    return replace(record, reason=delivery.reason, next_ms=delivery.next_ms, report_of=report_of)


def repeated_record(mail: Mail, ident: str, reply: Reply, wanted: Repeatable) -> Record:
    """Return what the event stream hears of a message that came again, or of another under its key."""
    return replace(
        _of_whole(mail, ident, Kind.REPEATED),
        reason=f"sent again with its {wanted.named_by}: answered with this id, stored once",
        reply=None if reply.is_positive else reply,
    )


def rejected_record(mail: Mail, ident: str, reply: Reply, verdict: Verdict) -> Record:
    """Return what the event stream hears of a message that was refused as unwanted: its verdict, not its content."""
    return replace(_of_whole(mail, ident, Kind.REFUSED), reply=reply, verdict=verdict)


def _of_whole(mail: Mail, ident: str, kind: Kind) -> Record:
    """Return a record about a message that has no deliveries of its own."""
    return Record(
        kind=kind,
        at_ms=int(time.time() * 1000),
        id=ident,
        n=0,
        tenant=mail.principal.tenant,
        recipients=mail.envelope.recipients,
        reverse_path=mail.envelope.reverse_path,
        credential=mail.principal.credential,
        size_bytes=len(mail.content),
    )
