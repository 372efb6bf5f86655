"""Fills a pool's queue with deliveries as a deliverer defers them: the same values, subjects, schedules and octets.

What a deliverer would add is its fence, and a Msg-Id; both mean nothing once the delivery is stored.
"""

import asyncio
import time
import uuid
from collections.abc import Iterator
from dataclasses import dataclass

from paquebot.dns.resolver import MxAnswer, MxKind
from paquebot.dns.sites import site_of
from paquebot.mail.delivery import Delivery, Lane
from paquebot.mail.reply import Reply
from paquebot.policy.values import Policy
from paquebot.queue.jetstream import JetStream
from paquebot.queue.payload import encode
from paquebot.queue.schedule import schedule_headers
from paquebot.queue.subjects import deferred_subject, partition_of
from paquebot.wire.delivery import Item

PREFIX = b"Received: from app.shop.test by mail.bench.test with ESMTPSA;\r\n\tThu, 26 Nov 2026 10:00:00 +0000\r\n"
SIGNATURE = b"DKIM-Signature: v=1; a=rsa-sha256; d=shop.test; s=pq; b=" + b"x" * 344 + b"\r\n"
LINE = b"The quick brown fox jumps over the lazy dog, again and again, until the line is full.\r\n"
EXPIRY_MS = 5 * 86_400_000
WINDOW = 256  # publishes under way
REPLY = Reply(451, "4.7.1", "Greylisted, please try again later")


@dataclass(frozen=True, slots=True)
class Filling:
    """So many deliveries to so many domains, due at a time (Unix ms) and spread over so many milliseconds after it."""

    pool: str
    messages: int
    domains: int
    size_bytes: int
    due_ms: int
    spread_ms: int = 1
    tenant: str = "shop"


def domain(number: int) -> str:
    """Return the name of a domain; it has one MX, `mx.` and its name."""
    return f"d{number}.test"


def deliveries(filling: Filling, content: bytes) -> Iterator[Delivery]:
    """Yield what is stored: tried once, greylisted, over all domains in turn."""
    now_ms = time.time_ns() // 1_000_000
    policy = Policy()
    sites: dict[int, str] = {}
    for number in range(filling.messages):
        at = number % filling.domains
        name = domain(at)
        if at not in sites:
            sites[at] = site_of(name, MxAnswer(MxKind.MX, ((10, f"mx.{name}"),)), policy)[0]
        yield Delivery(
            str(uuid.uuid4()),
            1,
            filling.tenant,
            "relay",
            "a@shop.test",
            "a@shop.test",
            (f"r{number}@{name}",),
            name,
            sites[at],
            "other",
            filling.pool,
            Lane.NORMAL,
            partition_of(sites[at]),
            PREFIX + SIGNATURE,
            len(content),
            eight_bit=False,
            accepted_ms=now_ms,
            expires_ms=now_ms + EXPIRY_MS,
            attempts=1,
            next_ms=filling.due_ms + number * 7919 % filling.spread_ms,
            reason=f"mx.{name} said: {REPLY}",
            last_reply=REPLY,
            last_host=f"mx.{name}",
        )


async def fill(js: JetStream, filling: Filling) -> None:
    """Store them; each is acknowledged."""
    header = b"From: <a@shop.test>\r\nTo: <r@d.test>\r\nSubject: soak\r\nMessage-ID: <1@shop.test>\r\n\r\n"
    content = header + LINE * ((filling.size_bytes - len(header)) // len(LINE))
    waiting = deliveries(filling, content)

    async def store() -> None:
        for delivery in waiting:
            payload = encode(Item((delivery,)), content)
            await js.publish(deferred_subject(delivery), payload, schedule_headers(delivery), timeout_s=60)

    await asyncio.gather(*(store() for _ in range(WINDOW)))
