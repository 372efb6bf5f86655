"""Accounts for tests: someone with habits, and someone who has taken that over."""

from paquebot.spamfilter.history.account import Account, newcomer
from paquebot.spamfilter.history.sent import Sent

BEGIN_S = 1_700_000_000.0
FRIENDS = tuple(range(1 << 40, (1 << 40) + 20))


def own(number: int, at_s: float, logit: float = -5.0) -> Sent:
    """Return a message of the account's owner."""
    recipient = FRIENDS[number % len(FRIENDS)] * 0x9E3779B97F4A7C15 & (1 << 64) - 1
    return Sent(number, at_s, logit, (recipient,), network=1, agent=2, author=3, links=(4,), template=0)


def foreign(number: int, at_s: float, logit: float = 2.0) -> Sent:
    """Return a message of who has taken the account over."""
    recipient = (number + 77) * 0xD1B54A32D192ED03 & (1 << 64) - 1
    return Sent(9000 + number, at_s, logit, (recipient,), network=11, agent=12, author=3, links=(14,), template=1 << 60)


def settled(messages: int = 100, every_s: float = 7200.0) -> Account:
    """Return an account with habits."""
    account = newcomer(BEGIN_S)
    for number in range(messages):
        account = account.after(own(number, BEGIN_S + number * every_s, -5.0 + (number % 3) * 0.5))
    return account
