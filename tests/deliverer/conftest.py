"""Items in hand, made by hand."""

from collections.abc import Callable

import pytest

from paquebot.mail.delivery import Delivery, Lane
from paquebot.queue.ownership import Fence
from paquebot.queue.taken import Taken
from queue_fixtures import connect, identities, js, nats

__all__ = ["connect", "identities", "js", "nats"]


def delivery(number: int = 1, tenant: str = "shop", lane: Lane = Lane.NORMAL, domain: str = "b.example") -> Delivery:
    return Delivery(
        f"id{number}",
        1,
        tenant,
        "orders",
        "a@shop.example",
        "a@shop.example",
        (f"r{number}@{domain}",),
        domain,
        domain,
        "other",
        "mail_main",
        lane,
        3,
        b"Received: x\r\n",
        99,
        False,
        0,
        10**15,
    )


@pytest.fixture
def taken() -> Callable[..., Taken]:
    def make(*arguments: object, partition: int = 3, **more: object) -> Taken:
        return Taken(delivery(*arguments, **more), b"content", "reply", Fence("mail_main", partition, 1))  # type: ignore[arg-type]

    return make
