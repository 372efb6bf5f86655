"""Deliveries for the queue's tests."""

import time

from paquebot.mail.delivery import Delivery, Lane
from paquebot.queue.subjects import partition_of

POOL = "mail_main"


def now_ms() -> int:
    return time.time_ns() // 1_000_000


def delivery(ident: str = "m1", n: int = 1, site: str = "b.example", **changes: object) -> Delivery:
    values: dict = {
        "id": ident,
        "n": n,
        "tenant": "shop",
        "credential": "orders",
        "reverse_path": "a@shop.example",
        "return_path": "a@shop.example",
        "recipients": (f"r{n}@{site}",),
        "domain": site,
        "site": site,
        "group": "other",
        "pool": POOL,
        "lane": Lane.NORMAL,
        "partition": partition_of(site),
        "prefix": b"Received: here\r\n",
        "size_bytes": 7,
        "eight_bit": False,
        "accepted_ms": now_ms(),
        "expires_ms": now_ms() + 3_600_000,
    }
    return Delivery(**(values | changes))
