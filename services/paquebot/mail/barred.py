"""Credentials that nobody may submit with, because a person or the spam filter suspended them by an order. Pure."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from paquebot.mail.order import Action, Order, clock
from paquebot.mail.reply import Reply

DISABLED = "5.7.13"  # RFC 5248 §2.4: user account disabled
_REASON_MAX = 200  # of a reply line, which has 512 octets


@dataclass(frozen=True, slots=True)
class Barred:
    """Suspensions by the name of their credential, as people write it: with its tenant, or without."""

    by_name: Mapping[str, Order] = field(default_factory=dict)

    @classmethod
    def of(cls, orders: Iterable[Order]) -> "Barred":
        """Take those of all orders that suspend a credential; of two that do, the one that ends last."""
        found = [each for each in orders if each.action is Action.SUSPEND and each.selector.credentials]
        found.sort(key=lambda order: order.ends_ms)
        return cls({name: order for order in found for name in order.selector.credentials})

    def refusal(self, code: int, tenant: str, credential: str, now_ms: int) -> Reply | None:
        """Return the reply that says why a credential may not submit now, and who can change that."""
        if not self.by_name:
            return None
        username = f"{tenant}.{credential}"
        for name in (username, credential):
            order = self.by_name.get(name)
            if order is not None and order.ends_ms > now_ms:
                why = f": {order.reason[:_REASON_MAX]}" if order.reason else ""
                until = clock(order.ends_ms)
                text = f"Credential {username} is suspended until {until}{why}. Your mail platform's team can resume it"
                return Reply(code, DISABLED, text.encode("ascii", "replace").decode()[:450])
        return None


NOBODY = Barred()
