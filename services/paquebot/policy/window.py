"""Delivery windows of a MailDomain: when its mail may go out, by weekday, hour and time zone. Pure.

Times are those of the clock on the wall: a window keeps its hours when summer time begins or ends. Urgent mail
knows no windows.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from paquebot.mail.delivery import Lane
from paquebot.policy import scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.section import Section

WINDOWS_MAX: Final = 20
DAYS: Final = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_DAY_MIN: Final = 24 * 60
_AHEAD_DAYS: Final = 8  # a week, and the day on which it was begun
_TIME = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])\Z|(24):(00)\Z")


@dataclass(frozen=True, slots=True)
class Window:
    """From a minute of certain days (0: Monday) to another, the next day's if that is not later."""

    from_min: int
    to_min: int
    zone: ZoneInfo
    days: tuple[int, ...] = tuple(range(7))
    lanes: tuple[Lane, ...] = (Lane.NORMAL, Lane.BULK)

    def spans(self, first: date, count: int) -> Iterator[tuple[float, float]]:
        """Yield begin and end, in Unix seconds, of those that begin on one of so many days."""
        for day in (first + timedelta(days=number) for number in range(count)):
            if day.weekday() in self.days:
                over = self.to_min <= self.from_min
                yield self._at(day, self.from_min), self._at(day, self.to_min + over * _DAY_MIN)

    def today(self, now_ms: int) -> date:
        """Return the date where the window is."""
        return datetime.fromtimestamp(now_ms / 1000, self.zone).date()

    def _at(self, day: date, minute: int) -> float:
        # Of an hour that comes twice the first is meant; one that is left out moves on by an hour.
        later, minute = divmod(minute, _DAY_MIN)
        moment = datetime.combine(day + timedelta(days=later), time(minute // 60, minute % 60), self.zone)
        return moment.timestamp()


@dataclass(frozen=True, slots=True)
class Opening:
    """When the next window opens: Unix milliseconds, and as people there say it."""

    at_ms: int
    told: str


def next_opening(windows: Sequence[Window], lane: Lane, now_ms: int) -> Opening | None:
    """Return when mail of a lane may go, None: now."""
    own = [window for window in windows if lane in window.lanes]
    if not own or any(_is_open(window, now_ms) for window in own):
        return None
    coming = (
        (begin, str(window.zone), window.zone)
        for window in own
        for begin, _end in window.spans(window.today(now_ms), _AHEAD_DAYS)
        if begin * 1000 > now_ms
    )
    at, name, zone = min(coming)
    return Opening(round(at * 1000), f"{datetime.fromtimestamp(at, UTC).astimezone(zone):%a %Y-%m-%d %H:%M} {name}")


def _is_open(window: Window, now_ms: int) -> bool:
    spans = window.spans(window.today(now_ms) - timedelta(days=1), 2)
    return any(begin * 1000 <= now_ms < end * 1000 for begin, end in spans)


def windows(spec: Section) -> tuple[Window, ...]:
    """Read the windows of a MailDomain."""
    spec.at_most("deliveryWindows", WINDOWS_MAX)
    return tuple(_window(each) for each in spec.sections("deliveryWindows"))


def _window(section: Section) -> Window:
    days = section.entries("days", _day)
    lanes = section.entries("lanes", _lane)
    section.each_once("days", [DAYS[each] for each in days])
    section.each_once("lanes", [each.name.capitalize() for each in lanes])
    for name in ("days", "lanes"):
        if section.is_empty(name):
            section.fault(name, "is empty", "name some, or leave it out for all")
    window = Window(
        section.need("from", _minute, 0),
        section.need("to", _minute, _DAY_MIN),
        section.need("timeZone", _zone, ZoneInfo("UTC")),
        days or tuple(range(7)),
        lanes or (Lane.NORMAL, Lane.BULK),
    )
    section.finish()
    return window


def _minute(value: object) -> int:
    match = _TIME.match(value) if isinstance(value, str) else None
    if match is None:
        raise Unfit(f"{scalars.shown(value)} is no time of day", 'write one from "00:00" to "24:00", in quotes')
    hours, minutes = (each for each in match.groups() if each)
    return int(hours) * 60 + int(minutes)


def _day(value: object) -> int:
    if isinstance(value, str) and value in DAYS:
        return DAYS.index(value)
    raise Unfit(f"{scalars.shown(value)} is no day", f"write some of {', '.join(DAYS)}")


def _lane(value: object) -> Lane:
    lane = scalars.lane(value)
    if lane is Lane.URGENT:
        raise Unfit("Urgent mail knows no windows", "write Normal or Bulk")
    return lane


def _zone(value: object) -> ZoneInfo:
    name = scalars.text(value)
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise Unfit(f"{scalars.shown(value)} is no time zone", "write one such as Europe/Berlin or UTC") from None
