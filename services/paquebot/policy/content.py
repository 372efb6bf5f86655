"""What a MailDomain wants done with what the spam filter finds: `content`. Probabilities are shares of 1."""

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from paquebot.mail.verdict import NEVER, Levels
from paquebot.policy import scalars
from paquebot.policy.section import Section

HOLD_MAX_S: Final = 14 * 86_400  # contents are kept so much longer than their expiry
_HOLD_MIN_S: Final = 1


class OnUnavailable(StrEnum):
    """What submission does while the spam filter does not answer."""

    DEFER = "Defer"
    ACCEPT = "Accept"


class OnHoldExpiry(StrEnum):
    """What becomes of held mail about which nobody has decided when its time is over."""

    DELIVER = "Deliver"
    REFUSE = "Refuse"


@dataclass(frozen=True, slots=True)
class Thresholds:
    """What is wanted. None: as the model's card says, or as Levels are without a model.

    What content alone says is rejected from `certain` on; below it something else must speak against it too.
    """

    tag: float | None = None
    hold: float | None = None
    reject: float | None = None
    certain: float = 0.9995
    shadow: bool = False
    on_unavailable: OnUnavailable = OnUnavailable.DEFER
    hold_for_s: int = 4 * 3600
    on_hold_expiry: OnHoldExpiry = OnHoldExpiry.DELIVER
    share_for_training: bool = False

    def over(self, default: Levels) -> Levels:
        """Return the levels in force. Who wants mail held up to a height wants none rejected below it."""
        hold = default.hold if self.hold is None else self.hold
        least = hold if hold < NEVER else 0.0
        reject = max(default.reject, least) if self.reject is None else self.reject
        return Levels(default.tag if self.tag is None else self.tag, hold, reject)


def thresholds(section: Section) -> Thresholds:
    """Read `content`."""
    default = Thresholds()
    read = Thresholds(
        tag=section.read("tag", scalars.probability, default.tag),
        hold=section.read("hold", scalars.probability, default.hold),
        reject=section.read("reject", scalars.probability, default.reject),
        certain=section.read("certain", scalars.probability, default.certain),
        shadow=section.read("shadow", scalars.boolean, default.shadow),
        on_unavailable=section.read("onUnavailable", scalars.choice(OnUnavailable), default.on_unavailable),
        hold_for_s=section.read("holdFor", scalars.duration_between(_HOLD_MIN_S, HOLD_MAX_S), default.hold_for_s),
        on_hold_expiry=section.read("onHoldExpiry", scalars.choice(OnHoldExpiry), default.on_hold_expiry),
        share_for_training=section.read("shareForTraining", scalars.boolean, default.share_for_training),
    )
    if read.hold is not None and read.reject is not None and read.reject <= read.hold < NEVER:
        section.fault("hold", "is not below `reject`, so nothing would be held", "lower it, or write Never")
    section.finish()
    return read
