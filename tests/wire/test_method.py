"""Requests and answers of the services survive the wire, alone and in frames."""

import pytest

from paquebot.mail.delivery import Delivery, Lane, Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.mail.traits import Traits
from paquebot.mail.verdict import Action, Reason, Verdict
from paquebot.pb.v1 import spamfilter_pb2
from paquebot.wire.auth import AUTHENTICATE, LEASE, AuthenticateRequest, LeaseAnswer, LeaseRequest, Refusal
from paquebot.wire.deliverer import (
    STATE,
    Counts,
    DelivererState,
    InHand,
    Load,
    Pace,
    Said,
    Share,
    SiteState,
    StateRequest,
)
from paquebot.wire.method import Answered, Asked, Fault, WireError
from paquebot.wire.router import PLAN, PLAN_STREAM, PlanRequest
from paquebot.wire.spamfilter import JUDGE, JUDGE_STREAM, JudgeRequest
from paquebot.wire.submission import SUBMIT, SubmitAnswer, SubmitRequest

PRINCIPAL = Principal("shop", "orders", ("a@shop.example", "*@x.example"), messages_per_hour=5)
ENVELOPE = Envelope("a@shop.example", ("b@c.example", "d@e.example"), eight_bit=True)
JUDGE_REQUEST = JudgeRequest("id", PRINCIPAL, ENVELOPE, b"content", True, 7, "192.0.2.1", "laptop.example")
TRAITS = Traits(-3.5, "shop.example", 2**64 - 1, 5, ("one.example",), 1 << 63)
VERDICT = Verdict(
    Action.TAG, 0.75, (Reason("rule", 1.5, "why"),), Action.REJECT, sampled=True, traits=TRAITS, slow="why"
)
PLAN_REQUEST = PlanRequest(
    "id",
    PRINCIPAL,
    ENVELOPE,
    b"From: a\r\n",
    b"h" * 32,
    99,
    12345,
    "client",
    "192.0.2.1",
    lane=Lane.URGENT,
    tag_fields=b"X: y\r\n",
    hold_ms=7,
    hold_reason="held",
    pool="a_b",
)
DELIVERY = Delivery(
    "id",
    1,
    "shop",
    "orders",
    "a@shop.example",
    "a@shop.example",
    ("b@c.example",),
    "c.example",
    "c",
    "other",
    "a_b",
    Lane.NORMAL,
    3,
    b"Received: x\r\n",
    99,
    True,
    1,
    2,
)
DELIVERER_STATE = DelivererState(
    "pod",
    "pool",
    (1, 2),
    (
        SiteState(
            "s",
            "g",
            "READY",
            pace=Pace(50.0, 7.5, 5, 1, "421"),
            shares=(Share(0, "shop", 3), Share(2, "news", 9)),
            said=(Said("deferred", 12, "mx.s [192.0.2.1]", "421 4.7.0 Slow down"),),
            counts=Counts(1, 2, 3),
            domain="s.example",
        ),
        SiteState("t", "other", "THROTTLED", "421", 99, 1, 2, 3),
    ),
    draining=True,
    load=Load(4, 5000, 2, 3),
    revision="abc",
    counts=Counts(4, 5, 6),
    at_ms=1234,
    found=(InHand("m.1", "s", "line", 7), InHand("m.2", "t", "attempt", since_ms=9, slot=1)),
)


@pytest.mark.parametrize(
    ("method", "request_", "answer"),
    [
        (AUTHENTICATE, AuthenticateRequest("u", b"p", "192.0.2.1"), PRINCIPAL),
        (
            AUTHENTICATE,
            AuthenticateRequest("u", b"p", ""),
            Refusal(Reply(535, "5.7.8", "no"), 200, close=True),
        ),
        (LEASE, LeaseRequest("shop", "orders", 50), LeaseAnswer(0, 1, 2, "hourly limit")),
        (JUDGE, JUDGE_REQUEST, VERDICT),
        (PLAN, PLAN_REQUEST, Plan((DELIVERY,))),
        (
            SUBMIT,
            SubmitRequest(ENVELOPE, b"c", "id", "x.1", "shop", "a_b", {"class": "news"}, "bulk", "key"),
            SubmitAnswer(Reply(250, "2.0.0", "Ok"), "id"),
        ),
        (
            STATE,
            StateRequest("s", "shop", "m", 5),
            DELIVERER_STATE,
        ),
    ],
)
def test_requests_and_answers_come_back_as_they_went(method, request_, answer) -> None:
    assert method.decode_request(method.encode_request(request_)) == request_
    assert method.decode_answer(method.encode_answer(answer)) == answer


@pytest.mark.parametrize(
    ("method", "request_", "answer"),
    [(JUDGE_STREAM, JUDGE_REQUEST, VERDICT), (PLAN_STREAM, PLAN_REQUEST, Plan((DELIVERY,)))],
)
def test_frames_carry_answers_and_faults_by_item(method, request_, answer) -> None:
    asked = [Asked(1, 500, request_), Asked(9, 700, request_)]
    assert method.decode_requests(method.encode_requests(asked)) == asked
    answered = [Answered(9, answer), Answered(1, Fault("DEADLINE", "too late"))]
    assert method.decode_answers(method.encode_answers(answered)) == answered
    assert method.request_size(request_) > 0


def test_an_unknown_action_is_a_wire_error() -> None:
    with pytest.raises(WireError, match="unknown action"):
        JUDGE.decode_answer(spamfilter_pb2.Verdict(action="explode").SerializeToString())


def test_a_password_does_not_show() -> None:
    assert "secret" not in repr(AuthenticateRequest("u", b"secret", "192.0.2.1"))
