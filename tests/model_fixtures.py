"""A small model, trained on composed mail in a second or two: it tells parcels from scams, and no more."""

from functools import lru_cache
from pathlib import Path

from paquebot.spamfilter.training.composer import sample, stories
from paquebot.spamfilter.training.corpus import Labelled
from paquebot.spamfilter.training.learner import Calibration, arrays_of, learn, small_recipes
from paquebot.spamfilter.training.prepared import Prepared, prepare
from paquebot.spamfilter.training.store import write

FAMILIES = frozenset(
    {"mailbox_full", "lottery", "crypto_investment", "order_receipt", "parcel_notice", "password_reset"}
)


def composed(seed: int, count: int) -> list[Labelled]:
    """Return so many messages of each label."""
    chosen = [story for story in stories() if story.family in FAMILIES]
    return [
        Labelled(str(number), each.label == "spam", f"{each.label} {each.family}", held_out=False, content=each.content)
        for number, each in enumerate(sample(seed, {"spam": count, "ham": count}, chosen))
    ]


@lru_cache(maxsize=1)
def small_mail() -> Prepared:
    """Return what the small model learned from."""
    return prepare(composed(1, 120))


def write_small_model(path: Path) -> str:
    """Write the small model; return its digest."""
    return write(arrays_of(learn(small_mail(), small_recipes()), Calibration(), ["en", "de"]), path)
