"""Submission by programs on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot.mail.envelope import Envelope
from paquebot.mail.reply import Reply
from paquebot.pb.v1 import submission_pb2 as pb
from paquebot.wire.method import Method
from paquebot.wire.values import envelope_from_pb, envelope_to_pb, reply_from_pb, reply_to_pb

SERVICE = "paquebot.v1.Submission"


@dataclass(frozen=True, slots=True)
class SubmitRequest:
    """A message. `id`, `report_of`, `tenant` and `pool` are for reports of our own deliverers.

    `tags` are the sender's own words, for routes and selectors; `lane` is normal, bulk, or "" for the credential's;
    `idempotency_key` is the sender's own name for the message, under which it is stored once.
    """

    envelope: Envelope
    content: bytes
    id: str = ""
    report_of: str = ""
    tenant: str = ""
    pool: str = ""
    tags: Mapping[str, str] = field(default_factory=dict)
    lane: str = ""
    idempotency_key: str = ""


@dataclass(frozen=True, slots=True)
class SubmitAnswer:
    """The reply: positive means kept, under `id`."""

    reply: Reply
    id: str = ""


def _encode_request(request: SubmitRequest) -> bytes:
    return pb.SubmitRequest(
        envelope=envelope_to_pb(request.envelope),
        content=request.content,
        id=request.id,
        report_of=request.report_of,
        tenant=request.tenant,
        pool=request.pool,
        tags=request.tags,
        lane=request.lane,
        idempotency_key=request.idempotency_key,
    ).SerializeToString()


def _decode_request(encoded: bytes) -> SubmitRequest:
    message = pb.SubmitRequest.FromString(encoded)
    envelope = envelope_from_pb(message.envelope)
    return SubmitRequest(
        envelope,
        message.content,
        message.id,
        message.report_of,
        message.tenant,
        message.pool,
        dict(message.tags),
        message.lane,
        message.idempotency_key,
    )


def _encode_answer(answer: SubmitAnswer) -> bytes:
    return pb.SubmitAnswer(reply=reply_to_pb(answer.reply), id=answer.id).SerializeToString()


def _decode_answer(encoded: bytes) -> SubmitAnswer:
    message = pb.SubmitAnswer.FromString(encoded)
    return SubmitAnswer(reply_from_pb(message.reply), message.id)


SUBMIT: Method[SubmitRequest, SubmitAnswer] = Method(
    SERVICE, "Submit", _encode_request, _decode_request, _encode_answer, _decode_answer
)
