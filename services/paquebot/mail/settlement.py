"""What must be done with a delivery after an attempt: decided as a value, applied by the queue's door."""

from dataclasses import dataclass

from paquebot.mail.delivery import Delivery
from paquebot.mail.record import Record
from paquebot.mail.report import DsnRequest


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome of one attempt for a whole delivery.

    `again` carries the recipients that still wait, with attempts, next_ms and reason brought up to date;
    None: nothing is left to do. `records` tell what happened, one per outcome kind. `reports` are the DSNs to be
    submitted first, at most one for each action.
    """

    records: tuple[Record, ...]
    again: Delivery | None = None
    reports: tuple[DsnRequest, ...] = ()
