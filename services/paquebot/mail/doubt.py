"""What a delivery becomes when the reply to its final dot is missing (RFC 1047), or when it crashes us. Pure."""

from collections.abc import Collection
from dataclasses import replace
from enum import StrEnum

from paquebot.mail.delivery import Delivery
from paquebot.mail.outcome import IN_DOUBT, Kind, Outcome, Scope
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import about
from paquebot.mail.settlement import Settlement

POISON_CRASHES = 3
HELD_FOR_MS = 7 * 86_400_000
BROKEN_OFF = "the deliverer died before it was offered to this recipient"
DELIVERED_UNRECORDED = Outcome(Kind.DELIVERED, Scope.RECIPIENT, "the deliverer died before it had recorded this")


class InDoubt(StrEnum):
    """What a pool does with mail whose final dot was not answered."""

    RETRY = "Retry"  # at the same host first
    HOLD = "Hold"  # until somebody decides


def unanswered(where: str) -> Outcome:
    """Return the outcome of a final dot whose reply was lost: the host may be responsible already."""
    reason = f"{IN_DOUBT}: {where} did not answer the final dot; it may have the message already"
    return Outcome(Kind.DEFERRED, Scope.MESSAGE, reason)


def doubted(delivery: Delivery, where: str) -> Delivery:
    """Return a delivery whose deliverer died behind the final dot. `where` is the host ("": unknown), asked first.

    The reason says so until an attempt has ended.
    """
    return replace(delivery, reason=_died(where), last_host=where or delivery.last_host)


def left_over(delivery: Delivery, delivered: Collection[int], doubt: str | None) -> dict[str, Outcome]:
    """Return the outcomes of an attempt in which the deliverer died, after it had delivered to some recipients.

    `delivered` are their places. The others are in doubt when `doubt` names a host, and wait for their next try.
    """
    reason = BROKEN_OFF if doubt is None else _died(doubt)
    rest = Outcome(Kind.DEFERRED, Scope.MESSAGE, reason)
    places = enumerate(delivery.recipients)
    return {each: DELIVERED_UNRECORDED if place in delivered else rest for place, each in places}


def is_undecided(delivery: Delivery) -> bool:
    """Say whether a delivery is in doubt and nobody has said since what becomes of it.

    Who does leaves the word in front, with a semicolon.
    """
    return delivery.reason.startswith(f"{IN_DOUBT}: ")


def held_in_doubt(delivery: Delivery) -> Delivery:
    """Return it held for people to decide. It is not sent again without their word: when it expires it fails."""
    return replace(delivery, held=True, next_ms=delivery.expires_ms)


def hold_doubt(settlement: Settlement, now_ms: int) -> Settlement:
    """Return a settlement that holds what would be tried again in doubt; any other stays as it is."""
    if settlement.again is None or not is_undecided(settlement.again):
        return settlement
    held = held_in_doubt(settlement.again)
    told = replace(about(held, RecordKind.HELD, now_ms), reason=held.reason, next_ms=held.next_ms)
    deferred = RecordKind.DEFERRED
    records = (replace(each, next_ms=held.next_ms) if each.kind is deferred else each for each in settlement.records)
    return replace(settlement, records=(*records, told), again=held)


def _died(where: str) -> str:
    host = where or "the host"
    return f"{IN_DOUBT}: the deliverer died before {host} answered the final dot; it may have the message already"


def held_as_poison(delivery: Delivery, now_ms: int) -> Settlement:
    """Hold a delivery whose attempts crash us, for people to look at."""
    reason = f"poison: {delivery.crashes} attempts ended in a crash; look at it, then release or cancel it"
    held = replace(delivery, held=True, next_ms=now_ms + HELD_FOR_MS, reason=reason)
    told = replace(about(held, RecordKind.HELD, now_ms), reason=reason, next_ms=held.next_ms)
    return Settlement((told,), again=held)
