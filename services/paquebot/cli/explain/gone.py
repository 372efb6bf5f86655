"""What became of a delivery that waits no more, and what can be said of one that never was. Pure; told from records."""

from collections.abc import Iterable, Sequence

from paquebot.cli.explain.facts import Around, Explanation, MessageFacts, Sentence, do, when, why
from paquebot.cli.explain.limits import of_pool
from paquebot.cli.explain.words import ago, clock, count, listed, span
from paquebot.mail.record import Kind, Record
from paquebot.mail.reference import unwanted
from paquebot.mail.settle import EXPIRED
from paquebot.queue.provision import EVENTS_AGE_S

FINAL = (Kind.DELIVERED, Kind.FAILED, Kind.CANCELLED)
EVENTS_AGE_MS = EVENTS_AGE_S * 1000


def last_of(records: Sequence[Record]) -> list[Record]:
    """Return the final records of a delivery, one for each group of recipients, the latest word about each."""
    last: dict[str, Record] = {}
    for record in records:
        if record.kind in FINAL:
            last |= dict.fromkeys(record.recipients or ("",), record)
    return list({id(record): record for record in last.values()}.values())


def state_of(final: Sequence[Record]) -> str:
    """Return the state of what is gone in a word or two."""
    states = dict.fromkeys("expired" if record.reply == EXPIRED else str(record.kind) for record in final)
    return " and ".join(states)


def gone(facts: MessageFacts, records: Sequence[Record], around: Around) -> tuple[Sentence, ...]:
    """Return what became of a delivery, from its records."""
    final = last_of(records)
    if not final:
        return _between(facts, records, around)
    return tuple(sentence for record in final for sentence in _end(facts, record, around))


def turned_away(facts: MessageFacts, around: Around) -> Explanation | None:
    """Return what is told of a message that was refused as unwanted at submission; None when it was not."""
    record = next((each for each in facts.records if each.kind is Kind.REFUSED and not each.n), None)
    if record is None:
        return None
    told = why(f"It was refused as unwanted {ago(record.at_ms, around.now_ms)}: {record.reply}.")
    cure = do(f"`paquebot spam explain {facts.id}` tells what spoke against it, and which thresholds were in force.")
    return Explanation(facts.id, "refused", (told, cure))


def unknown(facts: MessageFacts, around: Around) -> Explanation:
    """Return what can be said of an id that neither the queue nor the events know."""
    name = f"{facts.id}.{facts.n}" if facts.n else facts.id
    return Explanation(name, "unknown", tuple(_never_seen(facts, name, around.now_ms)))


def _never_seen(facts: MessageFacts, name: str, now_ms: int) -> Iterable[Sentence]:
    kept = f"events are kept for {span(EVENTS_AGE_MS)}, or less when there are very many"
    if facts.read_until_ms:
        yield why(f"It does not wait, and the events up to {clock(facts.read_until_ms, now_ms)} do not name it.")
        yield do(f"There are many events: `paquebot trace {name}` reads them all.")
    elif not facts.accepted_ms:
        yield why("Neither the queue nor the events know this id; it is a report's, which tells no time.")
        yield do(f"Look at the message that the report is about; {kept}.")
    elif now_ms - facts.accepted_ms > EVENTS_AGE_MS:
        yield why(f"By its id it was accepted {ago(facts.accepted_ms, now_ms)}. It does not wait any more.")
        yield why(f"What became of it is forgotten: {kept}. Had it failed, its sender would have got a report.")
        yield do("To know such things for longer, keep the events elsewhere.")
    elif now_ms < facts.accepted_ms:
        yield why(f"By its id it will be accepted {clock(facts.accepted_ms, now_ms)}, which is still to come.")
        yield do("Look at the id again: it is what our 250 told. If it is right, the clocks of machines differ.")
    else:
        yield why(f"By its id it was made {ago(facts.accepted_ms, now_ms)}, but this platform never accepted it.")
        yield do("Look at the id again: it is what our 250 told. Or another platform gave it: see --state.")


