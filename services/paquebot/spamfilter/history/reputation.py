"""What became of earlier mail under a key, as log-odds: of a Beta(1, 20) before anything is known. Pure."""

import math
from collections.abc import Iterable

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.history.counts import Counts, Span, What

ALPHA = 1.0  # what is expected of who is not known: 1 unwanted message in 21
BETA = 20.0
BAD_MAX = 3.0  # of one key
GOOD_MAX = 1.5  # a good name outweighs no bad content
TOTAL_MAX = 4.0
SAID_FROM = 0.2  # less is not worth a sentence
TRUST_AGE_S = 30 * 86_400.0
TRUST_SENT = 200.0  # in a month
TRUST_BAD_MAX = 0.001

_WEIGHTS = {What.COMPLAINTS: 1.0, What.POLICY_BOUNCES: 0.5, What.REFUSED: 0.5, What.UNSUBSCRIBES: 0.1}
# Keys tell of the same mail in part, so that only the account counts in full.
_SHARES = {"account": 1.0, "author": 0.5, "domain": 0.3, "network": 0.3, "link": 0.5, "template": 0.7}
_NAMES = {
    "account": "account",
    "author": "account with this From",
    "domain": "domain of From",
    "network": "client's network",
    "link": "domain of a link",
    "template": "text",
}


def reputation(found: Iterable[tuple[str, Counts]], now_s: float) -> tuple[Reason, ...]:
    """Return what the keys of a message say, each with its weight; together they are at most TOTAL_MAX."""
    said = [reason for kind, counts in found if (reason := _said(kind, counts, now_s)) is not None]
    total = abs(sum(reason.weight for reason in said))
    if total <= TOTAL_MAX:
        return tuple(said)
    return tuple(Reason(each.rule, each.weight * TOTAL_MAX / total, each.text) for each in said)


def log_odds(counts: Counts, now_s: float) -> float:
    """Return how much likelier than of a stranger unwanted mail is under a key."""
    bad = unwanted(counts, now_s)
    good = max(0.0, counts.count(What.SENT, Span.MONTH, now_s) - bad)
    return max(-GOOD_MAX, min(BAD_MAX, math.log((ALPHA + bad) / (BETA + good)) - math.log(ALPHA / BETA)))


def unwanted(counts: Counts, now_s: float) -> float:
    """Return how much was unwanted in a month: complaints count in full, guesses of programs in part."""
    return sum(weight * counts.count(what, Span.MONTH, now_s) for what, weight in _WEIGHTS.items())


def is_trusted(counts: Counts, now_s: float) -> bool:
    """Say whether an account is old and busy, and next to nobody complained."""
    sent = counts.count(What.SENT, Span.MONTH, now_s)
    old = now_s - counts.first_s >= TRUST_AGE_S
    return old and sent >= TRUST_SENT and unwanted(counts, now_s) <= TRUST_BAD_MAX * sent


def _said(kind: str, counts: Counts, now_s: float) -> Reason | None:
    weight = _SHARES[kind] * log_odds(counts, now_s)
    if abs(weight) < SAID_FROM:
        return None
    text = f"The mail of its {_NAMES[kind]} has been wanted."
    if weight > 0:
        bad, sent = unwanted(counts, now_s), counts.count(What.SENT, Span.MONTH, now_s)
        text = f"{bad:.1f} of {sent:.0f} messages of its {_NAMES[kind]} were unwanted."
    return Reason(f"reputation_{kind}", weight, text)
