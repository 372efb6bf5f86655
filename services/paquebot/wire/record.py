"""Records on the wire: batches of one tenant and kind, as the event stream carries them."""

from collections.abc import Sequence

from google.protobuf.message import DecodeError

from paquebot.mail.record import Kind, Record
from paquebot.pb.v1 import event_pb2 as pb
from paquebot.wire.method import WireError
from paquebot.wire.spamfilter import verdict_from_pb, verdict_to_pb
from paquebot.wire.values import reply_from_pb, reply_to_pb

FORMAT = 1
_KINDS = frozenset(Kind)


def encode_records(records: Sequence[Record]) -> bytes:
    """Encode a batch."""
    return pb.RecordBatch(format=FORMAT, records=[_to_pb(record) for record in records]).SerializeToString()


def decode_records(encoded: bytes) -> tuple[Record, ...]:
    """Decode a batch; raise WireError when it is none, or of a later format."""
    try:
        batch = pb.RecordBatch.FromString(encoded)
        # What a later release tells of is passed over, as its fields are.
        records = tuple(_from_pb(message) for message in batch.records if message.kind in _KINDS)
    except (DecodeError, ValueError) as error:
        raise WireError(f"not a RecordBatch: {error}") from error
    if batch.format != FORMAT:
        raise WireError(f"a RecordBatch of format {batch.format}; this release reads {FORMAT}")
    return records


def _to_pb(record: Record) -> pb.Record:
    message = pb.Record(
        kind=record.kind,
        at_ms=record.at_ms,
        id=record.id,
        n=record.n,
        tenant=record.tenant,
        personal=pb.Personal(recipients=record.recipients, reverse_path=record.reverse_path),
        credential=record.credential,
        pool=record.pool,
        site=record.site,
        domain=record.domain,
        lane=record.lane,
        attempt=record.attempt,
        host=record.host,
        reason=record.reason,
        next_ms=record.next_ms,
        took_ms=record.took_ms,
        tls=record.tls,
        size_bytes=record.size_bytes,
        report_of=record.report_of,
        report=record.report,
        author=record.author,
    )
    if record.reply is not None:
        message.reply.CopyFrom(reply_to_pb(record.reply))
    if record.verdict is not None:
        message.verdict.CopyFrom(verdict_to_pb(record.verdict))
    return message


def _from_pb(message: pb.Record) -> Record:
    return Record(
        kind=Kind(message.kind),
        at_ms=message.at_ms,
        id=message.id,
        n=message.n,
        tenant=message.tenant,
        recipients=tuple(message.personal.recipients),
        reverse_path=message.personal.reverse_path,
        credential=message.credential,
        pool=message.pool,
        site=message.site,
        domain=message.domain,
        lane=message.lane,
        attempt=message.attempt,
        host=message.host,
        reply=reply_from_pb(message.reply) if message.HasField("reply") else None,
        reason=message.reason,
        next_ms=message.next_ms,
        took_ms=message.took_ms,
        tls=message.tls,
        size_bytes=message.size_bytes,
        report_of=message.report_of,
        report=message.report,
        author=message.author,
        verdict=verdict_from_pb(message.verdict) if message.HasField("verdict") else None,
    )
