"""Codecs of the values that several services speak of."""

from collections.abc import Iterable, Mapping

from paquebot.mail.envelope import Envelope, Wish
from paquebot.mail.principal import Principal
from paquebot.mail.reply import Reply
from paquebot.pb.v1 import common_pb2 as pb
from paquebot.wire.method import Fault


def reply_to_pb(reply: Reply) -> pb.Reply:
    """Encode a reply."""
    return pb.Reply(code=reply.code, enhanced=reply.enhanced, text=reply.text)


def reply_from_pb(message: pb.Reply) -> Reply:
    """Decode a reply."""
    return Reply(message.code, message.enhanced, message.text)


def envelope_to_pb(envelope: Envelope) -> pb.Envelope:
    """Encode an envelope."""
    return pb.Envelope(
        reverse_path=envelope.reverse_path,
        recipients=envelope.recipients,
        eight_bit=envelope.eight_bit,
        utf8=envelope.utf8,
        envelope_id=envelope.envelope_id,
        ret=envelope.ret,
        wishes=wishes_to_pb(envelope.wishes),
    )


def envelope_from_pb(message: pb.Envelope) -> Envelope:
    """Decode an envelope."""
    return Envelope(
        message.reverse_path,
        tuple(message.recipients),
        message.eight_bit,
        message.utf8,
        message.envelope_id,
        message.ret,
        wishes_from_pb(message.wishes),
    )


def wishes_to_pb(wishes: Mapping[str, Wish]) -> list[pb.Wish]:
    """Encode what is wished for which recipient."""
    return [pb.Wish(recipient=each, notify=wish.notify, orcpt=wish.orcpt) for each, wish in wishes.items()]


def wishes_from_pb(messages: Iterable[pb.Wish]) -> dict[str, Wish]:
    """Decode what is wished for which recipient."""
    return {each.recipient: Wish(tuple(each.notify), each.orcpt) for each in messages}


def principal_to_pb(principal: Principal) -> pb.Principal:
    """Encode a principal."""
    return pb.Principal(
        tenant=principal.tenant,
        credential=principal.credential,
        senders=principal.senders,
        any_sender=principal.any_sender,
        internal=principal.internal,
        messages_per_hour=principal.messages_per_hour,
        message_size_max_bytes=principal.message_size_max_bytes,
        recipients_max=principal.recipients_max,
    )


def principal_from_pb(message: pb.Principal) -> Principal:
    """Decode a principal."""
    return Principal(
        tenant=message.tenant,
        credential=message.credential,
        senders=tuple(message.senders),
        any_sender=message.any_sender,
        internal=message.internal,
        messages_per_hour=message.messages_per_hour,
        message_size_max_bytes=message.message_size_max_bytes,
        recipients_max=message.recipients_max,
    )


def fault_to_pb(fault: Fault) -> pb.Fault:
    """Encode a fault."""
    return pb.Fault(code=fault.code, text=fault.text)


def fault_from_pb(message: pb.Fault) -> Fault:
    """Decode a fault."""
    return Fault(pb.Fault.Code.Name(message.code), message.text)
