"""Single values of manifests: numbers, durations, sizes, rates, times. Unfit ones raise Unfit."""

import re
from collections.abc import Callable
from datetime import datetime
from enum import StrEnum
from typing import Final, TypeVar

from paquebot.mail.delivery import Lane
from paquebot.mail.verdict import NEVER
from paquebot.policy.faults import Unfit

DURATION_MAX_S: Final = 366 * 86_400

_SHOWN_MAX: Final = 60
_DIGITS_MAX: Final = 15
_MANY_DAYS_S: Final = 14 * 86_400  # from here on days are easier to read than hours
_WHOLE: Final = 100  # percent
_DURATION = re.compile(r"(?:[0-9]{1,9}[dhms]){1,4}\Z")
_ZERO = re.compile(r"(?:0{1,9}[dhms]){1,4}\Z")
_DURATION_PART = re.compile(r"([0-9]+)([dhms])")
_SECONDS: Final = {"d": 86_400, "h": 3600, "m": 60, "s": 1}
_SIZE = re.compile(r"([0-9]{1,12})(Ki|Mi|Gi|k|M|G)?\Z")
_OCTETS: Final = {"": 1, "k": 1000, "M": 10**6, "G": 10**9, "Ki": 1 << 10, "Mi": 1 << 20, "Gi": 1 << 30}
_PERCENT = re.compile(r"([0-9]{1,3}(?:\.[0-9]{1,3})?)%\Z")
_RATE = re.compile(r"([0-9]{1,9}(?:\.[0-9]{1,6})?)/([smh])\Z")

E = TypeVar("E", bound=StrEnum)


def shown(value: object) -> str:
    """Return a value as people may read it in a fault: short, whatever it is."""
    if isinstance(value, str):
        quoted = value if len(value) <= _SHOWN_MAX else value[:_SHOWN_MAX] + "…"
        return '"' + quoted.encode("utf-8", "backslashreplace").decode() + '"'
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        # Python refuses to write integers of thousands of digits.
        return str(value) if value.bit_length() < _SHOWN_MAX else "a huge number"
    if isinstance(value, float):
        return str(value)
    if value is None:
        return "null"
    return "a mapping" if isinstance(value, dict) else "a list" if isinstance(value, list) else "this"


def text(value: object) -> str:
    """Return a string that is not empty."""
    if isinstance(value, str) and value:
        return value
    raise Unfit(f"{shown(value)} is not text", "give a string")


def boolean(value: object) -> bool:
    """Return true or false."""
    if isinstance(value, bool):
        return value
    raise Unfit(f"{shown(value)} is neither true nor false", "write true or false, without quotes")


def integer(least: int, most: int) -> Callable[[object], int]:
    """Return a reader of whole numbers from `least` to `most`."""

    def read(value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool):
            raise Unfit(f"{shown(value)} is not a whole number", f"give a number from {least} to {most}")
        if not least <= value <= most:
            raise Unfit(f"{shown(value)} is out of range", f"give a number from {least} to {most}")
        return value

    return read


def number(least: float, most: float) -> Callable[[object], float]:
    """Return a reader of numbers from `least` to `most`."""

    def read(value: object) -> float:
        if isinstance(value, bool) or not isinstance(value, int | float) or not least <= value <= most:
            raise Unfit(
                f"{shown(value)} is not a number from {least:g} to {most:g}", "give such a number, without quotes"
            )
        return float(value)

    return read


def percent(least: int, most: int) -> Callable[[object], float]:
    """Return a reader of percentages such as `10%`, as a share of 1."""

    def read(value: object) -> float:
        match = _PERCENT.match(value) if isinstance(value, str) else None
        share = float(match[1]) if match else -1.0
        if not least <= share <= most:
            raise Unfit(f"{shown(value)} is not a percentage from {least}% to {most}%", 'write one, such as "10%"')
        return share / _WHOLE

    return read


def probability(value: object) -> float:
    """Return a percentage from 0% to 100% as a share of 1, or NEVER for `Never`."""
    if value == "Never":
        return NEVER
    match = _PERCENT.match(value) if isinstance(value, str) else None
    if match is None or float(match[1]) > _WHOLE:
        raise Unfit(f"{shown(value)} is not a probability", 'write a percentage, such as "80%", or Never')
    return float(match[1]) / _WHOLE


