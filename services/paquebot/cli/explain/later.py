"""Why a delivery waits for a time: deferred, or held. Pure."""

from collections.abc import Iterable

from paquebot.cli.explain.cause import Cause, cause_of
from paquebot.cli.explain.cures import by_hand, cure
from paquebot.cli.explain.facts import Around, Sentence, do, when, why
from paquebot.cli.explain.words import ago, ahead, pool_name, span
from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.mail.delivery import Delivery
from paquebot.mail.envelope import Wish
from paquebot.mail.outcome import Stage
from paquebot.mail.retry import delay_s
from paquebot.mail.settle import UNREPORTED
from paquebot.queue.sweep import OVERDUE_MS

_TRIED = {Cause.GREYLISTED, Cause.REPLY, Cause.DNS, Cause.HOST, Cause.LOGIN}
_NAMES_FIRST = {Cause.THROTTLED, Cause.PACE}  # a name keeps its case


def deferred(delivery: Delivery, around: Around, answer: MxAnswer | None) -> tuple[Sentence, ...]:
    """Return why a deferred delivery waits, when it is tried, and what would change that."""
    cause = cause_of(delivery)
    reasons = [why(text) for text in _reasons(delivery, cause, around)]
    if cause in {Cause.DNS, Cause.HOST} and answer is not None and not delivery.route:
        reasons.append(why(lookup(delivery.domain, answer)))
    return (*reasons, *_times(delivery, cause, around), *_cures(delivery, cause, around))


def held(delivery: Delivery, around: Around) -> tuple[Sentence, ...]:
    """Return why a delivery is held, what happens if nobody decides, and how to decide."""
    cause, reason = cause_of(delivery), delivery.reason
    match cause:
        case Cause.FILTER:
            told = f"The spam filter holds it: {reason.partition(': ')[2].rstrip('.')}."
        case Cause.ROUTE:
            place, _, said = reason.removeprefix("held by ").partition(": ")
            told = f"{place} holds it: {said}."
        case Cause.POISON:
            told = f"It is held as {reason.partition('; ')[0]}."
        case Cause.FAULT:
            told = f"It is held: {reason.partition(': ')[0]}."
        case Cause.DOUBT:
            told = f"It is held {reason}."
        case _:
            told = f"It is held{' ' * bool(reason)}{reason.removeprefix('held ')}."
    until_ms = max(delivery.next_ms, delivery.hold_until_ms)
    condition = "It is" if cause is Cause.ROUTE else "If nobody decides, it is"
    decided = when(f"{condition} tried {ahead(until_ms, around.now_ms)}.")
    if delivery.refuse_ms:
        decided = when(f"If nobody decides, it is refused {ahead(until_ms, around.now_ms)}; then {_report(delivery)}.")
    if cause is Cause.DOUBT:
        decided = when(f"If nobody decides, it expires {ahead(until_ms, around.now_ms)}; then {_report(delivery)}.")
    return why(told), decided, *_cures(delivery, cause, around)


def _cures(delivery: Delivery, cause: Cause, around: Around) -> Iterable[Sentence]:
    yield do(cure(delivery, cause, around))
    command = by_hand(delivery, cause)
    if command:
        yield do(command)


def _reasons(delivery: Delivery, cause: Cause, around: Around) -> Iterable[str]:
    reason = delivery.reason
    match cause:
        case Cause.NOTHING:
            yield "It waits for its time; it was not tried yet."
        case Cause.GREYLISTED | Cause.REPLY | Cause.LOGIN:
            yield f"{_attempt(delivery)}{', at ' * bool(delivery.last_host)}{delivery.last_host}: {reason}."
            if cause is Cause.GREYLISTED:
                yield "That is greylisting: the host turns strangers away once and takes a later try."
        case Cause.DNS:
            yield f"{_attempt(delivery)}: {reason.removeprefix(f'{Stage.LOOKUP} failed: ')}."
        case Cause.HOST:
            others = "" if delivery.route else f" No other host of {delivery.domain} took it either."
            yield f"{_attempt(delivery)}: {reason}.{others}"
        case Cause.DOUBT:
            yield f"It is {reason}."
            yield "The same host is asked first, which can know it again by its Message-ID; it may arrive twice."
        case Cause.REPORT:
            failure = reason.removeprefix(UNREPORTED)
            yield f"It has failed ({failure}), but submission does not take the report about that."
        case Cause.PAUSED:
            yield _paused(delivery, around)
        case _:
            yield f"{reason}." if cause in _NAMES_FIRST else f"{reason[:1].upper()}{reason[1:]}."


def _times(delivery: Delivery, cause: Cause, around: Around) -> Iterable[Sentence]:
    now_ms = around.now_ms
    if delivery.next_ms < now_ms - OVERDUE_MS:
        yield from _overdue(delivery, around)
    elif delivery.next_ms <= now_ms:
        yield when("It is due now.")
    else:
        again = "again " if delivery.attempts else ""
        after = _after(delivery, around) if cause in _TRIED else ""
        yield when(f"It is tried {again}{ahead(delivery.next_ms, now_ms)}{after}.")
    report = _report(delivery)
    if delivery.expires_ms > now_ms:
        yield when(f"It expires {ahead(delivery.expires_ms, now_ms)}; then {report}.")
    else:
        yield when(f"It expired {ago(delivery.expires_ms, now_ms)}: the next attempt is the last, then {report}.")


def _report(delivery: Delivery) -> str:
    """Say who is told when it fails."""
    if not delivery.reverse_path:
        return "nobody is told, as it is a report itself"
    if not any(delivery.wishes.get(each, Wish()).wants("FAILURE") for each in delivery.recipients):
        return "nobody is told, as its sender wished (NOTIFY)"
    return "its sender gets a report"


def _overdue(delivery: Delivery, around: Around) -> Iterable[Sentence]:
    yield why(f"It was due {ago(delivery.next_ms, around.now_ms)}. What falls due in a full store stays behind.")
    if around.full:
        yield why(f"{around.full}.")
    yield when("Its partition's owner looks for such mail once the store has room again, and when it takes over.")


def _after(delivery: Delivery, around: Around) -> str:
    """Say how long it would wait after one more failure."""
    pool = around.pool(delivery.pool)
    if pool is None:
        return ""
    after_ms = 1000 * delay_s(pool.retry, delivery.attempts + 1)
    if delivery.next_ms + after_ms >= delivery.expires_ms:
        return ", for the last time"
    return f", and {span(after_ms)} after that if need be"


def _attempt(delivery: Delivery) -> str:
    return f"Attempt {max(1, delivery.attempts)}"


def lookup(domain: str, answer: MxAnswer) -> str:
    """Say what DNS answers about a domain now."""
    match answer.kind:
        case MxKind.MX:
            hosts = ", ".join(f"{name} ({preference})" for preference, name in sorted(answer.hosts))
            return f"The MX hosts of {domain}, by DNS just now: {hosts}."
        case MxKind.IMPLICIT:
            return f"{domain} has no MX record, by DNS just now: its own address is its host."
        case MxKind.UNKNOWN:
            return f"DNS has no answer about {domain} just now."
        case _:
            return f"DNS says just now: {answer.reason}. Mail to it fails for good."


def _paused(delivery: Delivery, around: Around) -> str:
    pool, name = around.pool(delivery.pool), pool_name(delivery.pool)
    if pool is None:
        return f"The pool {name} was paused, and no manifest declares it any more."
    if pool.paused:
        return f"The pool {name} is paused: it keeps its mail and sends none."
    return f"The pool {name} was paused; it sends again."
