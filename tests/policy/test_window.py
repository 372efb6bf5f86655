"""Windows open by the clock on the wall, whatever summer time does."""

from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot.mail.delivery import Lane
from paquebot.policy.faults import Notes
from paquebot.policy.section import Section
from paquebot.policy.window import WINDOWS_MAX, Window, next_opening, windows

BERLIN = ZoneInfo("Europe/Berlin")
OFFICE = Window(8 * 60, 18 * 60, BERLIN, days=(0, 1, 2, 3, 4))
NIGHT = Window(22 * 60, 6 * 60, BERLIN)


def ms(moment: str, zone: ZoneInfo = BERLIN) -> int:
    return round(datetime.fromisoformat(moment).replace(tzinfo=zone).timestamp() * 1000)


def opens(window: Window, moment: str) -> str:
    opening = next_opening((window,), Lane.BULK, ms(moment))
    return "open" if opening is None else opening.told


@pytest.mark.parametrize(
    ("window", "moment", "told"),
    [
        (OFFICE, "2026-11-26 08:00", "open"),
        (OFFICE, "2026-11-26 17:59:59", "open"),
        (OFFICE, "2026-11-26 18:00", "Fri 2026-11-27 08:00 Europe/Berlin"),
        (OFFICE, "2026-11-27 18:00", "Mon 2026-11-30 08:00 Europe/Berlin"),
        (OFFICE, "2026-11-26 07:59", "Thu 2026-11-26 08:00 Europe/Berlin"),
        (NIGHT, "2026-11-26 23:00", "open"),
        (NIGHT, "2026-11-27 05:59", "open"),
        (NIGHT, "2026-11-27 06:00", "Fri 2026-11-27 22:00 Europe/Berlin"),
        (Window(0, 1440, BERLIN, days=(5,)), "2026-11-28 23:59", "open"),
        (Window(0, 1440, BERLIN, days=(5,)), "2026-11-29 00:00", "Sat 2026-12-05 00:00 Europe/Berlin"),
        (OFFICE, "2026-03-27 19:00", "Mon 2026-03-30 08:00 Europe/Berlin"),  # summer time begins in between
        (OFFICE, "2026-10-23 19:00", "Mon 2026-10-26 08:00 Europe/Berlin"),  # and ends
        (Window(150, 180, BERLIN), "2026-03-29 00:00", "Sun 2026-03-29 03:30 Europe/Berlin"),  # 02:30 is left out
    ],
)
def test_it_opens_when_the_clock_says_so(window: Window, moment: str, told: str) -> None:
    assert opens(window, moment) == told


def test_of_an_hour_that_comes_twice_the_first_is_meant() -> None:
    opening = next_opening((Window(150, 170, BERLIN),), Lane.BULK, ms("2026-10-25 00:00"))
    assert opening is not None
    assert datetime.fromtimestamp(opening.at_ms / 1000, UTC) == datetime(2026, 10, 25, 0, 30, tzinfo=UTC)


def test_the_nearest_of_several_counts_and_only_those_of_the_lane() -> None:
    bulk = Window(0, 60, ZoneInfo("UTC"), lanes=(Lane.BULK,))
    now_ms = ms("2026-11-26 20:00")
    nearest = next_opening((OFFICE, bulk), Lane.BULK, now_ms)
    assert nearest is not None
    assert nearest.told == "Fri 2026-11-27 00:00 UTC"
    assert next_opening((bulk,), Lane.NORMAL, now_ms) is None
    assert next_opening((OFFICE,), Lane.URGENT, now_ms) is None
    assert next_opening((), Lane.BULK, now_ms) is None


@given(
    begin=st.integers(0, 1439),
    end=st.integers(0, 1440),
    days=st.sets(st.integers(0, 6), min_size=1),
    zone=st.sampled_from(["UTC", "Europe/Berlin", "America/New_York", "Asia/Kolkata", "Australia/Lord_Howe"]),
    hours=st.integers(0, 24 * 365 * 2),
)
def test_it_is_open_when_it_opens_and_shut_right_before(
    begin: int, end: int, days: set[int], zone: str, hours: int
) -> None:
    window = Window(begin, end, ZoneInfo(zone), tuple(days))
    now_ms = round((datetime(2026, 1, 1, tzinfo=UTC) + timedelta(hours=hours)).timestamp() * 1000)
    opening = next_opening((window,), Lane.BULK, now_ms)
    if opening is not None:
        assert now_ms < opening.at_ms <= now_ms + 8 * 86_400_000
        assert next_opening((window,), Lane.BULK, opening.at_ms) is None
        assert next_opening((window,), Lane.BULK, opening.at_ms - 1) == opening


def read(**window: Any) -> tuple[tuple[Window, ...], list[str]]:
    notes = Notes("MailDomain", "shop", "main")
    given = {"from": "08:00", "to": "18:00", "timeZone": "Europe/Berlin"} | window
    found = windows(Section(notes, "spec", {"deliveryWindows": [given]}))
    return found, [str(fault) for fault in notes.faults]


def test_a_window_is_read() -> None:
    assert read(days=["Mon", "Tue", "Wed", "Thu", "Fri"]) == ((OFFICE,), [])
    assert read(to="24:00", lanes=["Bulk"])[0] == (Window(480, 1440, BERLIN, lanes=(Lane.BULK,)),)


@pytest.mark.parametrize(
    ("window", "told"),
    [
        ({"from": "8:00"}, '"8:00" is no time of day; write one from "00:00" to "24:00", in quotes'),
        ({"to": 1080}, "1080 is no time of day"),  # YAML reads 18:00 so
        ({"to": "24:01"}, "is no time of day"),
        ({"days": ["Monday"]}, '"Monday" is no day'),
        ({"days": []}, "days: is empty"),
        ({"lanes": ["Urgent"]}, "Urgent mail knows no windows"),
        ({"timeZone": "Berlin"}, '"Berlin" is no time zone'),
        ({"timeZone": "../etc/passwd"}, "is no time zone"),
        ({"until": "9:00"}, "until: is not a known field"),
    ],
)
def test_an_unfit_window_is_told(window: dict[str, Any], told: str) -> None:
    assert told in "\n".join(read(**window)[1])


def test_too_many_windows_are_told() -> None:
    notes = Notes("MailDomain", "shop", "main")
    entry = {"from": "08:00", "to": "18:00", "timeZone": "UTC"}
    windows(Section(notes, "spec", {"deliveryWindows": [entry] * (WINDOWS_MAX + 1)}))
    assert [fault.text for fault in notes.faults] == ["has 21 entries"]
