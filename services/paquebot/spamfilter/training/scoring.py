"""What a finished model says of labelled mail, message by message as the service would."""

from pathlib import Path

import numpy as np

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.content import Model
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.reading import read
from paquebot.spamfilter.training.corpus import Labelled, read_files
from paquebot.spamfilter.training.evaluation import Answers
from paquebot.spamfilter.training.refusal import TrainingRefused

_ENVELOPE = Envelope("", ("somebody@recipient.example",))
_PRINCIPAL = Principal("evaluation", "evaluation", any_sender=True)


def answers_of(model: Model, paths: list[Path], split: str = "all") -> Answers:
    """Return a model's answers about the messages of files: all, or those of split `val`.

    Raises TrainingRefused for files that cannot be read or hold none.
    """
    found = [_answer(model, each) for each in read_files(paths) if split == "all" or each.held_out]
    if not found:
        raise TrainingRefused("there is no message to judge: give files with labelled mail")
    logits, spam, sources, languages = zip(*found, strict=True)
    return Answers(
        np.array(logits, np.float32), np.array(spam, np.bool_), np.array(sources, np.str_), np.array(languages, np.str_)
    )


def _answer(model: Model, message: Labelled) -> tuple[float, bool, str, str]:
    facts = gather(message.content, _ENVELOPE, _PRINCIPAL)
    reading = read(facts)
    return model.opinion_of(facts, reading).logit, message.spam, message.source, reading.language
