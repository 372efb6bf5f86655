"""Who reads content: the model in force and, in its shadow, one that may follow it; rules where there is none.

Both read the same features, gathered once. What the second thinks changes nothing: it is logged and counted.
"""

from dataclasses import dataclass, field, replace
from pathlib import Path

import structlog

from paquebot.mail.verdict import Levels
from paquebot.spamfilter.content import Model, ModelUnusableError, Opinion
from paquebot.spamfilter.facts import Facts
from paquebot.spamfilter.judge import BIAS, rules
from paquebot.spamfilter.reading import Reading, read

WORDS_MIN = 24  # slots of words and pairs, of mail without links, attachments and HTML
NO_MODEL = Path("none")  # as a setting: rules judge
LOG = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Read:
    """What one reader says of a message: its opinion, its name, and the levels that it comes with."""

    opinion: Opinion
    digest: str = ""
    levels: Levels = field(default_factory=Levels)


@dataclass(frozen=True, slots=True)
class Panel:
    """The readers. None: there is no such model."""

    model: Model | None = None
    shadow: Model | None = None

    def __str__(self) -> str:
        """Name the models by their digests."""
        return f"model {_named(self.model)}, shadow {_named(self.shadow)}"

    def read(self, facts: Facts) -> tuple[Read, Read | None]:
        """Return what the model in force says, and the one in its shadow."""
        if self.model is None and self.shadow is None:
            return _by_rules(facts), None
        reading = read(facts)
        said = [_by_model(model, facts, reading) if model else None for model in (self.model, self.shadow)]
        return said[0] or _by_rules(facts), said[1]


def load(path: Path | None) -> Model | None:
    """Read a model; None, and an error in the log, when it cannot be used: rules still judge."""
    if path is None or path == NO_MODEL:
        return None
    try:
        return Model.load(path)
    except ModelUnusableError as error:
        LOG.error("a model is not used", path=str(path), why=str(error))  # noqa: TRY400  (no fault of ours)
        return None


def _by_model(model: Model, facts: Facts, reading: Reading) -> Read:
    """Return what a model says; of a few plain words it knows too little, and rules decide about them."""
    opinion = model.opinion_of(facts, reading)
    is_bare = not (facts.links or facts.attachments or any(text.is_html for text in facts.texts))
    if is_bare and len(opinion.words) < WORDS_MIN:
        opinion = replace(_by_rules(facts).opinion, words=opinion.words)
    return Read(opinion, model.digest, Levels(*model.levels))


def _by_rules(facts: Facts) -> Read:
    reasons = rules(facts)
    return Read(Opinion(BIAS + sum(reason.weight for reason in reasons), reasons, well_known=True, words=()))


def _named(model: Model | None) -> str:
    return model.digest[:12] if model else "none"
