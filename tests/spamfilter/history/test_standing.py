"""What a history says of the next message."""

from paquebot.spamfilter.history.standing import UNKNOWN, Standing, Step


def test_steps_are_ordered_so_that_a_policy_can_stop_at_one() -> None:
    assert Step.SLOW < Step.HOLD < Step.SUSPEND < Step.CANCEL
    assert min(Step.CANCEL, Step.HOLD) is Step.HOLD


def test_an_unknown_account_adds_nothing() -> None:
    assert Standing() == UNKNOWN
    assert (UNKNOWN.alarm, UNKNOWN.trusted) == (None, False)
