"""When a delivery is tried again: a pure function of the policy, the attempts made, and now (RFC 5321 §4.5.4.1)."""

from dataclasses import dataclass

SPREAD = 0.1  # of the delay, so that what was deferred together does not come back together


@dataclass(frozen=True, slots=True)
class Retry:
    """When a delivery is tried again: `quick_s` one by one, then growing by `multiplier` up to `max_s`."""

    quick_s: tuple[int, ...] = (60, 300, 900)
    initial_s: int = 1800
    max_s: int = 14_400
    multiplier: float = 2.0
    expiry_s: int = 432_000  # 5 days, RFC 5321 §4.5.4.1
    delay_notice_s: int = 14_400  # after it the sender is told that the message is late; 0: never


def next_try_ms(retry: Retry, attempts: int, now_ms: int, chance: float) -> int:
    """Return when to try next, after `attempts` attempts; `chance` is between 0 and 1."""
    delay_ms = delay_s(retry, attempts) * 1000
    return now_ms + int(delay_ms * (1 - SPREAD + 2 * SPREAD * chance))


def delay_s(retry: Retry, attempts: int) -> float:
    """Return the delay after an attempt: the quick ones in turn, then growing up to the maximum."""
    if attempts <= len(retry.quick_s):
        return retry.quick_s[max(0, attempts - 1)]
    exponent = min(attempts - len(retry.quick_s) - 1, 64)
    return min(retry.max_s, retry.initial_s * retry.multiplier**exponent)
