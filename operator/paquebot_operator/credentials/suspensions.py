"""Credentials that an order suspends, by a person or by the spam filter: looked up in the queue, told in conditions."""

import time
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import structlog

from paquebot.mail.barred import NOBODY, Barred
from paquebot.mail.order import clock
from paquebot.queue.jetstream import ApiError, JetStream, QueueUnavailableError
from paquebot.queue.orders import read_orders
from paquebot_operator.conditions import FALSE, Condition, Report
from paquebot_operator.credentials.secret import username
from paquebot_operator.names import SMTP_CREDENTIAL, Key

ORDERS: Final = Key("Orders", "", "all")
LOOK_S: Final = 5.0
LOG = structlog.get_logger()


@dataclass(slots=True, eq=False)
class Suspensions:
    """The suspensions in force. `changed` is called with each credential that is suspended, or is no more."""

    connected: Callable[[], Awaitable[JetStream]]
    changed: Callable[[Key], None]
    now_s: Callable[[], float] = time.time
    barred: Barred = field(default=NOBODY)

    async def look(self, _key: Key) -> float:
        """Read the orders; return in how many seconds to look again."""
        try:
            orders = await read_orders(await self.connected(), int(self.now_s() * 1000))
        except (QueueUnavailableError, ApiError) as error:
            LOG.debug("orders cannot be read", error=str(error))
            return LOOK_S
        before, self.barred = self.barred, Barred.of(orders)
        for name in before.by_name.items() ^ self.barred.by_name.items():
            tenant, dot, credential = name[0].partition(".")
            if dot:
                self.changed(Key(SMTP_CREDENTIAL.name, tenant, credential))
        return LOOK_S

    def report(self, entry: Mapping[str, Any]) -> Report:
        """Say of a credential that it is suspended; nothing of one that is not."""
        name = username(entry)
        order = self.barred.by_name.get(name)
        if order is None:
            return Report()
        text = f"suspended until {clock(order.ends_ms)} by {order.said}: nobody may submit with it. "
        text += f"`paquebot resume credential {name}` lets it submit again"
        return Report((Condition("Active", FALSE, "Suspended", text),))