def duration_s(value: object) -> int:
    """Return the seconds of `90s`, `5m`, `1h30m`, `5d`: more than none, at most a year."""
    if not isinstance(value, str) or not _DURATION.match(value):
        raise Unfit(f"{shown(value)} is not a duration", "write a number with s, m, h or d, such as 5m or 1h30m")
    seconds = sum(int(count) * _SECONDS[unit] for count, unit in _DURATION_PART.findall(value))
    if not 0 < seconds <= DURATION_MAX_S:
        raise Unfit(f"{shown(value)} is out of range", "give a duration from 1s to 366d")
    return seconds


def duration_between(least_s: int, most_s: int) -> Callable[[object], int]:
    """Return a reader of durations from `least_s` to `most_s`."""

    def read(value: object) -> int:
        seconds = duration_s(value)
        if not least_s <= seconds <= most_s:
            raise Unfit(
                f"{shown(value)} is out of range", f"give a duration from {_written(least_s)} to {_written(most_s)}"
            )
        return seconds

    return read


def _written(seconds: int) -> str:
    units = "dhms" if seconds >= _MANY_DAYS_S else "hms"
    unit = next(unit for unit in units if seconds % _SECONDS[unit] == 0)
    return f"{seconds // _SECONDS[unit]}{unit}"


def duration_or_never_s(value: object) -> int:
    """Return the seconds of a duration, 0 for `Never` or `0s`."""
    return 0 if value in ("Never", "0s") else duration_s(value)


def duration_or_zero_s(value: object) -> int:
    """Return the seconds of a duration, which may be none, such as `0s`."""
    return 0 if isinstance(value, str) and _ZERO.match(value) else duration_s(value)


def size_bytes(value: object) -> int:
    """Return the octets of `25Mi`, `500k` or a plain number, at least one."""
    match = _SIZE.match(str(value)) if isinstance(value, str) or _is_short(value) else None
    octets = int(match[1]) * _OCTETS[match[2] or ""] if match else 0
    if octets < 1:
        raise Unfit(f"{shown(value)} is not a size", "write a number of octets, or with Ki, Mi or Gi, such as 25Mi")
    return octets


def _is_short(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 0 < value < 10**_DIGITS_MAX


def rate_per_s(value: object) -> float:
    """Return how many a second `50/s`, `300/m` or `1000/h` is; more than none."""
    match = _RATE.match(value) if isinstance(value, str) else None
    rate = float(match[1]) / _SECONDS[match[2]] if match else 0.0
    if not rate:
        raise Unfit(f"{shown(value)} is not a rate", "write a number a second, minute or hour, such as 50/s")
    return rate


def time_ms(value: object) -> int:
    """Return the Unix milliseconds of an RFC 3339 time with its zone."""
    cure = "write a time such as 2030-01-31T12:00:00Z"
    try:
        moment = datetime.fromisoformat(text(value))
        if moment.tzinfo is None:
            raise Unfit(f"{shown(value)} has no time zone", cure)
        milliseconds = round(moment.timestamp() * 1000)
    except (ValueError, OverflowError) as fault:
        if isinstance(fault, Unfit):
            raise
        raise Unfit(f"{shown(value)} is not a time", cure) from None
    if milliseconds <= 0:
        raise Unfit(f"{shown(value)} is before 1970", cure)
    return milliseconds


def lane(value: object) -> Lane:
    """Return the lane that Urgent, Normal or Bulk names."""
    for each in Lane:
        if each.name.capitalize() == value:
            return each
    raise Unfit(f"{shown(value)} is not known", f"write one of {', '.join(each.name.capitalize() for each in Lane)}")


def choice(kind: type[E]) -> Callable[[object], E]:
    """Return a reader of one of the words of an enumeration."""

    def read(value: object) -> E:
        for member in kind:
            if member.value == value:
                return member
        raise Unfit(f"{shown(value)} is not known", f"write one of {', '.join(member.value for member in kind)}")

    return read
