"""What is believed of a domain's records outlives the operator."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from paquebot_operator.dns.history import Belief, believed
from paquebot_operator.dns.record import Purpose, Record, Sighting, Verdict
from paquebot_operator.dns.watch import Watch, decode, encode

ONE, TWO = (Record(f"{name}.shop.example", "TXT", "v", Purpose.DKIM) for name in ("one", "two"))


def watch(one: Verdict | None, two: Verdict | None, looked_s: int = 0, since_s: int | None = None) -> Watch:
    beliefs = {
        record: believed(Belief(record), Sighting(verdict, looked_s, "x", "y", 7)) if verdict else Belief(record)
        for record, verdict in ((ONE, one), (TWO, two))
    }
    return Watch(beliefs, looked_s, since_s)


def test_what_was_written_is_read() -> None:
    written = watch(Verdict.DIFFERENT, None, 50, 40)
    assert decode(encode(written)) == written
    assert decode(encode(Watch())) == Watch()


@given(
    encoded=st.binary() | st.sampled_from([b"[]", b'{"format":1,"looked_s":1,"unsettled_since_s":null,"beliefs":[1]}'])
)
def test_what_we_did_not_write_is_nothing(encoded: bytes) -> None:
    assert decode(encoded) == Watch()


@pytest.mark.parametrize(
    ("before", "since_s"),
    [
        (watch(Verdict.PRESENT, Verdict.PRESENT, 50, 40), None),
        (watch(Verdict.PRESENT, Verdict.MISSING, 50, None), 100),
        (watch(Verdict.PRESENT, Verdict.UNKNOWN, 50, 40), 40),
        (watch(Verdict.MISSING, None, 50, 40), 100),  # another record is wanted: soon again
        (watch(Verdict.MISSING, None, 50, 60), 60),
        (watch(Verdict.MISSING, Verdict.PRESENT, 50, 999), 100),  # the clock was set back
    ],
)
def test_it_is_unsettled_since_the_last_look_that_was_good_or_another_record_was_wanted(
    before: Watch, since_s: int | None
) -> None:
    assert before.settled([ONE, TWO], 100).unsettled_since_s == since_s


def test_advice_unsettles_nothing() -> None:
    assert watch(Verdict.PRESENT, Verdict.MISSING, 50, 40).settled([ONE], 100).unsettled_since_s is None


def test_the_first_look_is_soon_and_looks_become_rarer() -> None:
    assert watch(None, None, 0, 100).next_look_s("seed") == 110
    assert watch(Verdict.MISSING, None, 110, 100).next_look_s("seed") == 140
    assert watch(Verdict.MISSING, None, 9000, 100).next_look_s("seed") == 9000 + 3600
