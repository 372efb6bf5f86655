"""Durations, sizes, rates, times and numbers as people write them."""

from collections.abc import Callable

import pytest

from paquebot.policy import scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.values import EightBit


@pytest.mark.parametrize(
    ("read", "written", "expected"),
    [
        (scalars.duration_s, "90s", 90),
        (scalars.duration_s, "1h30m", 5400),
        (scalars.duration_s, "366d", scalars.DURATION_MAX_S),
        (scalars.duration_or_never_s, "4h", 14_400),
        (scalars.duration_or_never_s, "0s", 0),
        (scalars.duration_or_never_s, "Never", 0),
        (scalars.size_bytes, "25Mi", 26_214_400),
        (scalars.size_bytes, "1k", 1000),
        (scalars.size_bytes, 512, 512),
        (scalars.rate_per_s, "50/s", 50.0),
        (scalars.rate_per_s, "30/m", 0.5),
        (scalars.probability, "95%", 0.95),
        (scalars.probability, "100%", 1.0),
        (scalars.probability, "Never", scalars.NEVER),
        (scalars.time_ms, "1970-01-01T00:00:01Z", 1000),
        (scalars.time_ms, "1970-01-01T01:00:01+01:00", 1000),
        (scalars.number(1, 10), 2, 2.0),
        (scalars.integer(1, 3), 3, 3),
        (scalars.choice(EightBit), "Encode", EightBit.ENCODE),
    ],
)
def test_a_fit_value_is_read(read: Callable[[object], object], written: object, expected: object) -> None:
    assert read(written) == expected


@pytest.mark.parametrize(
    ("read", "written", "told"),
    [
        (scalars.duration_s, 300, "300 is not a duration"),
        (scalars.duration_s, "0s", "out of range"),
        (scalars.duration_or_never_s, "never", "is not a duration"),
        (scalars.duration_s, "367d", "out of range"),
        (scalars.duration_s, "1h1h1h1h1h", "is not a duration"),
        (scalars.duration_s, "5m ", "is not a duration"),
        (scalars.size_bytes, "25MB", "is not a size"),
        (scalars.size_bytes, 0, "is not a size"),
        (scalars.size_bytes, True, "true is not a size"),
        (scalars.rate_per_s, "0/s", "is not a rate"),
        (scalars.rate_per_s, 50, "is not a rate"),
        (scalars.probability, "101%", "is not a probability"),
        (scalars.probability, 0.8, "is not a probability"),
        (scalars.probability, True, "true is not a probability"),
        (scalars.time_ms, "2030-01-31", "has no time zone"),
        (scalars.time_ms, "soon", "is not a time"),
        (scalars.time_ms, "1960-01-01T00:00:00Z", "is before 1970"),
        (scalars.number(1, 10), "2", "is not a number from 1 to 10"),
        (scalars.number(1, 10), float("nan"), "is not a number from 1 to 10"),
        (scalars.number(1, 10), 11, "is not a number from 1 to 10"),
        (scalars.integer(1, 3), 4, "is out of range"),
        (scalars.integer(1, 3), 0, "is out of range"),
        (scalars.integer(1, 3), True, "is not a whole number"),
        pytest.param(scalars.integer(1, 3), 10**5000, "a huge number is out of range", id="huge"),
        (scalars.choice(EightBit), "encode", '"encode" is not known'),
        (scalars.boolean, "true", "is neither true nor false"),
    ],
)
def test_an_unfit_value_is_told(read: Callable[[object], object], written: object, told: str) -> None:
    with pytest.raises(Unfit) as unfit:
        read(written)
    assert told in unfit.value.text
    assert unfit.value.cure


def test_a_long_string_is_cut_in_a_fault() -> None:
    assert scalars.shown("a" * 61) == '"' + "a" * 60 + '…"'
