"""Contents that do not travel with their delivery: stored once, in chunks, with a marker for each delivery.

Settling takes a delivery's marker away; who takes the last one purges the chunks. A TTL is the net below.
"""

import asyncio

from paquebot.mail.delivery import BodyRef, Delivery
from paquebot.queue.jetstream import JetStream
from paquebot.queue.subjects import chunk_filter, chunk_subject, marker_filter, marker_subject, stream_name

INLINE_MAX_BYTES = 256 << 10
DEFERRED_INLINE_MAX_BYTES = 32 << 10
CHUNK_MAX_BYTES = 1 << 20
HOLD_MAX_S = 14 * 86_400  # the longest allowed hold
TTL_MIN_S = 3600


class BodyLostError(Exception):
    """A content that a delivery names is not in the store."""


async def store(
    js: JetStream, stream: int, deliveries: tuple[Delivery, ...], content: bytes, headers: dict[str, str]
) -> BodyRef:
    """Store a content for deliveries of one message, once for each pool; `headers` may carry an owner's fence."""
    first = deliveries[0]
    ttl_s = max(TTL_MIN_S, (first.expires_ms - first.accepted_ms) // 1000 + HOLD_MAX_S)
    plain = {"Nats-TTL": f"{ttl_s}s"}
    headers = {**headers, **plain}
    pools = dict.fromkeys(each.pool for each in deliveries)  # a fence holds in the first one's stream alone
    fenced = {pool: headers if pool == first.pool else plain for pool in pools}
    chunks = [content[start : start + CHUNK_MAX_BYTES] for start in range(0, len(content), CHUNK_MAX_BYTES)] or [b""]
    publishes = [
        js.publish(chunk_subject(pool, stream, first.id, number), chunk, fenced[pool], timeout_s=20)
        for pool in pools
        for number, chunk in enumerate(chunks)
    ]
    publishes += [
        js.publish(marker_subject(each.pool, stream, each.id, each.n), b"", fenced[each.pool], timeout_s=20)
        for each in deliveries
    ]
    await asyncio.gather(*publishes)
    return BodyRef(len(chunks), len(content), stream)


def outlived(before: Delivery, after: Delivery) -> bool:
    """Say whether a delivery will wait longer than its content is sure to be kept."""
    kept_ms = before.expires_ms + HOLD_MAX_S * 1000
    return after.body is not None and (after.expires_ms > before.expires_ms or after.next_ms > kept_ms)


async def renew(js: JetStream, delivery: Delivery, body: BodyRef, headers: dict[str, str]) -> None:
    """Store a delivery's content again in its place, for as long as it may wait now.

    What is lost is lost: who needs it finds out, and says so.
    """
    try:
        content = await load(js, delivery, body)
    except BodyLostError:
        return
    await store(js, body.stream, (delivery,), content, headers | {"Nats-Rollup": "sub"})


async def load(js: JetStream, delivery: Delivery, body: BodyRef) -> bytes:
    """Return a stored content; raise BodyLostError when a part of it is missing."""
    stream = stream_name(delivery.pool, body.stream)
    parts = await asyncio.gather(
        *(
            js.get_last(stream, chunk_subject(delivery.pool, body.stream, delivery.id, number))
            for number in range(body.chunks)
        )
    )
    content = b"".join(part.payload for part in parts if part is not None)
    if len(content) != body.size_bytes:
        raise BodyLostError(f"{delivery.name}: {len(content)} of {body.size_bytes} octets are stored")
    return content


async def release(js: JetStream, delivery: Delivery, body: BodyRef) -> None:
    """Take a delivery's marker away, and the content with the last one."""
    stream = stream_name(delivery.pool, body.stream)
    marker = marker_subject(delivery.pool, body.stream, delivery.id, delivery.n)
    await js.request(f"STREAM.PURGE.{stream}", {"filter": marker})
    # Only what was there before: a delivery that is moved here meanwhile writes its marker, then the chunks again.
    before = (await js.request(f"STREAM.INFO.{stream}"))["state"]["last_seq"] + 1
    if not await js.read(stream, marker_filter(delivery.pool, body.stream, delivery.id), batch=1):
        chunks = chunk_filter(delivery.pool, body.stream, delivery.id)
        await js.request(f"STREAM.PURGE.{stream}", {"filter": chunks, "seq": before})
