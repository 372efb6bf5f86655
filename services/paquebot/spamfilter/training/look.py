"""The look of one message's HTML: hand, colours, lengths, fonts, how its classes are named.

All of it is drawn by chance: a look knows nothing of the label.
"""

import random
import string
from collections.abc import Mapping
from dataclasses import dataclass, field

from paquebot.spamfilter.training import invented

# Which hands write a layout, the usual ones more than once.
HANDS: Mapping[str, tuple[str, ...]] = {
    "notice": ("tabled", "tabled", "divs", "divs", "builder", "fonted"),
    "card": ("tabled", "divs", "divs", "builder"),
    "receipt": ("tabled", "tabled", "divs", "builder", "breaks"),
    "newsletter": ("tabled", "tabled", "tabled", "builder", "divs", "fonted"),
    "shop": ("tabled", "tabled", "builder", "divs"),
    "letter": ("webmail", "webmail", "desktop", "desktop", "breaks", "divs"),
    "bare": ("breaks", "breaks", "webmail", "fonted", "desktop", "divs"),
    "digest": ("tabled", "divs", "builder", "breaks"),
    "table": ("tabled", "tabled", "fonted", "divs"),
}
_PLAIN_HANDS = frozenset({"webmail", "desktop", "breaks"})

_FACES = (
    "Arial",
    "Helvetica",
    "Verdana",
    "Calibri",
    "Georgia",
    "Roboto",
    "Open Sans",
    "Segoe UI",
    "Tahoma",
    "Lato",
    "Times New Roman",
)
_FALLBACKS = (
    "Arial,sans-serif",
    "Helvetica,Arial,sans-serif",
    "sans-serif",
    "serif",
    "'Helvetica Neue',Helvetica,Arial,sans-serif",
)
_BEGINNINGS = ("", "", "m_", "em-", "mail__", "x_", "t-", "r-", "es-", "u-")


@dataclass(slots=True)
class Look:
    """One message's look. `names` keeps the classes that were named so far."""

    hand: str
    layout: str
    align: str
    values: Mapping[str, str]
    naming: str
    beginning: str
    rng: random.Random
    names: dict[str, str] = field(default_factory=dict)

    @property
    def is_plain(self) -> bool:
        """True for what people's own programs write: no head, no logo, no footer of a company."""
        return self.hand in _PLAIN_HANDS

    def class_name(self, what: str) -> str:
        """Return the class of `what` in this message's style of naming."""
        if what not in self.names:
            self.names[what] = self._named(what)
        return self.names[what]

    def _named(self, what: str) -> str:
        match self.naming:
            case "hash":
                return f"css-{invented.token(self.rng, 6, string.ascii_lowercase + string.digits)}"
            case "short":
                return self.beginning + invented.token(self.rng, 2, string.ascii_lowercase)
            case "camel":
                return f"{self.rng.choice(('mc', 'templ', 'email'))}{what.title()}"
            case "numbered":
                return f"{what}-{self.rng.randint(1, 30)}"
            case _:
                return self.beginning + what


def look(layout: str, rng: random.Random) -> Look:
    """Return a look for a layout."""
    face = rng.choice(_FACES)
    dark = rng.random() < 0.05  # noqa: PLR2004
    values = {
        "accent": _colour(rng),
        "ink": rng.choice(
            ("#eeeeee", "#ffffff") if dark else ("#000000", "#222222", "#333", "#1a1a1a", "#444444", "#2d3748")
        ),
        "paper": rng.choice(("#111111", "#1f2430") if dark else ("#ffffff", "#ffffff", "#fff", "#fefefe")),
        "panel": rng.choice(
            ("#f4f4f4", "#f6f9fc", "#eeeeee", "#fafafa", "#edf2f7", "#ffffff", "#e9ecef", _colour(rng))
        ),
        "line": rng.choice(("#dddddd", "#e2e8f0", "#ccc", "#eaeaea", "#000000")),
        "font": f"{face},{rng.choice(_FALLBACKS)}" if " " not in face else f"'{face}',{rng.choice(_FALLBACKS)}",
        "face": face,
        "size": rng.choice(("13", "14", "14", "15", "16", "16")),
        "large": rng.choice(("18", "20", "22", "24", "28", "32")),
        "pad": rng.choice(("8", "10", "16", "20", "24", "32")),
        "radius": rng.choice(("0", "2", "3", "4", "6", "8", "24")),
        "width": rng.choice(("600", "600", "600", "640", "580", "560", "680", "700", "500")),
    }
    return Look(
        hand=rng.choice(HANDS[layout]),
        layout=layout,
        align=rng.choice(("left", "center", "center")),
        values=values,
        naming=rng.choice(("plain", "plain", "hash", "short", "camel", "numbered")),
        beginning=rng.choice(_BEGINNINGS),
        rng=rng,
    )


def _colour(rng: random.Random) -> str:
    return f"#{rng.randrange(0x1000000):06x}"
