"""What an attempt teaches about its site: the patterns of its policy first, then the scope of each outcome. Pure."""

from collections.abc import Iterable

from paquebot.deliverer.throttle import Throttle
from paquebot.mail.outcome import Kind, Outcome, Scope
from paquebot.policy.pace import Action, Pattern


def heed(throttle: Throttle, outcomes: Iterable[Outcome], now: float) -> bool:
    """Let a throttle learn from one attempt, which counts once whatever its recipients; say whether it was refused."""
    told = dict.fromkeys(outcomes)
    for outcome in told:
        pattern = _pattern(throttle, outcome)
        if pattern is not None and pattern.action is not Action.IGNORE:
            reason = f"{outcome.reason} (pattern {pattern.match!r})"
            if pattern.action is Action.SUSPEND:
                throttle.suspend(reason, now + pattern.for_s)
            else:
                throttle.rest(now, pattern.for_s, reason)
            return True
    refused = next((each for each in told if each.scope is Scope.SITE and _pattern(throttle, each) is None), None)
    if refused is not None:
        throttle.slow_down(now, refused.reason)
        return True
    if any(outcome.kind is Kind.DELIVERED for outcome in told):
        throttle.went_well(now)
    return False


def _pattern(throttle: Throttle, outcome: Outcome) -> Pattern | None:
    if outcome.reply is None:
        return None
    return next((each for each in throttle.policy.patterns if each.fits(outcome.reply)), None)
