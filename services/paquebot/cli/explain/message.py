"""A message explained: each of its deliveries, waiting or gone. Pure."""

from collections import Counter
from collections.abc import Iterable, Sequence

from paquebot.cli.explain.facts import Around, Explanation, Kept, MessageFacts, Sentence, what
from paquebot.cli.explain.gone import gone, last_of, state_of, turned_away, unknown
from paquebot.cli.explain.later import deferred, held
from paquebot.cli.explain.ready import Case, ready
from paquebot.cli.explain.words import ago, count, listed, pool_name
from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.record import Record

DELIVERIES_MAX = 20  # told one by one


def message(facts: MessageFacts, around: Around) -> tuple[Explanation, ...]:
    """Return what is told about a message: a summary when it has several deliveries, then each."""
    kept = {each.delivery.n: each for each in facts.kept}
    records = _by_delivery(facts)
    numbers = sorted(n for n in kept.keys() | records.keys() if facts.n in {0, n})
    if not numbers:
        return (turned_away(facts, around) or unknown(facts, around),)
    told = tuple(_waiting(kept[n], facts, around) if n in kept else _ended(facts, records[n], around) for n in numbers)
    return told if len(told) == 1 else (_summary(facts, told), *told[:DELIVERIES_MAX])


def _by_delivery(facts: MessageFacts) -> dict[int, list[Record]]:
    """Return the message's own records by delivery, without those of the reports about it."""
    found: dict[int, list[Record]] = {}
    for record in facts.records:
        if record.id == facts.id and record.n:
            found.setdefault(record.n, []).append(record)
    return found


def _waiting(kept: Kept, facts: MessageFacts, around: Around) -> Explanation:
    delivery = kept.delivery
    head = _what(
        delivery.reverse_path,
        delivery.recipients,
        f"tenant {delivery.tenant}, pool {pool_name(delivery.pool)}, lane {delivery.lane.name.lower()}, "
        f"{count(delivery.size_bytes, 'octet')}; accepted {ago(delivery.accepted_ms, around.now_ms)}",
    )
    match kept.state:
        case "held":
            sentences = held(delivery, around)
        case "deferred":
            sentences = deferred(delivery, around, facts.answers.get(delivery.domain))
        case _:
            sentences = ready(Case(kept, around))
    return Explanation(delivery.name, kept.state, (head, *_route(delivery, around), *sentences))


def _route(delivery: Delivery, around: Around) -> Iterable[Sentence]:
    """Say who takes it instead of its recipients' hosts."""
    if not delivery.route:
        return
    relay = around.smarthost(delivery)
    if relay is None:
        yield what(f"It goes by TransportRoute {delivery.route}, which no manifest declares so any more.")
        return
    host = f"{relay.host}:{relay.port}"
    yield what(f"TransportRoute {delivery.route} sends it to the smarthost {host}, not to {delivery.domain}'s hosts.")


def _ended(facts: MessageFacts, records: Sequence[Record], around: Around) -> Explanation:
    first = records[0]
    recipients = tuple(dict.fromkeys(each for record in records for each in record.recipients))
    head = _what(
        first.reverse_path,
        recipients,
        f"tenant {first.tenant}, pool {pool_name(first.pool)}, lane {Lane(first.lane).name.lower()}, "
        f"{count(first.size_bytes, 'octet')}; accepted {ago(facts.accepted_ms or first.at_ms, around.now_ms)}",
    )
    final = last_of(records)
    state = state_of(final) if final else str(records[-1].kind)
    return Explanation(f"{first.id}.{first.n}", state, (head, *gone(facts, records, around)))


def _what(reverse_path: str, recipients: tuple[str, ...], rest: str) -> Sentence:
    sender = reverse_path or "the null reverse-path"
    return what(f"From {sender} to {listed(recipients)}; {rest}.")


def _summary(facts: MessageFacts, told: Sequence[Explanation]) -> Explanation:
    states = Counter(each.state for each in told)
    counted = ", ".join(f"{number} {state}" for state, number in states.most_common())
    more = len(told) - DELIVERIES_MAX
    rest = f" The first {DELIVERIES_MAX} follow; `paquebot explain {facts.id}.N` tells of one." if more > 0 else ""
    return Explanation(facts.id, counted, (what(f"The message has {len(told)} deliveries.{rest}"),))
