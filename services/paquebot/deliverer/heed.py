"""What an attempt teaches about its site: the patterns of its policy first, then the scope of each outcome. Pure."""

from collections.abc import Collection

from paquebot.deliverer.throttle import Throttle
from paquebot.mail.outcome import Kind, Outcome, Scope
from paquebot.policy.pace import Action, Pattern


def heed(throttle: Throttle, outcomes: Collection[Outcome], now: float) -> bool:
    """Let a throttle learn from one attempt, which counts once whatever its recipients; say whether it was refused."""
    refused: Outcome | None = None
    delivered = False
    for outcome in outcomes if len(outcomes) == 1 else dict.fromkeys(outcomes):
        pattern = _pattern(throttle, outcome) if throttle.policy.patterns else None
        if pattern is None:
            delivered = delivered or outcome.kind is Kind.DELIVERED
            refused = refused or (outcome if outcome.scope is Scope.SITE else None)
        elif pattern.action is not Action.IGNORE:
            _obey(throttle, pattern, outcome, now)
            return True
    if refused is not None:
        throttle.slow_down(now, refused.reason)
    elif delivered:
        throttle.went_well(now)
    return refused is not None


def _obey(throttle: Throttle, pattern: Pattern, outcome: Outcome, now: float) -> None:
    reason = f"{outcome.reason} (pattern {pattern.match!r})"
    if pattern.action is Action.SUSPEND:
        throttle.suspend(reason, now + pattern.for_s)
    else:
        throttle.rest(now, pattern.for_s, reason)


def _pattern(throttle: Throttle, outcome: Outcome) -> Pattern | None:
    if outcome.reply is None:
        return None
    return next((each for each in throttle.policy.patterns if each.fits(outcome.reply)), None)
