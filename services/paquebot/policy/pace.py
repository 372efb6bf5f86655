"""How a destination's pace is found out, and what certain replies mean there: `adaptive` and `patterns`."""

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paquebot.mail.glob import PATTERN_MAX, matches
from paquebot.mail.reply import Reply
from paquebot.policy import scalars
from paquebot.policy.faults import Unfit
from paquebot.policy.section import Section

PATTERNS_MAX: Final = 50

_CODE = re.compile(r"[2-5][0-9*]{0,2}\Z")
_ENHANCED = re.compile(r"[245]\.[0-9.*]*\Z")


@dataclass(frozen=True, slots=True)
class Adaptive:
    """How the pace follows what hosts say. Shares are of 1."""

    enabled: bool = True
    least_per_s: float = 0.1  # it is never slowed down further
    increase: float = 0.1
    decrease: float = 0.5  # what is taken off when a host asks for less
    refused_share: float = 0.1  # of recent attempts; what is refused below it slows nothing down


class Action(StrEnum):
    """What a reply that matches does to the site."""

    THROTTLE = "ThrottleDomain"  # rests so long, then goes on slower
    SUSPEND = "SuspendDomain"  # gets nothing so long, then goes on as before
    IGNORE = "Ignore"  # slows nothing down


@dataclass(frozen=True, slots=True)
class Pattern:
    """Replies, and what they do. `match` is a code, an enhanced status or a text, with `*` for anything."""

    match: str
    action: Action
    for_s: int = 0

    def fits(self, reply: Reply) -> bool:
        """Say whether a reply is meant."""
        if _CODE.match(self.match):
            return matches(self.match, str(reply.code))
        return matches(self.match, reply.enhanced if _ENHANCED.match(self.match) else reply.text)


def adaptive(section: Section, rate_per_s: float) -> Adaptive:
    """Read how a destination adapts below its configured rate, 0: unlimited."""
    default = Adaptive()
    read = Adaptive(
        enabled=section.read("enabled", scalars.boolean, default=True),
        least_per_s=section.read("minRate", scalars.rate_per_s, default.least_per_s),
        increase=section.read("increase", scalars.percent(1, 100), default.increase),
        decrease=section.read("decrease", scalars.percent(1, 99), default.decrease),
        refused_share=section.read("deferRateThreshold", scalars.percent(0, 99), default.refused_share),
    )
    if section.has("minRate") and 0 < rate_per_s < read.least_per_s:
        section.fault("minRate", "is more than limits.rate", "lower it, or raise limits.rate")
    section.finish()
    return read


def patterns(spec: Section) -> tuple[Pattern, ...]:
    """Read what replies mean, the first that fits counts."""
    spec.at_most("patterns", PATTERNS_MAX)
    return tuple(_pattern(each) for each in spec.sections("patterns"))


def _pattern(section: Section) -> Pattern:
    action = section.need("action", scalars.choice(Action), Action.IGNORE)
    for_s = section.read("for", scalars.duration_s, 0)
    if action is Action.IGNORE and for_s:
        section.fault("for", "is not for Ignore", "leave it out")
    elif action is not Action.IGNORE and not section.has("for") and section.has("action"):
        section.fault("for", "is missing", "say how long, such as 10m")
    found = Pattern(section.need("match", _match, "*"), action, for_s)
    section.finish()
    return found


def _match(value: object) -> str:
    text = scalars.text(value)
    if len(text) > PATTERN_MAX or not text.isprintable():
        raise Unfit(f"{scalars.shown(value)} is no pattern", f"write at most {PATTERN_MAX} printable characters")
    if not text.strip("*. "):
        raise Unfit(
            f"{scalars.shown(value)} would match everything", 'write a code, a status such as "4.7.28", or a text'
        )
    return text
