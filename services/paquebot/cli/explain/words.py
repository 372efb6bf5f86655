"""Times, counts and names as people say them. Times are Unix milliseconds, told in UTC."""

from datetime import UTC, datetime
from itertools import pairwise

DAY_MS = 86_400_000
_UNITS = (("d", DAY_MS), ("h", 3_600_000), ("min", 60_000), ("s", 1000))


def span(length_ms: float) -> str:
    """Return a length of time in its one or two largest units: `58 s`, `4 min`, `3 h 20 min`, `5 d`."""
    rest = int(length_ms)
    if rest < 1000:  # noqa: PLR2004  (a second)
        return "less than a second"
    for (unit, size), (smaller, smaller_size) in pairwise(_UNITS):
        if rest >= size:
            more = rest % size // smaller_size
            return f"{rest // size} {unit} {more} {smaller}" if more and rest < 10 * size else f"{rest // size} {unit}"
    return f"{rest // 1000} s"


def clock(at_ms: int, now_ms: int) -> str:
    """Return a time, with its date when that is not today's."""
    moment = datetime.fromtimestamp(at_ms / 1000, UTC)
    today = moment.date() == datetime.fromtimestamp(now_ms / 1000, UTC).date()
    return moment.strftime("%H:%M:%SZ" if today else "%Y-%m-%d %H:%M:%SZ")


def ahead(at_ms: int, now_ms: int) -> str:
    """Return a time to come: `at 10:14:05Z, in 4 min`."""
    return f"at {clock(at_ms, now_ms)}, in {span(at_ms - now_ms)}"


def ago(at_ms: int, now_ms: int) -> str:
    """Return a time that was: `at 10:14:05Z, 4 min ago`."""
    return f"at {clock(at_ms, now_ms)}, {span(now_ms - at_ms)} ago"


def count(number: int, noun: str, plural: str = "") -> str:
    """Return a number with its noun: `1 message`, `3 messages`."""
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"


def rate(per_s: float) -> str:
    """Return a pace in the unit that makes it a number above one: `2 messages a second`, `6 messages a minute`."""
    for unit, factor in (("second", 1), ("minute", 60)):
        if per_s * factor >= 1:
            return f"{per_s * factor:g} {'message' if per_s * factor == 1 else 'messages'} a {unit}"
    return f"{per_s * 3600:g} messages an hour"


def pool_name(token: str) -> str:
    """Return `<namespace>/<name>` of a pool's token."""
    return token.replace("_", "/", 1)


def listed(names: tuple[str, ...], most: int = 3) -> str:
    """Return names in a row, the first few of many."""
    shown = ", ".join(names[:most])
    return shown if len(names) <= most else f"{shown} and {len(names) - most} more"
