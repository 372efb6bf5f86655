"""What a delivery becomes when the reply to its final dot is missing, or when it crashes us."""

from dataclasses import replace

import pytest

from mail.test_settle import delivery
from paquebot.mail.doubt import HELD_FOR_MS, doubted, held_as_poison, hold_doubt, is_undecided, left_over, unanswered
from paquebot.mail.outcome import Kind, Scope
from paquebot.mail.record import Kind as RecordKind
from paquebot.mail.record import about
from paquebot.mail.settlement import Settlement

MX = "mx.b.example [192.0.2.1]"
THREE = delivery("x@b.example", "y@b.example", "z@b.example")


def test_an_unanswered_final_dot_is_in_doubt_and_no_other_host_is_asked() -> None:
    outcome = unanswered(MX)
    assert (outcome.kind, outcome.scope) == (Kind.DEFERRED, Scope.MESSAGE)
    assert outcome.reason.startswith(f"in doubt: {MX} did not answer the final dot")


def test_behind_a_crash_the_same_host_is_asked_first_and_the_reason_says_why() -> None:
    found = doubted(replace(THREE, last_host="other [192.0.2.9]"), MX)
    assert found.last_host == MX
    assert found.reason.startswith(f"in doubt: the deliverer died before {MX} answered the final dot")


def test_a_host_that_nobody_noted_is_not_made_up() -> None:
    found = doubted(replace(THREE, last_host="other [192.0.2.9]"), "")
    assert found.last_host == "other [192.0.2.9]"
    assert "died before the host answered" in found.reason


def test_who_had_it_before_a_crash_is_delivered_and_the_others_wait() -> None:
    kinds = {each: outcome.kind for each, outcome in left_over(THREE, (0, 2), None).items()}
    assert kinds == dict(zip(THREE.recipients, [Kind.DELIVERED, Kind.DEFERRED, Kind.DELIVERED], strict=True))
    assert not left_over(THREE, (0,), None)["y@b.example"].reason.startswith("in doubt")
    assert left_over(THREE, (0,), MX)["y@b.example"].reason.startswith("in doubt")


def test_poison_is_held_for_a_week_and_says_why() -> None:
    settlement = held_as_poison(replace(THREE, crashes=3), 1000)
    assert settlement.again is not None
    assert (settlement.again.held, settlement.again.next_ms) == (True, 1000 + HELD_FOR_MS)
    assert settlement.again.reason.startswith("poison: 3 attempts ended in a crash")
    (told,) = settlement.records
    assert (told.kind, told.reason, told.next_ms) == (RecordKind.HELD, settlement.again.reason, 1000 + HELD_FOR_MS)


def test_what_is_held_in_doubt_is_not_tried_again_before_it_expires() -> None:
    doubtful = replace(THREE, reason=unanswered(MX).reason, next_ms=5)
    deferred = replace(about(doubtful, RecordKind.DEFERRED, 1), next_ms=5)
    held = hold_doubt(Settlement((deferred,), again=doubtful), 1)
    assert held.again == replace(doubtful, held=True, next_ms=doubtful.expires_ms)
    assert [each.kind for each in held.records] == [RecordKind.DEFERRED, RecordKind.HELD]
    assert {each.next_ms for each in held.records} == {doubtful.expires_ms}


@pytest.mark.parametrize("reason", ["", "full", "in doubt; released by ann", "in doubt; the pool mail_main is paused"])
def test_what_is_decided_or_not_in_doubt_is_not_held(reason: str) -> None:
    settlement = Settlement((), again=replace(THREE, reason=reason))
    assert hold_doubt(settlement, 1) is settlement
    assert not is_undecided(replace(THREE, reason=reason))
    assert hold_doubt(Settlement(()), 1) == Settlement(())
