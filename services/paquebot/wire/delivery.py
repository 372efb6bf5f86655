"""Deliveries on the wire and in the queue."""

from dataclasses import dataclass
from typing import Any

from google.protobuf.message import DecodeError

from paquebot.mail.delivery import BodyRef, Delivery, Lane
from paquebot.pb.v1 import delivery_pb2 as pb
from paquebot.wire.method import WireError
from paquebot.wire.values import reply_from_pb, reply_to_pb, wishes_from_pb, wishes_to_pb


@dataclass(frozen=True, slots=True)
class Item:
    """What a queue item carries before its content: one delivery, or all of a message's, to be expanded."""

    deliveries: tuple[Delivery, ...]
    split: bool = False


def delivery_to_pb(delivery: Delivery) -> pb.Delivery:
    """Encode a delivery."""
    message = pb.Delivery(
        id=delivery.id,
        n=delivery.n,
        tenant=delivery.tenant,
        credential=delivery.credential,
        reverse_path=delivery.reverse_path,
        return_path=delivery.return_path,
        recipients=delivery.recipients,
        domain=delivery.domain,
        site=delivery.site,
        group=delivery.group,
        pool=delivery.pool,
        lane=delivery.lane,
        partition=delivery.partition,
        prefix=delivery.prefix,
        size_bytes=delivery.size_bytes,
        eight_bit=delivery.eight_bit,
        accepted_ms=delivery.accepted_ms,
        expires_ms=delivery.expires_ms,
        utf8=delivery.utf8,
        envelope_id=delivery.envelope_id,
        ret=delivery.ret,
        wishes=wishes_to_pb(delivery.wishes),
        tags=delivery.tags,
        route=delivery.route,
        **_course(delivery),
    )
    if delivery.last_reply is not None:
        message.last_reply.CopyFrom(reply_to_pb(delivery.last_reply))
    if delivery.body is not None:
        message.body.CopyFrom(_body_to_pb(delivery.body))
    return message


def _course(delivery: Delivery) -> dict[str, Any]:
    """Return the fields that change while a delivery waits."""
    return {
        "attempts": delivery.attempts,
        "next_ms": delivery.next_ms,
        "held": delivery.held,
        "reason": delivery.reason,
        "last_host": delivery.last_host,
        "crashes": delivery.crashes,
        "delay_told": delivery.delay_told,
        "relayed": delivery.relayed,
        "hold_until_ms": delivery.hold_until_ms,
        "steered_ms": delivery.steered_ms,
        "order": delivery.order,
        "moving_to": delivery.moving_to,
        "moving_from": delivery.moving_from,
        "refuse_ms": delivery.refuse_ms,
        "alarmed": delivery.alarmed,
    }


def delivery_from_pb(message: pb.Delivery) -> Delivery:
    """Decode a delivery."""
    return Delivery(
        id=message.id,
        n=message.n,
        tenant=message.tenant,
        credential=message.credential,
        reverse_path=message.reverse_path,
        return_path=message.return_path,
        recipients=tuple(message.recipients),
        domain=message.domain,
        site=message.site,
        group=message.group,
        pool=message.pool,
        lane=_lane(message.lane),
        partition=message.partition,
        prefix=message.prefix,
        size_bytes=message.size_bytes,
        eight_bit=message.eight_bit,
        accepted_ms=message.accepted_ms,
        expires_ms=message.expires_ms,
        attempts=message.attempts,
        next_ms=message.next_ms,
        held=message.held,
        reason=message.reason,
        last_reply=reply_from_pb(message.last_reply) if message.HasField("last_reply") else None,
        last_host=message.last_host,
        crashes=message.crashes,
        body=_body_from_pb(message.body) if message.HasField("body") else None,
        utf8=message.utf8,
        envelope_id=message.envelope_id,
        ret=message.ret,
        wishes=wishes_from_pb(message.wishes),
        relayed=tuple(message.relayed),
        tags=dict(message.tags),
        route=message.route,
        **_steering_of(message),
    )


def _steering_of(message: pb.Delivery) -> dict[str, Any]:
    """Return what people and reports have noted on a delivery."""
    return {
        "delay_told": message.delay_told,
        "hold_until_ms": message.hold_until_ms,
        "steered_ms": message.steered_ms,
        "order": message.order,
        "moving_to": message.moving_to,
        "moving_from": message.moving_from,
        "refuse_ms": message.refuse_ms,
        "alarmed": message.alarmed,
    }


def encode_item(item: Item) -> bytes:
    """Encode a queue item."""
    return pb.Item(deliveries=[delivery_to_pb(each) for each in item.deliveries], split=item.split).SerializeToString()


def decode_item(encoded: bytes) -> Item:
    """Decode a queue item; raise WireError when it is none."""
    try:
        message = pb.Item.FromString(encoded)
    except DecodeError as error:
        raise WireError(f"not a queue item: {error}") from error
    return Item(tuple(delivery_from_pb(each) for each in message.deliveries), message.split)


def _lane(number: int) -> Lane:
    try:
        return Lane(number)
    except ValueError as error:
        raise WireError(f"a Delivery with an unknown lane: {error}") from error


def _body_to_pb(body: BodyRef) -> pb.BodyRef:
    return pb.BodyRef(chunks=body.chunks, size_bytes=body.size_bytes, stream=body.stream)


def _body_from_pb(body: pb.BodyRef) -> BodyRef:
    return BodyRef(body.chunks, body.size_bytes, body.stream)
