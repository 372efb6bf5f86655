"""Deliveries that wait: messages that the server itself moves to their ready subject at their time."""

from datetime import UTC, datetime

from paquebot.mail.delivery import Delivery
from paquebot.queue.subjects import ready_subject


def schedule_headers(delivery: Delivery) -> dict[str, str]:
    """Return the headers that let a delivery fire at its `next_ms` (research: 1 to 3 ms late, earliest 250 ms)."""
    at = datetime.fromtimestamp(delivery.next_ms / 1000, UTC).isoformat(timespec="milliseconds")
    return {"Nats-Schedule": f"@at {at.replace('+00:00', 'Z')}", "Nats-Schedule-Target": ready_subject(delivery)}
