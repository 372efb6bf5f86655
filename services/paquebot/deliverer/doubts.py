"""Final dots without a reply: noted before they go out, and known again when an earlier owner has died behind one."""

from collections.abc import Mapping
from dataclasses import replace

from paquebot.deliverer.connection import Warrant
from paquebot.deliverer.courier import Attempted
from paquebot.mail.delivery import Delivery
from paquebot.mail.doubt import left_over
from paquebot.mail.outcome import IN_DOUBT, Outcome
from paquebot.mail.record import Kind, Record, about
from paquebot.queue.poolqueue import PoolQueue
from paquebot.queue.taken import Taken


def warrant_of(queue: PoolQueue, taken: Taken) -> Warrant:
    """Return the leave to go on with an item as long as it is ours, and the journal of its final dots."""
    journal, note = queue.journal, taken.note
    return Warrant(
        lambda: queue.owns(taken),
        lambda where: journal.dot(note, where),
        lambda recipients: journal.answered(note, recipients),
    )


def delivered_before(taken: Taken) -> Attempted:
    """Return what an earlier owner's attempt gathered before it died, to be recorded and not sent again."""
    past = taken.past
    return Attempted(left_over(taken.delivery, past.delivered, past.doubt), past.host)


def lost_reply(delivery: Delivery, outcomes: Mapping[str, Outcome], host: str, at_ms: int) -> tuple[Record, ...]:
    """Return a record of the recipients whose reply to the final dot an attempt has lost.

    Without a host none was asked: what waited in doubt expires.
    """
    unsure = tuple(each for each, outcome in outcomes.items() if outcome.reason.startswith(IN_DOUBT))
    if not unsure or not host:
        return ()
    record = replace(about(delivery, Kind.IN_DOUBT, at_ms), recipients=unsure, attempt=delivery.attempts + 1)
    return (replace(record, host=host, reason="the reply to the final dot was lost"),)


def crash_behind(taken: Taken, at_ms: int) -> tuple[Record, ...]:
    """Return a record of what an earlier owner's crash has left in doubt."""
    if not taken.doubtful:
        return ()
    record = replace(about(taken.delivery, Kind.IN_DOUBT, at_ms), attempt=taken.delivery.attempts + 1)
    return (replace(record, host=taken.past.doubt or "", reason="the deliverer died behind the final dot"),)
