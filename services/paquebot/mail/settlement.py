"""What must be done with a delivery after an attempt: decided as a value, applied by the queue's door."""

from dataclasses import dataclass

from paquebot.mail.delivery import Delivery
from paquebot.mail.record import Record


@dataclass(frozen=True, slots=True)
class Report:
    """A DSN to submit before the delivery is settled: its fixed id, its recipient, its content."""

    id: str
    recipient: str
    content: bytes


@dataclass(frozen=True, slots=True)
class Settlement:
    """The outcome of one attempt for a whole delivery.

    `again` carries the recipients that still wait, with attempts, next_ms and reason brought up to date;
    None: nothing is left to do. `records` tell what happened, one per outcome kind. `report` is the DSN
    about the failed recipients, None when there are none or the reverse-path is null.
    """

    records: tuple[Record, ...]
    again: Delivery | None = None
    report: Report | None = None
