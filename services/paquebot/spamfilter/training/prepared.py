"""Labelled mail as arrays: what the model reads of each message, made once for all folds."""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from paquebot.mail.envelope import Envelope
from paquebot.mail.principal import Principal
from paquebot.spamfilter.facts import gather
from paquebot.spamfilter.reading import Reading, read
from paquebot.spamfilter.training.corpus import Labelled

_ENVELOPE = Envelope("", ("somebody@recipient.example",))
_PRINCIPAL = Principal("training", "training", any_sender=True)


@dataclass(frozen=True, slots=True)
class Ragged:
    """Lists of numbers of different lengths: list i is values[bounds[i]:bounds[i + 1]]."""

    values: NDArray[np.uint32]
    bounds: NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.bounds) - 1

    def take(self, lines: NDArray[np.intp]) -> "Ragged":
        """Return some of the lists, in that order."""
        lengths = np.diff(self.bounds)[lines]
        bounds = np.concatenate(([0], np.cumsum(lengths)))
        at = np.arange(bounds[-1]) + np.repeat(self.bounds[lines] - bounds[:-1], lengths)
        return Ragged(self.values[at], bounds)


@dataclass(frozen=True, slots=True)
class Prepared:
    """Messages as arrays, a line each."""

    spam: NDArray[np.bool_]
    held_out: NDArray[np.bool_]
    sources: NDArray[np.str_]
    languages: NDArray[np.str_]
    shapes: NDArray[np.float32]
    words: Ragged
    letters: Ragged

    def __len__(self) -> int:
        return len(self.spam)

    def take(self, lines: NDArray[np.intp]) -> "Prepared":
        """Return some of the messages, in that order."""
        return Prepared(
            self.spam[lines],
            self.held_out[lines],
            self.sources[lines],
            self.languages[lines],
            self.shapes[lines],
            self.words.take(lines),
            self.letters.take(lines),
        )


def prepare(messages: Iterable[Labelled]) -> Prepared:
    """Read messages as the model does."""
    kept: list[tuple[bool, bool, str, Reading]] = [
        (each.spam, each.held_out, each.source, read(gather(each.content, _ENVELOPE, _PRINCIPAL))) for each in messages
    ]
    return Prepared(
        np.array([spam for spam, _, _, _ in kept], np.bool_),
        np.array([held_out for _, held_out, _, _ in kept], np.bool_),
        np.array([source for _, _, source, _ in kept], np.str_),
        np.array([reading.language for _, _, _, reading in kept], np.str_),
        np.stack([reading.shape for _, _, _, reading in kept]),
        _ragged(np.unique(reading.words) for _, _, _, reading in kept),
        _ragged(np.unique(reading.letters) for _, _, _, reading in kept),
    )


def _ragged(lists: Iterator[NDArray[np.uint32]]) -> Ragged:
    kept = list(lists)
    bounds = np.concatenate(([0], np.cumsum([len(each) for each in kept])))
    return Ragged(np.concatenate(kept), bounds)
