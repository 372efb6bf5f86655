"""`paquebot spam explain`: why a message was let through, tagged, held or refused, by its id or reference."""

import json
from dataclasses import asdict, dataclass
from typing import Any
from uuid import UUID

import click

from paquebot.cli.place import OUTPUT_OPTION, STATE_OPTION, Place
from paquebot.cli.queue import ahead, clock, on_queue
from paquebot.cli.screen import CONSOLE, show_table
from paquebot.cli.trace import EARLIER_MS
from paquebot.mail.delivery import Delivery
from paquebot.mail.ident import accepted_ms
from paquebot.mail.record import Kind, Record
from paquebot.mail.reference import id_begins, read_reference, reference_of, referred_ms
from paquebot.mail.verdict import Action, Levels, Terms, Verdict
from paquebot.queue.events import find_id, read_about
from paquebot.queue.finding import find_waiting
from paquebot.queue.jetstream import JetStream
from paquebot.queue.policystore import read_policy

JUDGED_WITHIN_MS = 600_000  # from when its id was made to when the events have it
_FATES = {Kind.RELEASED, Kind.REFUSED, Kind.CANCELLED, Kind.DELIVERED, Kind.FAILED}
_DID = {
    Action.ACCEPT: "let through",
    Action.TAG: "tagged",
    Action.HOLD: "held",
    Action.REJECT: "refused at submission",
}


@dataclass(frozen=True, slots=True)
class Judged:
    """What is known of a message's verdict, and of what became of it."""

    id: str
    record: Record  # that has the verdict
    verdict: Verdict
    fates: tuple[Record, ...]  # what people and hosts decided, in order
    held: tuple[Delivery, ...]  # that wait for a decision

    @property
    def reference(self) -> str:
        """What its sender was told."""
        return reference_of(self.id)


@click.command()
@click.argument("name")
@OUTPUT_OPTION
@STATE_OPTION
def explain(name: str, output: str, place: Place) -> None:
    """Say why the spam filter did with a message what it did, and what became of that.

    NAME is the id that our 250 told, or the reference of a refusal: `06h1s-nt681-r33ch`. Events are kept for 72 hours.
    """
    judged = on_queue(place, lambda js: find_judged(js, name))
    if output == "json":
        click.echo(json.dumps(as_values(judged), indent=2))
        return
    show(judged)


async def find_judged(js: JetStream, name: str) -> Judged:
    """Return the verdict on a message; raise ClickException when there is none, with what to do."""
    ident = await _ident(js, name.strip())
    since_ms = accepted_ms(ident) - EARLIER_MS
    records = [each async for stretch in read_about(js, ident, since_ms) for each in stretch.records]
    about = sorted((each for each in records if each.id == ident), key=lambda each: each.at_ms)
    found = next((each for each in about if each.verdict is not None), None)
    if found is None or found.verdict is None:
        raise click.ClickException(
            f"no verdict on {name} is among the events, which are kept for 72 hours; see `paquebot trace {ident}`"
        )
    policy = await read_policy(js)
    waiting = await find_waiting(js, policy.pools if policy else (), ident)
    held = tuple(each.delivery for each in waiting if each.delivery.held)
    return Judged(ident, found, found.verdict, tuple(each for each in about if _is_fate(each, found)), held)


async def _ident(js: JetStream, name: str) -> str:
    reference = read_reference(name)
    if reference:
        at_ms = referred_ms(reference)
        ident = await find_id(js, id_begins(reference), at_ms - EARLIER_MS, at_ms + JUDGED_WITHIN_MS)
        if ident and reference_of(ident) == reference:
            return ident
        raise click.ClickException(f"no message has the reference {reference}; events are kept for 72 hours")
    try:
        return str(UUID(name.partition(".")[0]))
    except ValueError as error:
        raise click.BadParameter("expected the id that our 250 told, or a reference", param_hint="NAME") from error


def _is_fate(record: Record, found: Record) -> bool:
    return record.kind in _FATES and record is not found


