"""`paquebot trace`: everything that happened to a message."""

import json
import time
from collections.abc import Sequence
from dataclasses import asdict
from uuid import UUID

import click

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import clock, on_queue
from paquebot.cli.screen import show_table
from paquebot.mail.ident import accepted_ms
from paquebot.mail.record import Record
from paquebot.mail.verdict import Action, Verdict
from paquebot.queue.events import read_about
from paquebot.queue.jetstream import JetStream

EARLIER_MS = 60_000  # clocks differ; records are read from a little before the id's own time
KEPT_MS = 72 * 3_600_000
UUID_BY_TIME = 7
_DIGITS = 12  # of a digest


@click.command()
@click.argument("name")
@OUTPUT_OPTION
@STATE_OPTION
def trace(name: str, output: str, place: Place) -> None:
    """Tell what happened to a message: NAME is the id of our 250, or `<id>.<n>` for one delivery."""
    ident, _, n = name.partition(".")
    try:
        since_ms = _since(ident)
    except ValueError as error:
        raise click.BadParameter("expected the id that our 250 told", param_hint="NAME") from error
    found = on_queue(place, lambda js: _records(js, since_ms, ident, n))
    if output == "json":
        click.echo(json.dumps([asdict(record) for record in found], indent=2))
        return
    if not found:
        raise click.ClickException(f"no record of {name}: events are kept for 72 hours")
    show_table(
        ("WHEN", "WHAT", "N", "RECIPIENTS", "HOST", "NEXT", "REPLY OR REASON"),
        [row(record, ident) for record in found],
    )


def row(record: Record, ident: str) -> tuple[str, ...]:
    """Return how a record is shown in the trace of a message; what is about a report of it says so."""
    told = [str(record.reply or record.reason), _judged(record.verdict)]
    if record.author:
        told.append(f"by {record.author}")
    if record.report:
        told.append(f"its sender is told by {record.report}")
    return (
        clock(record.at_ms),
        f"report {record.kind}" if record.report_of or record.id != ident else record.kind,
        str(record.n or ""),
        ", ".join(record.recipients),
        record.host + (f" {record.tls}" if record.tls else ""),
        clock(record.next_ms) if record.next_ms else "",
        "; ".join(filter(None, told)),
    )


def _judged(verdict: Verdict | None) -> str:
    """Say what the filter thought of a message that it did not plainly let through."""
    if verdict is None or (verdict.shadow_action or verdict.action) is Action.ACCEPT:
        return ""
    does = f"would be {verdict.shadow_action}" if verdict.shadow_action else f"verdict {verdict.action}"
    model = f" by model {verdict.model[:_DIGITS]}" if verdict.model else ""
    said = f"{does}, probability {verdict.probability:.2f}{model}"
    if verdict.action is Action.HOLD:  # why is the reason that it waits
        return said
    return f"{said}: {', '.join(reason.text.rstrip('.') for reason in verdict.reasons) or 'nothing alone decided'}"


def _since(ident: str) -> int:
    """Return where to begin: a message's id tells its time, a report's (a UUIDv5) does not."""
    if UUID(ident).version == UUID_BY_TIME:
        return accepted_ms(ident) - EARLIER_MS
    return time.time_ns() // 1_000_000 - KEPT_MS


async def _records(js: JetStream, since_ms: int, ident: str, n: str) -> list[Record]:
    found = [record async for stretch in read_about(js, ident, since_ms) for record in stretch.records]
    return sorted(of_delivery(found, ident, n) if n else found, key=lambda record: record.at_ms)


def of_delivery(records: Sequence[Record], ident: str, n: str) -> list[Record]:
    """Return the records of one delivery of a message, and of the reports about it."""
    reports = {record.id for record in records if record.report_of == f"{ident}.{n}"}
    return [record for record in records if record.id in reports or (record.id == ident and str(record.n) == n)]
