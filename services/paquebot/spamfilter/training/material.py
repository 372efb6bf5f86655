"""Gathers what a model is trained with: the files of a folder, and mail composed from stories."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from paquebot.spamfilter.training.composer import sample, stories
from paquebot.spamfilter.training.corpus import SOURCES_OF_STORIES, Labelled, read_files
from paquebot.spamfilter.training.refusal import TrainingRefused

_ENDS = (".jsonl", ".jsonl.xz")


@dataclass(frozen=True, slots=True)
class Ask:
    """For composed mail: its seed, how many messages of each label, and families to leave out of them."""

    seed: int = 1
    of_each_label: int = 0
    without: frozenset[str] = frozenset()


def files_of(folder: Path) -> list[Path]:
    """Return the files of labelled mail in a folder, by name. Raises TrainingRefused when there is none."""
    found = sorted(path for path in folder.iterdir() if path.name.endswith(_ENDS)) if folder.is_dir() else []
    if not found:
        raise TrainingRefused(f"{folder} holds no labelled mail: give a folder with files {' or '.join(_ENDS)}")
    return found


def composed(ask: Ask) -> Iterator[Labelled]:
    """Yield composed messages. Raises TrainingRefused for a family that there is not."""
    known = {story.family for story in stories()}
    if unknown := ask.without - known:
        raise TrainingRefused(f"there is no family {', '.join(sorted(unknown))}; known: {', '.join(sorted(known))}")
    for number, each in enumerate(sample(ask.seed, {"spam": ask.of_each_label, "ham": ask.of_each_label})):
        if each.family not in ask.without:
            source = f"{SOURCES_OF_STORIES}{each.label}-{each.family}"
            yield Labelled(f"{source}-{number}", each.label == "spam", source, held_out=False, content=each.content)


def material(paths: list[Path], ask: Ask, told: Callable[[str], None] = lambda _: None) -> Iterator[Labelled]:
    """Yield the labelled mail of files, then composed mail; `told` hears of every thousandth."""
    number = 0
    for number, each in enumerate(_all(paths, ask), 1):
        if number % 1_000 == 0:
            told(f"{number} messages read")
        yield each


def _all(paths: list[Path], ask: Ask) -> Iterator[Labelled]:
    yield from read_files(paths)
    if ask.of_each_label:
        yield from composed(ask)