def show(judged: Judged) -> None:
    """Print it for people."""
    verdict, record = judged.verdict, judged.record
    CONSOLE.print(f"[bold]{judged.id}[/]: {_did(verdict)} at {clock(record.at_ms)}, reference {judged.reference}")
    sent = f"From {record.reverse_path or 'the null reverse-path'}, credential {record.tenant}.{record.credential}"
    CONSOLE.print(sent, markup=False)
    CONSOLE.print(f"Probability {_percent(verdict.probability)}: {_summed(verdict.terms)}")
    CONSOLE.print(f"Thresholds: {_told(verdict.levels)}, {_whose(verdict.whose)}", markup=False)
    CONSOLE.print(_read_by(verdict))
    if verdict.reasons:
        rows = [(f"{each.weight:+.1f}", each.rule, each.text) for each in verdict.reasons]
        show_table(("WEIGHT", "BY", "WHY"), rows)
    else:
        CONSOLE.print("Nothing spoke for or against it.")
    for each in judged.fates:
        CONSOLE.print(_fate(each), markup=False)
    for delivery in judged.held:
        _show_held(delivery, record.at_ms)


def _show_held(delivery: Delivery, now_ms: int) -> None:
    end = "refused" if delivery.refuse_ms else "tried"
    when = f"{clock(delivery.next_ms)}, {ahead(delivery.next_ms, now_ms)} from its acceptance"
    CONSOLE.print(f"{delivery.name} is held; if nobody decides, it is {end} at {when}.")
    if delivery.alarmed:
        CONSOLE.print("Its account did not act like itself then: a release needs --despite-alarm.")
    CONSOLE.print(f"`paquebot spam release {delivery.name}` lets it go.")
    CONSOLE.print(f"`paquebot spam refuse {delivery.name} --reason WHY` refuses it, and its sender gets a report.")


def _did(verdict: Verdict) -> str:
    if verdict.unscanned:
        return "let through unjudged, as the filter did not answer"
    if verdict.shadow_action is None:
        return _DID[verdict.action]
    return f"{_DID[verdict.action]}, in shadow mode; it would have been {_DID[verdict.shadow_action]}"


def _summed(terms: Terms | None) -> str:
    if terms is None:
        return "of what it is the sum was not told"
    told = ", ".join(f"{name} {weight:+.1f}" for name, weight in asdict(terms).items())
    return f"{told} in log-odds"


def _told(levels: Levels | None) -> str:
    if levels is None:
        return "not told"
    return ", ".join(f"{name} {_percent(level)}" for name, level in asdict(levels).items())


def _whose(whose: str) -> str:
    return f"as MailDomain {whose} has them" if whose else "which are the defaults, as no MailDomain is asked"


def _read_by(verdict: Verdict) -> str:
    return (
        f"Its content was read by rules and model {verdict.model}" if verdict.model else "Its content was read by rules"
    )


def _percent(probability: float) -> str:
    return "never" if probability > 1.0 else f"{100 * probability:.2f}%"


def _fate(record: Record) -> str:
    by = f" by {record.author}" if record.author else ""
    why = f": {record.reason}" if record.reason else ""
    return f"{record.id}.{record.n} was {record.kind}{by} at {clock(record.at_ms)}{why}"


def as_values(judged: Judged) -> dict[str, Any]:
    """Return it as plain values."""
    record = judged.record
    return {
        "id": judged.id,
        "reference": judged.reference,
        "at": clock(record.at_ms),
        "tenant": record.tenant,
        "credential": record.credential,
        "from": record.reverse_path,
        "verdict": asdict(judged.verdict),
        "fates": [
            {"kind": each.kind, "n": each.n, "at": clock(each.at_ms), "author": each.author, "reason": each.reason}
            for each in judged.fates
        ],
        "held": [
            {"delivery": each.name, "until": clock(each.next_ms), "then": "refuse" if each.refuse_ms else "deliver"}
            for each in judged.held
        ],
    }
