"""What would change that a delivery waits: for each cause a sentence, naming the field of the object or the command."""

from collections.abc import Callable, Mapping

from paquebot.cli.explain.cause import Cause
from paquebot.cli.explain.facts import Around
from paquebot.cli.explain.limits import of_destination, of_pool
from paquebot.cli.explain.ordered import parked
from paquebot.mail.delivery import Delivery


def cure(delivery: Delivery, cause: Cause, around: Around) -> str:
    """Return what to do about a delivery that waits for its time."""
    told = _CURES.get(cause, _tries)
    return told if isinstance(told, str) else told(delivery, around)


def _tries(delivery: Delivery, _around: Around) -> str:
    return f"Nothing is needed. The times of the tries are set by {of_pool(delivery.pool, 'retry')}."


def _paused(delivery: Delivery, around: Around) -> str:
    pool = around.pool(delivery.pool)
    if pool is not None and not pool.paused:
        return "Nothing is needed."
    return f"To let it send, set {of_pool(delivery.pool, 'paused')} to false and apply the manifest."


def _rests(delivery: Delivery, around: Around) -> str:
    return f"Nothing is needed. The rests are set by {_limit(delivery, around, 'backoff')}."


def _pace(delivery: Delivery, around: Around) -> str:
    field = "adaptive" if "slower than it may be" in delivery.reason else "limits.rate"
    return f"The pace is set by {_limit(delivery, around, field)}."


def _crowd(delivery: Delivery, around: Around) -> str:
    limits = _limit(delivery, around, "limits")
    return f"The line moves as fast as {limits} allows; `paquebot explain {delivery.site}` tells how fast that is."


def _dns(delivery: Delivery, _around: Around) -> str:
    return f"Ask a name server yourself: `dig {delivery.domain} MX`. Only the domain's owner can mend its DNS."


def _unreachable(delivery: Delivery, around: Around) -> str:
    relay = around.smarthost(delivery)
    who, port = ("who runs it", relay.port) if relay is not None else ("the postmaster there", 25)
    return f"Nothing is needed yet. If it stays so, ask {who}, or see whether port {port} is blocked."


def _login(delivery: Delivery, around: Around) -> str:
    relay = around.smarthost(delivery)
    if relay is None or not relay.secret:
        return f"Set the login right in the Secret that TransportRoute {delivery.route} names."
    secret = relay.secret.replace(".", "/", 1)
    return f"Set the login right in Secret {secret}: `paquebot smarthost set {relay.secret}`."


def _window(delivery: Delivery, _around: Around) -> str:
    place = delivery.reason.partition("MailDomain ")[2].partition(":")[0]
    return f"Nothing is needed. The windows are `spec.deliveryWindows` of MailDomain {place}."


def _doubt(delivery: Delivery, _around: Around) -> str:
    wanted = of_pool(delivery.pool, "inDoubt")
    if not delivery.held:
        return f"Nothing is needed. To have such mail held instead, set {wanted} to Hold."
    host = delivery.last_host.partition(" ")[0] or delivery.domain
    return f"Ask who runs {host} whether it came, by its Message-ID. That it is held is set by {wanted}."


def _limit(delivery: Delivery, around: Around, field: str) -> str:
    return of_destination(around.destination(delivery.group), delivery.domain, field)


def by_hand(delivery: Delivery, cause: Cause) -> str:
    """Return the command that decides about a delivery now; "" where none helps."""
    if cause is Cause.FILTER:
        last = f"`paquebot spam refuse {delivery.name} --reason WHY` refuses it with a report"
        return f"`paquebot spam release {delivery.name}{' --despite-alarm' * delivery.alarmed}` lets it go, {last}."
    if delivery.held:
        last = f"`paquebot queue cancel {delivery.name} --reason WHY` takes it away"
        return f"`paquebot queue release {delivery.name}` lets it go, {last}."
    return f"To try it now: `paquebot queue retry-now {delivery.name}`." if cause in _TRIED_SOONER else ""


_TRIED_SOONER = {Cause.GREYLISTED, Cause.REPLY, Cause.DNS, Cause.HOST, Cause.LOGIN, Cause.REPORT, Cause.CONTENT}
_CURES: Mapping[Cause, str | Callable[[Delivery, Around], str]] = {
    Cause.SUSPENDED: parked,
    Cause.PAUSED: _paused,
    Cause.THROTTLED: _rests,
    Cause.PACE: _pace,
    Cause.CROWD: _crowd,
    Cause.DNS: _dns,
    Cause.LOGIN: _login,
    Cause.DOUBT: _doubt,
    Cause.HOST: _unreachable,
    Cause.REPORT: "See that submission runs and takes mail: its log says why it does not.",
    Cause.CONTENT: "If it stays so, the store has lost it: look at the log of the NATS server.",
    Cause.FILTER: "`paquebot spam review` shows it. What is held is set by `spec.content.hold` of its MailDomain, how "
    "that ends by `spec.content.onHoldExpiry` of its MailDomain.",
    Cause.ROUTE: "To let it go sooner, change that route or take it away; its mail is looked at every ten minutes.",
    Cause.POISON: "Keep the deliverer's log, which tells of the crashes: that is a fault of ours to report.",
    Cause.FAULT: "Keep the deliverer's log: that is a fault of ours to report.",
    Cause.PERSON: "Decide what should become of it.",
    Cause.WINDOW: _window,
}
