"""What happened to one recipient, line by line in the order of time: events, and copies that arrived."""

from collections.abc import Iterable
from datetime import UTC, datetime

from chaos.account import Arrived
from paquebot.queue.events import read_records
from paquebot.queue.jetstream import JetStream


async def trail(js: JetStream, queue_id: str, recipient: str, arrived: Iterable[Arrived]) -> list[str]:
    """Return what is known, a line each."""
    lines = [
        (each.at_ms, f"arrived through {each.deliverer}")
        for each in arrived
        if (each.queue_id, each.recipient) == (queue_id, recipient)
    ]
    async for record in read_records(js, 0):
        if record.id == queue_id and recipient in record.recipients:
            told = (record.kind, f"{queue_id}.{record.n}", f"attempt {record.attempt}", record.host, record.reason)
            lines.append((record.at_ms, " ".join(filter(None, told))))
    return [f"{queue_id} {recipient}", *(f"  {_clock(at_ms)}  {told}" for at_ms, told in sorted(lines))]


def _clock(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%H:%M:%S.%f")[:-3]