def _between(facts: MessageFacts, records: Sequence[Record], around: Around) -> tuple[Sentence, ...]:
    """Speak of what is accepted or deferred by its records, but was not found in the queue."""
    last = records[-1]
    told = why(f"It was {last.kind} {ago(last.at_ms, around.now_ms)} and is between two places just now.")
    if facts.read_until_ms:
        until = clock(facts.read_until_ms, around.now_ms)
        return told, do(f"Events after {until} were not read: `paquebot trace {facts.id}` reads them all.")
    return told, do("Nothing is needed: ask again.")


def _end(facts: MessageFacts, record: Record, around: Around) -> Iterable[Sentence]:
    at = ago(record.at_ms, around.now_ms)
    whom = (
        f" {'to' if record.kind is Kind.DELIVERED else 'for'} {listed(record.recipients)}" if record.recipients else ""
    )
    match record.kind:
        case Kind.DELIVERED:
            yield why(f"It was delivered{whom.replace(' for ', ' to ', 1)} {at}: {_by(record)} said {record.reply}.")
            yield when(f"That took {_took(facts, record)}.")
            yield do(f"{_name(record)} has it now: should it be missed, ask the postmaster there, with that reply.")
        case Kind.CANCELLED:
            who = record.author or "somebody"
            yield why(f"{who} cancelled it{whom} {at}{': ' * bool(record.reason)}{record.reason}.")
            yield do("To send it all the same, submit it again: what is cancelled is not kept.")
        case _ if record.reply == EXPIRED:
            yield why(f"It expired{whom} {at}: {record.reason}.")
            yield from _report(facts, record, around)
            pool = of_pool(record.pool, "retry.expiry")
            yield do(f"How long mail is tried is set by `spec.expiry` of its MailDomain, else by {pool}.")
        case _:
            said = f"{_by(record)} said {record.reply}" if record.host and record.reply else record.reason
            yield why(f"It failed for good{whom} {at}: {said}.")
            yield from _report(facts, record, around)
            yield do(_cure(record))


def _report(facts: MessageFacts, record: Record, around: Around) -> Iterable[Sentence]:
    """Say where the report about a failure is."""
    if not record.reverse_path:
        yield when("It had the null reverse-path, being a report itself: nobody is told.")
        return
    about = f"{record.id}.{record.n}"
    reports = [each for each in facts.records if each.report_of == about and each.kind is Kind.ACCEPTED]
    for report in reports:
        end = next((each for each in facts.records if each.id == report.id and each.kind in FINAL), None)
        fate = f"{end.kind} {ago(end.at_ms, around.now_ms)}" if end else "on its way"
        yield when(f"The report to {record.reverse_path} is {report.id}: {fate}.")
    if record.report and not reports:
        yield when(f"The report to {record.reverse_path} is {record.report}.")
    elif not reports:
        yield when(f"No report about it to {record.reverse_path} is among the events.")


def _cure(record: Record) -> str:
    if record.reason.startswith("refused by TransportRoute"):
        return "If it should go, change that route or take it away; then submit the message again."
    if record.reason == unwanted(record.id):
        return f"`paquebot spam explain {record.id}` tells why, and who refused it."
    if "is on SuppressionList " in record.reason:
        return "If it should go all the same, take the address off that list; then submit the message again."
    enhanced = record.reply.enhanced if record.reply else ""
    if enhanced.startswith("5.1."):  # RFC 3463 §3.2: the address
        return "Correct the address or take it off your lists; then submit the message again."
    if enhanced.startswith("5.7.") and record.host:  # RFC 3463 §3.8: security or policy
        return "The host refuses it by its own rules, which its reply names: mend that, then submit the message again."
    return "To send it again, submit it again: what failed is not kept."


def _by(record: Record) -> str:
    return f"{record.host or 'the host'}, over {record.tls}," if record.tls else record.host or "the host"


def _name(record: Record) -> str:
    return record.host.partition(" ")[0] or "the host"


def _took(facts: MessageFacts, record: Record) -> str:
    accepted_ms = facts.accepted_ms or record.at_ms - record.took_ms
    return f"{count(max(1, record.attempt), 'attempt')} and {span(record.at_ms - accepted_ms)} from its acceptance"
