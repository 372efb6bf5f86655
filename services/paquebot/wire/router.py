"""The router on the wire."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot.mail.delivery import Lane, Plan
from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.pb.v1 import router_pb2 as pb
from paquebot.wire.delivery import delivery_from_pb, delivery_to_pb
from paquebot.wire.frames import decode_answered, decode_asked, encode_answered, encode_asked
from paquebot.wire.method import Method, StreamMethod
from paquebot.wire.values import (
    envelope_from_pb,
    envelope_to_pb,
    principal_from_pb,
    principal_to_pb,
    reply_from_pb,
    reply_to_pb,
)

SERVICE = "paquebot.v1.Router"


@dataclass(frozen=True, slots=True)
class PlanRequest:
    """A finished message to plan: its envelope, header section and body hash, and how it came.

    `header_section` ends with its last CRLF, without the empty line. `body_hash` is the SHA-256 of the
    relaxed body (RFC 6376 §3.4.4). With `hold_ms` every delivery is held until then (Unix milliseconds);
    with `refuse_ms` what is still held then is refused.
    """

    id: str
    principal: Principal
    envelope: Envelope
    header_section: bytes
    body_hash: bytes
    size_bytes: int
    accepted_ms: int
    client_name: str = ""
    client_address: str = ""
    protocol: str = "ESMTPSA"
    lane: Lane = Lane.NORMAL
    tag_fields: bytes = b""
    hold_ms: int = 0
    hold_reason: str = ""
    pool: str = ""  # the pool to use, for mail that no sender's domain decides
    tags: Mapping[str, str] = field(default_factory=dict)
    refuse_ms: int = 0
    alarmed: bool = False


def _request_to_pb(request: PlanRequest) -> pb.PlanRequest:
    return pb.PlanRequest(
        id=request.id,
        principal=principal_to_pb(request.principal),
        envelope=envelope_to_pb(request.envelope),
        header_section=request.header_section,
        body_hash=request.body_hash,
        size_bytes=request.size_bytes,
        accepted_ms=request.accepted_ms,
        client_name=request.client_name,
        client_address=request.client_address,
        protocol=request.protocol,
        lane=request.lane,
        tag_fields=request.tag_fields,
        hold_ms=request.hold_ms,
        hold_reason=request.hold_reason,
        pool=request.pool,
        tags=request.tags,
        refuse_ms=request.refuse_ms,
        alarmed=request.alarmed,
    )


def _request_from_pb(message: pb.PlanRequest) -> PlanRequest:
    return PlanRequest(
        id=message.id,
        principal=principal_from_pb(message.principal),
        envelope=envelope_from_pb(message.envelope),
        header_section=message.header_section,
        body_hash=message.body_hash,
        size_bytes=message.size_bytes,
        accepted_ms=message.accepted_ms,
        client_name=message.client_name,
        client_address=message.client_address,
        protocol=message.protocol,
        lane=Lane(message.lane),
        tag_fields=message.tag_fields,
        hold_ms=message.hold_ms,
        hold_reason=message.hold_reason,
        pool=message.pool,
        tags=dict(message.tags),
        refuse_ms=message.refuse_ms,
        alarmed=message.alarmed,
    )


def _plan_to_pb(plan: Plan) -> pb.PlanAnswer:
    refusal = None if plan.refusal is None else reply_to_pb(plan.refusal)
    return pb.PlanAnswer(deliveries=[delivery_to_pb(each) for each in plan.deliveries], refusal=refusal)


def _plan_from_pb(message: pb.PlanAnswer) -> Plan:
    refusal = reply_from_pb(message.refusal) if message.HasField("refusal") else None
    return Plan(tuple(delivery_from_pb(each) for each in message.deliveries), refusal)


def _size(request: PlanRequest) -> int:
    return len(request.header_section) + 64 * len(request.envelope.recipients) + 512


PLAN: Method[PlanRequest, Plan] = Method(
    SERVICE,
    "Plan",
    lambda request: _request_to_pb(request).SerializeToString(),
    lambda encoded: _request_from_pb(pb.PlanRequest.FromString(encoded)),
    lambda plan: _plan_to_pb(plan).SerializeToString(),
    lambda encoded: _plan_from_pb(pb.PlanAnswer.FromString(encoded)),
)
PLAN_STREAM: StreamMethod[PlanRequest, Plan] = StreamMethod(
    SERVICE,
    "PlanStream",
    lambda items: encode_asked(pb.PlanFrame(), items, _request_to_pb),
    lambda encoded: decode_asked(pb.PlanFrame.FromString(encoded), _request_from_pb),
    lambda items: encode_answered(pb.PlanAnswerFrame(), items, _plan_to_pb),
    lambda encoded: decode_answered(pb.PlanAnswerFrame.FromString(encoded), _plan_from_pb),
    _size,
)
