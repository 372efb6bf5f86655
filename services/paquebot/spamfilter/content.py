"""What the content of a message says about it, by a model that has learned: log-odds with reasons.

A model is one file of arrays (`.npz`, nothing in it is run), named by its digest. It answers the same on every
machine and asks nobody. Rules that state facts which a model cannot see add their weight.
"""

import hashlib
import io
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import numpy as np
from numpy.typing import NDArray

from paquebot.mail.verdict import Reason
from paquebot.spamfilter.alphabet import prepare
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.judge import RULES
from paquebot.spamfilter.nets import Floats, Net, distinct, from_arrays
from paquebot.spamfilter.reading import Reading, read
from paquebot.spamfilter.shape import CARRIED, GROUPS, LINKS, MAKE, NAMES, SENDER, SUBJECT

SHIPPED: Final = Path(__file__).parent / "model" / "model.npz"
FORMAT: Final = 1
WORDS_MAX: Final = 512  # slots of words that an opinion carries
_FILE_MAX_BYTES = 100_000_000
_REASON_MIN = 0.15  # log-odds; less explains nothing
_FORM_MAX = 4.0  # standard deviations

# Rules about facts, of which training holds too few for a model to learn them. What the others say is in the form.
KEPT_RULES: Final = frozenset(
    {
        "gtube", "executable_attachment", "runnable_name", "html_attachment", "author_domain_imitates",
        "display_address", "display_well_known", "deceptive_link", "link_host_imitates", "link_with_user",
        "script_link", "html_form", "repeated_mime_field", "author_not_envelope",
    }
)  # fmt: skip
_RULES = tuple(rule for rule in RULES if rule.__name__ in KEPT_RULES)

_WORDING = "wording"
_TERMS = (_WORDING, SENDER, SUBJECT, LINKS, MAKE, CARRIED)
_SENTENCES = {
    _WORDING: "Its wording",
    SENDER: "Who it says it is from",
    SUBJECT: "The form of its subject",
    LINKS: "Where its links lead",
    MAKE: "How it is made",
    CARRIED: "What it carries",
}


class ModelUnusableError(Exception):
    """A file is no model of this release; the text says why and what helps."""


@dataclass(frozen=True, slots=True)
class Opinion:
    """What content says: `logit` in log-odds (0 is even), made up of the reasons' weights and the model's own level.

    `well_known` is False for a language or script of which training held too little unwanted mail. `words` are the
    slots of its words, WORDS_MAX at most, for what a tenant's people teach.
    """

    logit: float
    reasons: tuple[Reason, ...]
    well_known: bool
    words: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class Model:
    """A model in memory. `levels` are probabilities: from which on to tag, hold and reject, by what was measured."""

    digest: str
    words: Net
    letters: Net
    form_mean: Floats
    form_scale: Floats
    slope: float
    offset: float
    languages: frozenset[str]
    levels: tuple[float, float, float]

    @classmethod
    def load(cls, path: Path) -> "Model":
        """Read a model. Raises ModelUnusableError when the file is none, or one of another release."""
        prepare()
        try:
            if path.stat().st_size > _FILE_MAX_BYTES:
                raise ModelUnusableError(f"{path} is larger than a model may be ({_FILE_MAX_BYTES} bytes)")
            octets = path.read_bytes()
        except OSError as fault:
            raise ModelUnusableError(f"{path} cannot be read: {fault.strerror}") from fault
        return cls.of_octets(octets, str(path))

    @classmethod
    def of_octets(cls, octets: bytes, name: str) -> "Model":
        """Read a model from the octets of its file. Raises ModelUnusableError as `load` does."""
        try:
            with np.load(io.BytesIO(octets), allow_pickle=False) as arrays:
                return cls.of({name: arrays[name] for name in arrays.files}, hashlib.sha256(octets).hexdigest())
        except (ValueError, KeyError, IndexError, OSError, EOFError, zipfile.BadZipFile) as fault:
            raise ModelUnusableError(f"{name} is no model: {fault}; make one with `paquebot spam train`") from fault

    @classmethod
    def of(cls, arrays: Mapping[str, NDArray[np.generic]], digest: str) -> "Model":
        """Return a model from its arrays. Raises ModelUnusableError, KeyError or ValueError when they do not fit."""
        if int(np.asarray(arrays["format"])[0]) != FORMAT or tuple(arrays["features"].tolist()) != NAMES:
            raise ModelUnusableError("this model reads other features than this release: train it anew")
        slope, offset = np.asarray(arrays["calibration"], np.float64).tolist()
        tag, hold, reject = np.asarray(arrays["levels"], np.float64).tolist()
        return cls(
            digest,
            from_arrays(arrays, "words"),
            from_arrays(arrays, "letters"),
            np.asarray(arrays["form_mean"], np.float32),
            np.asarray(arrays["form_scale"], np.float32),
            slope,
            offset,
            frozenset(arrays["languages"].tolist()),
            (tag, hold, reject),
        )

    def opinion(self, facts: Facts) -> Opinion:
        """Return what this model says of a message."""
        return self.opinion_of(facts, read(facts))

    def opinion_of(self, facts: Facts, reading: Reading) -> Opinion:
        """Return what this model says of a message that was read already: two models share one reading."""
        stages = self._stages(reading)
        steps = np.diff(stages)
        learned = tuple(_reason(term, float(step)) for term, step in zip(_TERMS, steps, strict=True))
        ruled = tuple(reason for rule in _RULES if (reason := rule(facts)) is not None)
        reasons = (*(each for each in learned if abs(each.weight) >= _REASON_MIN), *ruled)
        return Opinion(
            logit=float(stages[-1]) + sum(reason.weight for reason in ruled),
            reasons=reasons,
            well_known=reading.language in self.languages,
            words=tuple(distinct(reading.words)[:WORDS_MAX].tolist()),
        )

    def _stages(self, reading: Reading) -> Floats:
        """Return calibrated log-odds when nothing is known, then with each term of _TERMS added."""
        form = standardised(reading.shape, self.form_mean, self.form_scale)
        total = np.zeros(len(_MASKS), np.float32)
        for net, slots in ((self.words, reading.words), (self.letters, reading.letters)):
            bag = net.bag(slots)
            inputs = np.zeros((len(_MASKS), bag.size + form.size), np.float32)
            inputs[1:, : bag.size] = bag
            np.multiply(_MASKS, form, out=inputs[:, bag.size :])
            total += net.logits(inputs)
        stages: Floats = np.float32(self.slope / 2) * total + np.float32(self.offset)
        return stages


def standardised(shape: Floats, mean: Floats, scale: Floats) -> Floats:
    """Return form in standard deviations from the mean; what is unknown is at the mean."""
    form: Floats = ((shape - mean) / scale).astype(np.float32, copy=False)
    np.clip(form, -_FORM_MAX, _FORM_MAX, out=form)
    form[np.isnan(form)] = 0
    return form


def _masks() -> Floats:
    """Return which features are known when nothing is, then when the wording is, then with each group more."""
    known: set[str] = set()
    masks = [np.zeros(len(GROUPS), np.float32)]
    for term in _TERMS:
        known.add(term)
        masks.append(np.array([group in known for group in GROUPS], np.float32))
    return np.stack(masks)


_MASKS = _masks()


def _reason(term: str, weight: float) -> Reason:
    kind = "unwanted" if weight > 0 else "wanted"
    verb = "resembles what is usual in"
    return Reason(f"model_{term}", round(weight, 2), f"{_SENTENCES[term]} {verb} {kind} mail.")
