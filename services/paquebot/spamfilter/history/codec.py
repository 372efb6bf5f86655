"""Histories as they are stored: JSON with a format number, octets in base64, at most OCTETS_MAX. Pure.

What cannot be read counts as unknown: a history is worth less than the mail that waits for it.
"""

import json
from base64 import b64decode, b64encode
from dataclasses import astuple
from struct import pack, unpack
from typing import Any

from paquebot.spamfilter.history.account import Account, Alarm, Level, Recent
from paquebot.spamfilter.history.counts import Counts
from paquebot.spamfilter.history.habit import HOURS, Habit
from paquebot.spamfilter.history.sketch import EMPTY, OCTETS, Sketch
from paquebot.spamfilter.history.standing import Step

FORMAT = 1
OCTETS_MAX = 16_384
_DIGITS = 4


def encode_counts(counts: Counts) -> bytes:
    """Encode the history of a key that is no account."""
    return _dumped({"format": FORMAT, "counts": _counts(counts)})


def decode_counts(encoded: bytes) -> Counts | None:
    """Return the history of a key; None for what cannot be read."""
    entry = _loaded(encoded)
    try:
        return None if entry is None else _read_counts(entry["counts"])
    except (KeyError, TypeError, ValueError):
        return None


def encode_account(account: Account) -> bytes:
    """Encode the history of an account."""
    alarm, sketch = account.alarm, account.recipients
    return _dumped(
        {
            "format": FORMAT,
            "counts": _counts(account.counts),
            "recipients": [sketch.begun_s, _octets(sketch.current), _octets(sketch.before)],
            "level": [round(each, _DIGITS) for each in astuple(account.level)],
            "habit": [
                account.habit.hour,
                account.habit.so_far,
                round(account.habit.peak, 2),
                _week(account.habit.week),
            ],
            "known": [account.networks, account.agents, account.authors, account.links],
            "novelty": [round(each, _DIGITS) for each in (*account.novelty, account.strangeness)],
            "recent": [_recent(each) for each in account.recent],
            "alarm": None if alarm is None else [int(alarm.step), alarm.since_s, alarm.at_s],
        }
    )


def decode_account(encoded: bytes) -> Account | None:
    """Return the history of an account; None for what cannot be read."""
    entry = _loaded(encoded)
    try:
        return None if entry is None else _read_account(entry)
    except (KeyError, TypeError, ValueError, IndexError):
        return None


def _read_account(entry: dict[str, Any]) -> Account:
    begun_s, current, before = entry["recipients"]
    hour, so_far, peak, week = entry["habit"]
    networks, agents, authors, links = (tuple(map(int, each)) for each in entry["known"])
    *novelty, strangeness = map(float, entry["novelty"])
    alarm = entry["alarm"]
    return Account(
        counts=_read_counts(entry["counts"]),
        recipients=Sketch(float(begun_s), _read_octets(current), _read_octets(before)),
        level=Level(*map(float, entry["level"])),
        habit=Habit(int(hour), int(so_far), float(peak), unpack(f"<{HOURS}e", b64decode(week))),
        networks=networks,
        agents=agents,
        authors=authors,
        links=links,
        novelty=tuple(novelty),
        strangeness=strangeness,
        recent=tuple(_read_recent(each) for each in entry["recent"]),
        alarm=None if alarm is None else Alarm(Step(alarm[0]), float(alarm[1]), float(alarm[2])),
    )


def _counts(counts: Counts) -> list[Any]:
    return [round(counts.first_s), round(counts.at_s, 3), [round(value, _DIGITS) for value in counts.values]]


def _read_counts(entry: list[Any]) -> Counts:
    """Read counters; a later release may have added some, an earlier one known fewer."""
    first_s, at_s, values = entry
    wanted = len(Counts(0.0, 0.0).values)
    read = tuple(map(float, values[:wanted]))
    return Counts(float(first_s), float(at_s), read + (0.0,) * (wanted - len(read)))


def _recent(each: Recent) -> list[Any]:
    at_s, logit, apart = round(each.at_s, 3), round(each.logit, _DIGITS), round(each.apart, _DIGITS)
    numbers = [each.new, each.recipients, each.strangers, each.template, int(each.quiet)]
    return [each.ident, at_s, logit, apart, *numbers]


def _read_recent(entry: list[Any]) -> Recent:
    ident, at_s, logit, apart, new, recipients, strangers, template, quiet = entry
    return Recent(
        int(ident),
        float(at_s),
        float(logit),
        float(apart),
        int(new),
        int(recipients),
        int(strangers),
        int(template),
        bool(quiet),
    )


def _week(week: tuple[float, ...]) -> str:
    return b64encode(pack(f"<{HOURS}e", *(min(each, 60_000.0) for each in week))).decode()


def _octets(octets: bytes) -> str:
    return "" if octets == EMPTY else b64encode(octets).decode()


def _read_octets(text: str) -> bytes:
    octets = b64decode(text) or EMPTY
    if len(octets) != OCTETS:
        raise ValueError("a sketch of another size")
    return octets


def _dumped(entry: dict[str, Any]) -> bytes:
    return json.dumps(entry, separators=(",", ":")).encode()


def _loaded(encoded: bytes) -> dict[str, Any] | None:
    try:
        entry = json.loads(encoded) if len(encoded) <= OCTETS_MAX else None
    except ValueError:
        return None
    return entry if isinstance(entry, dict) and entry.get("format") == FORMAT else None
