"""What has begun may end for a while without the queue; nothing begins unless we are known to be there."""

from paquebot.queue.lease import LAPSE_S, LEASE_S, PRESENT_S, Lease


def test_before_the_first_heartbeat_nothing_begins() -> None:
    assert not Lease().is_sure(10.0, beaten=float("-inf"))


def test_attempts_begin_while_the_queue_answers_and_our_heartbeat_stands() -> None:
    lease = Lease(confirmed=100.0)
    assert lease.is_sure(101.0, beaten=99.0)
    assert not lease.is_sure(100.0 + LAPSE_S, beaten=100.0 + LAPSE_S)
    assert not lease.is_sure(101.0, beaten=101.0 - PRESENT_S)


def test_what_has_begun_may_end_until_others_are_handed_it() -> None:
    lease = Lease(confirmed=100.0)
    assert lease.holds(100.0 + LAPSE_S)
    assert not lease.holds(100.0 + LEASE_S)
