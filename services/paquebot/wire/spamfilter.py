"""The spam filter on the wire."""

from collections.abc import Sequence
from dataclasses import dataclass

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.mail.verdict import Action, Reason, Verdict
from paquebot.pb.v1 import spamfilter_pb2 as pb
from paquebot.wire.method import Answered, Asked, Fault, Method, StreamMethod, WireError
from paquebot.wire.values import (
    envelope_from_pb,
    envelope_to_pb,
    fault_from_pb,
    fault_to_pb,
    principal_from_pb,
    principal_to_pb,
)

SERVICE = "paquebot.v1.SpamFilter"


@dataclass(frozen=True, slots=True)
class JudgeRequest:
    """A message to judge. Content over 1 MiB is sampled by the caller; `size_bytes` is its true size."""

    id: str
    principal: Principal
    envelope: Envelope
    content: bytes
    sampled: bool = False
    size_bytes: int = 0


def _request_to_pb(request: JudgeRequest) -> pb.JudgeRequest:
    return pb.JudgeRequest(
        id=request.id,
        principal=principal_to_pb(request.principal),
        envelope=envelope_to_pb(request.envelope),
        content=request.content,
        sampled=request.sampled,
        size_bytes=request.size_bytes,
    )


def _request_from_pb(message: pb.JudgeRequest) -> JudgeRequest:
    return JudgeRequest(
        message.id,
        principal_from_pb(message.principal),
        envelope_from_pb(message.envelope),
        message.content,
        message.sampled,
        message.size_bytes,
    )


def _verdict_to_pb(verdict: Verdict) -> pb.Verdict:
    return pb.Verdict(
        action=verdict.action,
        probability=verdict.probability,
        reasons=[pb.Reason(rule=each.rule, weight=each.weight, text=each.text) for each in verdict.reasons],
        shadow_action=verdict.shadow_action or "",
        sampled=verdict.sampled,
    )


def _verdict_from_pb(message: pb.Verdict) -> Verdict:
    try:
        return Verdict(
            Action(message.action),
            message.probability,
            tuple(Reason(each.rule, each.weight, each.text) for each in message.reasons),
            Action(message.shadow_action) if message.shadow_action else None,
            message.sampled,
        )
    except ValueError as error:
        raise WireError(f"a Verdict with an unknown action: {error}") from error


def _encode_requests(items: Sequence[Asked[JudgeRequest]]) -> bytes:
    frame = pb.JudgeFrame(
        items=[
            pb.JudgeFrame.Item(item=asked.item, deadline_ms=asked.deadline_ms, request=_request_to_pb(asked.request))
            for asked in items
        ]
    )
    return frame.SerializeToString()


def _decode_requests(encoded: bytes) -> list[Asked[JudgeRequest]]:
    frame = pb.JudgeFrame.FromString(encoded)
    return [Asked(item.item, item.deadline_ms, _request_from_pb(item.request)) for item in frame.items]


def _encode_answers(items: Sequence[Answered[Verdict]]) -> bytes:
    frame = pb.VerdictFrame()
    for answered in items:
        if isinstance(answered.answer, Fault):
            frame.items.add(item=answered.item, fault=fault_to_pb(answered.answer))
        else:
            frame.items.add(item=answered.item, answer=_verdict_to_pb(answered.answer))
    return frame.SerializeToString()


def _decode_answers(encoded: bytes) -> list[Answered[Verdict]]:
    return [
        Answered(
            item.item,
            fault_from_pb(item.fault) if item.HasField("fault") else _verdict_from_pb(item.answer),
        )
        for item in pb.VerdictFrame.FromString(encoded).items
    ]


def _size(request: JudgeRequest) -> int:
    return len(request.content) + 512


JUDGE: Method[JudgeRequest, Verdict] = Method(
    SERVICE,
    "Judge",
    lambda request: _request_to_pb(request).SerializeToString(),
    lambda encoded: _request_from_pb(pb.JudgeRequest.FromString(encoded)),
    lambda verdict: _verdict_to_pb(verdict).SerializeToString(),
    lambda encoded: _verdict_from_pb(pb.Verdict.FromString(encoded)),
)
JUDGE_STREAM: StreamMethod[JudgeRequest, Verdict] = StreamMethod(
    SERVICE, "JudgeStream", _encode_requests, _decode_requests, _encode_answers, _decode_answers, _size
)
